"""One version of a model as a value, and what a model must have to become one."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.names import check_int
from tensorlayer.storage.pointer import Pointer

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SCHEMA", "VERSIONS", "VERSION_INDEXES", "Savable", "Version", "check_number"]

#: The collection whose documents point at the weights.
VERSIONS = "versions"

VERSION_INDEXES = (
    # Read forwards it is the order of lists, backwards it finds the newest.
    IndexModel([("model", ASCENDING), ("number", ASCENDING)], unique=True),
    IndexModel([("model", ASCENDING), ("run", ASCENDING), ("number", ASCENDING)]),
    IndexModel("blobs", sparse=True),
)

#: Version of the layout of the document.
SCHEMA = 1


class Savable(Protocol):
    """What `Models.save` needs of a model; `tensorlayer.models.Model` has it."""

    @property
    def config(self) -> dict[str, Any]:
        """The structure, as plain JSON."""

    @property
    def structure_digest(self) -> str:
        """Hash of the structure and the shapes of the parameters."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, in order."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Version:
    """One saved state of a model.

    Parameters
    ----------
    model
        Key of the model.
    number
        1, 2, 3... without gaps; None as long as the stage that it was saved in is not applied.
    step
        Training step that it was saved at, if told.
    run
        Identity of the training run. Events of the same run and step belong to this version.
    task
        Id of the task that saved it, if it was one.
    attempt
        Which execution of the task; 0 if it was none.
    digest
        Structure digest of the model.
    weights
        Where the weights are, with SHA-256 and length; None if that is damaged.
    values
        Metrics that were given when saving.
    created
        By the clock of the server.
    damaged
        Fields of the stored document that are missing or nonsense. A list shows such a version,
        with what is known; nothing else takes it.
    """

    model: str
    number: int | None
    step: int | None
    run: str
    task: str | None
    digest: str
    weights: Pointer | None
    values: Mapping[str, float]
    created: datetime.datetime | None
    attempt: int = 0
    damaged: tuple[str, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Return the document of this version; the only encoder."""
        document = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        del document["damaged"]
        weights = None if self.weights is None else self.weights.to_document()
        return {"schema": SCHEMA, **document, "weights": weights, "values": dict(self.values)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Version:
        """Return what is known of a version; the only decoder.

        What is not needed takes its default, fields that are not known are ignored. What is missing
        or nonsense stands in ``damaged``.
        """
        fields: dict[str, Any] = {}
        damaged = []
        for name, (read, default, is_needed) in _FIELDS.items():
            fields[name] = default
            if name in document:
                try:
                    fields[name] = read(document[name])
                except (Corrupt, TypeError, ValueError, AttributeError):
                    damaged.append(name)
            elif is_needed:
                damaged.append(name)
        if fields["created"] is None and isinstance(document.get("_id"), ObjectId):
            fields["created"] = document["_id"].generation_time
        return cls(**fields, damaged=tuple(damaged))

    def check(self) -> Version:
        """Return this version if its document is whole.

        Raises
        ------
        Corrupt
            It is not; the message names model, number and field.
        """
        if self.damaged:
            names = ", ".join(map(repr, self.damaged))
            raise Corrupt(
                f"Model {self.model!r} version {self.number}: in its document {names} is missing "
                "or nonsense. Restore it from another copy, or take another version."
            )
        return self


def _of(*kinds: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError
        return int(value) if isinstance(value, int) else value  # not an Int64

    return read


def _metrics(value: Any) -> dict[str, float]:
    return {name: float(_of(int, float)(each)) for name, each in value.items()}


_NONE = type(None)

#: How each field is read, what stands for it when it is missing, and whether it may be.
_FIELDS: dict[str, tuple[Callable[[Any], Any], Any, bool]] = {
    "model": (_of(str), "", True),
    "number": (_of(int, _NONE), None, True),
    "step": (_of(int, _NONE), None, False),
    "run": (_of(str), "", False),
    "task": (_of(str, _NONE), None, False),
    "attempt": (_of(int), 0, False),
    "digest": (_of(str), "", True),
    "weights": (Pointer.from_document, None, True),
    "values": (_metrics, {}, False),
    "created": (_of(datetime.datetime, _NONE), None, False),
}


def check_number(key: str, version: Any) -> int:
    """Return ``version`` if it may be the number of one.

    Raises
    ------
    InvalidArgument
        It is no integer, or none that the database can hold.

    Examples
    --------
    >>> check_number("mlp", 3)
    3
    """
    if isinstance(version, bool) or not hasattr(version, "__index__"):
        raise InvalidArgument(f"Model {key!r}: a version is an integer from 1, got {version!r}.")
    return check_int(int(version), f"Model {key!r}: a version")
