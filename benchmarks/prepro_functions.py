"""Functions of ``tl.prepro`` against those of albumentations, one by one and in a row.

256x256x3 of uint8, one thread, the same parameters. Run with
``python -m benchmarks.prepro_functions`` where albumentations is installed; ``--quick`` takes
seconds, ``--check`` exits with 1 if a bar is missed. Both sides of a pair run in interleaved rounds
on the same image; a ratio is the median over rounds.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable

import albumentations
import cv2
import numpy as np

from benchmarks import harness
from benchmarks.harness import Bar, Case, Spread
from tensorlayer import prepro

SIZE, CROP, N_IMAGES = 256, 224, 64
#: The time of ours may be so many times that of albumentations.
BAR = Bar(1.2, is_upper=True)
PACKAGES = ("numpy", "opencv-python-headless", "stringzilla", "albumentations")

Function = Callable[[np.ndarray], np.ndarray]
RNG = np.random.default_rng(0)


@dataclasses.dataclass(frozen=True)
class Pair:
    """One operation, twice."""

    ours: Function
    theirs: albumentations.BasicTransform | albumentations.Compose
    #: The largest mean difference of the results, in levels of 255; None where the two are drawn
    #: or defined differently.
    agrees: float | None = None

    def run_theirs(self, image: np.ndarray) -> np.ndarray:
        """Run that of albumentations."""
        return self.theirs(image=image)["image"]


def affine(image: np.ndarray) -> np.ndarray:
    """Rotate, shift, zoom, flip and crop at random, with one interpolation."""
    middle = (SIZE - CROP) // 2
    matrix = prepro.affine_compose(
        prepro.affine_rotation_matrix((-20, 20), seed=RNG),
        prepro.affine_shift_matrix((-0.1, 0.1), (-0.1, 0.1), w=SIZE, h=SIZE, seed=RNG),
        prepro.affine_zoom_matrix((0.9, 1.1), seed=RNG),
        prepro.affine_horizontal_flip_matrix(0.5, seed=RNG),
        prepro.affine_shift_matrix((-middle, middle), (-middle, middle), w=1, h=1, seed=RNG),
        height=SIZE,
        width=SIZE,
        output_shape=(CROP, CROP),
    )
    return prepro.affine_transform_cv2(image, matrix, output_shape=(CROP, CROP))


def pipeline(image: np.ndarray) -> np.ndarray:
    """Do what a script does to each picture: geometry, light, colour, noise."""
    image = prepro.brightness(affine(image), 0.2, is_random=True, seed=RNG)
    image = prepro.illumination(image, (0.8, 1.2), (0.8, 1.2), (0.8, 1.2), is_random=True, seed=RNG)
    image = prepro.adjust_hue(image, 0.1, is_random=True, seed=RNG)
    return prepro.gaussian_noise(image, 0.02, seed=RNG)


def their_pipeline() -> albumentations.Compose:
    """Return the same of albumentations."""
    some = (0.8, 1.2)
    return albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Affine(
                scale=(0.9, 1.1), translate_percent=(-0.1, 0.1), rotate=(-20, 20), p=1
            ),
            albumentations.RandomCrop(CROP, CROP),
            albumentations.RandomGamma((80, 120), p=1),
            albumentations.ColorJitter(some, some, some, (0, 0), p=1),
            albumentations.HueSaturationValue((-18, 18), (0, 0), (0, 0), p=1),
            albumentations.GaussNoise((0.02, 0.02), p=1),
        ]
    )


def resize(height: int, ours: str) -> Pair:
    """Compare a filter of ours with the mean of areas, the only one of theirs for shrinking."""
    theirs = albumentations.Resize(height, height, interpolation=cv2.INTER_AREA, p=1)
    agrees = 0.0 if ours == "area" else None
    return Pair(lambda image: prepro.imresize(image, (height, height), ours), theirs, agrees)


def pairs() -> dict[str, Pair]:
    """Return what is compared."""
    a, edge = albumentations, cv2.BORDER_REPLICATE  # a default of ours
    return {
        "brightness": Pair(
            functools.partial(prepro.brightness, gamma=1.2), a.RandomGamma((120, 120), p=1), 1.0
        ),
        "illumination": Pair(
            lambda image: prepro.illumination(image, 1.2, 1.2, 1.2),
            a.ColorJitter((1.2, 1.2), (1.2, 1.2), (1.2, 1.2), (0, 0), p=1),
        ),
        "adjust_hue": Pair(
            functools.partial(prepro.adjust_hue, hout=0.1),
            a.HueSaturationValue((18, 18), (0, 0), (0, 0), p=1),
            3.0,
        ),
        "adjust_hue, clipped": Pair(
            functools.partial(prepro.adjust_hue, hout=-0.1),
            a.HueSaturationValue((-18, -18), (0, 0), (0, 0), p=1),
        ),
        "channel_shift": Pair(
            functools.partial(prepro.channel_shift, intensity=20),
            a.RGBShift((20, 20), (20, 20), (20, 20), p=1),
        ),
        "imresize by area to 112x112": resize(112, "area"),
        "imresize by area to 128x128": resize(128, "area"),
        "imresize by Pillow's bicubic to 112x112": resize(112, "bicubic"),
        "equalize_histogram": Pair(prepro.equalize_histogram, a.Equalize(p=1)),
        "equalize_histogram, local": Pair(
            functools.partial(prepro.equalize_histogram, clip_limit=0.01),
            a.CLAHE((2.56, 2.56), p=1),
        ),
        "gaussian_noise": Pair(
            functools.partial(prepro.gaussian_noise, stddev=0.05, seed=RNG),
            a.GaussNoise((0.05, 0.05), p=1),
        ),
        "drop": Pair(functools.partial(prepro.drop, keep=0.9, seed=RNG), a.PixelDropout(0.1, p=1)),
        "rotation": Pair(
            functools.partial(prepro.rotation, rg=20), a.Rotate((20, 20), border_mode=edge, p=1)
        ),
        "shift": Pair(
            lambda image: prepro.shift(image, 0.1, 0.1),
            a.Affine(translate_percent=(0.1, 0.1), border_mode=edge, p=1),
        ),
        "shear": Pair(
            functools.partial(prepro.shear, intensity=0.1),
            a.Affine(shear=(5.7, 5.7), border_mode=edge, p=1),
        ),
        "zoom": Pair(
            functools.partial(prepro.zoom, zoom_range=1.1),
            a.Affine(scale=(1.1, 1.1), p=1),
        ),
        "elastic_transform": Pair(
            functools.partial(prepro.elastic_transform, alpha=34, sigma=4, seed=RNG),
            a.ElasticTransform(34, 4, p=1),
        ),
        f"pipeline of {N_IMAGES} images": Pair(pipeline, their_pipeline()),
    }


#: Another filter, with the numbers of TensorLayer 1: shown, not required.
WITHOUT_BAR = {"imresize by Pillow's bicubic to 112x112"}


def picture(rng: np.random.Generator) -> np.ndarray:
    """Return an image with detail, smooth as a photograph."""
    noise = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def check_that_they_agree(known: dict[str, Pair], image: np.ndarray) -> dict[str, float]:
    """Return by how much the two differ, in levels of 255, in the mean."""
    differences = {}
    for name, pair in known.items():
        ours, theirs = pair.ours(image), pair.run_theirs(image)
        if pair.agrees is not None:
            differences[name] = float(np.abs(ours - theirs.astype(float)).mean())
            if differences[name] > pair.agrees:
                sys.exit(f"{name}: the two differ by {differences[name]:.1f} of 255")
    return differences


def measure(name: str, pair: Pair, image: np.ndarray, n_rounds: int) -> Case:
    """Return the microseconds of a call of both sides in each round."""
    n_calls = N_IMAGES if "pipeline" in name else 10

    def calls(function: Function) -> None:
        for _ in range(n_calls):
            function(image)

    taken = harness.rounds(
        {
            "TensorLayer": functools.partial(calls, pair.ours),
            "albumentations": functools.partial(calls, pair.run_theirs),
        },
        n_rounds,
    )
    scale = 1e6 if n_calls == 10 else 1e3 * n_calls
    samples = {side: [scale / n_calls * each for each in times] for side, times in taken.items()}
    ratio = Spread.of_ratios(samples["TensorLayer"], samples["albumentations"])
    unit = "us a call" if n_calls == 10 else "ms"
    return Case(name=name, unit=unit, samples=samples, figures={name: ratio})


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    cv2.setNumThreads(1)
    image, known = picture(RNG), pairs()
    differences = check_that_they_agree(known, image)  # and warms up
    n_rounds = 5 if options.quick else 31
    cases = [measure(name, pair, image, n_rounds) for name, pair in known.items()]
    return harness.report(
        "prepro_functions",
        f"Time of ours / time of albumentations, {SIZE}x{SIZE}x3 of uint8, one thread",
        cases,
        {name: BAR for name in known if name not in WITHOUT_BAR},
        options,
        packages=PACKAGES,
        n_rounds=n_rounds,
        mean_difference_of_255=differences,
    )


if __name__ == "__main__":
    sys.exit(main())
