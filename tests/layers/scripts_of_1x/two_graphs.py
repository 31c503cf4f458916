import threading

import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

X = np.linspace(-1, 1, 32).reshape(16, 2).astype(np.float32)


class Worker:
    """A network of its own: a graph and a session."""

    def __init__(self, n_units, factor):
        self.graph, self.factor, self.losses = tf.Graph(), factor, []
        with self.graph.as_default():
            tf.set_random_seed(n_units)
            self.x = tf.placeholder(tf.float32, [None, 2], name="x")
            self.y_ = tf.placeholder(tf.float32, [None, 1], name="y_")
            with tf.variable_scope("model"):
                net = tl.layers.InputLayer(self.x, name="input")
                net = tl.layers.DenseLayer(net, n_units, tf.nn.tanh, name="hidden")
                net = tl.layers.DropoutLayer(net, 0.9, False, True, name="drop")
                self.net = tl.layers.DenseLayer(net, 1, name="output")
            self.cost = tl.cost.mean_squared_error(self.net.outputs, self.y_, is_mean=True)
            self.train_op = tf.train.AdamOptimizer(0.05).minimize(
                self.cost, var_list=self.net.all_params
            )
            self.variables = tl.layers.get_variables_with_name("model", True, False)
        self.sess = tf.Session(graph=self.graph)
        tl.layers.initialize_global_variables(self.sess)

    def work(self):
        with self.graph.as_default(), self.sess.as_default():
            Y = self.factor * X[:, :1]
            off = tl.utils.dict_to_one(self.net.all_drop)
            for _ in range(120):
                self.sess.run(self.train_op, {self.x: X, self.y_: Y, **off})
                self.losses.append(self.sess.run(self.cost, {self.x: X, self.y_: Y, **off}))
            tl.files.save_npz(self.net.all_params, name="net_%g.npz" % self.factor, sess=self.sess)
            self.predicted = tl.utils.predict(self.sess, self.net, X, self.x, self.net.outputs, 5)


workers = [Worker(8, 2.0), Worker(12, -3.0)]
threads = [threading.Thread(target=worker.work) for worker in workers]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
names = [[v.name for v in worker.variables] for worker in workers]
params = [worker.net.get_all_params(worker.sess) for worker in workers]
saved = [tl.files.load_npz(name="net_%g.npz" % worker.factor) for worker in workers]
for worker in workers:
    worker.sess.close()
