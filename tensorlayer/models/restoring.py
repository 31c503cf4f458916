"""Restoring: from a version and its configuration back to what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import StructureMismatch
from tensorlayer.models import foreign

if TYPE_CHECKING:
    import numpy as np

    from tensorlayer.models.version import Version

__all__ = ["restore"]


def restore(
    version: Version, config: Mapping[str, Any], read: Callable[[], dict[str, np.ndarray]]
) -> Any:
    """Return a model, a Keras model or a dictionary of arrays, whatever was saved.

    Parameters
    ----------
    version, config
        What was saved, and the configuration of its model.
    read
        Returns the parameters; asked when the structure was found to be the right one.

    Raises
    ------
    StructureMismatch
        The layers of this program build another structure from that configuration.
    """
    if foreign.kind_of(config) is not None:
        return foreign.restore(config, read(), version.digest)
    from tensorlayer.models import Model

    model = Model.from_config(config)
    if model.structure_digest != version.digest:
        raise StructureMismatch(
            f"Model {version.model!r} version {version.number}: the configuration now builds "
            f"structure {model.structure_digest[:12]}, it was saved as {version.digest[:12]}. Load "
            "it with the code that saved it, or read the arrays."
        )
    model.assign_arrays(read())
    return model
