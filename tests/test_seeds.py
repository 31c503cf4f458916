from __future__ import annotations

import ast
import random
from pathlib import Path

import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import from_numpy, from_python, generator

IMAGE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
FLOATS = IMAGE.astype(np.float32)
BOXES = [[0.5, 0.5, 0.4, 0.4]]
PEOPLE = [[[3, 4], [20, 9], [11, 30]]]
P = np.full(40, 1 / 40)
prepro = tl.prepro

# What draws where the seed is None, by the global stream that decides.
NUMPY = {
    "affine_horizontal_flip_matrix": lambda: [
        prepro.affine_horizontal_flip_matrix() for _ in range(9)
    ],
    "affine_respective_zoom_matrix": lambda: prepro.affine_respective_zoom_matrix(
        w_range=(0.5, 2), h_range=(0.5, 2)
    ),
    "affine_rotation_matrix": prepro.affine_rotation_matrix,
    "affine_shear_matrix": prepro.affine_shear_matrix,
    "affine_shift_matrix": prepro.affine_shift_matrix,
    "affine_vertical_flip_matrix": lambda: [prepro.affine_vertical_flip_matrix() for _ in range(9)],
    "affine_zoom_matrix": prepro.affine_zoom_matrix,
    "adjust_hue": lambda: prepro.adjust_hue(IMAGE, 0.3, is_random=True),
    "brightness": lambda: prepro.brightness(IMAGE, is_random=True),
    "channel_shift": lambda: prepro.channel_shift(FLOATS, 20, is_random=True),
    "choice_action_by_probs": lambda: tl.rein.choice_action_by_probs(P),
    "crop": lambda: prepro.crop(IMAGE, 9, 9, is_random=True),
    "drop": lambda: prepro.drop(FLOATS, keep=0.5),
    "elastic_transform": lambda: prepro.elastic_transform(FLOATS, alpha=20, sigma=3),
    "flip_axis": lambda: [prepro.flip_axis(FLOATS, is_random=True) for _ in range(9)],
    "illumination": lambda: prepro.illumination(
        IMAGE, (0.5, 5.0), (0.5, 1.5), (0.5, 1.5), is_random=True
    ),
    "keypoint_random_crop": lambda: prepro.keypoint_random_crop(IMAGE, PEOPLE, size=(20, 20)),
    "keypoint_random_flip": lambda: [
        prepro.keypoint_random_flip(IMAGE, PEOPLE, flip_list=(0, 1, 2))[0] for _ in range(9)
    ],
    "keypoint_random_resize": lambda: prepro.keypoint_random_resize(IMAGE, PEOPLE)[1],
    "keypoint_random_rotate": lambda: prepro.keypoint_random_rotate(IMAGE, PEOPLE)[1],
    "minibatches": lambda: [
        batch for batch, _ in tl.iterate.minibatches(np.arange(64), np.arange(64), 8, shuffle=True)
    ],
    "multi": lambda: prepro.rotation_multi([FLOATS], is_random=True),
    "obj_box_crop": lambda: prepro.obj_box_crop(
        IMAGE, [1], [[0.5, 0.5, 0.9, 0.9]], 20, 20, is_random=True
    )[0],
    "obj_box_horizontal_flip": lambda: [
        prepro.obj_box_horizontal_flip(IMAGE, BOXES, is_rescale=True, is_random=True)[0]
        for _ in range(9)
    ],
    "obj_box_shift": lambda: prepro.obj_box_shift(
        IMAGE, [1], [[0.5, 0.5, 0.9, 0.9]], is_rescale=True, is_center=True, is_random=True
    )[0],
    "obj_box_zoom": lambda: prepro.obj_box_zoom(
        IMAGE, [1], [[0.5, 0.5, 0.9, 0.9]], is_rescale=True, is_center=True, is_random=True
    )[0],
    "rotation": lambda: prepro.rotation(FLOATS, is_random=True),
    "sample": lambda: [tl.nlp.sample(P) for _ in range(9)],
    "sample_top": lambda: [tl.nlp.sample_top(P) for _ in range(9)],
    "shear": lambda: prepro.shear(FLOATS, is_random=True),
    "shift": lambda: prepro.shift(FLOATS, is_random=True),
    "swirl": lambda: prepro.swirl(FLOATS, is_random=True),
    "zoom": lambda: prepro.zoom(FLOATS, zoom_range=(0.5, 2)),
}
PYTHON = {
    "generate_skip_gram_batch": lambda: tl.nlp.generate_skip_gram_batch(list(range(99)), 16, 2, 4)[
        1
    ],
    "get_random_int": tl.utils.get_random_int,
}


def flat(value):
    """Return all numbers of a result that may be uneven."""
    if isinstance(value, list | tuple):
        return np.concatenate([flat(item) for item in value]) if len(value) else np.zeros(0)
    return np.ravel(np.asarray(value, np.float64))


@pytest.mark.parametrize("name", NUMPY)
def test_numpys_global_seed_decides(name):
    results = []
    for seed in (5, 5, 6):
        np.random.seed(seed)
        results += [flat(NUMPY[name]()), flat(NUMPY[name]())]
    first, second, again_first, again_second, other, _ = results

    np.testing.assert_array_equal(first, again_first)
    np.testing.assert_array_equal(second, again_second)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", PYTHON)
def test_pythons_global_seed_decides(name):
    results = []
    for seed in (5, 5, 6):
        random.seed(seed)
        results.append(flat(PYTHON[name]()))

    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_a_given_seed_leaves_the_global_streams_alone():
    states = np.random.get_state()[1].copy(), random.getstate()

    generator(3).random()
    tl.utils.get_random_int(seed=3)

    np.testing.assert_array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]


@pytest.mark.parametrize("source", [from_numpy, from_python])
def test_seeds_are_spread_over_63_bits(source):
    drawn = {source() for _ in range(1000)}

    assert len(drawn) == 1000
    assert 0 <= min(drawn) < 2**57 < 2**62 < max(drawn) < 2**63


@pytest.mark.parametrize("seed", ["seven", -1, 1.5])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(InvalidArgument, match=r"seed is a non-negative integer.*got " + repr(seed)):
        generator(seed)


def test_nobody_draws_past_the_seeds():
    package = Path(tl.__file__).parent
    makers = {"default_rng", "RandomState"}
    calls = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in makers
    }

    assert calls == {"files/loaders/imdb.py", "seeds.py"}  # the first has a fixed seed: its split
