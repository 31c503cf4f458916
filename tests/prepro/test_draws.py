from __future__ import annotations

import inspect

import numpy as np
import pytest

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.draws import coin, draw, generator, up_to

IMAGE = np.arange(12 * 16 * 3, dtype=np.float32).reshape(12, 16, 3)

MULTI = [
    (prepro.brightness_multi, prepro.brightness, {"gamma": 0.5, "is_random": True}),
    (prepro.channel_shift_multi, prepro.channel_shift, {"intensity": 9, "is_random": True}),
    (prepro.crop_multi, prepro.crop, {"wrg": 9, "hrg": 7, "is_random": True}),
    (prepro.elastic_transform_multi, prepro.elastic_transform, {"alpha": 20, "sigma": 3}),
    (prepro.flip_axis_multi, prepro.flip_axis, {"axis": 1, "is_random": True}),
    (prepro.rotation_multi, prepro.rotation, {"rg": 40, "is_random": True}),
    (prepro.shear_multi, prepro.shear, {"intensity": 0.4, "is_random": True}),
    (prepro.shear_multi2, prepro.shear2, {"shear": (0.3, 0.2), "is_random": True}),
    (prepro.shift_multi, prepro.shift, {"wrg": 0.4, "hrg": 0.4, "is_random": True}),
    (prepro.swirl_multi, prepro.swirl, {"radius": 9, "strength": 3, "is_random": True}),
    (prepro.zoom_multi, prepro.zoom, {"zoom_range": (0.5, 2.0)}),
]
every_multi = pytest.mark.parametrize(
    ("multi", "single", "arguments"), MULTI, ids=lambda each: getattr(each, "__name__", "")
)


def test_every_multi_function_is_listed():
    names = {name for name in prepro.__all__ if "_multi" in name}

    assert names == {multi.__name__ for multi, _, _ in MULTI}


@every_multi
def test_one_draw_for_all_images(multi, single, arguments):
    results = multi([IMAGE, IMAGE, IMAGE], **arguments)

    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@every_multi
def test_another_draw_for_another_call(multi, single, arguments):
    results = [multi([IMAGE], seed=seed, **arguments)[0] for seed in range(8)]

    assert any(not np.array_equal(results[0], other) for other in results[1:])


