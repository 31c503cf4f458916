"""What longer examples share: where a run is recorded, and how it goes on after it was killed.

Versions of models and events go to the hub, which is a MongoDB; with ``--no-hub`` they go to files
in the folder of the run. Pictures and the checkpoint are in that folder in both cases.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorlayer as tl

PROJECT = "examples"


def add_options(parser: argparse.ArgumentParser, folder: str) -> None:
    """Add the options of a run that is recorded."""
    parser.add_argument("--out", type=Path, default=Path(folder), help="the folder of the run")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on with the run in that folder; without it a checkpoint that is there is removed",
    )  # fmt: skip
    parser.add_argument("--no-hub", action="store_true", help="write files; no MongoDB is needed")
    parser.add_argument("--uri", help="a MongoDB replica set; without it a private server")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and noise")


class Record:
    """What is kept of one run.

    Without ``--resume`` a run begins anew: a checkpoint in its folder is removed. Versions and
    events of runs before stay; in files, ``run`` is when the run began that an event is of. Up to
    the end of a run no other one gets its folder.
    """

    def __init__(self, options: argparse.Namespace, name: str) -> None:
        self.name, self.folder = name, options.out
        self.folder.mkdir(parents=True, exist_ok=True)
        self._held = contextlib.ExitStack()
        try:
            self._held.enter_context(tl.train.locking.locked(self.folder, who="--out"))
        except tl.errors.InvalidArgument as error:
            raise SystemExit(str(error)) from None
        is_saved = any(self.place_of_checkpoint.rglob("checkpoint"))
        goes_on = options.resume and is_saved
        if options.resume and not goes_on:
            print(f"nothing to go on with in {self.folder}: the run begins")
        elif not goes_on and self.place_of_checkpoint.exists():
            shutil.rmtree(self.place_of_checkpoint)
        self.run = self._run_before() if goes_on else self._new_run()
        self.hub = None if options.no_hub else tl.connect(options.uri, project=PROJECT)

    def _run_before(self) -> str:
        """Return when the run began that goes on."""
        file = self.folder / "begun"
        return file.read_text(encoding="utf-8") if file.exists() else self._new_run()

    def _new_run(self) -> str:
        """Return the present time, and write it down."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        (self.folder / "begun").write_text(now, encoding="utf-8")
        return now

    @property
    def place_of_checkpoint(self) -> Path:
        """The folder from which a run goes on."""
        return self.folder / "checkpoint"

    def checkpoint(
        self, values: Mapping[str, Any], every: int | None = None, part: str = ""
    ) -> Any:
        """Return a checkpoint for `tl.train.run`; ``part`` tells trainings of one run apart."""
        return tl.train.Checkpoint(self.place_of_checkpoint / part, values, every=every)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Keep the metrics of a step."""
        if self.hub is not None:
            self.hub.models.log(self.name, metrics, step=step)
            return
        values = {name: float(each) for name, each in metrics.items()}
        line = json.dumps({"run": self.run, "step": step, **values})
        with open(self.folder / "events.jsonl", "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def save(self, model: tl.models.Model, step: int, part: str = "") -> None:
        """Keep a version of a model; ``part`` tells models of one run apart."""
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

    def __exit__(self, *error: object) -> None:
        if self.hub is not None:
            self.hub.close()
        self._held.close()
