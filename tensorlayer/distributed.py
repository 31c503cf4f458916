"""`Trainer` of TensorLayer 1.x and 2.x: a network declared over a batch, trained by all devices.

    def build_train(images, labels):
        net = tl.layers.Dense(tl.layers.InputLayer(images), 10, name="logits")
        cost = tl.cost.cross_entropy(net.outputs, labels)
        return net, cost, {"accuracy": ...}

There it was Horovod that added up gradients; here it is ``tf.distribute``, over the workers that
``TF_CONFIG`` names or else over the devices of this machine.
"""

from __future__ import annotations

import logging
import math
import numbers
import os
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.models.model import Model
from tensorlayer.train import Checkpoint, Evaluation, Every, GradientStep, run
from tensorlayer.train.callbacks import Interval, is_count
from tensorlayer.train.replicas import n_samples
from tensorlayer.train.workers import Workers, require_cluster

__all__ = ["Trainer", "strategy_of_this_process"]

logger = logging.getLogger(__name__)

#: Steps after which a Trainer saves: the only epoch of it may take days.
_STEPS_OF_A_CHECKPOINT = 500

#: How the cost is called among what is logged; nothing else can be called so.
_COST = ""

#: A function of the tensors of a batch that returns (network, cost, what is logged).
Build = Callable[..., tuple[Any, Any, Any]]
#: A function of the tensors of a batch that returns (network, what is measured).
BuildValidation = Callable[..., tuple[Any, Any]]


def strategy_of_this_process() -> tf.distribute.Strategy:
    """Return the strategy whose scope is open; else one of all workers, or of all devices here.

    The workers are those of ``TF_CONFIG``, which is looked through first.

    Raises
    ------
    InvalidArgument
        ``TF_CONFIG`` is wrong, or TensorFlow has computed something already.

    Examples
    --------
    >>> strategy_of_this_process().num_replicas_in_sync
    1
    """
    if tf.distribute.has_strategy():
        return tf.distribute.get_strategy()
    if config := os.environ.get("TF_CONFIG"):
        require_cluster(config)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise InvalidArgument(
                "Trainer: the strategy of several workers is made before TensorFlow computes "
                f"anything, such as a dataset ({error}). Begin with strategy = tf.distribute."
                "MultiWorkerMirroredStrategy(), and go on within strategy.scope()."
            ) from error
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


