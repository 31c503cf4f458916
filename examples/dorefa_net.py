"""A convolutional network of as few bits as one asks for, in weights and in what goes through it.

    python examples/dorefa_net.py                                  # weights of 1 bit, inputs of 3
    python examples/dorefa_net.py --bits-weights 2 --bits-inputs 2
    python examples/dorefa_net.py --data folder                    # MNIST

Zhou et al., "DoReFa-Net", 2016: ``tl.layers.DorefaConv2d`` and ``tl.layers.DorefaDense`` round what
they are given to evenly spaced levels from 0 to 1, and their weights to levels from -1 to 1, or,
with one bit, to plus or minus their mean size. As in the paper the first and the last layer stay
exact: they have few weights, and it is there that rounding costs most.

After the training the weights are packed into a file; the accuracy is that of a new network with
what is read from the file, and has to reach 98 % on digits that were held out.
"""

from __future__ import annotations

import functools

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import quantized  # noqa: E402

BAR = 0.98


def network(side: int, bitW: int, bitA: int) -> tl.models.Model:
    """Declare the network; what a rounding layer is given is between 0 and 1."""
    bits = {"bitW": bitW, "bitA": bitA, "b_init": None}
    if bitW > 1:  # small weights would all be rounded to the two levels next to 0, and stay there
        bits["W_init"] = tl.initializers.TruncatedNormal(stddev=0.5)
    x = tl.layers.Input([None, side, side, 1], name="images")
    net = tl.layers.Conv2d(x, 32, (3, 3), b_init=None, name="conv1")
    net = tl.layers.BatchNorm(net, act=tl.act.ramp, name="norm1")
    net = tl.layers.DorefaConv2d(net, **bits, n_filter=64, name="conv2")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool2")
    net = tl.layers.BatchNorm(net, act=tl.act.ramp, name="norm2")
    net = tl.layers.Flatten(net, name="flat")
    net = tl.layers.DorefaDense(net, **bits, n_units=128, name="dense3")
    net = tl.layers.BatchNorm(net, act="relu", name="norm3")
    net = tl.layers.Dense(net, 10, name="logits")
    return tl.models.Model(x, net, name="dorefa-net")


def main() -> None:
    """Train with the bits that were asked for."""
    parser = quantized.parser(__doc__, "dorefa_net")
    number = arguments.between(1, 32)
    parser.add_argument("--bits-weights", type=number, default=1, help="1 to 32")
    parser.add_argument("--bits-inputs", type=number, default=3, help="of these layers, 1 to 32")
    options = parser.parse_args()
    bits = {"bitW": options.bits_weights, "bitA": options.bits_inputs}
    quantized.run(options, functools.partial(network, **bits), BAR)


if __name__ == "__main__":
    main()
