from __future__ import annotations

import logging
import subprocess
import sys

import pytest

import tensorlayer as tl


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


def test_the_library_is_silent_until_it_is_asked_to_speak():
    program = "import tensorlayer as tl; tl.logging.info('x'); tl.logging.warning('y')"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert (ran.stdout, ran.stderr) == ("", "")
