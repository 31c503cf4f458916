"""A convolutional network whose weights are 0, or plus or minus one size for each layer.

    python examples/ternary_net.py                  # digits of scikit-learn
    python examples/ternary_net.py --data folder    # MNIST

Li et al., "Ternary weight networks", 2016: a weight that is small is left out, and of a large one
only the sign counts; the size that stands for all is chosen such that the layer stays as close as
it can to the exact weights, which are what is trained. With ``tl.layers.TernaryConv2d`` and
``tl.layers.TernaryDense`` the inputs stay real numbers, so that the usual activations will do, and
products become sums of those inputs that are not left out.

After the training the weights are packed, two bits each, into a file; the accuracy is that of a new
network with what is read from the file, and has to reach 97 % on digits that were held out.
"""

from __future__ import annotations

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import quantized  # noqa: E402 - the file beside this one

BAR = 0.97


def network(side: int) -> tl.models.Model:
    """Declare the network."""
    x = tl.layers.Input([None, side, side, 1], name="images")
    net = tl.layers.TernaryConv2d(x, 32, (3, 3), b_init=None, name="conv1")
    net = tl.layers.BatchNorm(net, act="relu", name="norm1")
    net = tl.layers.TernaryConv2d(net, 64, (3, 3), b_init=None, name="conv2")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool2")
    net = tl.layers.BatchNorm(net, act="relu", name="norm2")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.TernaryDense(net, 128, b_init=None, name="dense3")
    net = tl.layers.BatchNorm(net, act="relu", name="norm3")
    net = tl.layers.TernaryDense(net, 10, name="logits")
    return tl.models.Model(x, net, name="ternary-net")


if __name__ == "__main__":
    quantized.run(quantized.parser(__doc__, "ternary_net").parse_args(), network, BAR)
