"""What the command lines of examples share: numbers that make sense, ``--quick``, files to write.

parser.add_argument("--epochs", type=arguments.positive, default=25, help="passes")
parser.add_argument("--out", type=arguments.file_to_write, default="curves.png", help="a picture")
options = arguments.parse(parser, quick={"epochs": 10}, takes="a minute")

What is said always counts: ``--quick`` and ``--data`` change defaults only.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def positive(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, not {text!r}")
    return int(text)


def file_to_write(text: str) -> Path:
    """Return where a file goes. Its folder is made at once: after the training is too late."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"{path.parent} cannot be made ({error.strerror}): give a file in another folder"
        raise argparse.ArgumentTypeError(why) from error
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder: give the name of a file in it")
    return path


def parse(
    parser: argparse.ArgumentParser,
    quick: Mapping[str, Any],
    takes: str,
    with_data: Mapping[str, Any] | None = None,
) -> argparse.Namespace:
    """Return what the command line says, with ``--quick``, which takes less time.

    ``quick`` and ``with_data`` have the defaults of options where ``--quick`` or ``--data`` is
    given; those of ``quick`` come first.
    """
    less = " ".join(f"--{name} {value}" for name, value in quick.items())
    parser.add_argument("--quick", action="store_true", help=f"{less}, if not given: {takes}")
    given = parser.parse_args()
    if with_data and given.data is not None:
        parser.set_defaults(**with_data)
    if given.quick:
        parser.set_defaults(**quick)
    return parser.parse_args()
