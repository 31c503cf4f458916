"""Versions: what a model was at some moment, under a number that never means anything else.

    models     {_id: key, schema, structure, config, n_versions, created, blobs?}
    versions   {_id, schema, model, number, step, run, task, attempt, digest, weights: pointer,
                values, created, blobs}

Weights are uploaded first; the document that points at them is inserted in the transaction that
raises the model's counter. So a version is there whole or not at all, and numbers run from 1
without gaps.

What a task saves goes through one of two doors. It is *staged*: visible to others when the task is
done, and to the task itself at once. Or it is *published*: visible to all at once, as long as the
task has its lease, and there even if the task is killed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pymongo import ASCENDING, DESCENDING

from tensorlayer.errors import (
    Corrupt,
    InvalidArgument,
    ModelNotFound,
    VersionNotFound,
    did_you_mean,
)
from tensorlayer.models import deleting, foreign, ranking, restoring, tensors
from tensorlayer.models.events import Event, EventLog, check_step, check_values
from tensorlayer.models.head import HEAD_INDEXES, MODELS, Head, new_head
from tensorlayer.models.saving import Saving, staged
from tensorlayer.models.version import (
    VERSION_INDEXES,
    VERSIONS,
    Savable,
    Version,
    check_number,
)
from tensorlayer.storage.blobs import Pointer
from tensorlayer.storage.connection import Store
from tensorlayer.storage.names import check_field, check_key

if TYPE_CHECKING:
    import numpy as np

    from tensorlayer.models import Model

__all__ = ["Models", "Savable", "Version"]

# Inside of Models, `list` is a method.
_Versions = list[Version]
_Keys = list[str]


class Models:
    """All models of a project; this is ``hub.models``. Safe to use from any thread.

    Examples
    --------
    >>> import numpy as np, types
    >>> model = types.SimpleNamespace(
    ...     config={}, structure_digest="d1", to_arrays=lambda: {"w": np.zeros(2, np.float32)})
    >>> hub.models.save("mlp", model, step=10).number
    1
    >>> hub.models.log("mlp", {"accuracy": 0.9}, step=10)
    >>> hub.models.best("mlp", "accuracy").number
    1
    >>> hub.models.arrays("mlp")
    {'w': array([0., 0.], dtype=float32)}
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._models = store.indexes(MODELS, *HEAD_INDEXES)
        self._versions = store.indexes(VERSIONS, *VERSION_INDEXES)
        self._log = EventLog(store)
        self._own_run = uuid.uuid4().hex

    @property
    def run(self) -> str:
        """Identity of the current training run: the task's id, or one for this object."""
        return self._task or self._own_run

    def save(
        self,
        key: str,
        model: Savable | Mapping[str, Any],
        *,
        step: int | None = None,
        values: Mapping[str, float] | None = None,
        publish: bool = False,
    ) -> Version:
        """Save a model as the next version of ``key``.

        When this returns, the version is on disk at a majority of the servers. A process that is
        killed before leaves no version; its upload is swept later. Any number of processes may save
        under one key; each version gets a number of its own, without gaps.

        Inside a stage (a task) the version becomes visible to others, and gets its number, when the
        stage is applied; what is returned has the number None.

        Parameters
        ----------
        key
            What the model is called.
        model
            A `Model`, a built Keras model, a dictionary of arrays, or whatever has ``config``,
            ``structure_digest`` and ``to_arrays()``.
        step
            Training step, by which events find the version.
        values
            Metrics of this very version. `best` prefers them to events.
        publish
            Inside a task, make it visible at once and for good, see `checkpoint`.

        Raises
        ------
        StructureMismatch
            The key holds models of another structure.
        NotSerializable
            The configuration is not plain JSON, or safetensors does not know a parameter's type.
        LeaseLost
            It was to be published, and the task runs elsewhere or has ended.
        Conflict
            The same attempt has published other weights at this step.
        """
        check_key(key, "model key")
        model, stored = foreign.savable(model), self._head(key)
        version = Version(
            model=key,
            number=None,
            step=None if step is None else check_step(step),
            run=self.run,
            task=self._task,
            attempt=0 if self._store.stage is None else self._store.stage.attempt,
            digest=model.structure_digest,
            values=check_values(values or {}),
            weights=self._upload(key, model, stored),
            created=self._store.now(),
        )
        # In a stage, the first version of a model brings the head for all that follow.
        is_known = stored is not None or (not publish and self._started(key) is not None)
        head = {} if is_known else new_head(key, model, version.created, self._store.blobs)
        return Saving(self._store, version, head, is_published=publish).commit()

    def checkpoint(
        self,
        key: str,
        model: Savable | Mapping[str, Any],
        *,
        step: int,
        values: Mapping[str, float] | None = None,
    ) -> Version:
        """Save a version that others see at once and that stays when the task is killed.

        The same as ``save(..., publish=True)``: its identity is made of task, attempt and step, so
        a repetition adds nothing, and an agent that has lost the task cannot add anything. The next
        attempt finds it with `latest_checkpoint`.
        """
        return self.save(key, model, step=step, values=values, publish=True)

    def latest_checkpoint(self, key: str) -> Version | None:
        """Return the newest version that this run has made visible, in any attempt; None if none.

        Examples
        --------
        >>> hub.models.checkpoint("weights", {"w": [0.0, 0.0]}, step=10).number
        1
        >>> hub.models.latest_checkpoint("weights").step
        10
        """
        query = {"model": check_key(key, "model key"), "run": self.run}
        newest = [("number", DESCENDING)]
        found = self._store.call(partial(self._versions.find_one, query, sort=newest))
        return None if found is None else Version.from_document(found).check()

    def get(self, key: str, version: int | Version | None = None) -> Version:
        """Return a version; by default the newest, in a task also of what it has saved itself.

        Raises
        ------
        ModelNotFound, VersionNotFound
            There is none. The message says what there is.
        Corrupt
            Its document is damaged. No other version is taken instead.
        """
        query = {"model": check_key(key, "model key")}
        if isinstance(version, Version):
            if version.model != key:
                raise InvalidArgument(
                    f"Model {key!r}: got version {version.number} of model {version.model!r}. "
                    "Name the model that it belongs to."
                )
            return version.check()
        if version is not None:
            query["number"] = check_number(key, version)
        elif own := staged(self._store, key):
            return own[-1].version
        newest = [("number", DESCENDING)]
        found = self._store.call(partial(self._versions.find_one, query, sort=newest))
        if found is None:
            raise self._missing(key, version)
        return Version.from_document(found).check()

    def arrays(self, key: str, version: int | Version | None = None) -> dict[str, np.ndarray]:
        """Return the parameters of a version as read-only arrays, verified, without TensorFlow.

        Raises
        ------
        ModelNotFound, VersionNotFound
            There is none.
        Corrupt
            What is stored is not what was saved. No other version is taken instead.
        """
        return self._read(self.get(key, version))

    def load(self, key: str, version: int | Version | None = None) -> Model | Any:
        """Return a model, built from its configuration, with the parameters of a version.

        What was saved as a Keras model comes back as one, a dictionary of arrays as a dictionary.

        Raises
        ------
        ModelNotFound, VersionNotFound
            There is none.
        Corrupt
            What is stored is not what was saved.
        StructureMismatch
            The layers of this program build another structure from that configuration.
        """
        found = self.get(key, version)
        return restoring.restore(found, self.config(key), lambda: self._read(found))

    def config(self, key: str) -> dict[str, Any]:
        """Return the configuration that all versions of a model have in common.

        Raises
        ------
        ModelNotFound
            There is no such model.
        """
        head = self._head(check_key(key, "model key")) or self._started(key)
        if head is None:
            raise self._missing(key, None)
        return head.read_config(self._store.blobs)

    def best(self, key: str, event: str, mode: Literal["max", "min"] = "max") -> Version:
        """Return the version with the best value of a metric.

        The value of a version is the one given to `save`, else that of the event with the version's
        run and step. NaN never wins; of equal values the newest version does.

        Parameters
        ----------
        key
            The model.
        event
            Name of the metric.
        mode
            Whether large values or small ones are good.

        Raises
        ------
        ModelNotFound, VersionNotFound
            No version has a value. The message says which metrics there are.
        """
        ranking.check_mode(mode)
        events = self.events(key, event)
        if events and self._head(key) is None and not staged(self._store, key):
            raise ModelNotFound(
                f"Model {key!r} has {len(events)} events {event!r} but no version: nothing was "
                "saved under this key. Save the model: save(key, model, step=step)."
            )
        best = ranking.best_of(self.list(key), events, event, mode)
        if best is None:
            names = {each.name for each in self.events(key)}
            names.update(*(version.values for version in self.list(key)))
            raise ranking.nothing(key, event, len(events), names)
        return best

    def log(self, key: str, values: Mapping[str, float], *, step: int) -> None:
        """Log metrics of a training step; a few microseconds, written by a thread within 0.5 s.

        The model need not be saved yet. Events are visible at once also inside a stage, since they
        are what one watches a task by; a task that is executed again replaces them, see `Event`.

        Parameters
        ----------
        key
            The model.
        values
            Name to number; NaN and infinity are numbers.
        step
            Of the training. A second value for the same run, name and step replaces the first.

        Raises
        ------
        InvalidName, InvalidArgument
            A name breaks a rule, or a value is not a number.
        """
        self._log.log(key, values, step=step, run=self.run)

    def flush(self) -> None:
        """Write all events that were logged; when this returns, nothing of them can be lost."""
        self._log.flush()

    def events(self, key: str, name: str | None = None) -> list[Event]:
        """Return the events of a model, of one metric or all, ordered by run, name and step."""
        check_key(key, "model key")
        return self._log.read(key, None if name is None else check_field(name, "metric"))

    def delete(self, key: str, version: int | None = None) -> int:
        """Delete a version, or all of a model with its events: at once, for good, also in a task.

        Parameters
        ----------
        key, version
            Of a model, the version with this number; by default everything.

        Returns
        -------
        int
            How many versions were deleted.

        Raises
        ------
        ModelNotFound, VersionNotFound
            There is none.

        Examples
        --------
        >>> for step in range(3):
        ...     _ = hub.models.save("tried", {"w": [0.0, step]}, step=step)
        >>> hub.models.delete("tried", 2), [each.number for each in hub.models.list("tried")]
        (1, [1, 3])
        >>> hub.models.delete("tried")
        2
        """
        check_key(key, "model key")
        if version is None:
            self.flush()
            n_deleted, is_known = deleting.delete_model(self._store, key)
        else:
            is_known = deleting.delete_version(self._store, key, check_number(key, version))
            n_deleted = 1
        if not is_known:
            raise self._missing(key, version)
        return n_deleted

    def close(self) -> None:
        """Flush the events and end the thread that writes them."""
        self._log.close()

    def keys(self) -> _Keys:
        """Return the keys of all models, sorted."""
        found = self._store.call(lambda: [*self._models.find({}, {"_id": 1}).sort("_id")])
        return [each["_id"] for each in found if isinstance(each["_id"], str)]

    def list(self, key: str | None = None) -> _Versions:
        """Return all versions, of one model or of all, ordered by key and number.

        Also damaged ones, with what is known of them and what is wrong in ``damaged``. In a task
        what it has saved itself comes last, without a number.

        Raises
        ------
        ModelNotFound
            There is no model ``key``.
        """
        query = {} if key is None else {"model": check_key(key, "model key")}
        order = [("model", ASCENDING), ("number", ASCENDING)]
        found = self._store.call(lambda: [*self._versions.find(query).sort(order)])
        versions = [Version.from_document(each) for each in found]
        versions += [each.version for each in staged(self._store, key)]
        if key is not None and not versions:
            raise self._missing(key, None)
        return versions

    def __repr__(self) -> str:
        return f"<Models of {self._store.project!r}>"

    @property
    def _task(self) -> str | None:
        return None if self._store.stage is None else self._store.stage.run

    def _head(self, key: str) -> Head | None:
        found = self._store.call(partial(self._models.find_one, {"_id": key}))
        return None if found is None else Head.from_document(found)

    def _started(self, key: str) -> Head | None:
        """Return the head of a model that begins with the stage that is open here."""
        heads = [each.head for each in staged(self._store, key) if each.head]
        return Head.from_document(heads[0]) if heads else None

    def _upload(self, key: str, model: Savable, head: Head | None) -> Pointer:
        """Put the weights where nobody sees them, unless they cannot belong to this key."""
        if head is not None:
            head.check_structure(model.structure_digest)
            head.need("n_versions")
        if (started := self._started(key)) is not None:
            started.check_structure(model.structure_digest)
        return self._store.blobs.put(tensors.to_bytes(model.to_arrays()), owner=VERSIONS)

    def _read(self, version: Version) -> dict[str, np.ndarray]:
        try:
            return tensors.from_bytes(self._store.blobs.read(version.check().weights))
        except Corrupt as error:
            raise Corrupt(f"Model {version.model!r} version {version.number}: {error}") from error

    def _missing(self, key: str, version: int | None) -> ModelNotFound | VersionNotFound:
        head = self._head(key)
        if head is None:
            return ModelNotFound(f"There is no model {key!r}. {did_you_mean(key, self.keys())}")
        return head.without(version)
