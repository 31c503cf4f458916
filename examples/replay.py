"""What was played, to learn from again: memories that are sampled evenly or by priority.

memory = Replay(50_000, frame_shape=(4,), n_steps=3)
memory.begin(observation)                                  # of an episode
memory.add(action, reward, observation, is_terminal, is_over)
batch = memory.sample(64, rng)

An observation that is a stack of frames, as in Atari games, is kept as its newest frame: the
frames before it are in the memory already, and a batch is stacked when it is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Batch(NamedTuple):
    """Steps of play, each with what came of it some steps later."""

    observations: np.ndarray
    actions: np.ndarray
    returns: np.ndarray  #: the rewards of the steps between, discounted
    following: np.ndarray  #: the observations after those steps
    discounts: np.ndarray  #: what their value counts; 0 where the episode has come to its end
    weights: np.ndarray  #: what each counts in the loss
    rows: np.ndarray  #: where they are in the memory


class Replay:
    """The latest steps of play; each of them is drawn equally often.

    Parameters
    ----------
    capacity
        Steps. The oldest makes room for the newest. A program ends, and names ``--memory``, where
        so few fit in that there may be none whose ``n_steps`` and frames are all there.
    frame_shape, frame_type
        Of an observation, or of one frame of it.
    n_frames
        Frames of an observation, along its first axis; None if it is not a stack of them.
    action_shape, action_type
        Of an action: a number by default.
    n_steps, gamma
        The rewards of so many steps are summed up, each discounted by so much per step.
    """

    def __init__(
        self,
        capacity: int,
        frame_shape: tuple[int, ...],
        frame_type: Any = np.float32,
        *,
        n_frames: int | None = None,
        action_shape: tuple[int, ...] = (),
        action_type: Any = np.int32,
        n_steps: int = 1,
        gamma: float = 0.99,
    ) -> None:
        # Those that wait for the next steps, at the end of an episode as well, and a stack.
        least = 2 * n_steps + (n_frames or 1)
        if capacity < least:
            raise SystemExit(
                f"--memory {capacity} is too small: to draw a step with the rewards of {n_steps} "
                f"steps and the frames that it needs, it has to be at least {least}"
            )
        self.capacity, self.n_frames = capacity, n_frames
        self.n_steps, self.gamma = n_steps, gamma
        self.n_rows = 0  #: ever begun; the newest has an observation only
        self._arrays = {
            "frames": np.zeros((capacity, *frame_shape), frame_type),
            "actions": np.zeros((capacity, *action_shape), action_type),
            "rewards": np.zeros(capacity, np.float32),
            "ages": np.zeros(capacity, np.int32),  # steps since the episode began
            "is_terminal": np.zeros(capacity, bool),  # the step leads to the end of the task
            "is_last": np.zeros(capacity, bool),  # an observation after which nothing was done
            "is_ready": np.zeros(capacity, bool),  # all that a sample of it needs is there
        }

    def __len__(self) -> int:
        return int(self._arrays["is_ready"].sum())

    @property
    def has_steps(self) -> bool:
        """Whether there is a step that can be drawn."""
        return bool(self._arrays["is_ready"].any())

    @property
    def made_with(self) -> str:
        """The options on which its rows depend."""
        ahead = f" --steps-ahead {self.n_steps}" if self.n_steps > 1 else ""
        return f"--memory {self.capacity}{ahead}"

    @property
    def n_bytes(self) -> int:
        """Memory of all rows, used or not."""
        return sum(each.nbytes for each in self._arrays.values())

    def begin(self, observation: np.ndarray) -> None:
        """Begin an episode."""
        self._append(observation, age=0)

    def add(
        self, action: Any, reward: float, observation: np.ndarray, is_terminal: bool, is_over: bool
    ) -> None:
        """Add what was done after the newest observation, and what came of it.

        ``is_terminal`` says that no reward can follow; an episode that is only ``is_over``, since
        its time was, would have gone on, so the value of its last observation counts.
        """
        number, arrays = self.n_rows - 1, self._arrays
        row = number % self.capacity
        arrays["actions"][row], arrays["rewards"][row] = action, reward
        arrays["is_terminal"][row] = is_terminal
        age = int(arrays["ages"][row])
        self._append(observation, age + 1)
        first = max(number - age, number + 1 - self.n_steps)  # that was not ready before
        if is_over:
            arrays["is_last"][(number + 1) % self.capacity] = True
            self._mark(np.arange(first, number + 1) % self.capacity, is_ready=True)
        elif first == number + 1 - self.n_steps:
            self._mark(np.array([first % self.capacity]), is_ready=True)

    def _append(self, observation: np.ndarray, age: int) -> None:
        row = self.n_rows % self.capacity
        if self.n_rows >= self.capacity:  # stacks of the next rows lose a frame
            self._mark(np.arange(row, row + (self.n_frames or 1)) % self.capacity, is_ready=False)
        self._arrays["frames"][row] = observation if self.n_frames is None else observation[-1]
        self._arrays["ages"][row] = age
        self._arrays["is_last"][row] = False
        self.n_rows += 1

    def _mark(self, rows: np.ndarray, *, is_ready: bool) -> None:
        self._arrays["is_ready"][rows] = is_ready

    def sample(self, size: int, rng: np.random.Generator) -> Batch:
        """Draw steps, with replacement."""
        if not self.has_steps:
            raise ValueError("there is no step in the memory that can be drawn yet")
        return self._batch(*self._draw(size, rng))

    def _draw(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        is_ready, rows = self._arrays["is_ready"], np.zeros(0, np.int64)
        while len(rows) < size:
            drawn = rng.integers(0, min(self.n_rows, self.capacity), size)
            rows = np.append(rows, drawn[is_ready[drawn]])
        return rows[:size], np.ones(size, np.float32)

    def _batch(self, rows: np.ndarray, weights: np.ndarray) -> Batch:
        returns, discounts, after = self._look_ahead(rows)
        actions = self._arrays["actions"][rows]
        return Batch(
            self._stacked(rows), actions, returns, self._stacked(after), discounts, weights, rows
        )

    def _look_ahead(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the rewards summed up, what a value after them counts, and the rows after them."""
        arrays, after = self._arrays, rows
        returns, discounts = np.zeros(len(rows), np.float32), np.ones(len(rows), np.float32)
        for _ in range(self.n_steps):
            goes_on = ~arrays["is_last"][after]
            returns += goes_on * discounts * arrays["rewards"][after]
            factor = self.gamma * ~arrays["is_terminal"][after]
            discounts *= np.where(goes_on, factor, 1).astype(np.float32)
            after = (after + goes_on) % self.capacity
        return returns, discounts, after

    def _stacked(self, rows: np.ndarray) -> np.ndarray:
        if self.n_frames is None:
            return self._arrays["frames"][rows]
        # An episode begins with its first frame as many times as a stack has frames.
        back = np.minimum(np.arange(self.n_frames)[::-1], self._arrays["ages"][rows, np.newaxis])
        return self._arrays["frames"][(rows[:, np.newaxis] - back) % self.capacity]

    def state(self) -> dict[str, np.ndarray]:
        """Return all there is, as arrays."""
        used = min(self.n_rows, self.capacity)
        state = {name: each[:used] for name, each in self._arrays.items()}
        return {**state, "n_rows": np.array(self.n_rows), "made_with": np.array(self.made_with)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Become what a state was taken of; end the program if other options made that one."""
        made_with = str(state["made_with"])
        if made_with != self.made_with:
            raise SystemExit(
                f"the memory of the checkpoint was made with {made_with}, and this one with "
                f"{self.made_with}: go on with the options of the first run, or without --resume"
            )
        self.n_rows = int(state["n_rows"])
        for name, each in self._arrays.items():
            each[: len(state[name])] = state[name]


class PrioritisedReplay(Replay):
    """The latest steps of play; those are drawn more often whose error was large.

    A step is drawn with the probability ``priority ** alpha`` over the sum of those, and counts
    ``(n * probability) ** -beta`` in the loss, over the largest of the batch: Schaul et al.,
    "Prioritized experience replay", 2016. The priority is the size of its last error; a new step
    has the largest that was ever seen, so that it is drawn soon.
    """

    def __init__(self, *arguments: Any, alpha: float = 0.6, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.alpha, self.largest, self.beta = alpha, 1.0, 0.4
        self.tree = SumTree(self.capacity)

    def _mark(self, rows: np.ndarray, *, is_ready: bool) -> None:
        super()._mark(rows, is_ready=is_ready)
        self.tree.assign(rows, np.full(len(rows), self.largest if is_ready else 0.0))

    @property
    def made_with(self) -> str:
        """The options on which its rows depend."""
        return f"{super().made_with} --prioritised"

    def _draw(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        # One from each of so many equal parts of all priorities.
        rows = self.tree.find((np.arange(size) + rng.random(size)) / size * self.tree.total)
        chances = self.tree.values(rows) / self.tree.total
        weights = (len(self) * chances) ** -self.beta
        return rows, (weights / weights.max()).astype(np.float32)

    def learnt(self, batch: Batch, errors: np.ndarray) -> None:
        """Give the steps of a batch the priorities of their errors."""
        priorities = (np.abs(errors) + 1e-6) ** self.alpha  # none is never drawn again
        self.largest = max(self.largest, float(priorities.max()))
        self.tree.assign(batch.rows, priorities)

    def state(self) -> dict[str, np.ndarray]:
        priorities = self.tree.values(np.arange(self.capacity))
        return {**super().state(), "priorities": priorities, "largest": np.array(self.largest)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        super().restore(state)
        self.largest = float(state["largest"])
        self.tree.assign(np.arange(self.capacity), state["priorities"])


class SumTree:
    """Numbers that are not negative, found by where they lie in their running sum.

    Each node is the sum of its two children, so that a number is changed or found in as many steps
    as there are levels; many of them at once.
    """

    def __init__(self, size: int) -> None:
        self.n_leaves = 1 << (size - 1).bit_length()
        self.nodes = np.zeros(2 * self.n_leaves)  # the children of i are 2i and 2i + 1

    @property
    def total(self) -> float:
        """The sum of all."""
        return float(self.nodes[1])

    def values(self, places: np.ndarray) -> np.ndarray:
        """Return the numbers at these places."""
        return self.nodes[self.n_leaves + places]

    def assign(self, places: np.ndarray, values: np.ndarray) -> None:
        """Put numbers at these places; of a place that comes twice the last one."""
        nodes = self.n_leaves + places
        self.nodes[nodes] = values
        while nodes[0] > 1:
            nodes = nodes // 2
            self.nodes[nodes] = self.nodes[2 * nodes] + self.nodes[2 * nodes + 1]

    def find(self, sums: np.ndarray) -> np.ndarray:
        """Return the place of each whose number makes the sum of all up to it larger than that."""
        nodes, rest = np.ones(len(sums), np.int64), sums.copy()
        while nodes[0] < self.n_leaves:
            nodes = 2 * nodes
            left = self.nodes[nodes]
            is_right = (rest >= left) & (self.nodes[nodes + 1] > 0)  # never a 0 by rounding
            rest -= np.where(is_right, left, 0)
            nodes += is_right
        return nodes - self.n_leaves
