"""The blocks of transformers: attention and a perceptron, each with a way around it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive, probability
from tensorlayer.layers.attention.multihead import MultiheadAttention, Pair
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.normalization import LayerNorm, RMSNorm
from tensorlayer.layers.perceptron import Mlp

__all__ = ["TransformerDecoder", "TransformerEncoder"]

_DOC = """{summary}

    {formula}

    Parameters
    ----------
    n_heads
        The number of heads; see [`tensorlayer.layers.MultiheadAttention`][]. 8 is that of the
        paper.
    n_units
        The number of channels, of inputs and outputs.
    n_hidden
        The number of hidden units of the perceptron; None for `4 * n_units`, as in the paper.
    act
        The activation of the hidden units. The paper has `"relu"`, most since have `"gelu"`.
    keep
        The probability of keeping an output of attention and perceptron in training, in (0, 1].
        0.9 is that of the paper.
    attention_keep
        The probability of keeping a weight of attention.
    is_prenorm
        Whether the normalisation comes before attention and perceptron,
        $x + f(\\mathrm{{norm}}(x))$, which trains without a warm-up, or after,
        $\\mathrm{{norm}}(x + f(x))$, as in the first paper.
    norm
        `"layer"` for [`tensorlayer.layers.LayerNorm`][], `"rms"` for
        [`tensorlayer.layers.RMSNorm`][].
    epsilon
        Of the normalisation.
    is_causal
        Whether a position sees only those up to itself. {causal}
    n_kv_heads
        The number of heads of keys and values; None for `n_heads`.
    rotary
        A [`tensorlayer.layers.RotaryEncoding`][] for the attention to itself.
    W_init
        Of all weights. A truncated normal of 0.02 is that of BERT and GPT-2.
    b_init
        Of all biases; None for none.
    mask
        Which pairs count in the attention to itself; see
        [`tensorlayer.layers.MultiheadAttention`][]. A network or a value.
    key_mask
        Which positions of the inputs count, `(batch, steps)`, not 0 where one is no padding. A
        network or a value.
    bias
        What is added to the scores of the attention to itself. A network or a value.{memory_mask}
    name
        Unique in the network.

    Notes
    -----
    {call}

    Input shape: `(batch, steps, n_units)`{memory_shape}. Output shape: the same. Behind the last
    block with `is_prenorm` stands another normalisation, which is not in it.

    Parameters: {parameters}

    {cache}

    Raises
    ------
    InvalidArgument
        Heads do not divide the channels, or a probability is not in (0, 1]{memory_error}.
    WrongShape
        The input has not `n_units` channels, or is no sequence.

    References
    ----------
    Vaswani et al., "Attention is all you need", NIPS 2017; Xiong et al., "On layer normalization in
    the transformer architecture", ICML 2020.

    Examples
    --------
    {example}
    """


class _Block(Layer):
    """What both blocks do: sub-layers with a way around them."""

    def __init__(
        self,
        attention: dict[str, Any],
        n_hidden: int | None,
        act: Any,
        keep: float,
        is_prenorm: bool,
        norm: str,
        epsilon: float,
        name: str | None,
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        if norm not in {"layer", "rms"}:
            raise InvalidArgument(f"{who}: norm is 'layer' or 'rms', got {norm!r}.")
        self.n_units = units = positive(attention["n_units"], who, "n_units")
        self.keep = probability(keep, who, "an output")
        self.is_prenorm = is_prenorm
        self.norm = norm
        self.epsilon = epsilon
        self.attention = MultiheadAttention(**attention, name="attention")
        self.attention_norm = self._make_norm("attention_norm")
        n_hidden = positive(4 * units if n_hidden is None else n_hidden, who, "n_hidden")
        inits = {key: attention[key] for key in ("W_init", "b_init")}
        self.mlp = Mlp((n_hidden, units), act=act, **inits, name="mlp")
        self.mlp_norm = self._make_norm("mlp_norm")

    def _make_norm(self, name: str) -> Layer:
        """Return a normalisation of each position."""
        if self.norm == "rms":
            return RMSNorm(epsilon=self.epsilon, name=name)
        return LayerNorm(epsilon=self.epsilon, begin_norm_axis=-1, name=name)

    def build(self, inputs_shape: Any) -> None:
        """Require that what goes around the sub-layers fits what comes out of them."""
        shape = inputs_shape[0] if isinstance(inputs_shape[0], list) else inputs_shape
        require_rank(self, shape, (3,), "A sequence is (batch, steps, channels).")
        if shape[-1] != self.n_units:
            raise WrongShape(
                f"{self!r}: its input has n_units={self.n_units} channels, got {shape[-1]}. Put a "
                f"Dense({self.n_units}, in_channels=...) before the first block."
            )

    def _around(
        self, inputs: tf.Tensor, norm: Layer, layer: Layer, *more: Any, **options: Any
    ) -> tuple[tf.Tensor, Any]:
        """Return the sum of the inputs and what the sub-layer makes of them, and its cache."""
        outputs = layer(norm(inputs) if self.is_prenorm else inputs, *more, **options)
        outputs, cache = outputs if isinstance(outputs, tuple) else (outputs, None)
        if self.is_train and self.keep < 1:
            outputs = tf.nn.dropout(outputs, rate=1 - self.keep)
        outputs = inputs + outputs
        return (outputs if self.is_prenorm else norm(outputs)), cache


class TransformerEncoder(_Block):  # noqa: D101 - made from the shared text
    __doc__ = _DOC.format(
        summary="A block of a transformer: attention of a sequence to itself, then a perceptron.",
        formula="With `is_causal=True` it is a block of a language model.",
        causal="A language model sets it.",
        memory_mask="",
        call="A call takes by keyword `mask`, `key_mask`, `bias` and `cache`.",
        memory_shape="",
        parameters="those of `attention`, `attention_norm`, `mlp` and `mlp_norm`.",
        cache="""*Step by step*, if it is causal: `cache = encoder.start(x)`, and then
    `encoder(step, cache=cache)` returns `(outputs, cache)`.""",
        memory_error="",
        example=""">>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 10, 64])
    >>> for i in range(2):
    ...     net = TransformerEncoder(net, n_heads=4, n_units=64, name=f"block{i}")
    >>> net = tl.layers.LayerNorm(net, begin_norm_axis=-1, name="norm")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 10, 64]), 100096)""",
    )

    def __init__(
        self,
        n_heads: int = 8,
        n_units: int = 512,
        n_hidden: int | None = None,
        act: Any = "gelu",
        keep: float = 0.9,
        attention_keep: float = 1.0,
        is_prenorm: bool = True,
        norm: str = "layer",
        epsilon: float = 1e-6,
        is_causal: bool = False,
        n_kv_heads: int | None = None,
        rotary: Layer | None = None,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        mask: Any = None,
        key_mask: Any = None,
        bias: Any = None,
        name: str | None = None,
    ) -> None:
        attention = {
            "n_heads": n_heads, "n_units": n_units, "n_kv_heads": n_kv_heads,
            "keep": attention_keep, "is_causal": is_causal, "rotary": rotary,
            "W_init": W_init, "b_init": b_init, "mask": mask, "key_mask": key_mask, "bias": bias,
        }  # fmt: skip
        super().__init__(attention, n_hidden, act, keep, is_prenorm, norm, epsilon, name)

    def start(self, inputs: tf.Tensor) -> Pair:
        """Return the cache of nothing, for inputs of this batch size and type."""
        return self.attention.start(inputs)

    def forward(
        self,
        inputs: tf.Tensor,
        mask: Any = None,
        key_mask: Any = None,
        bias: Any = None,
        cache: Pair | None = None,
    ) -> Any:
        """Attend, then go through the perceptron."""
        told = {"mask": mask, "key_mask": key_mask, "bias": bias}
        x, cache = self._around(inputs, self.attention_norm, self.attention, cache=cache, **told)
        x, _ = self._around(x, self.mlp_norm, self.mlp)
        return x if cache is None else (x, cache)


class TransformerDecoder(_Block):  # noqa: D101
    __doc__ = _DOC.format(
        summary="A block of a transformer that looks at a memory, which an encoder made.",
        formula="It attends to the sequence itself, then to the memory; a perceptron comes last.",
        causal="A decoder that writes one step after the other does.",
        memory_mask="""
    memory_mask
        Which positions of the memory count, `(batch, memory steps)`. A network or a value.""",
        call="""Called as `decoder(inputs, memory)` or with a list of the two, and by keyword
    `mask`, `key_mask`, `bias`, `memory_mask` and `cache`.""",
        memory_shape=""", and the memory `(batch, memory steps, channels)` with
    channels of any number""",
        parameters="""those of `attention`, `attention_norm`, `mlp`, `mlp_norm`,
    `memory_attention` and `memory_norm`.""",
        cache="""*Step by step*: `cache = decoder.start(memory)` computes what all steps need of the
    memory, and then `decoder(step, cache=cache)` returns `(outputs, cache)`. The cache is
    `((keys, values), (memory_keys, memory_values))`, of which the first two grow.""",
        memory_error=""";
        there is no memory, or one beside a cache""",
        example=""">>> import tensorlayer as tl
    >>> memory = tl.layers.Input([None, 7, 32])
    >>> net = tl.layers.Input([None, 10, 64])
    >>> net = TransformerDecoder([net, memory], n_heads=4, n_units=64)
    >>> net.outputs.shape
    TensorShape([None, 10, 64])

    >>> decoder = TransformerDecoder(n_heads=2, n_units=8)
    >>> x, memory = tf.random.normal([1, 3, 8]), tf.random.normal([1, 5, 8])
    >>> cache, steps = decoder.start(memory), []
    >>> for t in range(3):
    ...     y, cache = decoder(x[:, t : t + 1], cache=cache)
    ...     steps.append(y)
    >>> bool(tf.reduce_all(abs(tf.concat(steps, 1) - decoder(x, memory)) < 1e-5))
    True""",
    )

    def __init__(
        self,
        n_heads: int = 8,
        n_units: int = 512,
        n_hidden: int | None = None,
        act: Any = "gelu",
        keep: float = 0.9,
        attention_keep: float = 1.0,
        is_prenorm: bool = True,
        norm: str = "layer",
        epsilon: float = 1e-6,
        is_causal: bool = True,
        n_kv_heads: int | None = None,
        rotary: Layer | None = None,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        mask: Any = None,
        key_mask: Any = None,
        bias: Any = None,
        memory_mask: Any = None,
        name: str | None = None,
    ) -> None:
        shared = {
            "n_heads": n_heads, "n_units": n_units, "n_kv_heads": n_kv_heads,
            "keep": attention_keep, "W_init": W_init, "b_init": b_init,
        }  # fmt: skip
        own = {
            "is_causal": is_causal, "rotary": rotary,
            "mask": mask, "key_mask": key_mask, "bias": bias,
        }  # fmt: skip
        super().__init__({**shared, **own}, n_hidden, act, keep, is_prenorm, norm, epsilon, name)
        self.memory_attention = MultiheadAttention(
            **shared, key_mask=memory_mask, name="memory_attention"
        )
        self.memory_norm = self._make_norm("memory_norm")

    def start(self, memory: tf.Tensor) -> tuple[Pair, Pair]:
        """Return the cache of no step, with what all steps need of the memory."""
        return self.attention.start(memory), self.memory_attention.project(memory)

    def forward(
        self,
        inputs: Any,
        memory: Any = None,
        mask: Any = None,
        key_mask: Any = None,
        bias: Any = None,
        memory_mask: Any = None,
        cache: tuple[Pair, Pair] | None = None,
    ) -> Any:
        """Attend to the sequence, then to the memory, then go through the perceptron."""
        if isinstance(inputs, (list, tuple)) and len(inputs) == 2 and memory is None:
            inputs, memory = inputs
        if isinstance(inputs, (list, tuple)) or (memory is None) == (cache is None):
            raise InvalidArgument(
                f"{self!r}: it takes inputs and a memory, or inputs and the cache that "
                "start(memory) gives."
            )
        own, known = (None, (memory,)) if cache is None else cache
        told = {"mask": mask, "key_mask": key_mask, "bias": bias}
        x, own = self._around(inputs, self.attention_norm, self.attention, cache=own, **told)
        x, _ = self._around(
            x, self.memory_norm, self.memory_attention, *known, key_mask=memory_mask
        )
        x, _ = self._around(x, self.mlp_norm, self.mlp)
        return x if cache is None else (x, (own, known))
