"""Layers of rounded weights that batch normalisation is folded into."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers.precision import cast, widened
from tensorlayer.layers.quantized.base import QuantizedConv2d, QuantizedDense, text
from tensorlayer.layers.quantized.methods import Quan
from tensorlayer.layers.updates import MovingMoments

__all__ = ["QuanConv2dWithBN", "QuanDenseLayerWithBN", "QuanDenseWithBN"]

_DOC = """{kind} and batch normalisation as one product of rounded numbers.

    $$
    y = \\mathrm{{act}}\\left(q_A(x) \\ast q_W(\\gamma' W) + \\beta - \\gamma' \\mu\\right),
    \\quad \\gamma' = \\gamma / \\sqrt{{\\sigma^2 + \\epsilon}}
    $$

    Without rounding that is the normalised product $x \\ast W$, but inference has no operation more
    than the product needs. In training $\\mu$ and $\\sigma^2$ are mean and variance, over
    the batch, of the exact product; moving averages follow them:
    $m \\leftarrow d\\,m + (1 - d)\\,\\mu$. In inference they are the moving averages. Both factors
    are rounded as in [`{without}`][].

    Parameters
    ----------
    {first}act
        {act}
    decay
        The weight d of the old moving average, in [0, 1].
    epsilon
        Added to the variance before the square root.
    {bits_and_inits}use_gemm
        {use_gemm}
    W_init
        {W_init}
    {last}in_channels
        {in_channels}
    name
        {name}

    Notes
    -----
    {shapes}
    Parameters: the exact `{weights}`, `gamma` and `beta` (trainable), `moving_mean` and
    `moving_var`; all but the first have one number for each output.

    The mode comes from the evaluation. `is_train` of TensorLayer 1.x is accepted where the layer
    is stacked and holds where an evaluation says nothing. The moving mean starts at 0, as in
    [`tensorlayer.layers.BatchNorm`][].

    Raises
    ------
    InvalidArgument
        {invalid} Or `decay` is not in [0, 1].
    WrongShape
        {wrong_shape}

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018, section 3.2.

    Examples
    --------
    >>> import tensorlayer as tl
    {example}
    """
_BITS = """bitW
        {bitW}
    bitA
        {bitA}
    """
_INITS = """gamma_init
        Of the scales; None leaves them out. The default of TensorLayer 2.x makes outputs small;
        `tl.initializers.Ones()`, that of 1.x, keeps their size.
    beta_init
        Of the offsets; None leaves them out.
    """
_MORE_OF_CONV = """data_format
        {data_format}
    dilation_rate
        {dilation_rate}
    """


def _doc(first: str, bits_and_inits: str, last: str = "", **own: str) -> str:
    parts = {"{first}": first, "{bits_and_inits}": bits_and_inits, "{last}": last}
    template = _DOC
    for name, part in parts.items():
        template = template.replace(name, part)
    return text(template, **own)


class _WithBatchNorm(MovingMoments, Quan):
    """What both layers share: the parameters of the normalisation, and how it is folded."""

    channel_axis = -1
    keeps_precision = True  # moments of 16 bits are off, and averages of them stand still

    def set_batch_norm(self, decay: float, epsilon: float, gamma_init: Any, beta_init: Any) -> None:
        """Check and store the arguments of batch normalisation."""
        self.set_decay(decay)
        self.epsilon = epsilon
        self.gamma_init = gamma_init
        self.beta_init = beta_init

    def build(self, inputs_shape: Any) -> None:
        """Make weights, scale, offset and moving averages."""
        super().build(inputs_shape)
        size = self.W.shape[-1]
        self.gamma = self.beta = None
        if self.gamma_init is not None:
            self.gamma = self._get_weights("gamma", [size], self.gamma_init)
        if self.beta_init is not None:
            self.beta = self._get_weights("beta", [size], self.beta_init)
        self.make_averages(size, initializers.Zeros(), initializers.Ones())

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute with folded weights; in training also move the averages."""
        moments = self.averages
        if self.is_train:
            moments = self.batch_moments(self.multiply(inputs, self.W), self.channel_axis)
        mean, variance = map(widened, moments)
        mean, scale = cast((mean, tf.math.rsqrt(variance + self.epsilon)), inputs.dtype)
        if self.gamma is not None:
            scale *= self.gamma
        offset = -mean * scale if self.beta is None else self.beta - mean * scale
        weights = self.quantize_weights(self.W * scale)
        z = self.multiply(self.quantize_inputs(inputs), weights)
        layout = "NC.." if self.channel_axis == 1 else "N..C"
        return tf.nn.bias_add(z, offset, data_format=layout)


class QuanDenseWithBN(_WithBatchNorm, QuantizedDense):  # noqa: D101 - made from the shared text
    __doc__ = _doc(
        """n_units
        {n_units}
    """,
        _BITS + _INITS,
        kind="Fully connected layer",
        without="tensorlayer.layers.QuanDense",
        weights="weights",
        shapes="""Input shape: `(batch, n_in)`, or `(..., in_channels)`.
    Output shape: `(batch, n_units)`, or `(..., n_units)`.""",
        wrong_shape="The input is not of rank 2 and `in_channels` is not given.",
        example=""">>> net = tl.layers.Input([None, 784], name="x")
    >>> net = QuanDenseWithBN(net, n_units=800, act="relu", gamma_init=1.0, name="hidden")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 800]), 630400)""",
    )

    def __init__(
        self,
        n_units: int = 100,
        act: Any = None,
        decay: float = 0.9,
        epsilon: float = 1e-5,
        bitW: int = 8,
        bitA: int = 8,
        gamma_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        beta_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008
        use_gemm: bool = False,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        self.set_bits(bitW, bitA)
        self.set_batch_norm(decay, epsilon, gamma_init, beta_init)
        super().__init__(n_units, act, use_gemm, W_init, None, in_channels, name)


class QuanConv2dWithBN(_WithBatchNorm, QuantizedConv2d):  # noqa: D101
    __doc__ = _doc(
        """n_filter
        {n_filter}
    filter_size
        {filter_size}
    strides
        {strides}
    padding
        {padding}
    """,
        _INITS + _BITS,
        _MORE_OF_CONV,
        kind="Convolution",
        without="tensorlayer.layers.QuanConv2d",
        weights="filters",
        shapes="""Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, height, width, n_filter)`, as of [`tensorlayer.layers.Conv2d`][].""",
        wrong_shape="The input is of another rank, or has another number of channels.",
        example=""">>> net = tl.layers.Input([None, 28, 28, 1], name="x")
    >>> net = QuanConv2dWithBN(net, 32, (5, 5), (2, 2), gamma_init=1.0, name="conv")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 14, 14, 32]), 928)""",
    )

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        padding: str = "SAME",
        act: Any = None,
        decay: float = 0.9,
        epsilon: float = 1e-5,
        gamma_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        beta_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        bitW: int = 8,
        bitA: int = 8,
        use_gemm: bool = False,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        self.set_bits(bitW, bitA)
        self.set_batch_norm(decay, epsilon, gamma_init, beta_init)
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            use_gemm,
            data_format,
            dilation_rate,
            W_init,
            None,
            in_channels,
            name,
        )
        self.channel_axis = -1 if self.data_format.endswith("C") else 1


QuanDenseLayerWithBN = QuanDenseWithBN
