"""Attention of many heads, to the sequence itself or to another one."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive, probability
from tensorlayer.layers.attention import masks
from tensorlayer.layers.base import Layer, require_known, require_rank

__all__ = ["MultiheadAttention"]

#: Keys and values, each (batch, steps, n_kv_heads, head_units).
Pair = tuple[tf.Tensor, tf.Tensor]


class _Projection(Layer):
    """A linear map to heads, or from them."""

    def __init__(
        self,
        formula: str,
        outputs: tuple[int, ...],
        W_init: Any,
        b_init: Any,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.formula = formula
        self.outputs = outputs
        self.W_init = W_init
        self.b_init = b_init

    def build(self, inputs_shape: Any) -> None:
        """Make weights and, unless `b_init` is None, biases."""
        rank = self.formula.index(",")
        require_rank(self, inputs_shape, (rank,), "A sequence is (batch, steps, channels).")
        inputs = [require_known(self, n, "the number of channels") for n in inputs_shape[2:]]
        self.W = self._get_weights("weights", [*inputs, *self.outputs], self.W_init)
        self.b = None
        if self.b_init is not None:
            self.b = self._get_weights("biases", self.outputs, self.b_init)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute the products, and add the biases."""
        z = tf.einsum(self.formula, inputs, self.W)
        return z if self.b is None else z + self.b


