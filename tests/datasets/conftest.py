"""A dataset to read from."""

import datetime

import numpy as np
import pytest

from tensorlayer.datasets import rows

UTC = datetime.timezone.utc


@pytest.fixture
def dataset(hub):
    """An empty dataset."""
    return hub.datasets.create("d")


@pytest.fixture
def digits(hub):
    """20 samples in two revisions, labels 0 to 19, tags of every kind."""
    dataset = hub.datasets.create("digits")
    for start in (0, 10):
        n = np.arange(start, start + 10)
        tags = [
            {
                "split": "train" if i % 4 else "test",
                "score": i / 10,
                "names": ["all", f"n{i}"],
                "day": datetime.datetime(2020, 1, 1 + i, tzinfo=UTC),
            }
            for i in range(start, start + 10)
        ]
        dataset.append(n[:, None] * np.ones(3), labels=n, tags=tags, keys=[f"k{i:02}" for i in n])
    return dataset


@pytest.fixture
def small_blocks(monkeypatch):
    """Let an append write four samples at a time."""
    monkeypatch.setattr(rows, "BATCH_DOCUMENTS", 4)
