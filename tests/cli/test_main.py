from __future__ import annotations

import subprocess
import sys

NOUNS = ("agent", "server", "models", "datasets", "tasks")


def tl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tensorlayer.cli.main", *arguments], capture_output=True, text=True
    )


def test_help_lists_the_nouns():
    shown = tl("--help")

    assert shown.returncode == 0
    assert all(noun in shown.stdout for noun in NOUNS)


def test_every_noun_has_a_help():
    for noun in NOUNS:
        assert tl(noun, "--help").stdout.strip().startswith("Usage:")


def test_an_error_of_ours_is_one_line_without_a_traceback(server_home):
    shown = tl("models", "versions", "nothing", "--home", str(server_home), "--project", "empty")

    assert shown.returncode == 1
    assert shown.stderr.startswith("tl: ")
    assert "nothing" in shown.stderr
    assert len(shown.stderr.strip().splitlines()) == 1


def test_an_unknown_command_is_a_usage_error():
    shown = tl("model")

    assert shown.returncode == 2
    assert "No such command" in shown.stderr