class Trainer:
    r"""Train a network that a function declares over a batch, on all workers together.

    Of $n$ workers each takes `batch_size` samples of every step, so a batch has $n$ times as many,
    and the learning rate is $n$ times the one given if `scaling_learning_rate`.

    Parameters
    ----------
    training_dataset
        Single examples, tuples of tensors; one pass over it is what is trained.
    build_training_func
        A function of the tensors of a batch that returns the network, the cost (a mean over the
        samples) and what is logged: a dictionary of scalars, a list of them, or None. Its layers
        are found again by their names whenever it is called.
    optimizer
        A class of ``tl.optimizers`` or ``tf.optimizers``.
    optimizer_args
        Its arguments, such as ``{"learning_rate": 0.001}``.
    batch_size
        Samples of a worker in a step.
    prefetch_size
        How many batches are read ahead; None leaves it to ``tf.data``.
    checkpoint_dir
        A folder from which `train_to_end` goes on after it was killed; it is written after every
        500 steps and at the end. None to save nothing.
    scaling_learning_rate
        Multiply the learning rate by the number of replicas.
    log_step_size
        Log after so many steps.
    validation_dataset
        Single examples that are held out.
    build_validation_func
        A function of the tensors of a batch that returns the network, by the same names, and what
        is measured: a dictionary or a list of scalars, means over the samples.
    max_iteration
        Training ends after so many steps even if there is more data.

    Raises
    ------
    InvalidArgument
        An argument breaks one of these rules, or a function returns something else.

    Notes
    -----
    Make it in the scope of a strategy to choose one; that of several machines is made before
    TensorFlow computes anything, so before the datasets. There is no session and nothing to start:
    `session.should_stop()` is there for the loops of old scripts.

    References
    ----------
    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 2.1,
    on the scaling of the learning rate.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tf.random.stateless_normal([64, 2], seed=[1, 2])
    >>> def build(x, y):
    ...     net = tl.layers.Dense(tl.layers.InputLayer(x), 1, name="out")
    ...     return net, tl.cost.mean_squared_error(net.outputs, y), None
    >>> trainer = Trainer(
    ...     tf.data.Dataset.from_tensor_slices((x, x[:, :1])).repeat(50), build,
    ...     tl.optimizers.SGD, {"learning_rate": 0.1}, batch_size=16, log_step_size=100)
    >>> trainer.train_to_end()
    >>> trainer.global_step, trainer.training_network.count_params()
    (200, 3)
    """

    def __init__(
        self,
        training_dataset: tf.data.Dataset,
        build_training_func: Build,
        optimizer: Callable[..., Any],
        optimizer_args: Mapping[str, Any],
        batch_size: int = 32,
        prefetch_size: int | None = None,
        checkpoint_dir: str | os.PathLike[str] | None = None,
        scaling_learning_rate: bool = True,
        log_step_size: int = 1,
        validation_dataset: tf.data.Dataset | None = None,
        build_validation_func: BuildValidation | None = None,
        max_iteration: float = float("inf"),
    ) -> None:
        _require(batch_size=batch_size, log_step_size=log_step_size)
        self.strategy = strategy_of_this_process()
        self._log_step_size, self._iterator = log_step_size, None
        n = self.strategy.num_replicas_in_sync
        with self.strategy.scope():
            self._workers = Workers()
            batches = _batches(training_dataset, batch_size * n, "training_dataset")
            if max_iteration != math.inf:
                _require(max_iteration=max_iteration)
                batches = batches.take(max_iteration)
            batches = batches.prefetch(tf.data.AUTOTUNE if prefetch_size is None else prefetch_size)
            self._declared = _Declared(build_training_func, build_validation_func)
            names = self._declared.build(batches.element_spec, is_train=True)
            arguments = dict(optimizer_args)
            if scaling_learning_rate and n > 1:
                arguments["learning_rate"] = _scaled(arguments.get("learning_rate"), n)
            self._optimizer = optimizer(**arguments)
            self._step = GradientStep(
                self._declared, _item(_COST), self._optimizer, metrics=_items(names)
            )
            self._batches = self._spread(batches)
            self._held_out = self._validation(validation_dataset, batch_size * n)
        values = {"network": self._declared, "optimizer": self._optimizer}
        every = _STEPS_OF_A_CHECKPOINT
        self._checkpoint = (
            Checkpoint(checkpoint_dir, values, every=every) if checkpoint_dir else None
        )
        self.session = Session()
        self.validation_metrics: dict[str, float] = {}

    @property
    def global_step(self) -> int:
        """The number of steps so far."""
        return int(tf.convert_to_tensor(self._optimizer.iterations))

    @property
    def training_network(self) -> Any:
        """The network, with its weights."""
        return self._declared.network

    def train_on_batch(self) -> dict[str, float]:
        """Make one step on the next batch; return the cost and what is logged.

        Raises
        ------
        tf.errors.OutOfRangeError
            There is no further batch.
        """
        if self._checkpoint is not None:
            raise InvalidArgument(
                "Trainer: training that goes on after a kill is that of train_to_end() and of "
                "train_and_validate_to_end(), got train_on_batch() with a checkpoint_dir. Leave "
                "the folder out, or let the Trainer go through the data."
            )
        if self._iterator is None:
            self._iterator, self._traced = iter(self._batches), tf.function(self._step)
        batch = next(self._iterator, None)
        if batch is None:
            self.session.is_over = True
            raise tf.errors.OutOfRangeError(None, None, "Trainer: all data was trained on.")
        with self.strategy.scope():
            found = self._traced(*batch)
        return {name: float(value) for name, value in found.items()}

    def train_to_end(self) -> None:
        """Train on all data."""
        self._run([])

    def train_and_validate_to_end(self, validate_step_size: int = 50) -> None:
        """Train on all data, and measure on what is held out after every so many steps.

        Raises
        ------
        InvalidArgument
            Nothing is held out, or the number of steps is not positive.
        """
        _require(validate_step_size=validate_step_size)
        if self._held_out is None:
            raise InvalidArgument(
                "Trainer: validation needs data that is held out, got none. Give the Trainer "
                "validation_dataset= and build_validation_func=."
            )
        self._run([Every(validate_step_size, self._validate)])

    def _run(self, callbacks: list[Every]) -> None:
        callbacks = [Every(self._log_step_size, self._log), *callbacks]
        with self.strategy.scope():
            run(self._step, self._batches, callbacks=callbacks, checkpoint=self._checkpoint)
        self.session.is_over = True

    def _log(self, interval: Interval) -> None:
        self._say(f"step {interval.step}", interval.metrics)

    def _validate(self, interval: Interval) -> None:
        self.validation_metrics = self._held_out()
        self._say(f"validation after step {interval.step}", self.validation_metrics)

    def _say(self, when: str, values: Mapping[str, float]) -> None:
        if self._workers.is_chief:
            means = ", ".join(f"{name} {value:.6g}" for name, value in values.items())
            logger.info("%s: %s", when, means)

    def _validation(self, dataset: tf.data.Dataset | None, batch_size: int) -> Evaluation | None:
        if dataset is None:
            return None
        batches = _batches(dataset, batch_size, "validation_dataset")
        names = self._declared.build(batches.element_spec, is_train=False)
        return Evaluation(self._declared, _items(names), self._spread(batches), prefix="")

    def _spread(self, batches: tf.data.Dataset) -> Any:
        """Return the batches with the share of each replica in them."""
        if self._workers.n > 1:
            return self._workers.spread(batches)
        several = self.strategy.num_replicas_in_sync > 1
        return self.strategy.experimental_distribute_dataset(batches) if several else batches


