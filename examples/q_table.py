"""Q-learning with a table: what each action is worth in each place of a frozen lake.

    python examples/q_table.py                # a few seconds

A lake of 4 by 4 fields has to be crossed without falling into one of its holes, and the ice is
slippery: two steps in three go to the left or to the right of where they should. The only reward
is 1 for the other shore. The player knows none of this; it has a table with a number for each
action in each place, which is how likely the action is to lead to the shore, as far as it knows.

1. It plays the action of the largest number, or at times a random one, ever more rarely.
2. After each step the number of that action moves towards the reward and the largest number of the
   next place: ``Q[s, a] += rate * (r + gamma * max(Q[t]) - Q[s, a])`` (Watkins, 1989). The more
   often an action was played, the less its number moves, so that it comes to rest.

A random player gets across in 1 to 2 % of the episodes; who knows how the ice is, in 73 %. This
one has to reach 65 %. The table is a picture in the end: how good the places are, and where the
player would go.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - the files beside this one
import playing  # noqa: E402

ENV = "FrozenLake-v1"
GAMMA = 0.99
BAR = 0.65
SEED_OF_TEST = 2_000_000


def learn(env: Any, n_episodes: int, seed: int) -> np.ndarray:
    """Return the table after so many episodes, (places, actions)."""
    rng = np.random.default_rng(seed)
    table = np.zeros((env.observation_space.n, env.action_space.n))
    counts = np.zeros_like(table)
    for episode in range(n_episodes):
        share = max(0.1, 1 - episode / (n_episodes / 2))
        place, _ = env.reset(seed=int(rng.integers(2**31)))
        is_over = False
        while not is_over:
            action = choose(table[place], share, rng)
            following, reward, is_terminal, is_truncated, _ = env.step(action)
            is_over = is_terminal or is_truncated
            counts[place, action] += 1
            rate = counts[place, action] ** -0.6
            update(table, place, action, reward, following, rate, is_terminal)
            place = following
    return table


def choose(values: np.ndarray, share: float, rng: np.random.Generator) -> int:
    """Return the action of the largest value, any of several; and a random one at times."""
    if rng.random() < share:
        return int(rng.integers(len(values)))
    return int(rng.choice(np.flatnonzero(values == values.max())))


def update(
    table: np.ndarray,
    place: int,
    action: int,
    reward: float,
    following: int,
    rate: float,
    is_terminal: bool,
) -> None:
    """Move the number of an action towards what has come of it."""
    after = 0.0 if is_terminal else table[following].max()
    table[place, action] += rate * (reward + GAMMA * after - table[place, action])


def draw(table: np.ndarray, lake: np.ndarray, path: str) -> None:
    """Write the best value of each place, and the action of it as an arrow."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(4, 4), layout="constrained")
    axis.imshow(table.max(1).reshape(lake.shape), cmap="Blues", vmin=0)
    for place, (kind, action) in enumerate(zip(lake.ravel(), table.argmax(1), strict=True)):
        y, x = divmod(place, lake.shape[1])
        text = {b"H": "hole", b"G": "shore"}.get(kind, "←↓→↑"[action])
        axis.text(x, y, text, ha="center", va="center", color="tab:orange", fontsize=16)
    axis.set(xticks=[], yticks=[], title="how good a place is, and where to go")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


@arguments.program
def main() -> None:
    """Learn, and play fresh episodes."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--episodes", type=arguments.positive, help="to learn from: 20,000")
    parser.add_argument(
        "--out", type=arguments.picture_to_write, default="q_table.png", help="the picture"
    )
    arguments.add_seed(parser, "of the ice, and of random actions")
    parser.add_argument("--quick", action="store_true", help="10,000 episodes; checked")
    options = parser.parse_args()
    arguments.needed("matplotlib")

    started = time.perf_counter()
    env = playing.make(ENV)
    n_episodes = options.episodes or (10_000 if options.quick else 20_000)
    table = learn(env, n_episodes, options.seed)
    returns = playing.evaluate(ENV, lambda places: table[places].argmax(1), 1000, SEED_OF_TEST)
    at_random = playing.random_return(ENV, 1000, SEED_OF_TEST)
    print(np.array2string(table, precision=2, suppress_small=True))
    print(f"across in {returns.mean():.1%} of 1000 fresh episodes; at random {at_random:.1%}")
    print(f"{time.perf_counter() - started:.0f} s")
    draw(table, env.unwrapped.desc, str(options.out))
    print(f"a picture in {options.out}")
    if returns.mean() < BAR:
        raise SystemExit(f"it should be at least {BAR:.0%}")


if __name__ == "__main__":
    main()
