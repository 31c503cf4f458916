"""Which version is best, by the values that it was saved with or that were logged for it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from typing import Literal

from tensorlayer.errors import InvalidArgument, VersionNotFound, did_you_mean
from tensorlayer.models.events import Event
from tensorlayer.models.version import Version

__all__ = ["best_of", "check_mode", "nothing"]

_logger = logging.getLogger(__name__)


def check_mode(mode: str) -> None:
    """Refuse anything but ``"max"`` and ``"min"``."""
    if mode not in ("max", "min"):
        raise InvalidArgument(f"mode must be 'max' or 'min', got {mode!r}.")


def best_of(
    versions: Iterable[Version],
    events: Sequence[Event],
    name: str,
    mode: Literal["max", "min"] = "max",
) -> Version | None:
    """Return the version with the best value; of equal values the newest, NaN never.

    Parameters
    ----------
    versions
        Of one model. Damaged ones are passed over with a warning.
    events
        Of the metric ``name``; each belongs to the version with its run and step.
    name
        The metric. A value that a version was saved with counts more than an event.
    mode
        Whether large values or small ones are good.
    """
    logged = {(each.run, each.step): each.value for each in events}
    sign = 1.0 if mode == "max" else -1.0
    ranked = []
    for version in versions:
        if version.damaged:
            _logger.warning(
                "Model %r version %s is passed over: in its document %s is missing or nonsense",
                version.model,
                version.number,
                ", ".join(version.damaged),
            )
            continue
        value = version.values.get(name, logged.get((version.run, version.step), math.nan))
        if not math.isnan(value):
            # What is saved and not visible yet is newer than all that is.
            number = math.inf if version.number is None else version.number
            ranked.append((sign * value, number, len(ranked), version))
    return max(ranked, key=lambda each: each[:3])[3] if ranked else None


def nothing(key: str, name: str, n_events: int, names: Iterable[str]) -> VersionNotFound:
    """Return the error for a model of which no version has a value.

    Parameters
    ----------
    key, name
        The model and the metric.
    n_events
        How many events of that metric there are.
    names
        The metrics that there are.
    """
    if name not in (known := set(names)):
        return VersionNotFound(f"Model {key!r} has no event {name!r}. {did_you_mean(name, known)}")
    return VersionNotFound(
        f"Model {key!r}: none of its versions was saved at the run and step of one of the "
        f"{n_events} events {name!r} with a number other than NaN. Save with the step that is "
        "logged: save(key, model, step=step)."
    )
