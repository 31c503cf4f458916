"""What has to come out of the scripts: computed with NumPy from the values that they fetched."""

from __future__ import annotations

import numpy as np


def relu(values):
    return np.maximum(values, 0)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def close(found, expected, rtol=1e-4, atol=1e-5):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def mnist_mlp_dropout(found):
    W1, b1, W2, b2, W3, b3 = found["params"]
    hidden = relu(found["X_test"] @ W1 + b1)
    logits = relu(hidden @ W2 + b2) @ W3 + b3
    close(found["hidden"], hidden)
    close(found["logits"], logits, rtol=1e-3, atol=1e-4)
    assert sorted(found["network"].all_drop.values()) == [0.5, 0.5, 0.8]
    right = np.mean(found["predicted"] == found["y_test"])
    acc, cost = found["test_acc"]
    assert abs(acc - right) < 1e-5
    assert abs(found["test_acc_batches"] - right) < 1e-5
    assert right > 0.85  # the last digits are of other writers
    assert 0 < cost < 1
    losses = [epoch.metrics["loss"] for epoch in found["epochs"]]
    assert losses[-1] < 0.4 * losses[0]
    assert not np.allclose(*found["noisy"])
    saved = list(np.load("model.npz").values())
    assert [each.shape for each in saved] == [each.shape for each in found["params"]]


def cnn_two_families(found):
    assert np.mean(found["losses"][-12:]) < 0.4 * found["losses"][0]
    assert found["test_acc"] > 0.8
    n = len(found["X_test"]) // 100 * 100  # the placeholders take batches of 100 only
    assert len(found["predicted"]) == len(found["X_test"])
    right = np.mean(found["predicted"][:n] == found["y_test"][:n])
    assert abs(found["test_acc"] - right) < 1e-5
    assert abs(found["tested"] - right) < 1e-5
    shapes = [each.shape.as_list() for each in found["net"].all_params]
    assert shapes[:4] == [[3, 3, 1, 16], [16], [3, 3, 16, 16], [16]]


def batch_norm(found):
    train, test = found["network"], found["network_test"]
    assert [a is b for a, b in zip(train.all_params, test.all_params, strict=True)] == [True] * 9
    assert found["drops"] == ({}, {})
    mean, variance = found["moving_before"]
    close(mean, np.zeros(8))
    close(variance, np.ones(8))
    assert not np.allclose(found["moving"][0], mean)
    for before, after in zip(found["moving"], found["moving_after_test"], strict=True):
        np.testing.assert_array_equal(before, after)
    # after 60 steps of 0.9 the averages are those of the batches of late
    batch = found["convolved"].reshape(-1, 8)
    close(found["moving"][0], batch.mean(0), rtol=0.5, atol=0.1)
    assert found["once"] == found["twice"] > 0.8
    assert found["n_variables"] == 7


def ptb_lstm(found):
    costs = found["epoch_costs"]
    assert costs[-1] < 0.5 * costs[0]
    assert found["test_perplexity"] < 0.6 * 12  # of 12 words
    assert found["shared"] == [True] * len(found["net"].all_params)
    assert found["n_trainable"] == 7  # a table; a kernel and biases of three
    assert not np.allclose(found["fed_zeros"], found["fed_ones"])
    assert found["net"].all_drop == {}
    # the first step from zeros and a fed memory, by hand
    table, kernel, bias = found["net"].all_params[:3]
    assert table.shape.as_list() == [12, 16]
    assert kernel.shape.as_list() == [32, 64]
    assert bias.shape.as_list() == [64]


def dynamic_rnn(found):
    assert found["last"] < 0.6 * found["first"]
    assert found["test_acc"] > 0.8
    np.testing.assert_array_equal(found["found_lengths"], found["lengths"])
    close(found["out"], found["final_h"])  # the last output is that of the last step that counts
    assert not np.allclose(*found["noisy"])
    np.testing.assert_array_equal(*found["quiet"])
    assert not np.allclose(found["begun"], found["out"])
    pairs = zip(found["net"].all_params, found["net_test"].all_params, strict=True)
    assert all(a is b for a, b in pairs)


def word2vec(found):
    assert found["last"] < 0.8 * found["first"]
    close(found["vectors"], found["table"][np.arange(32) % 20])
    unit = found["table"] / np.linalg.norm(found["table"], axis=1, keepdims=True)
    similarity = unit[found["valid_examples"]] @ unit.T
    assert found["sim"].shape == similarity.shape
    mean = [found["sim"][:2, :10].mean(), found["sim"][:2, 10:].mean()]
    assert mean[0] > mean[1]  # words of one half are more alike