class Session:
    """What is left of the session of 1.x: it says when a loop of one's own is over.

    Examples
    --------
    >>> Session().should_stop()
    False
    """

    def __init__(self) -> None:
        self.is_over = False

    def should_stop(self) -> bool:
        """Whether all data was trained on."""
        return self.is_over


class _Declared(Model):
    """What the two functions declare, as one model: their layers are shared by name."""

    def __init__(self, training: Build, validation: BuildValidation | None) -> None:
        super().__init__(name="trainer")
        self._functions = {True: training, False: validation}
        self._held: list[Any] = []  # which is no part of the model

    @property
    def network(self) -> Any:
        """The network of training, as it was declared last."""
        return self._held[-1]

    def build(self, spec: Any, *, is_train: bool) -> list[str]:
        """Make the weights for batches of such tensors; return the names of what is measured."""
        if self._functions[is_train] is None:
            raise InvalidArgument(
                "Trainer: validation_dataset needs a function that says what is measured on it. "
                "Give build_validation_func=."
            )
        traced = tf.function(lambda batch: self(batch, is_train=is_train))
        found = traced.get_concrete_function(list(spec[:-1])).structured_outputs
        return [name for name in found if name != _COST]

    def forward(self, batch: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return what is measured, in training with the cost."""
        function = self._functions[bool(self.is_train)]
        declared = function(*(batch if isinstance(batch, list) else [batch]))
        if self.is_train:
            network, cost, logged = _three(declared)
            self._held[:] = [network]
            logged = _named(logged)
            if logged.get("loss", cost) is cost:  # which is logged under this name anyway
                logged.pop("loss", None)
            return {_COST: cost, **logged}
        return _named(declared[1])


def _three(declared: Any) -> tuple[Any, Any, Any]:
    if not (isinstance(declared, tuple) and len(declared) == 3):
        raise InvalidArgument(
            "Trainer: build_training_func returns (network, cost, what is logged), got "
            f"{type(declared).__name__}. Return None as the third if nothing is."
        )
    return declared


def _named(values: Any) -> dict[str, Any]:
    """Return scalars by name; a list of them is numbered."""
    if values is None or isinstance(values, Mapping):
        return dict(values or {})
    if not isinstance(values, (list, tuple)):
        values = [values]
    return {f"value_{index}": value for index, value in enumerate(values)}


def _item(name: str) -> Callable[[Any, Any], Any]:
    return lambda output, target: output[name]


def _items(names: list[str]) -> dict[str, Callable[[Any, Any], Any]]:
    return {name: _item(name) for name in names}


def _batches(dataset: Any, batch_size: int, name: str) -> tf.data.Dataset:
    """Return batches of examples; after them, as a target, comes what nobody reads."""
    if not isinstance(dataset, tf.data.Dataset):
        raise InvalidArgument(
            f"Trainer: {name} is a tf.data.Dataset of single examples, got a "
            f"{type(dataset).__name__}. Make one with tf.data.Dataset.from_tensor_slices."
        )

    def with_target(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return *batch, tf.zeros([n_samples(batch)])

    return dataset.batch(batch_size).map(with_target)


def _scaled(rate: Any, n: int) -> float:
    if not isinstance(rate, numbers.Real):
        raise InvalidArgument(
            f"Trainer: a learning rate is scaled by the {n} replicas as a number, got {rate!r}."
            " Give optimizer_args={'learning_rate': ...}, or scaling_learning_rate=False."
        )
    return float(rate) * n


def _require(**sizes: Any) -> None:
    for name, size in sizes.items():
        if not is_count(size):
            raise InvalidArgument(f"Trainer: {name} is a positive whole number, got {size!r}.")
