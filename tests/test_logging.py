from __future__ import annotations

import logging
import re
import subprocess
import sys

import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument


@pytest.fixture(autouse=True)
def _verbosity():
    before = tl.logging.get_verbosity()
    yield
    tl.logging.set_verbosity(before)


@pytest.mark.parametrize("name", ["debug", "info", "warn", "warning", "error", "fatal"])
def test_messages_reach_the_logger_of_the_library(caplog, name):
    tl.logging.set_verbosity("DEBUG")

    getattr(tl.logging, name)("loss %.2f", 0.5)

    record = caplog.records[-1]
    assert (record.name, record.getMessage()) == ("tensorlayer", "loss 0.50")
    level = {"warn": "WARNING", "fatal": "CRITICAL"}.get(name, name.upper())
    assert record.levelname == level


def test_verbosity_is_a_threshold(caplog):
    tl.logging.set_verbosity(tl.logging.ERROR)

    tl.logging.warning("not this")
    tl.logging.error("but this")

    assert [record.message for record in caplog.records] == ["but this"]
    assert tl.logging.get_verbosity() == logging.ERROR


def test_levels_are_those_of_python():
    levels = (
        tl.logging.DEBUG,
        tl.logging.INFO,
        tl.logging.WARN,
        tl.logging.ERROR,
        tl.logging.FATAL,
    )

    assert levels == (10, 20, 30, 40, 50)


def said(program):
    """Return what a program of its own leaves on standard output and error."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import tensorlayer as tl\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == ""
    return ran.stderr


SPEAK = "tl.logging.info('x'); tl.logging.warning('y')"


def test_warnings_are_seen_and_the_rest_is_when_it_was_asked_for():
    assert said(SPEAK) == "[TL] y\n"
    assert said(f"tl.logging.set_verbosity(tl.logging.INFO)\n{SPEAK}") == "[TL] x\n[TL] y\n"
    assert said(f"tl.logging.set_verbosity(tl.logging.ERROR)\n{SPEAK}") == ""


def test_the_modules_of_the_library_are_heard_too():
    program = "import logging; logging.getLogger('tensorlayer.files.download').warning('slow')"
    assert said(program) == "[TL] slow\n"


@pytest.mark.parametrize("name", ["", "tensorlayer"])
@pytest.mark.parametrize("is_before", [True, False])
def test_an_application_that_configures_logging_has_it_alone(name, is_before):
    configure = (
        "import logging, sys; h = logging.StreamHandler(); "
        f"h.setFormatter(logging.Formatter('app: %(message)s')); logging.getLogger({name!r})"
        ".addHandler(h)"
    )
    if is_before:
        assert said(f"{configure}\n{SPEAK}") == "app: y\n"
    else:
        assert said(f"{SPEAK}\n{configure}\n{SPEAK}") == "[TL] y\napp: y\n"


def test_standard_error_is_the_one_of_now():
    program = "import io, sys; sys.stderr = io.StringIO(); tl.logging.warning('y')\n"
    program += "assert sys.stderr.getvalue() == '[TL] y\\n'"
    assert said(program) == ""


def test_what_is_to_be_printed_is_printed_at_any_verbosity(tmp_path):
    program = f"import os; os.chdir({str(tmp_path)!r}); open('a.npz', 'w').close()\n"
    asked = program + "tl.files.load_file_list(regx='npz', printable={})"
    assert said(asked.format(True)) == "[TL] 1 files of . match 'npz'\n"
    assert said("tl.logging.set_verbosity('ERROR')\n" + asked.format(True)).startswith("[TL] 1 f")
    assert said(asked.format(False)) == ""
    off = "import logging; logging.getLogger('tensorlayer.printed').setLevel('ERROR')\n"
    assert said(off + asked.format(True)) == ""


@pytest.mark.parametrize("level", ["LOUD", "info", None, 2.5])
def test_an_unknown_level_is_told_which_there_are(level):
    with pytest.raises(
        InvalidArgument, match=r"number or one of 'DEBUG', .* 'FATAL', got "
    ) as told:
        tl.logging.set_verbosity(level)

    for name in re.findall("'([A-Z]+)'", str(told.value).partition("got")[0]):
        tl.logging.set_verbosity(name)
        assert tl.logging.get_verbosity() == getattr(tl.logging, name)
