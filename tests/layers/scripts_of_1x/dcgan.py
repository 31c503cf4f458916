import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import (
    BatchNormLayer,
    Conv2d,
    DeConv2d,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    ReshapeLayer,
)

batch_size, image_size, z_dim, c_dim = 8, 8, 10, 1
rng = np.random.RandomState(0)
real = np.tanh(rng.normal(0.5, 0.2, (64, image_size, image_size, c_dim))).astype(np.float32)


def generator_simplified_api(inputs, is_train=True, reuse=False):
    s2, s4 = int(image_size / 2), int(image_size / 4)
    gf_dim = 8
    w_init = tf.random_normal_initializer(stddev=0.02)
    gamma_init = tf.random_normal_initializer(1.0, 0.02)

    with tf.variable_scope("generator", reuse=reuse):
        tl.layers.set_name_reuse(reuse)

        net_in = InputLayer(inputs, name="g/in")
        net_h0 = DenseLayer(
            net_in, n_units=gf_dim * 2 * s4 * s4, W_init=w_init, act=tf.identity, name="g/h0/lin"
        )
        net_h0 = ReshapeLayer(net_h0, shape=[-1, s4, s4, gf_dim * 2], name="g/h0/reshape")
        net_h0 = BatchNormLayer(
            net_h0, act=tf.nn.relu, is_train=is_train, gamma_init=gamma_init, name="g/h0/batch_norm"
        )
        net_h1 = DeConv2d(
            net_h0,
            gf_dim,
            (5, 5),
            out_size=(s2, s2),
            strides=(2, 2),
            padding="SAME",
            batch_size=batch_size,
            act=None,
            W_init=w_init,
            name="g/h1/decon2d",
        )
        net_h1 = BatchNormLayer(
            net_h1, act=tf.nn.relu, is_train=is_train, gamma_init=gamma_init, name="g/h1/batch_norm"
        )
        net_h2 = DeConv2d(
            net_h1,
            c_dim,
            (5, 5),
            out_size=(image_size, image_size),
            strides=(2, 2),
            padding="SAME",
            batch_size=batch_size,
            act=None,
            W_init=w_init,
            name="g/h2/decon2d",
        )
        logits = net_h2.outputs
    return net_h2, tf.nn.tanh(logits)


def discriminator_simplified_api(inputs, is_train=True, reuse=False):
    df_dim = 8
    w_init = tf.random_normal_initializer(stddev=0.02)
    gamma_init = tf.random_normal_initializer(1.0, 0.02)

    with tf.variable_scope("discriminator", reuse=reuse):
        tl.layers.set_name_reuse(reuse)

        net_in = InputLayer(inputs, name="d/in")
        net_h0 = Conv2d(
            net_in,
            df_dim,
            (5, 5),
            (2, 2),
            act=lambda x: tl.act.lrelu(x, 0.2),
            padding="SAME",
            W_init=w_init,
            name="d/h0/conv2d",
        )
        net_h1 = Conv2d(
            net_h0,
            df_dim * 2,
            (5, 5),
            (2, 2),
            act=None,
            padding="SAME",
            W_init=w_init,
            name="d/h1/conv2d",
        )
        net_h1 = BatchNormLayer(
            net_h1,
            act=lambda x: tl.act.lrelu(x, 0.2),
            is_train=is_train,
            gamma_init=gamma_init,
            name="d/h1/batch_norm",
        )
        net_h4 = FlattenLayer(net_h1, name="d/h4/flatten")
        net_h4 = DenseLayer(
            net_h4, n_units=1, act=tf.identity, W_init=w_init, name="d/h4/lin_sigmoid"
        )
        logits = net_h4.outputs
    return net_h4, logits


z = tf.placeholder(tf.float32, [batch_size, z_dim], name="z_noise")
real_images = tf.placeholder(
    tf.float32, [batch_size, image_size, image_size, c_dim], name="real_images"
)

# z --> generator for training
net_g, g_images = generator_simplified_api(z, is_train=True, reuse=False)
# generated fake images --> discriminator
net_d, d_logits = discriminator_simplified_api(g_images, is_train=True, reuse=False)
# real images --> discriminator
net_d2, d2_logits = discriminator_simplified_api(real_images, is_train=True, reuse=True)
# sample_z --> generator for evaluation, set is_train to False
net_g2, sampler = generator_simplified_api(z, is_train=False, reuse=True)

# cost for updating discriminator and generator
# discriminator: real images are labelled as 1
d_loss_real = tl.cost.sigmoid_cross_entropy(d2_logits, tf.ones_like(d2_logits), name="dreal")
# discriminator: images from generator (fake) are labelled as 0
d_loss_fake = tl.cost.sigmoid_cross_entropy(d_logits, tf.zeros_like(d_logits), name="dfake")
d_loss = d_loss_real + d_loss_fake
# generator: try to make the the fake images look real (1)
g_loss = tl.cost.sigmoid_cross_entropy(d_logits, tf.ones_like(d_logits), name="gfake")

g_vars = tl.layers.get_variables_with_name("generator", True, True)
d_vars = tl.layers.get_variables_with_name("discriminator", True, True)

net_g.print_params(False)
print("---------------")
net_d.print_params(False)

# optimizers for updating discriminator and generator
d_optim = tf.train.AdamOptimizer(0.01, beta1=0.5).minimize(d_loss, var_list=d_vars)
g_optim = tf.train.AdamOptimizer(0.01, beta1=0.5).minimize(g_loss, var_list=g_vars)

sess = tf.InteractiveSession()
tl.layers.initialize_global_variables(sess)

before_g, before_d = sess.run(g_vars), sess.run(d_vars)
sess.run(d_optim, {z: rng.normal(size=(8, z_dim)), real_images: real[:8]})
after_d = sess.run(d_vars)
g_untouched = sess.run(g_vars)
sess.run(g_optim, {z: rng.normal(size=(8, z_dim))})
after_g = sess.run(g_vars)

distances = []
for step in range(150):
    batch_images = real[8 * (step % 8) : 8 * (step % 8) + 8]
    batch_z = rng.normal(size=(batch_size, z_dim)).astype(np.float32)
    # update D, then G
    errD, _ = sess.run([d_loss, d_optim], feed_dict={z: batch_z, real_images: batch_images})
    errG, _ = sess.run([g_loss, g_optim], feed_dict={z: batch_z})
    samples = sess.run(sampler, feed_dict={z: batch_z})
    distances.append(abs(samples.mean() - real.mean()))

tl.files.save_npz(net_g.all_params, name="net_g.npz", sess=sess)
tl.files.save_npz(net_d.all_params, name="net_d.npz", sess=sess)
kept = sess.run(net_g.all_params)
tl.layers.initialize_global_variables(sess)
tl.files.load_and_assign_npz(sess=sess, name="net_g.npz", network=net_g)
loaded = sess.run(net_g2.all_params)
names = [v.name for v in net_d.all_params]
sess.close()
