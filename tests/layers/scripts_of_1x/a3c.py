import threading

import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl
from tensorlayer.layers import DenseLayer, InputLayer

N_S, N_A, GLOBAL_NET_SCOPE = 3, 2, "Global_Net"


class ACNet(object):
    def __init__(self, scope, globalAC=None):
        self.scope = scope
        if scope == GLOBAL_NET_SCOPE:
            ## global network only do inference
            with tf.variable_scope(scope):
                self.s = tf.placeholder(tf.float32, [None, N_S], "S")
                self._build_net()
                self.a_params = tl.layers.get_variables_with_name(scope + "/actor", True, False)
                self.c_params = tl.layers.get_variables_with_name(scope + "/critic", True, False)
        else:
            ## worker network calculate gradient locally, update on global network
            with tf.variable_scope(scope):
                self.s = tf.placeholder(tf.float32, [None, N_S], "S")
                self.a_his = tf.placeholder(tf.float32, [None, N_A], "A")
                self.v_target = tf.placeholder(tf.float32, [None, 1], "Vtarget")
                self._build_net()
                td = tf.subtract(self.v_target, self.v, name="TD_error")
                with tf.name_scope("c_loss"):
                    self.c_loss = tf.reduce_mean(tf.square(td))
                with tf.name_scope("a_loss"):
                    self.a_loss = tf.reduce_mean(tf.square(self.a_his - self.a))
                with tf.name_scope("local_grad"):
                    self.a_params = tl.layers.get_variables_with_name(scope + "/actor", True, False)
                    self.c_params = tl.layers.get_variables_with_name(
                        scope + "/critic", True, False
                    )
                    self.a_grads = tf.gradients(self.a_loss, self.a_params)
                    self.c_grads = tf.gradients(self.c_loss, self.c_params)
            with tf.name_scope("sync"):
                with tf.name_scope("pull"):
                    self.pull_a_params_op = [
                        l_p.assign(g_p) for l_p, g_p in zip(self.a_params, globalAC.a_params)
                    ]
                    self.pull_c_params_op = [
                        l_p.assign(g_p) for l_p, g_p in zip(self.c_params, globalAC.c_params)
                    ]
                with tf.name_scope("push"):
                    self.update_a_op = OPT_A.apply_gradients(zip(self.a_grads, globalAC.a_params))
                    self.update_c_op = OPT_C.apply_gradients(zip(self.c_grads, globalAC.c_params))

    def _build_net(self):
        w_init = tf.random_normal_initializer(0.0, 0.1)
        with tf.variable_scope("actor"):  # Policy network
            nn = InputLayer(self.s, name="in")
            nn = DenseLayer(nn, n_units=8, act=tf.nn.relu6, W_init=w_init, name="la")
            nn = DenseLayer(nn, n_units=N_A, act=tf.nn.tanh, W_init=w_init, name="mu")
            self.a = nn.outputs
            self.actor = nn
        with tf.variable_scope("critic"):  # we use Value-function here, but not Q-function.
            nn = InputLayer(self.s, name="in")
            nn = DenseLayer(nn, n_units=8, act=tf.nn.relu6, W_init=w_init, name="lc")
            nn = DenseLayer(nn, n_units=1, W_init=w_init, name="v")
            self.v = nn.outputs
            self.critic = nn

    def update_global(self, feed_dict):  # run by a local
        return sess.run([self.update_a_op, self.update_c_op, self.a_loss], feed_dict)[-1]

    def pull_global(self):  # run by a local
        sess.run([self.pull_a_params_op, self.pull_c_params_op])


def work(net, seed):
    rng = np.random.RandomState(seed)
    net.pull_global()
    for _ in range(150):
        s = rng.uniform(-1, 1, (16, N_S)).astype(np.float32)
        a, v = 0.5 * s[:, :N_A], s.sum(1, keepdims=True)
        losses[seed].append(net.update_global({net.s: s, net.a_his: a, net.v_target: v}))
        net.pull_global()


sess = tf.Session()
OPT_A = tf.train.RMSPropOptimizer(0.005, name="RMSPropA")
OPT_C = tf.train.RMSPropOptimizer(0.005, name="RMSPropC")
GLOBAL_AC = ACNet(GLOBAL_NET_SCOPE)  # we only need its params
workers = [ACNet("W_%i" % i, GLOBAL_AC) for i in range(2)]
tl.layers.initialize_global_variables(sess)

losses = [[], []]
coord = tf.train.Coordinator()
threads = [threading.Thread(target=work, args=(net, i)) for i, net in enumerate(workers)]
for t in threads:
    t.start()
coord.join(threads)

tl.files.save_npz(GLOBAL_AC.actor.all_params, name="actor.npz", sess=sess)
names = [v.name for v in GLOBAL_AC.a_params]
in_collection = [v.name for v in tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, "W_1/actor")]
n_variables = len(tf.trainable_variables())
probe = np.eye(3).astype(np.float32)
actions = sess.run(GLOBAL_AC.a, {GLOBAL_AC.s: probe})
params = sess.run(GLOBAL_AC.actor.all_params)
sess.close()
