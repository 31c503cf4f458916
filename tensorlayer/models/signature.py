"""What an exported model answers to: values by name in, results by name out."""

from __future__ import annotations

import dataclasses
import itertools
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NotSerializable
from tensorlayer.layers import graph, naming
from tensorlayer.layers.feeding import bind_inputs
from tensorlayer.layers.graph import Network
from tensorlayer.layers.mode import mode
from tensorlayer.layers.outputs import main_of
from tensorlayer.layers.recurrent.cudnn import without_cudnn
from tensorlayer.layers.structure import leaves

if TYPE_CHECKING:
    from tensorlayer.models.model import Model

__all__ = ["DEFAULT", "Signature", "identifiers", "traced"]

#: The signature that a server takes if nobody names one.
DEFAULT = "serving_default"

Specs = Mapping[str, tf.TensorSpec] | Sequence[tf.TensorSpec]


@dataclasses.dataclass(frozen=True, eq=False)
class Signature:
    """One function of an exported model, which infers.

    Parameters
    ----------
    name
        Unique in the export. ``"serving_default"`` is the one that nobody has to name.
    outputs
        What it computes: networks of the model, such as a hidden layer; without it, all outputs.
    inputs
        What it takes: ``tf.TensorSpec`` by name, or a list of them in order, with None for the
        batch size. Without it, what the model takes, called after the layers of its inputs. It is
        needed where ``preprocess`` takes something else, and for a model of one's own.
    preprocess
        A function of TensorFlow from these inputs, in order, to what the model is called with. What
        it keeps, such as a table of words, has to be in a ``tf.Module`` or Keras layer, and that be
        given. For a model of one's own, a tuple holds the arguments of its ``forward``.
    postprocess
        A function of TensorFlow from what the model gives to the results: a dictionary names them.
        Otherwise they go by the names of the outputs.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4], name="x")
    >>> model = tl.models.Model(x, tl.layers.Dense(x, 3, name="logits"))
    >>> def scaled(pixels):
    ...     return tf.cast(pixels, tf.float32) / 255
    >>> def answer(logits):
    ...     return {"kind": tf.argmax(logits, -1)}
    >>> specs = {"pixels": tf.TensorSpec([None, 4], tf.uint8)}
    >>> serve = traced(model, Signature(inputs=specs, preprocess=scaled, postprocess=answer))
    >>> serve(pixels=tf.zeros([5, 4], tf.uint8))["kind"].shape
    TensorShape([5])
    """

    name: str = DEFAULT
    outputs: Any = None
    inputs: Specs | None = None
    preprocess: Callable[..., Any] | None = None
    postprocess: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        """Raise InvalidArgument for what is no name or no function."""
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise InvalidArgument(f"Signature: a name is letters, digits and _, got {self.name!r}.")
        if self.name.startswith("__saved_model"):
            raise InvalidArgument(
                f"Signature: TensorFlow has names that begin with '__saved_model' for itself, got "
                f"{self.name!r}."
            )
        for what in ("preprocess", "postprocess"):
            function = getattr(self, what)
            if function is not None and not callable(function):
                raise InvalidArgument(f"{self}: {what} is a function, got {function!r}.")

    def __str__(self) -> str:
        return f"signature {self.name!r}"


