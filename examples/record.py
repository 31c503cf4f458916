"""What longer examples share: where a run is recorded, and how it goes on after it was killed.

Versions of models and events go to the hub, which is a MongoDB; with ``--no-hub`` they go to files
in the folder of the run. Pictures and the checkpoint are in that folder in both cases.
"""

from __future__ import annotations

import argparse
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
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument("--no-hub", action="store_true", help="write files; no MongoDB is needed")
    parser.add_argument("--uri", help="a MongoDB replica set; without it a private server")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and noise")


class Record:
    """What is kept of one run.

    Without ``--resume`` a run begins anew: a checkpoint in its folder is removed. Versions and
    events of runs before stay.
    """

    def __init__(self, options: argparse.Namespace, name: str) -> None:
        self.name, self.folder = name, options.out
        self.folder.mkdir(parents=True, exist_ok=True)
        if not options.resume:
            shutil.rmtree(self.place_of_checkpoint, ignore_errors=True)
        elif not self.place_of_checkpoint.exists():
            print(f"nothing to go on with in {self.folder}: the run begins")
        self.hub = None if options.no_hub else tl.connect(options.uri, project=PROJECT)

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
        line = json.dumps({"step": step, **{name: float(each) for name, each in metrics.items()}})
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
