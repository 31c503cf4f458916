"""The head of a model: what all its versions have in common, and how many there are."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping
from typing import Any

from pymongo import IndexModel

from tensorlayer.errors import Corrupt, NotSerializable, StructureMismatch, VersionNotFound
from tensorlayer.models.version import Savable
from tensorlayer.storage.blobs import Blobs
from tensorlayer.storage.codec import pack, unpack

__all__ = ["HEAD_INDEXES", "MODELS", "SCHEMA", "Head", "new_head"]

#: The collection of heads, whose documents point at blobs.
MODELS = "models"

#: By which the sweep finds what a head points at.
HEAD_INDEXES = (IndexModel("blobs", sparse=True),)

#: Version of the layout of the document.
SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Head:
    """What the document of a model says; None for what it does not say.

    Examples
    --------
    >>> head = Head.from_document({"_id": "mlp", "structure": "d1", "unknown": 3})
    >>> head.check_structure("d1")
    >>> head.n_versions is None
    True
    """

    key: str
    structure: str | None
    n_versions: int | None
    config: Any = dataclasses.field(repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Head:
        """Return what is known of a model; the only decoder."""
        structure, number = document.get("structure"), document.get("n_versions")
        is_number = isinstance(number, int) and not isinstance(number, bool)
        return cls(
            key=document["_id"],
            structure=structure if isinstance(structure, str) else None,
            n_versions=int(number) if is_number else None,
            config=document.get("config"),
        )

    def need(self, name: str) -> Any:
        """Return a field.

        Raises
        ------
        Corrupt
            The document does not have it, or it is nonsense.
        """
        value = getattr(self, name)
        if value is None:
            raise Corrupt(
                f"Model {self.key!r}: in its document {name!r} is missing or nonsense. Restore the "
                "document from another copy; the versions can be listed and read as arrays."
            )
        return value

    def check_structure(self, digest: str) -> None:
        """Refuse a model of another structure.

        Raises
        ------
        StructureMismatch
            One key is one structure.
        """
        structure = self.need("structure")
        if structure != digest:
            raise StructureMismatch(
                f"Model {self.key!r} holds versions of structure {structure[:12]}, this model has "
                f"{digest[:12]}. One key is one structure: save it under another key."
            )

    def without(self, version: int | None) -> VersionNotFound:
        """Return the error for a version that is not there, or for none at all."""
        which = "" if version is None else f" {version!r}"
        return VersionNotFound(
            f"Model {self.key!r} has no version{which}. It has had numbers 1 to {self.n_versions}, "
            "and those of deleted versions are not given again; see models.list."
        )

    def read_config(self, blobs: Blobs) -> dict[str, Any]:
        """Return the configuration.

        Raises
        ------
        Corrupt
            It is missing or damaged.
        """
        try:
            return json.loads(unpack(self.need("config"), blobs))
        except (TypeError, ValueError) as error:
            raise Corrupt(f"Model {self.key!r}: its configuration is no JSON: {error}.") from error


def new_head(
    key: str, model: Savable, created: datetime.datetime | None, blobs: Blobs
) -> dict[str, Any]:
    """Return the document of a model with one version; a large configuration is uploaded.

    Raises
    ------
    NotSerializable
        The configuration is not plain JSON.
    """
    try:
        config = json.dumps(model.config)
    except (TypeError, ValueError) as error:
        raise NotSerializable(
            f"The configuration of model {key!r} is not JSON: {error}."
        ) from error
    packed, ids = pack(config, blobs, MODELS)
    document = {
        "_id": key,
        "schema": SCHEMA,
        "structure": model.structure_digest,
        "config": packed,
        "n_versions": 1,
        "created": created,
    }
    return {**document, "blobs": ids} if ids else document
