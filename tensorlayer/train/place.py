"""How far a run of training has come."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.callbacks import Epoch

__all__ = ["Place", "Sums"]


@dataclasses.dataclass
class Sums:
    """Metrics, summed up over steps.

    Examples
    --------
    >>> sums = Sums()
    >>> sums.add(2, {"loss": 3.0})
    >>> sums.add(1, {"loss": 6.0})
    >>> sums.n_steps, sums.means
    (3, {'loss': 3.0})
    """

    n_steps: int = 0
    totals: dict[str, float] = dataclasses.field(default_factory=dict)

    def add(self, n_steps: int, sums: Mapping[str, float]) -> None:
        """Count some steps in; a metric that was not there from the first one on is left out."""
        known = self.totals if self.n_steps else dict.fromkeys(sums, 0.0)
        self.n_steps += n_steps
        self.totals = {name: known[name] + each for name, each in sums.items() if name in known}

    @property
    def means(self) -> dict[str, float]:
        """The mean of each metric over the steps."""
        return {name: value / self.n_steps for name, value in self.totals.items()}


@dataclasses.dataclass
class Place:
    """How far a run has come: all that it knows beside the values of variables.

    For a loop of your own, which `run` is not for: count in it, and a `Checkpoint` saves it with
    the values, as one.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from tensorlayer.train import Checkpoint
    >>> total = tf.Variable(0.0)
    >>> saved = Checkpoint("run-2", {"total": total})
    >>> place = saved.find() or Place(epoch=1)
    >>> place.step += 3
    >>> _ = total.assign_add(3.0)
    >>> saved.save(place)
    >>> saved.find().step
    3
    """

    epoch: int  #: number of the epoch
    step: int = 0  #: steps of the whole run
    seconds: float = 0.0  #: wall time of the epoch so far
    sums: Sums = dataclasses.field(default_factory=Sums)  #: of the epoch so far
    intervals: list[Sums] = dataclasses.field(default_factory=list)  #: of each ``Every``
    history: list[Epoch] = dataclasses.field(default_factory=list)  #: the epochs that are over
    is_stopped: bool = False  #: a callback has ended training

    @property
    def is_between(self) -> bool:
        """Whether the epoch is over, and its callbacks were called."""
        return bool(self.history) and self.history[-1].number == self.epoch

    def add(self, n_steps: int, sums: Mapping[str, float], seconds: float) -> None:
        """Count some steps in; the epoch has taken so long."""
        self.step += n_steps
        self.seconds = seconds
        for each in (self.sums, *self.intervals):
            each.add(n_steps, sums)

    def end_epoch(self, evaluated: Mapping[str, float] | None = None) -> Epoch:
        """Append what the epoch has come to, with what was measured after it, and return it."""
        means, n_steps = self.sums.means, self.sums.n_steps
        found = {name: float(value) for name, value in (evaluated or {}).items()}
        if both := sorted(means.keys() & found.keys()):
            raise InvalidArgument(
                f"training: the step and evaluate both return {', '.join(map(repr, both))}. Give "
                "one of them another name, such as 'val_" + both[0] + "'."
            )
        self.history.append(
            Epoch(number=self.epoch, n_steps=n_steps, seconds=self.seconds, metrics=means | found)
        )
        return self.history[-1]

    def begin_next(self) -> None:
        """Go to the start of the next epoch."""
        self.epoch, self.seconds, self.sums = self.epoch + 1, 0.0, Sums()

    def to_json(self) -> str:
        """Return the place as text."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Place:
        """Return the place of a text.

        Examples
        --------
        >>> place = Place(epoch=3, step=41, sums=Sums(1, {"loss": 0.1}))
        >>> Place.from_json(place.to_json()) == place
        True
        """
        fields = json.loads(text)
        fields["sums"] = Sums(**fields["sums"])
        fields["intervals"] = [Sums(**each) for each in fields["intervals"]]
        fields["history"] = [Epoch(**each) for each in fields["history"]]
        return cls(**fields)
