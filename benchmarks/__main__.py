"""Run all benchmarks, one after the other, each in a process of its own.

``python -m benchmarks`` takes hours, ``--quick`` a part of one; ``--check`` exits with 1 if a bar
is missed; ``--only`` names some of them. A table at the end says how each ended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.harness import RESULTS

#: Modules of this folder that measure, in the order in which they run.
NAMES = (
    "start", "build", "layers", "recurrent", "overhead", "limits", "accumulation", "learning",
    "word2vec", "text", "prepro", "prepro_functions", "storage", "memory", "dispatch", "soak",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run them; return 1 if one of them ended with an error, or missed a bar under ``--check``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=NAMES, help="these; may be repeated")
    parser.add_argument("--quick", action="store_true", help="less exact, and sooner")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    told = [f"--{name}" for name in ("quick", "check") if getattr(options, name)]
    ended: dict[str, tuple[int, float]] = {}
    for name in options.only or NAMES:
        started = time.perf_counter()
        command = [sys.executable, "-m", f"benchmarks.{name}", *told, "--output", options.output]
        status = subprocess.run(command, check=False).returncode
        ended[name] = status, time.perf_counter() - started
    Console().print(summary(ended))
    return int(any(status for status, _ in ended.values()))


def summary(ended: dict[str, tuple[int, float]]) -> Table:
    """Return a table of exit codes and times."""
    made = Table("benchmark", "", "seconds")
    for name, (status, seconds) in ended.items():
        made.add_row(name, f"failed with {status}" if status else "done", f"{seconds:.0f}")
    return made


if __name__ == "__main__":
    sys.exit(main())
