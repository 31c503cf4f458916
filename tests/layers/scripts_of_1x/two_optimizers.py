import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl


class Actor(object):
    def __init__(self, sess, n_features, n_actions, lr=0.01):
        self.sess = sess
        self.s = tf.placeholder(tf.float32, [1, n_features], "state")
        self.a = tf.placeholder(tf.int32, [None], "act")
        self.td_error = tf.placeholder(tf.float32, [None], "td_error")  # TD_error

        with tf.variable_scope("Actor"):
            n = tl.layers.InputLayer(self.s, name="in")
            n = tl.layers.DenseLayer(n, n_units=8, act=tf.nn.relu6, name="hidden")
            n = tl.layers.DenseLayer(n, n_units=n_actions, name="Pi")
            self.acts_logits = n.outputs
            self.acts_prob = tf.nn.softmax(self.acts_logits)

        with tf.variable_scope("loss"):
            self.exp_v = tl.rein.cross_entropy_reward_loss(
                logits=self.acts_logits, actions=self.a, rewards=self.td_error, name="actor_loss"
            )
        self.params = tl.layers.get_variables_with_name("Actor", True, False)
        with tf.variable_scope("train"):
            self.train_op = tf.train.AdamOptimizer(lr).minimize(self.exp_v, var_list=self.params)

    def learn(self, s, a, td):
        _, exp_v = self.sess.run(
            [self.train_op, self.exp_v], {self.s: [s], self.a: [a], self.td_error: td[0]}
        )
        return exp_v

    def choose_action(self, s):
        probs = self.sess.run(self.acts_prob, {self.s: [s]})
        return tl.rein.choice_action_by_probs(probs.ravel())


class Critic(object):
    def __init__(self, sess, n_features, lr=0.01):
        self.sess = sess
        self.s = tf.placeholder(tf.float32, [1, n_features], "state")
        self.v_ = tf.placeholder(tf.float32, [1, 1], "v_next")
        self.r = tf.placeholder(tf.float32, None, "r")

        with tf.variable_scope("Critic"):
            n = tl.layers.InputLayer(self.s, name="in")
            n = tl.layers.DenseLayer(n, n_units=8, act=tf.nn.relu6, name="hidden")
            n = tl.layers.DenseLayer(n, n_units=1, act=None, name="V")
            self.v = n.outputs

        with tf.variable_scope("squared_TD_error"):
            # TD_error = (r+gamma*V_next) - V_eval
            self.td_error = self.r + 0.9 * self.v_ - self.v
            self.loss = tf.square(self.td_error)
        self.params = tl.layers.get_variables_with_name("Critic", True, False)
        with tf.variable_scope("train"):
            self.train_op = tf.train.AdamOptimizer(lr).minimize(self.loss, var_list=self.params)

    def learn(self, s, r, s_):
        v_ = self.sess.run(self.v, {self.s: [s_]})
        td_error, _ = self.sess.run(
            [self.td_error, self.train_op], {self.s: [s], self.v_: v_, self.r: r}
        )
        return td_error


np.random.seed(0)
sess = tf.Session()
actor = Actor(sess, n_features=3, n_actions=2)
critic = Critic(sess, n_features=3)
tl.layers.initialize_global_variables(sess)

before = sess.run([actor.params, critic.params])
td = critic.learn([1.0, 0, 0], 1.0, [0, 1.0, 0])
after_critic = sess.run([actor.params, critic.params])
actor.learn([1.0, 0, 0], 0, td)
after_actor = sess.run([actor.params, critic.params])

# the first action is right in the first state, the second one in the other
for step in range(400):
    s = [1.0, 0, 0] if step % 2 else [0, 1.0, 0]
    a = actor.choose_action(s)
    r = 1.0 if a == (0 if step % 2 else 1) else -1.0
    td = critic.learn(s, r, [0, 0, 1.0])
    actor.learn(s, a, td)
policy = [sess.run(actor.acts_prob, {actor.s: [s]})[0] for s in ([1.0, 0, 0], [0, 1.0, 0])]
names = [[v.name for v in each.params] for each in (actor, critic)]
sess.close()
