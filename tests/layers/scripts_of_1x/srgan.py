import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import *

rng = np.random.RandomState(0)


def SRGAN_g(t_image, is_train=False, reuse=False):
    w_init = tf.random_normal_initializer(stddev=0.02)
    b_init = None
    g_init = tf.random_normal_initializer(1.0, 0.02)
    with tf.variable_scope("SRGAN_g", reuse=reuse) as vs:
        n = InputLayer(t_image, name="in")
        n = Conv2d(
            n, 8, (3, 3), (1, 1), act=tf.nn.relu, padding="SAME", W_init=w_init, name="n64s1/c"
        )
        temp = n
        # B residual blocks
        for i in range(2):
            nn = Conv2d(n, 8, (3, 3), (1, 1), act=None, padding="SAME", W_init=w_init,
                        b_init=b_init, name="n64s1/c1/%s" % i)  # fmt: skip
            nn = BatchNormLayer(nn, act=tf.nn.relu, is_train=is_train, gamma_init=g_init,
                                name="n64s1/b1/%s" % i)  # fmt: skip
            nn = Conv2d(nn, 8, (3, 3), (1, 1), act=None, padding="SAME", W_init=w_init,
                        b_init=b_init, name="n64s1/c2/%s" % i)  # fmt: skip
            nn = BatchNormLayer(nn, is_train=is_train, gamma_init=g_init,
                                name="n64s1/b2/%s" % i)  # fmt: skip
            nn = ElementwiseLayer([n, nn], tf.add, name="b_residual_add/%s" % i)
            n = nn
        n = ElementwiseLayer([n, temp], tf.add, name="add3")
        # B residual blacks end
        n = Conv2d(n, 16, (3, 3), (1, 1), act=None, padding="SAME", W_init=w_init, name="n256s1/1")
        n = SubpixelConv2d(n, 2, None, tf.nn.relu, "pixelshufflerx2/1")
        n = Conv2d(n, 1, (1, 1), (1, 1), act=tf.nn.tanh, padding="SAME", W_init=w_init, name="out")
        return n


def SRGAN_d(input_images, is_train=True, reuse=False):
    w_init = tf.random_normal_initializer(stddev=0.02)
    lrelu = lambda x: tl.act.lrelu(x, 0.2)
    with tf.variable_scope("SRGAN_d", reuse=reuse):
        tl.layers.set_name_reuse(reuse)
        net_in = InputLayer(input_images, name="input/images")
        net_h0 = Conv2d(net_in, 4, (4, 4), (2, 2), act=lrelu, padding="SAME", W_init=w_init,
                        name="h0/c")  # fmt: skip
        net = Conv2d(net_h0, 4, (1, 1), (1, 1), act=None, padding="SAME", W_init=w_init,
                     b_init=None, name="res/c")  # fmt: skip
        net = BatchNormLayer(net, 0.9, 1e-5, lrelu, is_train, name="res/bn")
        net_h8 = ElementwiseLayer(layer=[net_h0, net], combine_fn=tf.add, name="res/add")
        net_h8.outputs = tl.act.lrelu(net_h8.outputs, 0.2)
        net_ho = FlattenLayer(net_h8, name="ho/flatten")
        net_ho = DenseLayer(net_ho, n_units=1, act=tf.identity, W_init=w_init, name="ho/dense")
        logits = net_ho.outputs
        net_ho.outputs = tf.nn.sigmoid(net_ho.outputs)
    return net_ho, logits


t_image = tf.placeholder("float32", [4, 6, 6, 1], name="t_image_input_to_SRGAN_generator")
t_target = tf.placeholder("float32", [4, 12, 12, 1], name="t_target_image")
net_g = SRGAN_g(t_image, is_train=True, reuse=False)
net_d, logits_real = SRGAN_d(t_target, is_train=True, reuse=False)
_, logits_fake = SRGAN_d(net_g.outputs, is_train=True, reuse=True)
net_g.print_params(False)
net_d.print_layers()
net_g_test = SRGAN_g(t_image, is_train=False, reuse=True)

d_loss1 = tl.cost.sigmoid_cross_entropy(logits_real, tf.ones_like(logits_real), name="d1")
d_loss2 = tl.cost.sigmoid_cross_entropy(logits_fake, tf.zeros_like(logits_fake), name="d2")
d_loss = d_loss1 + d_loss2
g_gan_loss = 1e-3 * tl.cost.sigmoid_cross_entropy(logits_fake, tf.ones_like(logits_fake), name="g")
mse_loss = tl.cost.mean_squared_error(net_g.outputs, t_target, is_mean=True)
g_loss = mse_loss + g_gan_loss

g_vars = tl.layers.get_variables_with_name("SRGAN_g", True, True)
d_vars = tl.layers.get_variables_with_name("SRGAN_d", True, True)
with tf.variable_scope("learning_rate"):
    lr_v = tf.Variable(0.01, trainable=False)
g_optim_init = tf.train.AdamOptimizer(lr_v, beta1=0.9).minimize(mse_loss, var_list=g_vars)
g_optim = tf.train.AdamOptimizer(lr_v, beta1=0.9).minimize(g_loss, var_list=g_vars)
d_optim = tf.train.AdamOptimizer(lr_v, beta1=0.9).minimize(d_loss, var_list=d_vars)

sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=False))
tl.layers.initialize_global_variables(sess)
if tl.files.load_and_assign_npz(sess=sess, name="g_srgan.npz", network=net_g) is False:
    tl.files.load_and_assign_npz(sess=sess, name="g_srgan_init.npz", network=net_g)

small = rng.uniform(-0.8, 0.8, (4, 6, 6, 1)).astype(np.float32)
large = small.repeat(2, axis=1).repeat(2, axis=2)
errors = []
for _ in range(60):
    errM, _ = sess.run([mse_loss, g_optim_init], {t_image: small, t_target: large})
    errors.append(errM)
for _ in range(5):
    errD, _ = sess.run([d_loss, d_optim], {t_image: small, t_target: large})
    errG, _ = sess.run([g_loss, g_optim], {t_image: small, t_target: large})
probability = sess.run(net_d.outputs, {t_target: large})
linear = sess.run(logits_real, {t_target: large})
out = sess.run(net_g_test.outputs, {t_image: small})
tl.files.save_npz(net_g.all_params, name="g_srgan.npz", sess=sess)
found = tl.files.load_and_assign_npz(sess=sess, name="g_srgan.npz", network=net_g) is not False
sess.close()
