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


def cifar10_cnn(found):
    assert found["test_acc"] > 0.8
    expected = sum(0.004 * (each**2).sum() / 2 for each in found["weights"])
    close(found["decay"], expected)
    assert len(found["weights"]) == 2
    # two convolutions, one of them normalised, and three matrices with biases
    sizes = [5 * 5 * 3 * 8, 4 * 8, 5 * 5 * 8 * 8 + 8, 72 * 32 + 32, 32 * 16 + 16, 16 * 3 + 3]
    assert found["n_params"] == sum(sizes)


def _convolved(x, W, b):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    rows, columns = x.shape[1:3]
    parts = [padded[:, i : i + rows, j : j + columns] @ W[i, j] for i in range(3) for j in range(3)]
    return relu(sum(parts) + b)


def _pooled(x):
    n, rows, columns, channels = x.shape
    return x.reshape(n, rows // 2, 2, columns // 2, 2, channels).max((2, 4))


def vgg16(found):
    values = iter(found["params"])
    x = found["img"].astype("float64") - [123.68, 116.779, 103.939]
    for kind in found["kinds"]:
        x = _pooled(x) if isinstance(kind, str) else _convolved(x, next(values), next(values))
    x = x.reshape(2, -1)
    W, b, V, c = values
    y = relu(x @ W + b) @ V + c
    expected = np.exp(y - y.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    close(found["prob"], expected, rtol=1e-2, atol=1e-3)
    np.testing.assert_array_equal(found["prob"], found["again"])
    assert not np.allclose(found["prob"], found["other"])
    assert found["feature_shape"] == (2, 4, 4, 6)


def slim_net(found):
    assert found["before"].shape == (4, 6)
    for name in ("after", "loaded"):
        close(found[name], found["before"])
    assert not np.allclose(found["between"], found["before"])
    names = sorted(name.partition(":")[0] for name in found["names"])
    assert names == found["in_checkpoint"]
    assert "InceptionV3/Mixed_5b/Conv2d_0a_1x1/weights" in names
    assert "InceptionV3/Conv2d_1a_3x3/BatchNorm/moving_mean" in names


def generate_text(found):
    assert np.mean(found["costs"][-10:]) < 0.3 * found["costs"][0]
    text = "it is not the strongest that wins but the one that learns . it is not"
    assert found["sentence"].startswith("it is not the strongest that")
    right = [a == b for a, b in zip(found["sentence"].split(), text.split(), strict=True)]
    assert np.mean(right) > 0.7


def mobilenet(found):
    assert found["n_params"] == sum(
        [9 * 3 * 8 + 4 * 8, 9 * 8 + 4 * 8 + 64 + 4 * 8, 9 * 8 + 4 * 8 + 128 + 4 * 16, 16 * 4 + 4]
    )
    assert found["n_layers"] == 14
    assert all(found["shared"])
    assert len(found["trained"]) == len(found["every"]) - 2 * 5
    assert [v.name for v in found["of_conv"]] == ["mobilenetv1/conv/conv/filters:0"]
    for before, unmoved in zip(found["before"], found["unmoved"], strict=True):
        np.testing.assert_array_equal(before, unmoved)
    assert not any(map(np.array_equal, found["before"], found["moved"]))
    close(found["probabilities"].sum(1), np.ones(6))
    assert found["n_merged"] == len(found["every"])
    np.testing.assert_array_equal(found["kept"], found["loaded"])


def two_graphs(found):
    for worker, n_units in zip(found["workers"], (8, 12), strict=True):
        assert worker.losses[-1] < 0.1 * worker.losses[0]
        assert list(worker.net.all_drop.values()) == [0.9]
        assert worker.predicted.shape == (16, 1)
        assert worker.variables[0].graph is worker.graph
        assert worker.net.count_params() == 2 * n_units + n_units + n_units + 1
    assert found["names"][0] == found["names"][1]
    for values, saved in zip(found["params"], found["saved"], strict=True):
        assert all(map(np.array_equal, values, saved))
    for worker, (W, b, V, c) in zip(found["workers"], found["params"], strict=True):
        close(worker.predicted, np.tanh(found["X"] @ W + b) @ V + c)


def fasttext(found):
    assert found["test_accuracy"] > 0.9
    assert abs(found["tested"] - found["test_accuracy"]) < 1e-6
    np.testing.assert_array_equal(found["found"], found["expected"])
    E, W, b = found["params"]
    means = np.stack([E[row[row > 0]].mean(0) for row in found["padded"]])
    logits = means @ W + b
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    close(found["expected"], expected, rtol=1e-3)


def srgan(found):
    assert found["errors"][-1] < 0.5 * found["errors"][0]
    close(found["probability"], sigmoid(found["linear"]))
    assert found["out"].shape == (4, 12, 12, 1)
    assert len(found["g_vars"]) == 2 + 2 * (1 + 2 + 1 + 2) + 2 + 2
    assert len(found["d_vars"]) == 2 + 1 + 2 + 2
    assert found["found"]


def binary_net(found):
    assert np.mean(found["losses"][-10:]) < 0.6 * found["losses"][0]
    assert found["test_acc"] > 0.6
    assert abs(found["tested"] - found["test_acc"]) < 1e-5
    right = np.mean(found["predicted"] == found["y_test"][:101])
    assert found["predicted"].shape == (101,)
    assert right > 0.6


def multiplexer(found):
    for number in (0, 1):
        np.testing.assert_array_equal(found["chosen"][number], found["parts"][number])
        expected = found["parts"][number] @ found["W"] + found["b"]
        close(found["outputs"][number], expected)
    assert found["keeps"] == [0.5, 0.8]
    assert not found["g0"].any()
    assert found["g1"].any()
    assert "must feed a value for placeholder" in found["forgotten"]
    assert "sel" in found["forgotten"]


def spatial_transformer(found):
    transformed = found["transformed"]
    assert transformed.shape == (6, 10, 8, 1)
    close(transformed, np.ones([6, 10, 8, 1]))  # a zoom into ones
    assert np.mean(found["losses"][-10:]) < 0.5 * np.mean(found["losses"][:10])
    shapes = [each.shape.as_list() for each in found["theta"]]
    assert shapes == [[20, 6], [6]]
    assert all(found["all_shared"])


def a3c(found):
    W, b, V, c = found["params"]
    hidden = np.minimum(relu(found["probe"] @ W + b), 6)
    close(found["actions"], np.tanh(hidden @ V + c))
    for each in found["losses"]:
        assert np.mean(each[-10:]) < 0.3 * np.mean(each[:5])
    names = ["la/weights:0", "la/biases:0", "mu/weights:0", "mu/biases:0"]
    assert found["names"] == [f"Global_Net/actor/{name}" for name in names]
    assert found["in_collection"] == [f"W_1/actor/{name}" for name in names]
    assert found["n_variables"] == 3 * 8


def image_caption(found):
    assert np.mean(found["losses"][-10:]) < 0.3 * found["losses"][0]
    assert found["told"] == [[1, 2, 3, 4], [1, 5, 5, 4], [1, 3, 4]]
    assert all(found["shared"])
    assert found["n_variables"] == 2 + 1 + 2 + 2
