"""What longer examples share: where a run is recorded, and how it goes on after it was killed.

Versions of models and events go to the hub, which is a MongoDB; with ``--no-hub`` they go to files
in the folder of the run. Pictures and the checkpoint are in that folder in both cases.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import errno
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import arguments  # the file beside this one

import tensorlayer as tl

PROJECT = "examples"


def add_options(parser: argparse.ArgumentParser, folder: str) -> None:
    """Add the options of a run that is recorded."""
    out = arguments.folder_to_write
    parser.add_argument("--out", type=out, default=folder, help="the folder of the run")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on with the run in that folder; without it a checkpoint that is there is removed",
    )  # fmt: skip
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--no-hub", action="store_true", help="write files; no MongoDB is needed")
    place.add_argument("--uri", help="a MongoDB replica set; without it a private server")
    arguments.add_seed(parser, "of weights, order and noise")


class Record:
    """What is kept of one run.

    Without ``--resume`` a run begins anew: a checkpoint in its folder is removed, once there is
    something to keep of the new run, so that data that cannot be read cost nothing. Versions and
    events of runs before stay; in files, ``run`` is when the run began that an event is of. Up to
    the end of a run no other one gets its folder.
    """

    def __init__(self, options: argparse.Namespace, name: str) -> None:
        arguments.needed("PIL")  # each run writes pictures
        self.name, self.folder = name, options.out
        self._held = alone(self.folder)
        try:
            self.hub = None if options.no_hub else tl.connect(options.uri, project=PROJECT)
        except (tl.errors.StoreError, tl.errors.InvalidArgument) as error:
            self._held.close()
            raise SystemExit(f"{error} Or write files instead: --no-hub.") from error
        is_saved = any(self.place_of_checkpoint.rglob("checkpoint"))
        self.goes_on = goes_on = options.resume and is_saved
        if options.resume and not goes_on:
            print(f"nothing to go on with in {self.folder}: the run begins")
        self.run = self._run_before() if goes_on else ""

    def _run_before(self) -> str:
        """Return when the run began that goes on."""
        file = self.folder / "begun"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def _begin(self) -> None:
        """Remove what another run would go on with, and write down when this one has begun."""
        if self.run:
            return
        if not self.goes_on and self.place_of_checkpoint.exists():
            shutil.rmtree(self.place_of_checkpoint)
        self.run = datetime.datetime.now(datetime.timezone.utc).isoformat()
        (self.folder / "begun").write_text(self.run, encoding="utf-8")

    @property
    def place_of_checkpoint(self) -> Path:
        """The folder from which a run goes on."""
        return self.folder / "checkpoint"

    def checkpoint(
        self, values: Mapping[str, Any], every: int | None = None, part: str = ""
    ) -> Any:
        """Return a checkpoint for `tl.train.run`; ``part`` tells trainings of one run apart."""
        self._begin()
        return tl.train.Checkpoint(self.place_of_checkpoint / part, values, every=every)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Keep the metrics of a step."""
        self._begin()
        if self.hub is not None:
            self.hub.models.log(self.name, metrics, step=step)
            return
        values = {name: float(each) for name, each in metrics.items()}
        line = json.dumps({"run": self.run, "step": step, **values})
        append(self.folder / "events.jsonl", line + "\n")

    def save(self, model: tl.models.Model, step: int, part: str = "") -> None:
        """Keep a version of a model; ``part`` tells models of one run apart."""
        self._begin()
        key = f"{self.name}-{part}" if part else self.name
        if self.hub is not None:
            self.hub.models.save(key, model, step=step)
        else:
            tl.files.save_npz_dict(model.all_weights, str(self.folder / f"{key}-{step}.npz"))

    def picture(self, name: str) -> str:
        """Return where a picture goes."""
        return str(self.folder / name)

    def __enter__(self) -> Record:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.hub is not None:
            self.hub.close()
        self._held.close()
        again = "with --resume it goes on after what was saved last"
        if why := arguments.stopped_by(error):
            raise SystemExit(f"{why}; {again}") from None
        if isinstance(error, tl.errors.StoreUnavailable):
            raise SystemExit(f"{error} Then {again}.") from error
        if self.goes_on and isinstance(error, tl.errors.StructureMismatch):
            raise SystemExit(
                f"--resume: what is in {self.folder} was not made by this program with these "
                "options. Give those of the first run, or begin anew without --resume."
            ) from error
        if self.goes_on and isinstance(error, tl.errors.Corrupt):
            raise SystemExit(f"--resume: {error}") from error


def alone(folder: Path) -> contextlib.ExitStack:
    """Make a folder, and have it for oneself up to ``close``, or end the program with a line."""
    held = contextlib.ExitStack()
    try:
        held.enter_context(tl.train.locking.locked(folder, who="--out"))
    except tl.errors.InvalidArgument as error:
        raise SystemExit(str(error)) from None
    return held


def append(path: Path, line: str) -> None:
    """Append a line to a file; nothing of it where the disk has no room for all of it."""
    with open(path, "ab", buffering=0) as file:
        before, data = file.tell(), line.encode()
        if file.write(data) < len(data):
            file.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
