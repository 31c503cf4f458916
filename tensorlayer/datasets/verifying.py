"""Verifying: every sample is read again and compared with the digest that was stored with it.

Reading a batch finds damaged bytes of samples by their checksums, which cost next to nothing. That
a label or a tag was changed to another valid value, only the digest of the content tells, and it
costs more than reading does: so it is compared when somebody asks for it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import bson
from bson.errors import InvalidBSON

from tensorlayer.datasets import reading
from tensorlayer.datasets.content import digest
from tensorlayer.datasets.sample import decode_label
from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.codec import unpack

if TYPE_CHECKING:
    from tqdm import tqdm

    from tensorlayer.datasets.view import View
    from tensorlayer.storage.blobs import Blobs

__all__ = ["Verification", "verify"]

#: What decoding raises when the parts of a document do not fit together.
_DAMAGE = (
    *(Corrupt, InvalidArgument, InvalidBSON, KeyError),
    *(TypeError, ValueError, OverflowError, AttributeError),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verification:
    """What reading all samples of a dataset again has found.

    Parameters
    ----------
    n_samples
        How many samples were read.
    n_missing
        How many more there should be; less than zero if there are too many.
    damaged
        Key of each sample that is not what was stored, and what is wrong with it.
    """

    n_samples: int
    n_missing: int
    damaged: dict[str, str]

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.n_missing and not self.damaged


def verify(view: View, n_expected: int, bar: tqdm) -> Verification:
    """Read all samples of a view, blobs included, and compare them with their digests.

    Parameters
    ----------
    view
        What to read.
    n_expected
        How many samples there should be.
    bar
        Is told of each sample.

    Examples
    --------
    >>> digits = hub.datasets.create("digits")
    >>> _ = digits.append([[0.0, 0.1], [0.9, 1.0]], labels=[0, 1], keys=["a", "b"])
    >>> digits.verify().is_intact
    True
    >>> _ = hub.database["samples"].update_one({"key": "b"}, {"$set": {"label": 7}})
    >>> digits.verify().damaged
    {'b': 'its sample, label or tags are not what was stored'}
    """
    store, damaged, n_samples = view.store, {}, 0
    for reply in reading.in_order(store, view.filter):
        for data in reply:
            document: dict[str, Any] = {}
            try:
                document = bson.decode(data, store.database.codec_options)
                wrong = _difference(document, store.blobs)
            except _DAMAGE as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong is not None:
                damaged[str(document.get("key", f"the sample at place {n_samples}"))] = wrong
            n_samples += 1
            bar.update()
    return Verification(n_samples=n_samples, n_missing=n_expected - n_samples, damaged=damaged)


def _difference(document: dict[str, Any], blobs: Blobs) -> str | None:
    sample, label = unpack(document["sample"], blobs), decode_label(document, blobs)
    if digest(sample, label, digest(document["tags"])) == document["digest"]:
        return None
    return "its sample, label or tags are not what was stored"