def traced(model: Model, signature: Signature) -> Any:
    """Return a concrete function of the inputs by name that infers the results by name.

    Without names of their own they are called after their layers, as [`identifiers`][] spells them.

    Raises
    ------
    NotSerializable
        The model does not know what it takes, and the signature does not say it.
    InvalidArgument
        Inputs, outputs or functions do not fit the model, or each other.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 4], name="x")
    >>> model = tl.models.Model(x, tl.layers.Dense(x, 2, name="scope/logits"))
    >>> serve = traced(model, Signature())
    >>> {name: value.shape for name, value in serve(x=tf.ones([3, 4])).items()}
    {'scope_logits': TensorShape([3, 2])}
    """
    ends = _Own(model, signature) if model.outputs is None else _Declared(model, signature)
    specs = ends.specs if signature.inputs is None else _specs(signature, ends.specs)
    names = list(specs)

    @tf.function
    def serve(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        given = [values[name] for name in names]
        if signature.preprocess is not None:
            given = signature.preprocess(*given)
        outputs = ends.compute(given)
        if signature.postprocess is not None:
            outputs = signature.postprocess(outputs)
        return _by_name(signature, outputs, ends.names)

    with without_cudnn():  # it shall serve where there is no GPU as well
        return serve.get_concrete_function(**specs)


class _Declared:
    """The ends of a model over inputs."""

    def __init__(self, model: Model, signature: Signature) -> None:
        self._inputs, self._signature = model.inputs, signature
        self._called_with = vars(model)["_given_ends"]["in"]
        self._outputs = model.outputs if signature.outputs is None else signature.outputs
        if signature.outputs is not None:
            self._require_parts()
        elif not _is_its_network(model):
            self._outputs = model.as_layer()(self._called_with)
        wanted = graph.networks_in(self._outputs)
        known = naming.names_of(graph.layers_of([list(self._inputs), wanted]))
        names = identifiers([_argument(known[node.layer]) for node in self._inputs])
        self.names = identifiers([known[node.layer] for node in wanted])
        self.specs = {
            name: tf.TensorSpec(node.layer.spec.shape, node.layer.spec.dtype, name)
            for name, node in zip(names, self._inputs, strict=True)
        }

    def _require_parts(self) -> None:
        """Raise InvalidArgument unless the outputs are networks over the inputs of the model."""
        outputs = leaves(self._outputs)
        if not outputs or not all(isinstance(each, Network) for each in outputs):
            raise InvalidArgument(
                f"{self._signature}: outputs are networks of the model, got {self._outputs!r}."
            )
        needed = [node for node in graph.nodes(outputs) if not node.parents]
        others = [node for node in needed if node not in self._inputs]
        if others:
            raise InvalidArgument(
                f"{self._signature}: its outputs need the input {others[0].name!r}, which is none "
                f"of the model's: {', '.join(repr(node.name) for node in self._inputs)}."
            )

    def compute(self, given: Any) -> Any:
        """Compute the outputs of what a preprocess gave, or of the inputs."""
        return graph.evaluate(self._outputs, self._fed(given), is_train=False)

    @tf.autograph.experimental.do_not_convert
    def _fed(self, given: Any) -> dict[Network, tf.Tensor]:
        is_raw = self._signature.preprocess is None
        called_with = list(self._inputs) if is_raw else self._called_with
        what = "inputs" if is_raw else "what preprocess returns"
        who = f"{self._signature}: {what} and the model do not fit"
        values = leaves(given)
        if len(values) != len(self._inputs) or any(each is None for each in values):
            names = ", ".join(repr(node.name) for node in self._inputs)
            kinds = ", ".join(type(each).__name__ for each in values)
            raise InvalidArgument(
                f"{who}: it has the inputs {names}, got {len(values)} value(s): {kinds}."
            )
        try:
            fed = bind_inputs(called_with, given)
        except InvalidArgument as error:
            raise type(error)(f"{who}: {error}") from error
        # What a decoder gives may have sizes that are known when it runs: then they are compared.
        return {node: _ensured(value, node.layer.spec.shape) for node, value in fed.items()}


def _is_its_network(model: Model) -> bool:
    """Whether nothing but its network is computed: `forward` is not the user's."""
    from tensorlayer.models.model import Model as Base

    return type(model).forward is Base.forward


class _Own:
    """The ends of a model of one's own, which takes and gives whatever its code says."""

    names: Sequence[str] = ()

    def __init__(self, model: Model, signature: Signature) -> None:
        self._model, self._is_raw = model, signature.preprocess is None
        self.specs: Mapping[str, tf.TensorSpec] = {}
        if signature.outputs is not None:
            raise InvalidArgument(
                f"{signature}: model {model.name!r} has no networks that could be outputs. Take "
                "what you need from its results, in postprocess."
            )
        if signature.inputs is None:
            raise NotSerializable(
                f"model {model.name!r}: only a model over Input knows the shapes that it serves. "
                "Give inputs=[tf.TensorSpec([None, ...])], or make "
                "Model(inputs, model.as_layer()(inputs)) of it."
            )

    def compute(self, given: Any) -> Any:
        """Compute the outputs; a tuple, and the inputs as they come, are several arguments."""
        arguments = given if self._is_raw or isinstance(given, tuple) else [given]
        with mode(False):
            return main_of(self._model.follow(*arguments))


def _specs(signature: Signature, declared: Mapping[str, tf.TensorSpec]) -> dict[str, tf.TensorSpec]:
    """Return the inputs by name; those in a list without names are called as the model's."""
    given = signature.inputs
    given = [given] if isinstance(given, tf.TensorSpec) else given
    if not isinstance(given, (Mapping, list, tuple)) or not given:
        raise InvalidArgument(f"{signature}: inputs are tf.TensorSpec by name, got {given!r}.")
    if not isinstance(given, Mapping):
        known = list(declared) if len(declared) == len(given) else []
        known = known or [f"input_{index}" for index in range(len(given))]
        own = [getattr(each, "name", None) for each in given]
        names = [each or name for each, name in zip(own, known, strict=True)]
        if len(set(names)) < len(names):
            raise InvalidArgument(f"{signature}: two inputs have one name: {', '.join(names)}.")
        given = dict(zip(names, given, strict=True))
    for name, spec in given.items():
        if not isinstance(spec, tf.TensorSpec):
            raise InvalidArgument(
                f"{signature}: the input {name!r} is a tf.TensorSpec, got {spec!r}."
            )
        if not isinstance(name, str) or _argument(name) != name or identifiers([name]) != [name]:
            raise InvalidArgument(
                f"{signature}: the input {name!r} has no name that an argument could have. Use "
                "letters, digits and _, and begin with a letter."
            )
    return {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in given.items()}


def _ensured(value: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    is_known = value.shape.rank is not None and shape.merge_with(value.shape) == value.shape
    return value if is_known else tf.ensure_shape(value, shape)


@tf.autograph.experimental.do_not_convert
def _by_name(signature: Signature, outputs: Any, names: Sequence[str]) -> dict[str, tf.Tensor]:
    """Return results by name.

    Raises
    ------
    InvalidArgument
        There are others than outputs, without names; or something is no tensor.
    """
    # Networks are called after their layers, also those in a dictionary.
    if isinstance(outputs, Mapping) and (signature.postprocess is not None or not names):
        results = dict(outputs)
    else:
        flat = leaves(outputs)
        names = names or [f"output_{index}" for index in range(len(flat))]
        if len(flat) != len(names):
            raise InvalidArgument(
                f"{signature}: postprocess returns {len(flat)} result(s) and the model has "
                f"{len(names)} output(s). Return a dictionary, which names the results."
            )
        results = dict(zip(names, flat, strict=True))
    if not results:
        raise InvalidArgument(f"{signature}: there is no result. Return a tensor at least.")
    for name, value in results.items():
        if not tf.is_tensor(value) or not isinstance(name, str) or not name:
            raise InvalidArgument(
                f"{signature}: results are tensors by name, got {type(value).__name__} as {name!r}."
            )
    return results


def _argument(name: str) -> str:
    """Return a name that Python and TensorFlow allow for an argument, but for signs in it."""
    # TensorFlow's own methods have a "self" beside them.
    is_allowed = re.match("[A-Za-z]", name) and not keyword.iskeyword(name) and name != "self"
    return name if is_allowed else f"arg_{name}"


def identifiers(names: Sequence[str]) -> list[str]:
    """Return layers' names as SavedModel accepts them for arguments, each once.

    Examples
    --------
    >>> identifiers(["a/b.c", "a_b/c", "x", "x"])
    ['a_b_c', 'a_b_c_1', 'x', 'x_1']
    """
    found: list[str] = []
    for name in names:
        stem = re.sub("[^A-Za-z0-9]", "_", name)
        numbered = (f"{stem}_{number}" for number in itertools.count(1))
        found.append(next(each for each in itertools.chain([stem], numbered) if each not in found))
    return found
