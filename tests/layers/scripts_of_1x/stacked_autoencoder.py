import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

import tensorlayer as tl

X = (load_digits().data / 16).astype(np.float32)
X_train, X_val = X[:600], X[600:800]

sess = tf.InteractiveSession()
x = tf.placeholder(tf.float32, shape=[None, 64], name="x")

print("Build Network")
net = tl.layers.InputLayer(x, name="input")
net = tl.layers.DropoutLayer(net, keep=0.5, name="denoising1")
net = tl.layers.DenseLayer(net, n_units=24, act=tf.nn.sigmoid, name="sigmoid1")
recon_layer1 = tl.layers.ReconLayer(
    net, x_recon=x, n_units=64, act=tf.nn.sigmoid, name="recon_layer1"
)
# ready to train
tl.layers.initialize_global_variables(sess)
print("All net Params")
net.print_params()
before = sess.run(recon_layer1.all_params)

print("Pre-train Layer 1")
costs = recon_layer1.pretrain(
    sess,
    x=x,
    X_train=X_train,
    X_val=X_val,
    denoise_name="denoising1",
    n_epoch=20,
    batch_size=128,
    print_freq=10,
    save=False,
    save_name="w1pre_",
)
after = sess.run(recon_layer1.all_params)
keeps = list(recon_layer1.all_drop.values())
sess.close()
