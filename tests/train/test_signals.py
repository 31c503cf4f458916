"""Signals that wait, in this process; others do it in test_checkpoint.py."""

from __future__ import annotations

import signal
import threading

import pytest

from tensorlayer.train.signals import Postponed


@pytest.fixture
def handled(monkeypatch):
    """Return the list of signals that reached the handler of the program."""
    seen = []
    old = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    yield seen
    signal.signal(signal.SIGTERM, old)


def test_a_signal_waits_until_it_is_delivered_again_and_again(handled):
    with Postponed() as signals:
        signals.deliver()
        for n in (1, 2):
            signal.raise_signal(signal.SIGTERM)
            assert signals.waiting == signal.SIGTERM
            assert len(handled) == n - 1
            signals.deliver()
            assert signals.waiting is None
            assert len(handled) == n


def test_a_second_signal_acts_at_once(handled):
    with Postponed() as signals:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert handled == [signal.SIGTERM]
        signals.deliver()
    assert len(handled) == 2


def test_at_the_end_nothing_is_lost_and_handlers_are_back(handled):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), Postponed():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        raise ZeroDivisionError
    assert handled == [signal.SIGTERM]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_ctrl_c_is_a_keyboard_interrupt():
    with Postponed() as signals:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signals.deliver()


def test_what_is_ignored_stays_ignored():
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Postponed() as signals:
            signal.raise_signal(signal.SIGTERM)
            assert signals.waiting is None
    finally:
        signal.signal(signal.SIGTERM, old)


def test_in_other_threads_it_does_nothing():
    errors = []

    def use():
        try:
            with Postponed() as signals:
                signals.deliver()
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()

    assert not errors


def test_a_signal_may_be_let_through(handled):
    with Postponed([signal.SIGTERM]) as signals:
        with signals.let_through():
            signal.raise_signal(signal.SIGTERM)
            assert handled == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert handled == [signal.SIGTERM]
        signals.deliver()
    assert handled == [signal.SIGTERM] * 2
