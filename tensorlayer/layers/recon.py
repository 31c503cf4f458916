"""Greedy pre-training: a layer that reconstructs what the layers before it were given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer import seeds
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.dense import Dense
from tensorlayer.layers.feeding import bind_inputs
from tensorlayer.layers.graph import Network, evaluate
from tensorlayer.layers.precision import widened
from tensorlayer.sessions import explained, first_or_named, only_batch_size, require_session

__all__ = ["ReconLayer"]

logger = logging.getLogger(__name__)

v1 = tf.compat.v1


def _pretrain_in_session(
    layer: ReconLayer,
    network: Network,
    sess: Any,
    x: tf.Tensor,
    X_train: np.ndarray,
    X_val: np.ndarray | None = None,
    denoise_name: str | None = None,
    n_epoch: int = 100,
    batch_size: int = 128,
    print_freq: int = 10,
    save: bool = True,
    save_name: str = "w1pre_",
) -> list[float]:
    """Train in a session of TensorFlow 1, with the arguments of TensorLayer 1.x.

    Pictures of the weights, which `save` asked for, are for `tl.visualize.draw_weights`. A
    placeholder that takes batches of one size only gets those.
    """
    del save, save_name
    X_train, X_val = (None if each is None else np.asarray(each) for each in (X_train, X_val))
    require_session(sess, getattr(network.outputs, "graph", None), "pretrain")
    with sess.graph.as_default():
        values = [each.outputs for each in network.input_nodes]
        values = values[0] if len(values) == 1 else values
        cost, clean = layer.cost(network, values, denoise_name), layer.cost(network, values)
        before = set(map(id, v1.global_variables()))
        optimizer = v1.train.AdamOptimizer(layer.learning_rate)
        train_op = optimizer.minimize(cost, var_list=layer.train_params(network))
        sess.run(
            v1.variables_initializer([v for v in v1.global_variables() if id(v) not in before])
        )
    rng, costs = seeds.generator(), []
    batches = _slices(layer, X_train, x, batch_size)
    held_out = [] if X_val is None else _slices(layer, X_val, x, len(X_val))
    for epoch in range(1, n_epoch + 1):
        order, found = rng.permutation(len(X_train)), []
        for batch in batches:
            with explained(sess, "pretrain"):
                found.append(sess.run([cost, train_op], {x: X_train[order[batch]]})[0])
        costs.append(float(np.mean(found)))
        _log(
            layer, epoch, print_freq, costs[-1],
            lambda: [sess.run(clean, {x: X_val[batch]}) for batch in held_out],
        )  # fmt: skip
    return costs


def _slices(layer: ReconLayer, values: np.ndarray, x: tf.Tensor, batch_size: int) -> list[slice]:
    """Return the places of the batches of values that a placeholder takes."""
    n, only = len(values), only_batch_size(x)
    size = batch_size if only is None else only
    n = n if only is None else n // only * only
    if n < 1:
        raise InvalidArgument(
            f"{layer!r}: pretrain: there are {len(values)} examples, and the placeholder takes "
            f"batches of {only or 'at least 1'}. Give more examples, or make it of shape "
            "[None, ...]."
        )
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _log(
    layer: ReconLayer, epoch: int, every: int, cost: float, validate: Callable[[], Sequence[Any]]
) -> None:
    """Log the costs of every so many epochs; 0 for none."""
    if not every or epoch % every:
        return
    logger.info("%s, epoch %d: cost %.6f", layer.name, epoch, cost)
    found = [float(each) for each in validate()]
    if found:
        logger.info("%s, epoch %d: validation cost %.6f", layer.name, epoch, np.mean(found))


class ReconLayer(Dense):
    r"""A dense layer that is trained, with the layer before it, to reconstruct an input.

    With the reconstruction $y$ of $x$, the activations $h$ of the layer before and its weights $V$,
    the cost over a batch of $n$ is

    $$\frac{1}{n} \sum_i \|y_i - x_i\|^2 + \frac{\lambda}{2} (\|V\|^2 + \|W\|^2) + s(h)$$

    where $s$ keeps the activations sparse: $s(h) = \alpha\,\bar h$ with the mean of all of them if
    the activation is softplus, and $s(h) = \beta \sum_j KL(\rho\,\|\,\bar h_j)$ with the mean of
    each unit if it is sigmoid.

        x = Input([None, 784], name="x")
        net = Dropout(x, keep=0.5, name="denoising")
        net = Dense(net, n_units=196, act="sigmoid", name="hidden")
        recon = ReconLayer(net, x_recon=x, n_units=784, act="sigmoid", name="recon")
        recon.pretrain(X_train, denoise_name="denoising")
        net = Dense(net, n_units=10, name="logits")          # goes on from the hidden layer

    Parameters
    ----------
    x_recon
        The network to be reconstructed, with ``n_units`` values.
    n_units
        The number of outputs; 784 is 28 by 28 pixels.
    act
        ``tf.nn.softplus`` or ``tf.nn.sigmoid``, also by name.
    name
        Unique in the network.

    Attributes
    ----------
    l1, l2, kl, rho
        $\alpha$, $\lambda$, $\beta$ and $\rho$ of the cost. A subclass may have others.
    learning_rate
        Of Adam, the optimizer.

    Notes
    -----
    Input and output shape, and parameters: as ``Dense``.
    A network of it offers ``recon.cost(X)``, ``recon.train_params`` and ``recon.pretrain(X, ...)``.

    Raises
    ------
    InvalidArgument
        The activation is neither of the two, or there is no ``x_recon`` when the cost needs it.

    References
    ----------
    Vincent et al., "Stacked denoising autoencoders", JMLR 2010. Ng, "Sparse autoencoder", 2011.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 20], name="x")
    >>> net = tl.layers.Dense(x, n_units=8, act="sigmoid", name="hidden")
    >>> recon = ReconLayer(net, x_recon=x, n_units=20, act="sigmoid", name="recon")
    >>> costs = recon.pretrain(np.random.default_rng(0).uniform(size=[500, 20]), n_epoch=5)
    >>> len(costs), costs[-1] < costs[0]
    (5, True)
    """

    for_networks = ("cost", "pretrain", "train_params")

    l1 = 0.001
    l2 = 0.004
    kl = 4.0
    rho = 0.15  #: the activation that a unit should have on average
    learning_rate = 0.0001

    def __init__(
        self,
        x_recon: Any = None,
        n_units: int = 784,
        act: Any = tf.nn.softplus,
        name: str | None = None,
    ) -> None:
        super().__init__(n_units, act, name=name)
        if x_recon is not None:
            raise InvalidArgument(
                f"ReconLayer: x_recon is a network, such as Input([None, 784]), got {x_recon!r}."
            )
        same = {v1.nn.softplus: tf.nn.softplus, v1.nn.sigmoid: tf.nn.sigmoid}  # not one object
        self.act = same.get(self.act, self.act)
        if self.act not in {tf.nn.softplus, tf.nn.sigmoid}:
            raise InvalidArgument(
                f"ReconLayer: act is tf.nn.softplus or tf.nn.sigmoid, got {act!r}. There is no "
                "cost for another one."
            )

    def forward(self, inputs: tf.Tensor, x_recon: Any = None) -> tf.Tensor:
        """Reconstruct; what is to come out is needed for the cost only."""
        del x_recon
        return super().forward(inputs)

    def train_params(self, network: Network) -> list[tf.Variable]:
        """Return what is trained: the parameters of the layer before, and its own."""
        before = network.args[0]
        while not before.layer.trainable_weights and before.parents:
            before = before.parents[0]
        return [*before.layer.trainable_weights, *self.trainable_weights]

    def cost(self, network: Network, inputs: Any, denoise_name: str | None = None) -> tf.Tensor:
        """Return the cost of a batch.

        Parameters
        ----------
        network
            Of this layer; ``recon.cost(inputs)`` gives it.
        inputs
            As the network takes them.
        denoise_name
            The layer, such as a ``Dropout``, that computes as in training. All others infer.
        """
        if "x_recon" not in network.options:
            raise InvalidArgument(f"{self!r}: the cost needs x_recon, the network to reconstruct.")
        needed = network.input_nodes
        feeds = bind_inputs(needed[0] if len(needed) == 1 else needed, inputs)
        if denoise_name is not None:
            noisy = _find(network, denoise_name)
            feeds[noisy] = noisy.layer(*evaluate(list(noisy.args), feeds, False), is_train=True)
        wanted = [network.args[0], network, network.options["x_recon"]]
        hidden, outputs, target = map(widened, evaluate(wanted, feeds, is_train=False))
        error = tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(outputs, target), 1))
        matrices = [each for each in self.train_params(network) if each.shape.rank > 1]
        squares = [tf.nn.l2_loss(widened(tf.convert_to_tensor(each))) for each in matrices]
        decay = self.l2 * tf.add_n(squares)
        return error + decay + self._sparsity(hidden)

    def _sparsity(self, hidden: tf.Tensor) -> tf.Tensor:
        if self.act is tf.nn.softplus:
            return self.l1 * tf.reduce_mean(hidden)
        epsilon = 1e-7  # a unit that is always off, or on, costs much but not everything
        mean = tf.clip_by_value(tf.reduce_mean(hidden, 0), epsilon, 1 - epsilon)
        off = (1 - self.rho) * tf.math.log((1 - self.rho) / (1 - mean))
        return self.kl * tf.reduce_sum(self.rho * tf.math.log(self.rho / mean) + off)

    @first_or_named(_pretrain_in_session)
    def pretrain(
        self,
        network: Network,
        X_train: Any,
        X_val: Any = None,
        denoise_name: str | None = None,
        n_epoch: int = 100,
        batch_size: int = 128,
        print_freq: int = 10,
    ) -> list[float]:
        """Train this layer and the one before it; what is below stays as it is.

        Where a session of TensorFlow 1 comes first, it takes the arguments of TensorLayer 1.x:
        ``recon.pretrain(sess, x=x, X_train=X_train, denoise_name="denoising")``.

        Parameters
        ----------
        network
            Of this layer; ``recon.pretrain(X_train)`` gives it.
        X_train
            What the network takes, of all examples.
        X_val
            The same for validation, whose cost is logged.
        denoise_name
            The layer, such as a ``Dropout``, that is active meanwhile; all others infer.
        n_epoch
            How often each example is seen, in another order every time.
        batch_size
            Examples in a step.
        print_freq
            The costs are logged after every so many epochs; 0 for never.

        Returns
        -------
        list of float
            The mean cost of each epoch.
        """
        optimizer = tf.keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)
        variables = self.train_params(network)
        optimizer.build(variables)

        @tf.function(reduce_retracing=True)
        def step(batch: Any) -> tf.Tensor:
            with tf.GradientTape() as tape:
                cost = self.cost(network, batch, denoise_name)
            optimizer.apply_gradients(zip(tape.gradient(cost, variables), variables, strict=True))
            return cost

        dtype = network.input_nodes[0].outputs.dtype
        given = tf.nest.map_structure(lambda each: tf.cast(each, dtype), X_train)
        data = tf.data.Dataset.from_tensor_slices(given)
        batches = data.shuffle(max(1, len(data))).batch(batch_size)
        costs = []
        for epoch in range(1, n_epoch + 1):
            costs.append(float(np.mean([step(batch).numpy() for batch in batches])))
            _log(
                self, epoch, print_freq, costs[-1],
                lambda: [] if X_val is None else [self.cost(network, X_val)],
            )  # fmt: skip
        return costs


def _find(network: Network, name: str) -> Network:
    """Return the event of the layer of this name."""
    named = {node.layer_name: node for node in network.all_layers}
    if name not in named:
        raise InvalidArgument(
            f"{network.layer!r}: denoise_name is the name of a layer below, one of "
            f"{', '.join(map(repr, named))}; got {name!r}."
        )
    return named[name]
