from __future__ import annotations

import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.workflow.calls import bind


def train(rate, *, model=None): ...


def anything(*args, **kwargs): ...


def test_keys_reach_parameters_of_their_name_only():
    keys = {"model": "mlp", "input": "mnist", "output": None}

    assert bind(train, [0.1], {}, keys).arguments == {"rate": 0.1, "model": "mlp"}
    assert bind(anything, [], {}, keys).arguments == {}


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ([], {}, "missing a required argument: 'rate'"),
        ([1, 2], {}, "too many positional arguments"),
        ([1], {"momentum": 2}, "unexpected keyword argument 'momentum'"),
    ],
)
def test_what_does_not_fit_is_refused(args, kwargs, message):
    with pytest.raises(InvalidArgument, match=message):
        bind(train, args, kwargs, {})
