from __future__ import annotations

import types

import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, TaskError
from tensorlayer.workflow.context import Context, entered

TASK = types.SimpleNamespace(id="ab" * 16, attempt=2, input="i", model="m", output="o")


@pytest.fixture
def reports():
    return []


@pytest.fixture
def context(reports):
    return Context(None, TASK, lambda *report: reports.append(report))


def test_there_is_no_current_task_outside():
    with pytest.raises(TaskError, match="no task runs here"):
        tl.workflow.current()


def test_the_current_task_is_the_one_that_was_entered(context):
    with entered(context):
        assert tl.workflow.current() is context
    with pytest.raises(TaskError):
        tl.workflow.current()


def test_progress_is_thinned_out_but_its_end_is_told(context, reports):
    for step in range(1001):
        context.progress(step / 1000, "x" * 500)

    assert reports[0][0] == 0.0
    assert reports[-1] == (1.0, "x" * 200)
    assert len(reports) < 20


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_impossible_fractions_are_refused(context, fraction):
    with pytest.raises(InvalidArgument, match="from 0 to 1"):
        context.progress(fraction)


def test_cancelled_is_told(context):
    assert not context.cancelled
    context.cancel()
    assert context.cancelled