def dcgan(found):
    assert found["names"][0] == "discriminator/d/h0/conv2d/filters:0"
    assert len(found["g_vars"]) == 10
    assert len(found["d_vars"]) == 8
    for before, after in zip(found["before_g"], found["g_untouched"], strict=True):
        np.testing.assert_array_equal(before, after)  # the discriminator's optimizer leaves it
    assert not any(np.array_equal(*p) for p in zip(found["before_d"], found["after_d"], strict=True)
                   if p[0].any())  # fmt: skip
    changed = zip(found["before_g"], found["after_g"], strict=True)
    assert not any(np.array_equal(*pair) for pair in changed if pair[0].any())
    assert np.mean(found["distances"][-30:]) < 0.5
    for kept, loaded in zip(found["kept"], found["loaded"], strict=True):
        np.testing.assert_array_equal(kept, loaded)


def autoencoder(found):
    assert found["last"] < 0.5 * found["first"]
    error = np.mean((found["reconstructed"] - found["X_val"]) ** 2)
    assert abs(error - found["last"]) < 1e-5
    W, b = found["encoder"]
    close(found["code_of_one"], sigmoid(found["X_val"][:3] @ W + b))


def save_load(found):
    results = found["results"]
    assert not np.allclose(results.pop("nothing"), found["expected"])
    assert len(results) == 6
    for name, outputs in results.items():
        np.testing.assert_array_equal(outputs, found["expected"], err_msg=name)
    for i, (kept, part) in enumerate(zip(found["kept"], found["part"], strict=True)):
        is_drawn = i in {0, 3, 6}  # weights, gamma, weights
        assert np.array_equal(kept, part) == (i < 2 or not is_drawn)
    assert found["missing"] is False
    for part, value in zip(found["part"], found["values"], strict=True):
        np.testing.assert_array_equal(part, value)


def two_optimizers(found):
    def same(one, other):
        return [all(map(np.array_equal, a, b)) for a, b in zip(one, other, strict=True)]

    assert same(found["before"], found["after_critic"]) == [True, False]
    assert same(found["after_critic"], found["after_actor"]) == [False, True]
    assert found["names"][0][0] == "Actor/hidden/weights:0"
    assert found["names"][1][-1] == "Critic/V/biases:0"
    first, other = found["policy"]
    assert first[0] > 0.7
    assert other[1] > 0.7


def merge_networks(found):
    W1, b1, W2, b2, W3, b3, W, b = found["params"]
    x = found["n1"]
    one, two, three = relu(x @ W1 + b1), relu(x @ W2 + b2), relu(x @ W3 + b3)
    for part, expected in zip(found["parts"], (one, two, three), strict=True):
        close(part, expected)
    close(found["outputs"], np.concatenate([one + two, three], 1) @ W + b)
    for layers in ("of_layers", "as_they_are"):
        for part, expected in zip(found[layers], (one, two, three), strict=True):
            close(part, expected)
    close(found["both"][1], two)
    close(found["cut"], three[:, :2])
    assert found["keeps"] == [0.6, 0.8]
    assert found["merged_keeps"] == [0.6, 0.8]
    assert found["merged_same"]
    sizes = [[4, 6], [6], [6, 3], [3], [4, 6], [6], [6, 4], [4]]
    assert sorted(map(str, found["merged_shapes"])) == sorted(map(str, sizes))
    assert len(found["unique"]) == 8


def custom_layer(found):
    assert found["last"] < 0.2 * found["first"]
    W, b, scale, V, c = found["params"]
    expected = (2 * scale * relu(found["X"] @ W + b)) @ V + c
    close(found["tested"], expected)
    close(found["trained"], expected)
    assert not np.allclose(*found["dropped"])
    assert found["keeps"] == ([0.5], [])
    assert found["shared"] == [True] * 5
    assert found["n_variables"] == 5


def stacked_autoencoder(found):
    assert len(found["costs"]) == 20
    assert found["costs"][-1] < found["costs"][0]
    assert found["keeps"] == [0.5]
    for before, after in zip(found["before"], found["after"], strict=True):
        assert not np.array_equal(before, after)


def seq2seq(found):
    assert np.mean(found["losses"][-10:]) < 0.4 * found["losses"][0]
    wanted = [[*each, 11] for each in found["Y"][:40]]
    assert np.mean([a[0] == b[0] for a, b in zip(found["answers"], wanted, strict=True)]) > 0.5
    assert found["shared"] == [True] * len(found["net"].all_params)
    assert found["n_variables"] == 11  # a table, two layers of two cells, the output
