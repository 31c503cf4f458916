"""A3C: several processes play at once, and one network learns from all of them.

    python examples/a3c.py                # CartPole, in three processes
    python examples/a3c.py --workers 8    # on a larger machine

It is the actor and the critic of ``actor_critic.py``, learnt the way their paper is named after
(Mnih et al., "Asynchronous methods for deep reinforcement learning", 2016). No process waits for
another one:

1. Each worker, a process of its own, plays some steps, and finds the gradient of the loss.
2. It sends the gradient to the server, which is the process you started. The server takes an
   optimizer's step with it at once, and answers with the weights as they are now. Its steps become
   shorter, down to none at the last one, since a player that is good has only noise to learn from.
3. Meanwhile the others play on, with weights that are some steps old. That is the price, and the
   gain: what they see differs more than what one player sees.

What is sent are rows of numbers through a pipe. A worker has nothing to lose, so it may be killed
at any time, by ``kill -9`` or for want of memory: its pipe ends, and the server starts another one.
It gives up when they are killed again and again, and none has sent a gradient. The other way round,
workers whose server has ended find that out by their pipe, and end as well.

CartPole counts as solved at a mean return of 195 over 100 episodes, which this has to reach; the
most is 500, a random player gets 22. Training ends when the last 30 episodes did much better. Who
comes first is up to the machine: two runs with one seed differ.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import numpy as np

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import actor_critic  # noqa: E402 - the files beside this one
import arguments  # noqa: E402
import playing  # noqa: E402
import rollouts  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

GONE = (EOFError, OSError)  # what a pipe raises at whose other end nobody is any more
N_LIVES = 3  # of each worker, before there is a gradient


class Agent(actor_critic.Agent):
    """An actor and a critic whose weights and gradients are rows of numbers, to be sent."""

    n_games, n_steps = 8, 32  #: as much a worker plays before it asks for new weights

    def __init__(self, env: Any, rng: np.random.Generator) -> None:
        super().__init__(env, rng)
        self.slopes = tf.function(self.gradients, autograph=False)
        self.follow = tf.function(self.follow, autograph=False)

    def slope(self, played: rollouts.Played) -> np.ndarray:
        """Return the gradient of the loss on the steps that were just played."""
        seen, actions, worth, wanted = self.lesson(played)
        before = np.zeros(len(seen), np.float32)  # which this loss does not look at
        worth = actor_critic.standard(worth)
        return actor_critic.joined(self.slopes(seen, actions, before, worth, wanted))

    def learn_of(self, slope: np.ndarray, part: float) -> None:
        """Take an optimizer's step with a gradient, of this part of the length at first."""
        self.optimizer.learning_rate = part * self.rate
        self.follow(actor_critic.split(slope, self.variables))

    @property
    def weights(self) -> np.ndarray:
        """All weights."""
        return actor_critic.joined(self.variables)

    @weights.setter
    def weights(self, row: np.ndarray) -> None:
        parts = actor_critic.split(row, self.variables)
        for each, values in zip(self.variables, parts, strict=True):
            each.assign(values)


def send(connection: Connection, *rows: np.ndarray) -> None:
    """Send rows of numbers."""
    for row in rows:
        connection.send_bytes(np.asarray(row, np.float32).tobytes())


def receive(connection: Connection, n: int = 1) -> list[np.ndarray]:
    """Return so many rows of numbers."""
    return [np.frombuffer(connection.recv_bytes(), np.float32) for _ in range(n)]


def work(connection: Connection, env: str, seed: int) -> None:
    """Play and find gradients until the server has ended: what a worker does."""
    tf.config.set_visible_devices([], "GPU")  # it is the server's
    tf.config.threading.set_intra_op_parallelism_threads(1)  # the other cores are the others'
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(seed)
    agent = Agent(playing.make(env), np.random.default_rng(seed))
    players = rollouts.Players(env, agent.n_games, seed)
    slope = np.zeros(0)  # at first it only asks for weights
    while True:
        try:
            send(connection, slope, players.returns)
            (agent.weights,) = receive(connection)
        except GONE:
            return
        players.returns.clear()
        slope = agent.slope(players.play(agent.draw, agent.n_steps))


class Worker(NamedTuple):
    """A process that plays, and our end of its pipe."""

    process: BaseProcess
    connection: Connection


class Message(NamedTuple):
    """What a worker sends."""

    number: int  #: of the worker
    slope: np.ndarray  #: empty, if it has only begun
    returns: np.ndarray  #: of episodes that have ended