@pytest.mark.parametrize(
    ("multi", "single", "arguments"),
    [each for each in MULTI if each[1] is not prepro.elastic_transform],  # which always draws
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_each_image_is_treated_as_alone(multi, single, arguments):
    fixed = {name: value for name, value in arguments.items() if name != "is_random"}
    if "zoom_range" in fixed:
        fixed["zoom_range"] = 1.3

    results = multi([IMAGE, IMAGE[::-1]], **fixed)

    np.testing.assert_array_equal(results[0], single(IMAGE, **fixed))
    np.testing.assert_array_equal(results[1], single(IMAGE[::-1], **fixed))


@every_multi
def test_a_multi_function_knows_its_parameters_and_has_words(multi, single, arguments):
    assert inspect.signature(multi) == inspect.signature(single)
    assert single.__name__ in multi.__doc__


@every_multi
def test_the_same_seed_draws_the_same(multi, single, arguments):
    np.testing.assert_array_equal(
        single(IMAGE, seed=3, **arguments), single(IMAGE, seed=3, **arguments)
    )


def test_an_image_and_its_mask_stay_aligned_and_may_differ_in_channels():
    mask = IMAGE[..., :1]

    image, moved = prepro.rotation_multi([IMAGE, mask], rg=40, is_random=True)

    np.testing.assert_allclose(image[..., :1], moved, rtol=1e-5)


def test_a_generator_goes_on_drawing():
    rng = np.random.default_rng(0)

    first, second = (prepro.shift(IMAGE, 0.4, 0.4, is_random=True, seed=rng) for _ in range(2))

    assert not np.array_equal(first, second)


def test_a_pair_is_drawn_from_and_a_number_is_taken():
    rng = np.random.default_rng(0)
    drawn = [draw((2, 4), rng, "") for _ in range(200)]

    assert 2 <= min(drawn) < 2.2 < 3.8 < max(drawn) <= 4
    assert draw(2, rng, "") == 2.0
    assert draw([3, 3], rng, "") == 3.0


@pytest.mark.parametrize("limits", [(1, 2, 3), "10", (2, 1), None])
def test_limits_that_are_none_are_refused(limits):
    with pytest.raises(InvalidArgument, match=r"zoom: zoom_range is a number or a pair"):
        draw(limits, np.random.default_rng(), "zoom: zoom_range")


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(InvalidArgument, match="seed is a non-negative integer"):
        generator("seven")


def test_a_coin_falls_as_often_as_it_should():
    rng = np.random.default_rng(0)

    assert 0.26 < np.mean([coin(0.3, rng, "") for _ in range(4000)]) < 0.34
    assert {coin(0, rng, "") for _ in range(99)} == {False}
    assert {coin(1, rng, "") for _ in range(99)} == {True}
    with pytest.raises(InvalidArgument, match=r"prob is a probability in \[0, 1\], got 2"):
        coin(2, rng, "prob")


PIXELS = IMAGE.astype(np.uint8)


@pytest.mark.parametrize("is_random", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (prepro.adjust_hue, "hout"),
        (prepro.brightness, "gain"),
        (prepro.brightness, "gamma"),
        (prepro.channel_shift, "intensity"),
        (prepro.pixel_value_scale, "val"),
        (prepro.rotation, "rg"),
        (prepro.shear, "intensity"),
        (prepro.shift, "hrg"),
        (prepro.shift, "wrg"),
        (prepro.swirl, "rotation"),
        (prepro.swirl, "strength"),
        (prepro.obj_box_shift, "hrg"),
        (prepro.obj_box_shift, "wrg"),
    ],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_a_number_that_is_none_makes_no_black_image(function, argument, value, is_random):
    with pytest.raises(
        InvalidArgument, match=rf"^{function.__name__}: {argument} must be finite, got {value}\.$"
    ):
        function(PIXELS, **{argument: value}, is_random=is_random)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda nan: prepro.elastic_transform(PIXELS, nan, 2), "elastic_transform: alpha"),
        (lambda nan: prepro.gaussian_noise(PIXELS, nan), "gaussian_noise: stddev"),
        (lambda nan: prepro.illumination(PIXELS, contrast=nan), "illumination: contrast"),
        (lambda nan: prepro.illumination(PIXELS, gamma=nan), "illumination: gamma"),
        (lambda nan: prepro.illumination(PIXELS, saturation=nan), "illumination: saturation"),
        (lambda nan: prepro.zoom(PIXELS, nan), "affine_zoom_matrix: zoom_range"),
    ],
)
def test_functions_with_other_arguments_refuse_it_too(call, name):
    with pytest.raises(InvalidArgument, match=f"^{name} must be finite, got nan"):
        call(np.nan)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda pair: prepro.swirl(PIXELS, center=pair), "swirl: center"),
        (lambda pair: prepro.shear2(PIXELS, pair), "shear2: shear"),
        (lambda pair: prepro.obj_box_zoom(PIXELS, zoom_range=pair), "obj_box_zoom: zoom_range"),
        (
            lambda pair: prepro.illumination(PIXELS, pair, (1, 1), (1, 1), is_random=True),
            "illumination: gamma",
        ),
    ],
)
def test_pairs_with_such_a_number_are_refused(call, name):
    for pair in ((np.nan, 0.5), (0.5, np.nan)):
        with pytest.raises(InvalidArgument, match=f"^{name} must be finite, got "):
            call(pair)
    with pytest.raises(InvalidArgument, match=r"zoom_range must be finite, got \(1, inf\)"):
        prepro.zoom(PIXELS, (1, np.inf))


def test_a_limit_is_taken_or_drawn_up_to():
    drawn = [up_to(-3, True, seed, "") for seed in range(200)]

    assert up_to(-3, False, None, "") == -3.0
    assert -3 <= min(drawn) < -2.9 < 2.9 < max(drawn) <= 3
