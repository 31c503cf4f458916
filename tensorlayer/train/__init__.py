"""Training: a step, traced once and run over data.

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

A step that is nothing but the gradient of a cost need not be written:

    step = tl.train.GradientStep(net, tl.cost.cross_entropy, optimizer, clip_norm=5.0, accumulate=4)
    held_out = tl.train.Evaluation(net, {"loss": tl.cost.cross_entropy}, others)
    tl.train.run(step, dataset, n_epoch=10, evaluate=held_out, profile="profile")

Python is called back a few times a second, however short a step is: the steps between run as one
call of TensorFlow. Killed and started again, the program goes on with the next batch.
"""

from __future__ import annotations

from tensorlayer.train.callbacks import Epoch, Every, Interval, early_stop
from tensorlayer.train.checkpoint import Checkpoint
from tensorlayer.train.epochs import run
from tensorlayer.train.evaluation import Evaluation
from tensorlayer.train.gradient_step import GradientStep
from tensorlayer.train.loop import Step
from tensorlayer.train.place import Place
from tensorlayer.train.profiling import Profile
from tensorlayer.train.workers import Workers

__all__ = [
    "Checkpoint",
    "Epoch",
    "Evaluation",
    "Every",
    "GradientStep",
    "Interval",
    "Place",
    "Profile",
    "Step",
    "Workers",
    "early_stop",
    "run",
]