class MultiheadAttention(Layer):
    r"""Attention of many heads: $y = W_o\,[\ldots,\ \mathrm{softmax}(q_h k_h^T/\sqrt{d})\,v_h]$.

    Each position becomes a mean of values, weighted by how well its query fits their keys; each
    head has queries, keys and values of its own, $q_h = W^q_h x$ and so on.

    Parameters
    ----------
    n_heads
        The number of heads. 8 is that of the paper.
    n_units
        The number of outputs of each position.
    n_kv_heads
        The number of heads of keys and values, each for `n_heads / n_kv_heads` heads of queries;
        None for as many. Fewer make a cache smaller; 1 is multi-query attention.
    head_units
        The size of a head; None for `n_units / n_heads`.
    keep
        The probability of keeping a weight in training, in (0, 1].
    is_causal
        Whether a position sees only those up to itself.
    rotary
        A [`tensorlayer.layers.RotaryEncoding`][] for queries and keys.
    W_init
        Of all weights. A truncated normal of 0.02 is that of BERT and GPT-2.
    b_init
        Of all biases; None for none.
    mask
        Which pairs of queries and keys count, of any type, true or not 0 where they do:
        `(queries, keys)`, `(batch, queries, keys)` or `(batch, heads, queries, keys)`. A network,
        which is an input of every call, or a value for all calls that have none of their own.
    key_mask
        Which keys count, `(batch, keys)`, not 0 where one is no padding. A network or a value.
    bias
        What is added to the scores, of the shapes of a mask, as a distance that counts less;
        `-inf` forbids. A network or a value.
    name
        Unique in the network.

    Notes
    -----
    Called as `attention(queries)`, `attention(queries, keys)` or
    `attention(queries, keys, values)`, or with a list of the same, and by keyword `mask`,
    `key_mask`, `bias`, `cache` and `with_weights`. Keys default to the queries, values to the keys.
    A query that no key counts for gets the mean of all values.

    Input shapes: `(batch, steps, channels)`, channels of any number, and as many keys as values.
    Output shape: `(batch, queries, n_units)`; with `with_weights=True` a tuple, last in it the
    weights `(batch, n_heads, queries, keys)`.

    Parameters: `query/weights` (channels, n_heads, head_units), `query/biases` (n_heads,
    head_units), the same of `key` and `value` with n_kv_heads, `out/weights` (n_heads, head_units,
    n_units) and `out/biases` (n_units).

    *Step by step.* With `cache=(keys, values)`, what is new is appended, and the call returns
    `(outputs, cache)`. [`start`][tensorlayer.layers.MultiheadAttention.start] gives the cache to
    begin with. A cache is two tensors `(batch, steps so far, n_kv_heads, head_units)`: in a
    `tf.while_loop` their invariants are `[batch, None, n_kv_heads, head_units]`. A mask is then of
    all keys, those in the cache first. The keys and values of a sequence that does not grow are
    computed once: `attention(queries, *attention.project(memory))`.

    Raises
    ------
    InvalidArgument
        Heads do not divide what they share, or `keep` is not in (0, 1].
    WrongShape
        An input is no sequence, or a mask of another rank.

    References
    ----------
    Vaswani et al., "Attention is all you need", NIPS 2017; Ainslie et al., "GQA: training
    generalized multi-query transformer models from multi-head checkpoints", EMNLP 2023.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 10, 64])
    >>> net = MultiheadAttention(net, n_heads=4, n_units=32, is_causal=True)
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 10, 32]), 7296)

    Two sequences, one of them padded:

    >>> attention = MultiheadAttention(n_heads=4, n_units=32)
    >>> x, memory = tf.ones([2, 3, 8]), tf.ones([2, 5, 6])
    >>> attention(x, memory, key_mask=tf.sequence_mask([5, 2], 5)).shape
    TensorShape([2, 3, 32])

    One step after the other:

    >>> attention = MultiheadAttention(n_heads=2, n_units=8, is_causal=True)
    >>> x = tf.random.normal([1, 3, 8])
    >>> cache, steps = attention.start(x), []
    >>> for t in range(3):
    ...     y, cache = attention(x[:, t : t + 1], cache=cache)
    ...     steps.append(y)
    >>> bool(tf.reduce_all(abs(tf.concat(steps, 1) - attention(x)) < 1e-5))
    True
    """

    def __init__(
        self,
        n_heads: int = 8,
        n_units: int = 512,
        n_kv_heads: int | None = None,
        head_units: int | None = None,
        keep: float = 1.0,
        is_causal: bool = False,
        rotary: Layer | None = None,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        mask: Any = None,
        key_mask: Any = None,
        bias: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        who = "MultiheadAttention"
        self.n_heads = positive(n_heads, who, "n_heads")
        self.n_kv_heads = positive(n_heads if n_kv_heads is None else n_kv_heads, who, "n_kv_heads")
        units = positive(n_units, who, "n_units")
        if head_units is None:
            head_units = _share(units, self.n_heads, "n_units", "n_heads")
        self.head_units = positive(head_units, who, "head_units")
        self.n_sharing = _share(self.n_heads, self.n_kv_heads, "n_heads", "n_kv_heads")
        self.keep = probability(keep, who, "a weight")
        self.is_causal = is_causal
        self.rotary = rotary
        self.mask = mask
        self.key_mask = key_mask
        self.bias = bias
        inits = (W_init, b_init)
        sizes, kv_sizes = ((n, self.head_units) for n in (self.n_heads, self.n_kv_heads))
        self.query = _Projection("btc,chd->bthd", sizes, *inits, name="query")
        self.key = _Projection("btc,chd->bthd", kv_sizes, *inits, name="key")
        self.value = _Projection("btc,chd->bthd", kv_sizes, *inits, name="value")
        self.out = _Projection("bthd,hdc->btc", (units,), *inits, name="out")

    def start(self, inputs: tf.Tensor) -> Pair:
        """Return the cache of nothing, for inputs of this batch size and type."""
        dtype = self.facts.precision.compute or inputs.dtype
        nothing = tf.zeros([tf.shape(inputs)[0], 0, self.n_kv_heads, self.head_units], dtype)
        return nothing, nothing

    def project(self, keys: tf.Tensor, values: tf.Tensor | None = None, first: Any = 0) -> Pair:
        """Return keys and values as a call computes them, and takes them in their place.

        Parameters
        ----------
        keys
            A sequence, `(batch, steps, channels)`.
        values
            Another one; None for the same.
        first
            The position of the first key.
        """
        heads = self._turned(self.key(keys), first)
        return heads, self.value(keys if values is None else values)

    def forward(
        self,
        queries: Any,
        keys: Any = None,
        values: Any = None,
        mask: Any = None,
        key_mask: Any = None,
        bias: Any = None,
        cache: Pair | None = None,
        with_weights: bool = False,
    ) -> Any:
        """Attend."""
        queries, keys, values = _three(self, queries, keys, values)
        first = 0 if cache is None else tf.shape(cache[0])[1]
        if keys.shape.rank != 4:
            keys, values = self.project(keys, values, first)
        if cache is not None:
            keys, values = (tf.concat(pair, 1) for pair in zip(cache, (keys, values), strict=True))
        scores = self._scores(self._turned(self.query(queries), first), keys)
        weights = tf.nn.softmax(self._masked(scores, first, mask, key_mask, bias))
        outputs = self.out(self._means(self._dropped(weights), values))
        beside = [] if cache is None else [(keys, values)]
        beside += [weights] if with_weights else []
        return (outputs, *beside) if beside else outputs

    def _turned(self, heads: tf.Tensor, first: Any) -> tf.Tensor:
        """Return queries or keys turned by their positions, if they are to be."""
        if self.rotary is None:
            return heads
        return self.rotary(heads, positions=first + tf.range(tf.shape(heads)[1]))

    def _scores(self, queries: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
        """Return how well queries fit keys, `(batch, n_heads, queries, keys)`."""
        queries *= 1 / math.sqrt(self.head_units)  # before the products: 16 bits end at 65504
        if self.n_sharing == 1:
            return tf.einsum("bthd,bshd->bhts", queries, keys)
        groups = [self.n_kv_heads, self.n_sharing]
        scores = tf.einsum("btgrd,bsgd->bgrts", _with_axes(queries, 2, 3, groups), keys)
        return _with_axes(scores, 1, 3, [self.n_heads])

    def _means(self, weights: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        """Return the weighted means of values, `(batch, queries, n_heads, head_units)`."""
        if self.n_sharing == 1:
            return tf.einsum("bhts,bshd->bthd", weights, values)
        groups = [self.n_kv_heads, self.n_sharing]
        means = tf.einsum("bgrts,bsgd->btgrd", _with_axes(weights, 1, 2, groups), values)
        return _with_axes(means, 2, 4, [self.n_heads])

    def _masked(
        self, scores: tf.Tensor, first: Any, mask: Any, key_mask: Any, bias: Any
    ) -> tf.Tensor:
        """Return the scores with what this call, or else the constructor, says of pairs."""
        mask = self.mask if mask is None else mask
        key_mask = self.key_mask if key_mask is None else key_mask
        bias = self.bias if bias is None else bias
        given = {
            "bias": None if bias is None else masks.of_pairs(bias, self, "bias"),
            "mask": None if mask is None else masks.of_pairs(mask, self),
            "key_mask": None if key_mask is None else masks.of_keys(key_mask, self),
        }
        given = {
            what: masks.fitting(each, scores, self, what)
            for what, each in given.items()
            if each is not None
        }
        if "bias" in given:
            scores += tf.cast(given.pop("bias"), scores.dtype)
        found = [masks.causal(scores, first)] if self.is_causal else []
        return masks.masked(scores, [*found, *given.values()])

    def _dropped(self, weights: tf.Tensor) -> tf.Tensor:
        if not self.is_train or self.keep == 1:
            return weights
        return tf.nn.dropout(weights, rate=1 - self.keep)


def _share(whole: int, parts: int, what: str, by: str) -> int:
    if whole % parts:
        raise InvalidArgument(
            f"MultiheadAttention: {what} is a multiple of {by}, got {whole} and {parts}."
        )
    return whole // parts


def _with_axes(x: tf.Tensor, begin: int, end: int, sizes: list[int]) -> tf.Tensor:
    """Return the same with axes of these sizes in the place of some."""
    shape = x.shape.as_list()
    if shape.count(None) > 1:
        seen = tf.unstack(tf.shape(x))
        shape = [now if size is None else size for size, now in zip(shape, seen, strict=True)]
    shape = [-1 if size is None else size for size in shape]
    return tf.reshape(x, [*shape[:begin], *sizes, *shape[end:]])


def _three(layer: Layer, queries: Any, keys: Any, values: Any) -> list[Any]:
    """Return queries, keys and values, which may come as a list of one, two or three."""
    if isinstance(queries, (list, tuple)):
        if not 1 <= len(queries) <= 3 or (len(queries) > 1 and keys is not None):
            raise InvalidArgument(
                f"{layer!r}: it takes a list of queries, keys and values, or each by itself; got a "
                f"list of {len(queries)}{'' if keys is None else ' and keys beside it'}."
            )
        queries, more, last = [*queries, None, None][:3]
        keys, values = more if keys is None else keys, last if values is None else values
    keys = queries if keys is None else keys
    if keys.shape.rank == 4 and values is None:
        raise InvalidArgument(f"{layer!r}: keys that project() gave come with their values.")
    return [queries, keys, values]
