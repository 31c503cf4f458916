import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

rng = np.random.RandomState(0)
X = rng.normal(size=(20, 6)).astype(np.float32)
x = tf.placeholder(tf.float32, shape=[None, 6], name="x")

net = tl.layers.InputLayer(x, name="input")
net = tl.layers.DenseLayer(net, n_units=8, act=tf.nn.relu, name="relu1")
net = tl.layers.BatchNormLayer(net, is_train=False, name="bn1")
net = tl.layers.DropoutLayer(net, keep=0.5, is_train=False, name="drop1")
net = tl.layers.DenseLayer(net, n_units=3, act=tf.identity, name="output")

sess = tf.Session()


def reset():
    tl.layers.initialize_global_variables(sess)
    return sess.run(net.outputs, {x: X})


reset()
kept = sess.run(net.all_params)
expected = sess.run(net.outputs, {x: X})
tl.files.save_npz(net.all_params, name="model.npz", sess=sess)
tl.files.save_npz_dict(net.all_params, name="model_dict.npz", sess=sess)
tl.files.save_ckpt(
    sess=sess, mode_name="model.ckpt", var_list=net.all_params, save_dir="model", printable=True
)
tl.files.save_ckpt(sess, "every.ckpt", "every")

results = {}
results["nothing"] = reset()

reset()
load_params = tl.files.load_npz(path="", name="model.npz")
tl.files.assign_params(sess, load_params, net)
results["assign_params"] = sess.run(net.outputs, {x: X})

reset()
assert tl.files.load_and_assign_npz(sess=sess, name="model.npz", network=net)
results["load_and_assign_npz"] = sess.run(net.outputs, {x: X})

reset()
tl.files.load_and_assign_npz_dict(name="model_dict.npz", sess=sess)
results["load_and_assign_npz_dict"] = sess.run(net.outputs, {x: X})

reset()
tl.files.load_ckpt(
    sess=sess, mode_name="model.ckpt", var_list=net.all_params, save_dir="model", is_latest=False
)
results["load_ckpt"] = sess.run(net.outputs, {x: X})

reset()
tl.files.load_ckpt(sess, "every.ckpt", "every")
results["load_ckpt of all"] = sess.run(net.outputs, {x: X})

reset()
saver = tf.train.Saver()
saver.restore(sess, "every/every.ckpt")
results["Saver"] = sess.run(net.outputs, {x: X})

# only the first layer, as transfer learning does
reset()
tl.files.assign_params(sess, load_params[:2], net)
part = sess.run(net.all_params)
missing = tl.files.load_and_assign_npz(sess=sess, name="missing.npz", network=net)
values = net.get_all_params(sess)
net.print_params(True, sess)
sess.close()
