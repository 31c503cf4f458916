import numpy as np
import tensorflow.compat.v1 as tf

import tensorlayer as tl

rng = np.random.RandomState(0)
vocab_size, hidden_size, batch_size, num_steps, max_grad_norm = 12, 16, 4, 5, 5
train_data = np.tile(np.arange(vocab_size), 60).astype(np.int32)  # a text that is easy to learn
init_scale, keep_prob = 0.1, 0.9

sess = tf.InteractiveSession()

input_data = tf.placeholder(tf.int32, [batch_size, num_steps])
targets = tf.placeholder(tf.int32, [batch_size, num_steps])
input_data_test = tf.placeholder(tf.int32, [1, 1])
targets_test = tf.placeholder(tf.int32, [1, 1])


def inference(x, is_training, num_steps, reuse=None):
    print("\nnum_steps : %d, is_training : %s, reuse : %s" % (num_steps, is_training, reuse))
    init = tf.random_uniform_initializer(-init_scale, init_scale)
    with tf.variable_scope("model", reuse=reuse):
        net = tl.layers.EmbeddingInputlayer(x, vocab_size, hidden_size, init, name="embedding")
        net = tl.layers.DropoutLayer(
            net, keep=keep_prob, is_fix=True, is_train=is_training, name="drop1"
        )
        net = tl.layers.RNNLayer(
            net,
            cell_fn=tl.layers.BasicLSTMCell,
            cell_init_args={"forget_bias": 0.0, "state_is_tuple": True},
            n_hidden=hidden_size,
            initializer=init,
            n_steps=num_steps,
            return_last=False,
            name="basic_lstm1",
        )
        lstm1 = net
        net = tl.layers.DropoutLayer(
            net, keep=keep_prob, is_fix=True, is_train=is_training, name="drop2"
        )
        net = tl.layers.RNNLayer(
            net,
            cell_fn=tl.layers.BasicLSTMCell,
            cell_init_args={"forget_bias": 0.0},
            n_hidden=hidden_size,
            initializer=init,
            n_steps=num_steps,
            return_last=False,
            return_seq_2d=True,
            name="basic_lstm2",
        )
        lstm2 = net
        net = tl.layers.DropoutLayer(
            net, keep=keep_prob, is_fix=True, is_train=is_training, name="drop3"
        )
        net = tl.layers.DenseLayer(
            net, vocab_size, W_init=init, b_init=init, act=None, name="output"
        )
    return net, lstm1, lstm2


# Inference for Training
net, lstm1, lstm2 = inference(input_data, is_training=True, num_steps=num_steps, reuse=None)
# Inference for Testing (Evaluation)
net_test, lstm1_test, lstm2_test = inference(
    input_data_test, is_training=False, num_steps=1, reuse=True
)

tl.layers.initialize_global_variables(sess)


def loss_fn(outputs, targets, batch_size):
    return tl.cost.cross_entropy_seq(outputs, targets, batch_size)


cost = loss_fn(net.outputs, targets, batch_size)
cost_test = loss_fn(net_test.outputs, targets_test, 1)

with tf.variable_scope("learning_rate"):
    lr = tf.Variable(0.0, trainable=False)
tvars = tf.trainable_variables()
grads, _ = tf.clip_by_global_norm(tf.gradients(cost, tvars), max_grad_norm)
optimizer = tf.train.AdamOptimizer(lr)
train_op = optimizer.apply_gradients(zip(grads, tvars))

sess.run(tf.global_variables_initializer())

net.print_params()
net.print_layers()
tl.layers.print_all_variables()

epoch_costs = []
for i in range(8):
    sess.run(tf.assign(lr, 0.02))
    costs, iters = 0.0, 0
    # reset all states at the begining of every epoch
    state1 = tl.layers.initialize_rnn_state(lstm1.initial_state)
    state2 = tl.layers.initialize_rnn_state(lstm2.initial_state)
    for step, (x, y) in enumerate(tl.iterate.ptb_iterator(train_data, batch_size, num_steps)):
        feed_dict = {
            input_data: x,
            targets: y,
            lstm1.initial_state.c: state1[0],
            lstm1.initial_state.h: state1[1],
            lstm2.initial_state.c: state2[0],
            lstm2.initial_state.h: state2[1],
        }
        # For training, enable dropout
        feed_dict.update(net.all_drop)
        _cost, state1_c, state1_h, state2_c, state2_h, _ = sess.run(
            [
                cost,
                lstm1.final_state.c,
                lstm1.final_state.h,
                lstm2.final_state.c,
                lstm2.final_state.h,
                train_op,
            ],
            feed_dict=feed_dict,
        )
        state1 = (state1_c, state1_h)
        state2 = (state2_c, state2_h)
        costs += _cost
        iters += num_steps
    epoch_costs.append(np.exp(costs / iters))

# Testing, step by step
state1 = tl.layers.initialize_rnn_state(lstm1_test.initial_state)
state2 = tl.layers.initialize_rnn_state(lstm2_test.initial_state)
costs, iters = 0.0, 0
for step, (x, y) in enumerate(tl.iterate.ptb_iterator(train_data[:60], 1, 1)):
    feed_dict = {
        input_data_test: x,
        targets_test: y,
        lstm1_test.initial_state: state1,
        lstm2_test.initial_state: state2,
    }
    _cost, state1, state2 = sess.run(
        [cost_test, lstm1_test.final_state, lstm2_test.final_state], feed_dict=feed_dict
    )
    costs += _cost
    iters += 1
test_perplexity = np.exp(costs / iters)
fed_zeros = sess.run(
    lstm1_test.final_state.h,
    {input_data_test: [[3]], lstm1_test.initial_state.c: np.zeros([1, hidden_size])},
)
fed_ones = sess.run(
    lstm1_test.final_state.h,
    {input_data_test: [[3]], lstm1_test.initial_state.c: np.ones([1, hidden_size])},
)
n_trainable = len(tvars)
shared = [a is b for a, b in zip(net.all_params, net_test.all_params)]
sess.close()
