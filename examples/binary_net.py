"""A convolutional network of which every weight is -1 or 1.

    python examples/binary_net.py                  # digits of scikit-learn
    python examples/binary_net.py --data folder    # MNIST

It is that of Courbariaux et al., "Binarized neural networks", 2016, made small. The weights are
trained as real numbers; ``tl.layers.BinaryConv2d`` and ``tl.layers.BinaryDense`` compute with their
signs, and the gradient passes through the sign as if it were not there. ``tl.layers.Sign`` makes
what goes into a layer binary too, so that a product of the two is a comparison of bits. What is
left of real numbers are the images and the batch normalisation, without which signs of sums would
hardly ever change.

After the training the weights are packed, one bit each, into a file; the accuracy is that of a new
network with what is read from the file, and has to reach 96 % on digits that were held out.
"""

from __future__ import annotations

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import quantized  # noqa: E402 - the file beside this one

BAR = 0.96


def network(side: int) -> tl.models.Model:
    """Declare the network; the activation is between -1 and 1, and then the sign."""
    x = tl.layers.Input([None, side, side, 1], name="images")
    net = tl.layers.BinaryConv2d(x, 32, (3, 3), b_init=None, name="conv1")
    net = tl.layers.BatchNorm(net, act="htanh", name="norm1")
    net = tl.layers.Sign(net, name="sign1")
    net = tl.layers.BinaryConv2d(net, 64, (3, 3), b_init=None, name="conv2")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool2")
    net = tl.layers.BatchNorm(net, act="htanh", name="norm2")
    net = tl.layers.Sign(net, name="sign2")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.BinaryDense(net, 128, b_init=None, name="dense3")
    net = tl.layers.BatchNorm(net, act="htanh", name="norm3")
    net = tl.layers.Sign(net, name="sign3")
    net = tl.layers.BinaryDense(net, 10, b_init=None, name="dense4")
    net = tl.layers.BatchNorm(net, name="logits")
    return tl.models.Model(x, net, name="binary-net")


if __name__ == "__main__":
    quantized.run(quantized.parser(__doc__, "binary_net").parse_args(), network, BAR)
