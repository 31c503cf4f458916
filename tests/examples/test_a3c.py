"""A3C: what is sent, workers that are killed, and that nobody leaves behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from tests.examples.running import EXAMPLES, help_of, run_here

sys.path.insert(0, str(EXAMPLES))

import a3c
import playing
import rollouts


def agent_of(seed=0):
    tf.keras.utils.set_random_seed(seed)
    return a3c.Agent(playing.make("CartPole-v1"), np.random.default_rng(seed))


def layers(row, x, sizes):
    """Return what a network with its weights in one row computes, and the rest of the row."""
    for i, (n_in, n_out) in enumerate(sizes):
        weights, row = row[: n_in * n_out].reshape(n_in, n_out), row[n_in * n_out :]
        biases, row = row[:n_out], row[n_out:]
        x = (np.tanh(x) if i else x) @ weights + biases
    return x, row


def loss_of(row, seen, actions, worth, wanted):
    """Return the loss that A3C is said to have, with all weights in one row."""
    logits, row = layers(row, seen, [(4, 64), (64, 64), (64, 2)])
    values, row = layers(row, seen, [(4, 64), (64, 64), (64, 1)])
    assert not len(row)
    found = log_softmax(logits, 1)
    doubt = -np.sum(softmax(logits, 1) * found, 1).mean()
    of_actor = -np.mean(found[np.arange(len(actions)), actions] * worth)
    return of_actor + 0.5 * np.mean((values[:, 0] - wanted) ** 2) - 0.01 * doubt


def test_a_gradient_says_how_the_loss_changes():
    agent = agent_of()
    played = rollouts.Players("CartPole-v1", 2, seed=0).play(agent.draw, 12)
    seen, actions, worth, wanted = agent.lesson(played)
    parts = (seen, actions, (worth - worth.mean()) / worth.std(), wanted)
    row = agent.weights

    slope = agent.slope(played)

    rng = np.random.default_rng(0)
    for _ in range(5):
        way = rng.normal(size=len(row)) * 1e-4
        change = loss_of(row + way, *parts) - loss_of(row - way, *parts)
        assert slope @ way == pytest.approx(change / 2, rel=2e-3)


def test_weights_arrive_as_they_were_sent():
    one, other = agent_of(0), agent_of(1)
    seen = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    ours, theirs = multiprocessing.Pipe()

    a3c.send(ours, one.weights, [])
    other.weights, nothing = a3c.receive(theirs, 2)

    assert not len(nothing)
    np.testing.assert_array_equal(other.logits(seen), one.logits(seen))
    np.testing.assert_array_equal(other.values(seen), one.values(seen))


def test_the_server_takes_the_step_that_the_worker_would_have_taken():
    server, alone = agent_of(), agent_of()
    played = rollouts.Players("CartPole-v1", 4, seed=0).play(alone.draw, 16)

    server.learn_of(server.slope(played), 1.0)
    alone.learn(played)

    np.testing.assert_allclose(server.weights, alone.weights, atol=1e-6)


class Shell:
    """The script in a session of its own, as a terminal has it, and what it prints."""

    def __init__(self, folder, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "a3c.py"), "--workers", "2", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines = []

    def until(self, pattern):
        """Read until a line has this; return what was found."""
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line has {pattern}:\n{''.join(self.lines)}")

    def rest(self):
        """Return all that was printed, after the end."""
        self.lines += self.process.stdout
        self.process.wait()
        return "".join(self.lines)

    def left(self):
        """Return the processes of the session that are still there."""
        found = []
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if os.getsid(each.pid) == self.process.pid and each.status() != "zombie":
                    found.append(each)
        return found

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for each in self.left():
            each.kill()
        self.process.stdout.close()
        self.process.wait()


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pole_is_balanced_though_a_worker_is_killed(tmp_path):
    with Shell(tmp_path, "--quick") as shell:
        victim = int(shell.until(r"worker 1 is process (\d+)")[1])
        shell.until(r"step [\d,]+: return")
        os.kill(victim, signal.SIGKILL)
        shell.until(r"worker 1 was killed by SIGKILL")
        other = int(shell.until(r"worker 1 is process (\d+)")[1])
        shown = shell.rest()

        assert other != victim
        assert shell.process.returncode == 0, shown
        wait_for_none(shell)
    found = re.search(r"return ([\d.]+) ± [\d.]+ of 100 fresh .*; at random ([\d.]+)", shown)
    assert float(found[1]) >= 195 > 6 * float(found[2])


@pytest.mark.slow
def test_who_comes_for_a_worker_that_was_killed_plays():
    agent = agent_of()
    with a3c.Crew(1, "CartPole-v1", seed=0) as crew:
        messages = crew.messages()
        first = next(messages)
        victim = crew.workers[0].process
        os.kill(victim.pid, signal.SIGKILL)
        crew.answer(0, agent.weights)  # nobody is there to take them

        second = next(messages)
        crew.answer(0, agent.weights)
        third = next(messages)

        assert crew.workers[0].process.pid != victim.pid
        assert victim.exitcode == -signal.SIGKILL
    assert [len(each.slope) for each in (first, second, third)] == [0, 0, len(agent.weights)]
    assert np.all(third.returns >= 1)
    assert np.any(third.slope != 0)


def test_ctrl_c_counts_though_it_comes_while_a_process_is_started():
    interrupted = "import signal; signal.raise_signal(signal.SIGINT); print('lives')"
    told, before = [], signal.getsignal(signal.SIGINT)

    def begin():
        with a3c.without_interrupts():
            signal.raise_signal(signal.SIGINT)
            told.append(subprocess.check_output([sys.executable, "-c", interrupted], text=True))

    with pytest.raises(KeyboardInterrupt):
        begin()

    assert told == ["lives\n"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("moment", [r"worker 0 is process", r"step [\d,]+: return"])
def test_ctrl_c_leaves_no_process_behind(tmp_path, moment):
    with Shell(tmp_path) as shell:
        shell.until(moment)
        os.killpg(shell.process.pid, signal.SIGINT)  # a terminal sends it to all of them
        shown = shell.rest()

        assert "Traceback" not in shown
        assert shown.endswith("stopped, and so are the workers\n")
        wait_for_none(shell)


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_workers_end_with_a_server_that_is_killed(tmp_path):
    with Shell(tmp_path) as shell:
        shell.until(r"step [\d,]+: return")
        shell.process.kill()
        shown = shell.rest()

        assert "Traceback" not in shown
        wait_for_none(shell)


def wait_for_none(shell, seconds=20):
    """Wait until no process is left."""
    deadline = time.monotonic() + seconds
    while left := shell.left():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_worker_that_fails_by_itself_ends_the_program():
    with a3c.Crew(1, "NoGame-v0", seed=0) as crew, pytest.raises(SystemExit) as ended:
        next(crew.messages())

    assert str(ended.value) == "worker 0 has ended with exit code 1"
    assert not crew.workers


def test_help_teaches():
    shown = help_of("a3c.py")

    assert "Asynchronous" in shown
    assert "--workers" in shown


@pytest.mark.parametrize("number", ["0", "-1"])
def test_without_a_worker_nothing_is_waited_for(number, capsys):
    with pytest.raises(SystemExit):
        run_here("a3c.py", "--workers", number)

    said = f"argument --workers: a whole number from 1 on is needed, not '{number}'"
    assert said in capsys.readouterr().err


def test_workers_that_are_killed_at_their_start_each_time_are_given_up():
    is_over, crew = threading.Event(), a3c.Crew(2, "CartPole-v1", seed=0)

    def kill():
        while not is_over.wait(0.01):
            for worker in list(crew.workers.values()):
                worker.process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with crew, pytest.raises(SystemExit) as ended:
            next(crew.messages())
    finally:
        is_over.set()
        killer.join()

    assert str(ended.value) == (
        "6 workers were killed and none has sent a gradient, the last one by SIGKILL: if memory "
        "is short for 2, take fewer by --workers"
    )
    assert crew.n_started in (6, 7)  # one of two may be alive when it ends


@pytest.mark.slow
def test_a_gradient_makes_up_for_workers_that_were_killed():
    agent = agent_of()
    with a3c.Crew(1, "CartPole-v1", seed=0) as crew:
        crew.n_lost = 2
        messages = crew.messages()
        next(messages)
        assert crew.n_lost == 2  # it has only asked for weights
        crew.answer(0, agent.weights)
        next(messages)

        assert crew.n_lost == 0
