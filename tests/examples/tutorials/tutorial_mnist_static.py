import time

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Dense, Dropout, Input
from tensorlayer.models import Model

tl.logging.set_verbosity(tl.logging.DEBUG)

## prepare MNIST data
X_train, y_train, X_val, y_val, X_test, y_test = tl.files.load_mnist_dataset(
    shape=(-1, 784), path="data"
)


## define the network
def get_model(inputs_shape):
    ni = Input(inputs_shape)
    nn = Dropout(keep=0.8)(ni)
    nn = Dense(n_units=800, act=tf.nn.relu)(nn)
    nn = Dropout(keep=0.5)(nn)
    nn = Dense(n_units=800, act=tf.nn.relu)(nn)
    nn = Dropout(keep=0.5)(nn)
    nn = Dense(n_units=10, act=None)(nn)
    return Model(inputs=ni, outputs=nn, name="mlp")


MLP = get_model([None, 784])
print(MLP)

## start training
n_epoch = 12
batch_size = 50
print_freq = 4
train_weights = MLP.trainable_weights
optimizer = tf.optimizers.Adam(learning_rate=0.001)


def evaluate(X, y):
    loss, acc, n_iter = 0, 0, 0
    for X_batch, y_batch in tl.iterate.minibatches(X, y, batch_size, shuffle=False):
        _logits = MLP(X_batch)
        loss += tl.cost.cross_entropy(_logits, y_batch, name="eval_loss")
        acc += np.mean(np.equal(np.argmax(_logits, 1), y_batch))
        n_iter += 1
    return loss / n_iter, acc / n_iter


for epoch in range(n_epoch):
    start_time = time.time()
    for X_batch, y_batch in tl.iterate.minibatches(X_train, y_train, batch_size, shuffle=True):
        MLP.train()  # enable dropout
        with tf.GradientTape() as tape:
            _logits = MLP(X_batch)
            _loss = tl.cost.cross_entropy(_logits, y_batch, name="train_loss")
        grad = tape.gradient(_loss, train_weights)
        optimizer.apply_gradients(zip(grad, train_weights))

    if epoch == 0 or (epoch + 1) % print_freq == 0:
        MLP.eval()  # disable dropout
        print(f"Epoch {epoch + 1} of {n_epoch} took {time.time() - start_time:.2f}s")
        print("   train loss: %f  train acc: %f" % evaluate(X_train, y_train))
        print("   val loss: %f  val acc: %f" % evaluate(X_val, y_val))

## use testing data to evaluate the model
MLP.eval()
print("   test loss: %f  test acc: %f" % evaluate(X_test, y_test))

## save, and restore into another model
MLP.save_weights("model.h5")
again = get_model([None, 784])
again.load_weights("model.h5")
again.eval()
print("   same: %s" % np.allclose(again(X_test[:10]), MLP(X_test[:10])))
