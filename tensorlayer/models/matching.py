"""Weights that are called otherwise in a file: a map from names here to names there.

A network of Keras or TensorFlow has the same arrays under names of its own. A map says for a
parameter here what it is called there, a function does so for all of them:

    model.load_weights("trained.keras", names={"d1/weights": "layers/dense/vars/0", ...})
    model.load_weights("old.ckpt", names=lambda name: "tower/" + name.replace("weights", "kernel"))

What a map does not name is called there as it is here. Arrays are taken as they are, of the same
shape: nothing is transposed, and no gates of recurrent layers are put in another order.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from tensorlayer.errors import InvalidArgument, did_you_mean
from tensorlayer.models.casting import some

__all__ = ["Matched", "Names", "Skipped", "closest", "matched", "names_there"]

T = TypeVar("T")

_MOST_COMPARED, _LONGEST_COMPARED = 1000, 200

Names = Mapping[str, str] | Callable[[str], str | None]


@dataclasses.dataclass(frozen=True)
class Skipped:
    """What was loaded, and what ``skip=True`` passed over; false if that was nothing.

    Examples
    --------
    >>> skipped = Skipped(missing=("head/weights", "head/biases"), loaded=("body/weights",))
    >>> print(skipped)
    missing: head/weights, head/biases; loaded: body/weights
    >>> bool(skipped), bool(Skipped())
    (True, False)
    """

    #: names of parameters that the file does not have
    missing: tuple[str, ...] = ()
    #: names in the file that the model does not have
    unexpected: tuple[str, ...] = ()
    #: names of parameters that the file has in other shapes
    reshaped: tuple[str, ...] = ()
    #: in which way the shapes differ, in words
    shapes: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    #: names of parameters that got their arrays
    loaded: tuple[str, ...] = dataclasses.field(default=(), repr=False, compare=False)

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.reshaped)

    def __str__(self) -> str:
        """Return the names, or the first of them, by what became of them."""
        kinds = {
            "missing": self.missing,
            "not in the model": self.unexpected,
            "other shapes": self.shapes or self.reshaped,
            "loaded": self.loaded,
        }
        return "; ".join(f"{kind}: {some(names)}" for kind, names in kinds.items() if names)


class Matched(NamedTuple):
    """What a file holds for the parameters, and what else."""

    arrays: dict[str, object]  #: by the names of the parameters
    left: tuple[str, ...]  #: names in the file that no parameter takes


def names_there(parameters: Iterable[str], names: Names) -> dict[str, str]:
    """Return what each parameter is called in the file; without those that it does not have.

    Raises
    ------
    InvalidArgument
        The map names what is no parameter, something is no name, or two parameters have one.

    Examples
    --------
    >>> names_there(["d/weights", "d/biases"], {"d/weights": "dense/kernel"})
    {'d/weights': 'dense/kernel', 'd/biases': 'd/biases'}
    >>> names_there(["d/weights", "head/biases"], lambda n: n if n[0] == "d" else None)
    {'d/weights': 'd/weights'}
    """
    parameters = list(parameters)
    if isinstance(names, Mapping):
        unknown = next((name for name in names if name not in parameters), None)
        if unknown is not None:
            raise InvalidArgument(
                f"names: {unknown!r} is no parameter of the model. A map goes from names here to "
                f"names in the file. {did_you_mean(str(unknown), parameters)}"
            )
        given = {name: names.get(name, name) for name in parameters}
    elif callable(names):
        given = {name: names(name) for name in parameters}
    else:
        raise InvalidArgument(
            f"names: a dictionary or function from names here to names in the file, got {names!r}."
        )
    there = {name: other for name, other in given.items() if other is not None}
    _require_names(there)
    return there


def _require_names(there: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for name, other in there.items():
        if not isinstance(other, str):
            raise InvalidArgument(f"names: {name!r} has a name in the file, got {other!r}.")
        if other in taken:
            raise InvalidArgument(
                f"names: {taken[other]!r} and {name!r} would both take {other!r} of the file. "
                "Every parameter has a name of its own there."
            )
        taken[other] = name


def matched(there: Mapping[str, str], found: Mapping[str, T]) -> Matched:
    """Return the arrays under the names of the parameters that take them, and the others' names.

    Parameters
    ----------
    there
        The result of [`names_there`][].
    found
        Arrays by their names in the file.

    Examples
    --------
    >>> matched({"d/weights": "kernel", "d/biases": "bias"}, {"kernel": 1, "other": 2})
    Matched(arrays={'d/weights': 1}, left=('other',))
    """
    arrays = {name: found[other] for name, other in there.items() if other in found}
    taken = set(there.values())
    return Matched(arrays, tuple(name for name in found if name not in taken))


def closest(missing: Mapping[str, str], left: Sequence[str]) -> str:
    """Return sentences about names in the file that could be those of parameters it lacks.

    Parameters
    ----------
    missing
        Parameters that got nothing, with their names in the file.
    left
        Names in the file that nothing took.

    Examples
    --------
    >>> closest({"d/weights": "dens/kernel"}, ["dense/kernel", "dense/bias"])
    " Closest to 'dens/kernel' (d/weights) is 'dense/kernel'. load_weights(path, names={here: ..."
    >>> closest({"d/weights": "d/weights"}, [])
    ''
    """
    if not missing or not left:
        return ""
    pairs = []
    # A file of a stranger may have any number of names of any length, and comparing takes time.
    known = [name for name in left[:_MOST_COMPARED] if len(name) <= _LONGEST_COMPARED]
    for name, wanted in list(missing.items())[:5]:
        near = difflib.get_close_matches(wanted, known, n=1)
        own = f" ({name})" if wanted != name else ""
        pairs += [f"{wanted!r}{own} is {near[0]!r}"] if near else []
    found = f" Closest to {', to '.join(pairs)}." if pairs else ""
    return f"{found} load_weights(path, names={{here: there}}) maps names."
