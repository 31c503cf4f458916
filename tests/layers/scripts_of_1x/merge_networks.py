import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

n1 = np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32)
x = tf.placeholder(tf.float32, shape=[None, 4], name="x")

inputs = tl.layers.InputLayer(x, name="input_layer")
net1 = tl.layers.DenseLayer(inputs, 6, act=tf.nn.relu, name="relu1_1")
net1 = tl.layers.DropoutLayer(net1, keep=0.8, name="drop1_1")
net2 = tl.layers.DenseLayer(inputs, 6, act=tf.nn.relu, name="relu2_1")
net2 = tl.layers.DropoutLayer(net2, keep=0.6, name="drop2_1")
net3 = tl.layers.DenseLayer(inputs, 5, act=tf.nn.relu, name="relu3_1")

added = tl.layers.ElementwiseLayer([net1, net2], combine_fn=tf.add, name="minimum")
joined = tl.layers.ConcatLayer([added, net3], 1, name="concat_layer")
net = tl.layers.DenseLayer(joined, 2, name="output")

# two heads: what is saved is of both
head1 = tl.layers.DenseLayer(net1, 3, name="head1")
head2 = tl.layers.DenseLayer(net2, 4, name="head2")
merged = tl.layers.merge_networks([head1, head2])

stacked = tl.layers.StackLayer([net1, net2], axis=1, name="stack")
unstacked = tl.layers.UnStackLayer(stacked, axis=1, name="unstack")
sliced = net3[:, :2]
layers = tl.layers.get_layers_with_name(net, "relu", True)
unique = tl.layers.list_remove_repeat(net.all_params + net3.all_params)

sess = tf.Session()
tl.layers.initialize_global_variables(sess)
off = tl.utils.dict_to_one(net.all_drop)
outputs, parts, params = sess.run(
    [net.outputs, [net1.outputs, net2.outputs, net3.outputs], net.all_params], {x: n1, **off}
)
of_layers = sess.run([layer.outputs for layer in layers], {x: n1, **off})
as_they_are = sess.run(layers, {x: n1, **off})
both = sess.run([each.outputs for each in unstacked], {x: n1, **off})
cut = sess.run(sliced.outputs, {x: n1})
keeps = sorted(net.all_drop.values())
merged_keeps = sorted(merged.all_drop.values())
merged_shapes = [v.shape.as_list() for v in merged.all_params]
merged_same = merged.outputs is head1.outputs
sess.close()
