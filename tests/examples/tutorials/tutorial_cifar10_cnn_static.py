import multiprocessing
import time

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import BatchNorm, Conv2d, Dense, Flatten, Input, MaxPool2d
from tensorlayer.models import Model

tl.logging.set_verbosity(tl.logging.DEBUG)

# prepare cifar10 data
X_train, y_train, X_test, y_test = tl.files.load_cifar10_dataset(
    shape=(-1, 32, 32, 3), path="data", plotable=False
)


# define the network
def get_model_batchnorm(inputs_shape):
    # BN after every conv
    W_init = tl.initializers.truncated_normal(stddev=5e-2)
    W_init2 = tl.initializers.truncated_normal(stddev=0.04)
    b_init2 = tl.initializers.constant(value=0.1)

    ni = Input(inputs_shape)
    nn = Conv2d(64, (5, 5), (1, 1), padding="SAME", W_init=W_init, b_init=None, name="conv1")(ni)
    nn = BatchNorm(decay=0.9, act=tf.nn.relu, name="batch1")(nn)
    nn = MaxPool2d((3, 3), (2, 2), padding="SAME", name="pool1")(nn)

    nn = Conv2d(64, (5, 5), (1, 1), padding="SAME", W_init=W_init, b_init=None, name="conv2")(nn)
    nn = BatchNorm(decay=0.9, act=tf.nn.relu, name="batch2")(nn)
    nn = MaxPool2d((3, 3), (2, 2), padding="SAME", name="pool2")(nn)

    nn = Flatten(name="flatten")(nn)
    nn = Dense(384, act=tf.nn.relu, W_init=W_init2, b_init=b_init2, name="dense1relu")(nn)
    nn = Dense(192, act=tf.nn.relu, W_init=W_init2, b_init=b_init2, name="dense2relu")(nn)
    nn = Dense(10, act=None, W_init=W_init2, name="output")(nn)
    return Model(inputs=ni, outputs=nn, name="cnn")


# get the network
net = get_model_batchnorm([None, 24, 24, 3])

# training settings
batch_size = 50
n_epoch = 8
learning_rate = 0.001
print_freq = 4
n_step_epoch = int(len(y_train) / batch_size)
shuffle_buffer_size = 128

train_weights = net.trainable_weights
optimizer = tf.optimizers.Adam(learning_rate)


def generator_train():
    yield from zip(X_train, y_train)


def generator_test():
    yield from zip(X_test, y_test)


def _map_fn_train(img, target):
    # 1. Randomly crop a [height, width] section of the image.
    img = tf.image.random_crop(img, [24, 24, 3])
    # 2. Randomly flip the image horizontally.
    img = tf.image.random_flip_left_right(img)
    # 3. Randomly change brightness.
    img = tf.image.random_brightness(img, max_delta=63)
    # 4. Randomly change contrast.
    img = tf.image.random_contrast(img, lower=0.2, upper=1.8)
    # 5. Subtract off the mean and divide by the standard deviation of the pixels.
    img = tf.image.per_image_standardization(img)
    target = tf.reshape(target, ())
    return img, target


def _map_fn_test(img, target):
    img = tf.image.resize_with_crop_or_pad(img, 24, 24)
    img = tf.image.per_image_standardization(img)
    img = tf.reshape(img, (24, 24, 3))
    target = tf.reshape(target, ())
    return img, target


# dataset API and augmentation
train_ds = tf.data.Dataset.from_generator(generator_train, output_types=(tf.float32, tf.int32))
train_ds = train_ds.map(_map_fn_train, num_parallel_calls=multiprocessing.cpu_count())
train_ds = train_ds.shuffle(shuffle_buffer_size)
train_ds = train_ds.prefetch(buffer_size=4096)
train_ds = train_ds.batch(batch_size)

test_ds = tf.data.Dataset.from_generator(generator_test, output_types=(tf.float32, tf.int32))
test_ds = test_ds.map(_map_fn_test, num_parallel_calls=multiprocessing.cpu_count())
test_ds = test_ds.prefetch(buffer_size=4096)
test_ds = test_ds.batch(batch_size)


@tf.function
def train_step(X_batch, y_batch):
    with tf.GradientTape() as tape:
        _logits = net(X_batch)
        _loss = tl.cost.cross_entropy(_logits, y_batch, name="train_loss")
    grad = tape.gradient(_loss, train_weights)
    optimizer.apply_gradients(zip(grad, train_weights))
    return _loss


for epoch in range(n_epoch):
    start_time = time.time()
    train_loss, n_iter = 0, 0
    net.train()
    for X_batch, y_batch in train_ds:
        train_loss += train_step(X_batch, y_batch)
        n_iter += 1

    if epoch == 0 or (epoch + 1) % print_freq == 0:
        print(f"Epoch {epoch + 1} of {n_epoch} took {time.time() - start_time:.2f}s")
        print(f"   train loss: {train_loss / n_iter}")

# use testing data to evaluate the model
net.eval()
test_acc, n_iter = 0, 0
for X_batch, y_batch in test_ds:
    _logits = net(X_batch)
    test_acc += np.mean(np.equal(np.argmax(_logits, 1), y_batch))
    n_iter += 1
print(f"   test acc:  {test_acc / n_iter}")
