"""Datasets: samples in MongoDB, views of them, and passes over views."""

from __future__ import annotations

from tensorlayer.datasets.batch import Batch, Sample
from tensorlayer.datasets.dataset import Dataset, Datasets, Revision
from tensorlayer.datasets.order import permutation
from tensorlayer.datasets.view import View

__all__ = ["Batch", "Dataset", "Datasets", "Revision", "Sample", "View", "permutation"]
