"""How far generated images are from real ones: the Fréchet distance between their features.

It is what Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash
equilibrium" (2017), compare images by. Their features are those of Inception, here they are those
of a small network of `trunk`; so numbers can be compared within one run, and not with theirs.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import tensorlayer as tl


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the squared distance between normal distributions with the samples' moments."""
    a, b = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(a @ b).real.clip(0))
    return float(np.sum((one.mean(0) - other.mean(0)) ** 2) + np.trace(a + b) - 2 * roots.sum())


class Judge:
    """What compares images with real ones that were held out.

    Without a model the features are the pixels of thumbnails.
    """

    def __init__(self, held_out: np.ndarray, model: tl.models.Model | None = None) -> None:
        self.held_out, self.model = held_out, model
        self.features, _ = self.seen(held_out)

    def seen(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features, and probabilities of classes."""
        if self.model is None:
            small = tf.image.resize(images, [8, 8], "area").numpy()
            return small.reshape(len(small), -1), np.ones([len(small), 1])
        _, features, logits = self.model(images, is_train=False)
        return features.numpy(), tf.nn.softmax(logits).numpy()

    def score(self, images: np.ndarray) -> dict[str, float]:
        """Return the distance, how many kinds of images there are, and how sure the model is.

        The kinds are as many as would have the same entropy if they were equally frequent.
        """
        features, p = self.seen(images)
        share = p.mean(axis=0)
        kinds = np.exp(-np.sum(share * np.log(share + 1e-9)))
        sure = p.max(axis=1).mean()
        return {
            "distance": distance(features, self.features),
            "kinds": float(kinds),
            "sure": float(sure),
        }


def text(score: dict[str, float]) -> str:
    """Return a score as one reads it."""
    return ", ".join(f"{name} {value:.4g}" for name, value in score.items())
