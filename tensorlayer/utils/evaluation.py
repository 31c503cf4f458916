"""Measures of a classifier, and classes of equal size."""

from __future__ import annotations

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.logging import printed

__all__ = ["class_balancing_oversample", "evaluation"]


def evaluation(
    y_test: np.ndarray | None = None,
    y_predict: np.ndarray | None = None,
    n_classes: int | None = None,
) -> tuple[np.ndarray, np.ndarray, float, float]:
    r"""Return confusion matrix, F1 of each class, accuracy and mean F1.

    $$
    F_1 = 2\,tp\,/\,(2\,tp + fp + fn)
    $$

    Parameters
    ----------
    y_test
        The right class numbers.
    y_predict
        The predicted class numbers, as many.
    n_classes
        How many classes there are; None for as many as occur.

    Returns
    -------
    c_mat : ndarray of int64, (n_classes, n_classes)
        Row: the right class. Column: the predicted one.
    f1 : ndarray of float64, (n_classes,)
        0 for a class that neither occurs nor is predicted.
    acc : float
        The share of right predictions.
    f1_macro : float
        The mean of ``f1``.

    Raises
    ------
    InvalidArgument
        The lengths differ, there is nothing, or there are numbers outside [0, n_classes).

    Examples
    --------
    >>> c_mat, f1, acc, f1_macro = evaluation([0, 1, 1, 2], [0, 1, 2, 2], n_classes=3)
    >>> c_mat.tolist(), acc
    ([[1, 0, 0], [0, 1, 1], [0, 0, 1]], 0.75)
    """
    right, predicted = _class_numbers(y_test, "y_test"), _class_numbers(y_predict, "y_predict")
    if right.size != predicted.size or not right.size:
        raise InvalidArgument(
            f"evaluation: y_test and y_predict are of one length and not empty, got {right.size} "
            f"and {predicted.size}."
        )
    highest = int(max(right.max(), predicted.max()))
    n = highest + 1 if n_classes is None else n_classes
    if highest >= n:
        raise InvalidArgument(
            f"evaluation: class numbers are below n_classes={n}, got {highest}. Increase it."
        )
    c_mat = np.bincount(right * n + predicted, minlength=n * n).reshape(n, n)
    hits, total = np.diag(c_mat), c_mat.sum(0) + c_mat.sum(1)
    f1 = np.divide(2.0 * hits, total, out=np.zeros(n), where=total > 0)
    return c_mat, f1, float(hits.sum() / right.size), float(f1.mean())


def _class_numbers(values: np.ndarray | None, name: str) -> np.ndarray:
    array = np.asarray(() if values is None else values).ravel()
    if array.size and (not np.array_equal(array, array.astype(np.int64)) or array.min() < 0):
        raise InvalidArgument(
            f"evaluation: {name} holds class numbers 0, 1, ..., got {array[:5].tolist()}. Take "
            "np.argmax of probabilities first."
        )
    return array.astype(np.int64)


def class_balancing_oversample(
    X_train: np.ndarray | None = None, y_train: np.ndarray | None = None, printable: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Repeat samples of the smaller classes until all classes are as large as the largest.

    Parameters
    ----------
    X_train
        Samples of any shape, one for each label.
    y_train
        Labels of any kind that NumPy can sort.
    printable
        Whether to log the sizes.

    Returns
    -------
    tuple of ndarray
        Samples and labels: the given ones in their order, then the repeated ones by class. Shuffle
        them before training.

    Raises
    ------
    InvalidArgument
        The lengths differ, or there are no samples.

    Examples
    --------
    >>> X, y = class_balancing_oversample(np.array([10, 20, 30]), np.array([0, 1, 0]))
    >>> X.tolist(), y.tolist()
    ([10, 20, 30, 20], [0, 1, 0, 1])
    """
    X, y = (np.asarray(() if each is None else each) for each in (X_train, y_train))
    if len(X) != len(y) or not len(y):
        raise InvalidArgument(
            "class_balancing_oversample: X_train and y_train are of one length and not empty, got "
            f"{len(X)} and {len(y)}."
        )
    classes, sizes = np.unique(y, return_counts=True)
    largest = sizes.max()
    # np.resize goes round and round, so every sample is repeated as often as its neighbours.
    repeated = [
        np.resize(np.flatnonzero(y == each), largest)[size:]
        for each, size in zip(classes, sizes, strict=True)
    ]
    if printable:
        printed.info("classes %s of sizes %s become %d each", classes, sizes, largest)
    chosen = np.concatenate([np.arange(len(y)), *repeated])
    return X[chosen], y[chosen]