class Crew:
    """Workers, as many as there should be: for one that was killed another one is started."""

    def __init__(self, n_workers: int, env: str, seed: int) -> None:
        self.n_workers, self.env, self.seed = n_workers, env, seed
        self.context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        self.workers: dict[int, Worker] = {}
        self.n_started = 0
        self.n_lost = 0  # since the last gradient

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self.workers.values():
            worker.process.kill()  # it has nothing to save
        for worker in self.workers.values():
            worker.process.join()
            worker.connection.close()

    def start(self, number: int) -> None:
        """Start a worker; each one draws other numbers."""
        ours, theirs = self.context.Pipe()
        seed = self.seed + 1000 * self.n_started
        process = self.context.Process(target=work, args=(theirs, self.env, seed), daemon=True)
        with without_interrupts():
            process.start()
            self.workers[number] = Worker(process, ours)
        theirs.close()  # if the worker were not alone with its end, the pipe would outlive it
        self.n_started += 1
        print(f"worker {number} is process {process.pid}", flush=True)

    def bury(self, number: int) -> None:
        """Let go of a worker that was killed; one that has failed would fail again."""
        process, connection = self.workers.pop(number)
        connection.close()
        process.join()
        if process.exitcode >= 0:
            raise SystemExit(f"worker {number} has ended with exit code {process.exitcode}")
        name = signal.Signals(-process.exitcode).name
        self.n_lost += 1
        if self.n_lost >= N_LIVES * self.n_workers:
            raise SystemExit(
                f"{self.n_lost} workers were killed and none has sent a gradient, the last one by "
                f"{name}: if memory is short for {self.n_workers}, take fewer by --workers"
            )
        print(f"worker {number} was killed by {name}")

    def messages(self) -> Iterator[Message]:
        """Yield what workers send, as it comes; those that are missing are started."""
        while True:
            for number in sorted({*range(self.n_workers)} - {*self.workers}):
                self.start(number)
            number_of = {worker.connection: number for number, worker in self.workers.items()}
            for connection in wait(list(number_of)):
                try:
                    message = Message(number_of[connection], *receive(connection, 2))
                except GONE:
                    self.bury(number_of[connection])
                else:
                    self.n_lost = 0 if len(message.slope) else self.n_lost
                    yield message

    def answer(self, number: int, weights: np.ndarray) -> None:
        """Send weights to a worker."""
        with contextlib.suppress(*GONE):  # of its end we hear when it should send something
            send(self.workers[number].connection, weights)


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """Let processes that are started here leave Ctrl-C, which reaches them all, to this one.

    They inherit that it is blocked. What comes here meanwhile counts at the end.
    """
    resource_tracker.ensure_running()  # a process of multiprocessing's, which would unblock it
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def train(agent: Agent, crew: Crew, n_steps: int) -> int:
    """Learn from all workers until it is solved; return how many steps were played."""
    progress = actor_critic.Progress(crew.env, n_steps, deque(maxlen=30))
    n_steps_of, had = Counter(), {}  # of optimizer and worker: made in all, and when it got weights
    ages = []
    for number, slope, returns in crew.messages():
        progress.returns.extend(returns.tolist())
        if len(slope):
            ages.append(n_steps_of.total() - had[number])
            agent.learn_of(slope, 1 - progress.n_played / n_steps)
            n_steps_of[number] += 1
            progress.add(agent.n_games * agent.n_steps)
        if progress.is_over:
            break
        had[number] = n_steps_of.total()
        crew.answer(number, agent.weights)
    shares = ", ".join(str(n_steps_of[number]) for number in sorted(n_steps_of))
    print(f"gradients of the workers: {shares}; made with weights {np.mean(ages):.1f} steps old")
    return progress.n_played


@arguments.program
def main() -> None:
    """Learn, and play fresh episodes."""
    parser = actor_critic.parser_of(__doc__, n_steps=150_000, picture="a3c.png")
    parser.add_argument("--workers", type=arguments.positive, default=3, help="processes that play")
    options = parser.parse_args()

    started = time.perf_counter()
    agent = actor_critic.begin(Agent, options)
    try:
        with Crew(options.workers, options.env, options.seed + 1) as crew:
            n_played = train(agent, crew, options.steps)
    except KeyboardInterrupt:
        raise SystemExit("stopped, and so are the workers") from None
    actor_critic.finish(agent, options, n_played, started)


if __name__ == "__main__":
    main()
