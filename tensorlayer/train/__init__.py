"""Training: a step of yours, traced once and run over data.

The training logic is yours: a *step* takes a batch and returns a scalar or a dictionary of scalars.
What is always the same is here:

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tl.cost.cross_entropy(net(images, is_train=True), labels)
        gradients = tape.gradient(loss, net.trainable_weights)
        optimizer.apply_gradients(zip(gradients, net.trainable_weights))
        return {"loss": loss}

    saved = tl.train.Checkpoint("run-1", {"net": net, "optimizer": optimizer}, every=1000)
    tl.train.run(step, dataset, n_epoch=10, callbacks=[print], checkpoint=saved)

Python is called back a few times a second, however short a step is: the steps between run as one
call of TensorFlow. Killed and started again, the program goes on with the next batch.
"""

from __future__ import annotations

from tensorlayer.train.callbacks import Epoch, Every, Interval, early_stop
from tensorlayer.train.checkpoint import Checkpoint
from tensorlayer.train.epochs import run
from tensorlayer.train.loop import Step
from tensorlayer.train.place import Place

__all__ = ["Checkpoint", "Epoch", "Every", "Interval", "Place", "Step", "early_stop", "run"]
