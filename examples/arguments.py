"""What the command lines of examples share: numbers, ``--quick``, what is written, how one ends.

parser = arguments.parser(__doc__)
parser.add_argument("--epochs", type=arguments.positive, default=25, help="passes")
parser.add_argument("--out", type=arguments.picture_to_write, default="a.png", help="curves")
options = arguments.parse(parser, quick={"epochs": 10}, takes="a minute")

What is said always counts: ``--quick`` and ``--data`` change defaults only.
A function that is the program is decorated by `program`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import importlib
import io
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LARGEST_SEED = 2**31 - 1  # a little less than what NumPy takes: some programs count on from it
PICTURES = (".png", ".jpg", ".jpeg")
#: What a system says where a file cannot be written, or only in part.
REFUSALS = tuple(
    os.strerror(getattr(errno, name))
    for name in ["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM"]
    if hasattr(errno, name)  # which depends on the system
)


def positive(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, not {text!r}")
    return int(text)


def between(low: int, high: int) -> Callable[[str], int]:
    """Return what makes a whole number of a text, from ``low`` to ``high``."""

    def number(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"a whole number from {low} to {high} is needed, not {text!r}"
            )
        return int(text)

    return number


seed = between(0, LARGEST_SEED)


def rate(text: str) -> float:
    """Return a number above 0."""
    found = finite(text)
    if found <= 0:
        raise argparse.ArgumentTypeError(f"a number above 0 is needed, not {text!r}")
    return found


def share(text: str) -> float:
    """Return a number above 0, 1 at most."""
    found = finite(text)
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f"a number above 0 is needed, 1 at most, not {text!r}")
    return found


def finite(text: str) -> float:
    """Return a number that is neither infinite nor none."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"a number is needed, not {text!r}")
    return found


def folder_to_write(text: str) -> Path:
    """Return a folder that is there or can be made: after the training is too late."""
    path = Path(text)
    there = next(each for each in (path, *path.parents) if each.exists())
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{path} cannot be made: {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{path} cannot be written to: give another folder")
    return path


def needed(*names: str, install: str = "tensorlayer[vision]") -> None:
    """End the program with the command that installs a package, before it trains in vain."""
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise SystemExit(f"{error.name} is needed: pip install '{install}'") from error


def picture_to_write(text: str) -> Path:
    """Return where a picture goes. Its folder is made at once."""
    needed("PIL")
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder: give the name of a file in it")
    if path.suffix.lower() not in PICTURES:
        known = ", ".join(PICTURES)
        raise argparse.ArgumentTypeError(f"{path} is no picture: give a name with one of {known}")
    folder_to_write(str(path.parent)).mkdir(parents=True, exist_ok=True)
    if path.exists() and not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f"{path} cannot be written: give another file")
    return path


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return what reads a command line, and shows a description as it is written."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_seed(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the seed of what is random: "of weights and order"."""
    parser.add_argument("--seed", type=seed, default=0, help=what)


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


def program(main: Callable[..., None]) -> Callable[..., None]:
    """Let a program end with a line where it is stopped from outside, see `stopped_by`.

    What it prints is seen at once, in a pipe or a file as well: a kill costs none of it.
    """

    @functools.wraps(main)
    def run(*given: Any, **options: Any) -> None:
        sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - closed by the shell
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        try:
            main(*given, **options)
        except (Exception, KeyboardInterrupt) as error:
            if (why := stopped_by(error)) is None:
                raise
            raise SystemExit(why) from None
        finally:
            let_go_of_output()

    return run


def stopped_by(error: BaseException | None) -> str | None:
    """Return what has stopped a program from outside: Ctrl-C, the reader of its output, a disk."""
    if is_interrupt(error):
        return "stopped"
    if isinstance(error, BrokenPipeError):
        return "stopped, since nobody reads what is printed"
    # TensorFlow has errors of its own for files, with the words of the system in them.
    refusal = next((each for each in REFUSALS if each in str(error)), None)
    if refusal is None:
        return None
    file = getattr(error, "filename", None)
    return f"stopped: {refusal}" + (f": {file}" if file else "")


def is_interrupt(error: BaseException | None) -> bool:
    """Whether it was Ctrl-C that led to an error: TensorFlow fails otherwise where it traces."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def let_go_of_output() -> None:
    """Let Python's last words go nowhere if nobody reads them: they would be a traceback."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
