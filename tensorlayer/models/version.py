"""One version of a model as a value, and what a model must have to become one."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from tensorlayer.storage.blobs import Pointer

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Savable", "Version"]


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
    digest
        Structure digest of the model.
    weights
        Where the weights are, with SHA-256 and length.
    values
        Metrics that were given when saving.
    created
        By the clock of the server.
    """

    model: str
    number: int | None
    step: int | None
    run: str
    task: str | None
    digest: str
    weights: Pointer
    values: Mapping[str, float]
    created: datetime.datetime

    def to_document(self) -> dict[str, Any]:
        """Return the document of this version; the only encoder."""
        document = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return {**document, "weights": self.weights.to_document(), "values": dict(self.values)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Version:
        """Return the version that a document describes; the only decoder."""
        fields = {each.name: document[each.name] for each in dataclasses.fields(cls)}
        return cls(**{**fields, "weights": Pointer.from_document(document["weights"])})
