"""Datasets: keys, revisions, appending, and what others see of it."""

import datetime
import threading

import numpy as np
import pytest

from tensorlayer.errors import Conflict, DatasetNotFound, InvalidArgument, InvalidName

UTC = datetime.timezone.utc


@pytest.fixture
def dataset(hub):
    return hub.datasets.create("digits")


def test_a_missing_dataset_is_named_with_the_closest_ones(hub, dataset):
    with pytest.raises(DatasetNotFound, match=r"no dataset 'digit'.*Did you mean 'digits'"):
        hub.datasets["digit"]
    assert "digit" not in hub.datasets
    assert 3 not in hub.datasets


def test_create_again_returns_the_same_or_is_a_conflict(hub, dataset):
    dataset.append([1])
    assert len(hub.datasets.create("digits")) == 1
    with pytest.raises(Conflict, match="exists already"):
        hub.datasets.create("digits", exist_ok=False)
    assert hub.datasets.keys() == [*hub.datasets] == ["digits"]
    assert len(hub.datasets["digits"]) == 1


@pytest.mark.parametrize("key", ["", "../x", "a\0b", "$where", "a/b"])
def test_hostile_keys_are_refused(hub, key):
    with pytest.raises(InvalidName, match="dataset key"):
        hub.datasets.create(key)
    assert key not in hub.datasets


def test_an_append_is_one_revision(dataset):
    first = dataset.append(np.eye(3), labels=[0, 1, 2])
    second = dataset.append(["text", b"bytes", {"image": np.eye(2), "n": [1, None]}])
    assert (first.number, first.n_added, first.n_known) == (1, 3, 0)
    assert (second.number, second.n_added) == (2, 3)
    assert (dataset.revision, len(dataset)) == (2, 6)


def test_sending_again_is_a_no_op(dataset):
    dataset.append(np.eye(3), keys=["a", "b", "c"])
    dataset.append(np.ones((1, 3)), keys=["d"])
    again = dataset.append(np.eye(3), keys=["a", "b", "c"])
    assert (again.number, again.n_added, again.n_known) == (1, 0, 3)
    assert (dataset.revision, len(dataset)) == (2, 4)


def test_only_what_is_new_is_added(dataset):
    dataset.append([1, 2, 2])
    result = dataset.append([1, 2, 2, 2, 3])
    assert (result.number, result.n_added, result.n_known) == (2, 2, 3)
    assert sorted(dataset.where().arrays()[0].tolist()) == [1, 2, 2, 2, 3]


@pytest.mark.parametrize(
    "other",
    [
        {"samples": [9]},
        {"samples": [1], "labels": [1]},
        {"samples": [1], "tags": {"split": "test"}},
        {"samples": [1.0]},
    ],
)
def test_one_key_with_other_content_is_a_conflict_and_stores_nothing(dataset, small_blocks, other):
    dataset.append([1], keys=["a"])
    with pytest.raises(Conflict, match="sample 'a' is stored since revision 1 with other content"):
        dataset.append(**other, keys=["a"])
    many = [*range(10), 9]
    with pytest.raises(Conflict, match="sample 'a'"):
        dataset.append(many, keys=[*map(str, range(10)), "a"])
    assert (dataset.revision, len(dataset)) == (1, 1)


def test_a_long_call_is_one_revision(dataset, small_blocks):
    result = dataset.append(range_of(10))
    assert (result.number, result.n_added) == (1, 10)
    assert [len(dataset.at(revision)) for revision in range(2)] == [0, 10]


def test_nothing_is_not_a_revision(dataset):
    assert dataset.append([]).number == 0
    assert dataset.append(np.zeros((0, 3))).n_added == 0


def test_samples_of_megabytes_go_to_gridfs_and_come_back(hub, dataset):
    large = np.random.default_rng(0).integers(0, 255, (2, 2_000_000), np.uint8)
    dataset.append(large, labels=["a", "b"])
    assert hub.database["blobs.files"].count_documents({}) == 2
    samples, labels = dataset.where().arrays()
    np.testing.assert_array_equal(samples, large)
    assert labels == ["a", "b"]
    assert hub.store.blobs.sweep(grace_seconds=0) == 0
    dataset.append(large, labels=["a", "b"])
    assert hub.database["blobs.files"].count_documents({}) == 2


@pytest.mark.parametrize(
    "name", ["$where", "a.b", "", "a\0b", "label", "key", "any", "x" * 1000, 3]
)
def test_hostile_tags_are_refused(dataset, name):
    with pytest.raises(InvalidName):
        dataset.append([1], tags={name: 1})
    assert len(dataset) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 3}, "must be an array with a first axis, a list or an iterator"),
        ({"samples": np.float32(3)}, "must be an array with a first axis"),
        ({"samples": "abc"}, "got str"),
        ({"samples": [1, 2], "labels": [1]}, "2 samples and 1 labels"),
        ({"samples": [1, 2], "tags": [{}]}, "2 samples and 1 tags"),
        ({"samples": [1, 2], "keys": ["a"]}, "2 samples and 1 keys"),
        ({"samples": [1, 2], "keys": ["a", "a"]}, "'a' is there twice"),
        ({"samples": [1], "keys": ["a\0"]}, "printable string"),
        ({"samples": [1], "tags": [3]}, "Tags are a dict"),
        ({"samples": [1], "tags": {"a": {"b": 1}}}, "Tag 'a'.*got dict"),
        ({"samples": [1], "tags": {"a": 2**64}}, "more than 64 bits"),
        ({"samples": [1], "tags": {"a": "x" * 70_000}}, "65536 are allowed"),
        ({"samples": [1], "tags": {"a": datetime.datetime(2020, 1, 1)}}, "time zone"),  # noqa: DTZ001
        ({"samples": [object()]}, "a object cannot be stored"),
        ({"samples": [np.array([None])]}, "array of dtype object"),
    ],
)
def test_what_does_not_fit_is_refused(dataset, arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        dataset.append(**arguments)
    assert len(dataset) == 0


def test_appending_to_a_dataset_that_is_gone(hub, dataset):
    hub.database["datasets"].delete_one({"_id": "digits"})
    with pytest.raises(DatasetNotFound, match="'digits' does not exist"):
        dataset.append([1])


def test_in_a_stage_nothing_is_visible_before_it_is_applied(hub, dataset, small_blocks):
    dataset.append([0], keys=["old"])
    with hub.store.staged(run="task") as stage:
        result = dataset.append(range_of(6), keys=list("abcdef"))
        dataset.append([0, 7], keys=["old", "g"])
        assert (result.number, result.n_added) == (None, None)
    assert (dataset.revision, len(dataset), len(dataset.where())) == (1, 1, 1)
    stage.prepare()
    hub.store.transact(stage.apply)
    assert (dataset.revision, len(dataset), len(dataset.where())) == (3, 8, 8)


def test_a_stage_that_fails_leaves_nothing(hub, dataset):
    with hub.store.staged(run="task") as stage:
        dataset.append([1, 2])

    def apply_and_fail(session):
        stage.apply(session)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        hub.store.transact(apply_and_fail)
    assert (dataset.revision, len(dataset), len(dataset.where())) == (0, 0, 0)


def test_a_conflict_shows_when_the_stage_is_applied(hub, dataset):
    with hub.store.staged(run="task") as stage:
        dataset.append([1], keys=["a"])
    dataset.append([2], keys=["a"])
    with pytest.raises(Conflict, match="sample 'a'"):
        hub.store.transact(stage.apply)


def test_the_commit_may_run_again_after_it_was_made(hub, dataset):
    """An attempt whose answer was lost is repeated as a whole: same revision, same count."""
    with hub.store.staged(run="task") as stage:
        dataset.append([1, 2])
    hub.store.transact(stage.apply)
    dataset.append([3])
    hub.store.transact(stage.apply)
    assert (dataset.revision, len(dataset), len(dataset.where())) == (2, 3, 3)


def test_several_threads_append_the_same_and_other_samples(hub, dataset):
    """Four threads send 5 common and 5 own batches each: nothing is lost, doubled or torn."""

    def send(thread):
        for batch in range(5):
            dataset.append([[batch, i] for i in range(3)], keys=[f"{batch}-{i}" for i in range(3)])
            dataset.append([[thread, batch]], keys=[f"own-{thread}-{batch}"])

    threads = [threading.Thread(target=send, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(dataset) == len(dataset.where()) == 5 * 3 + 4 * 5
    assert dataset.revision == 5 + 4 * 5
    revisions = hub.database["revisions"].distinct("number")
    assert sorted(revisions) == list(range(1, 26))
    assert len(hub.database["samples"].distinct("key")) == 35
    assert hub.database["samples"].count_documents({}) == 35


def test_declared_tags_have_an_index_that_views_use(hub):
    dataset = hub.datasets.create("tagged", indexes=["split", "label"])
    hub.datasets.create("tagged", indexes=["split"])
    dataset.append(range_of(50), tags=[{"split": str(i % 10)} for i in range(50)])
    plan = hub.database["samples"].find(dataset.where(split="3").filter).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 5
    head = hub.database["datasets"].find_one({"_id": "tagged"})
    assert head["indexes"] == ["split", "label"]
    with pytest.raises(InvalidName):
        hub.datasets.create("tagged", indexes=["$x"])


def test_more_tags_than_the_server_has_indexes_can_be_declared(hub):
    """64 indexes are all that a collection may have; the tags beyond share one."""
    tags = [f"tag{i}" for i in range(80)]
    dataset = hub.datasets.create("wide", indexes=tags)
    hub.datasets.create("other", indexes=[f"other{i}" for i in range(5)])
    dataset.append(range_of(50), tags=[dict.fromkeys(tags, i) for i in range(50)])
    for tag in ("tag0", "tag79"):
        assert len(dataset.where(**{tag: 7})) == 1
        plan = hub.database["samples"].find(dataset.where(**{tag: 7}).filter).explain()
        assert plan["executionStats"]["totalDocsExamined"] <= 2
    assert dataset.summary()["indexes"] == tags


def test_a_dataset_is_not_made_if_its_indexes_cannot_be(hub):
    with pytest.raises(InvalidName):
        hub.datasets.create("half", indexes=["good", "$bad"])
    assert "half" not in hub.datasets


def test_a_typo_in_a_condition_is_an_error_with_the_nearest_name(dataset):
    assert len(dataset.where(split="train")) == 0  # it is empty: nothing is known of its tags
    dataset.append([1], tags={"split": "train"})
    with pytest.raises(InvalidArgument, match=r"no sample has a tag 'splt'\. Did you mean 'split'"):
        dataset.where(splt="train")
    with pytest.raises(InvalidArgument, match="no sample has a tag 'splt'"):
        dataset.where(any=[{"split": "test"}, {"splt": "train"}])
    assert len(dataset.where(splt={"$exists": False})) == len(dataset.where(splt=None)) == 1


@pytest.mark.parametrize("value", [[1, 2], (1, 2), {1, 2}, np.array([1, 2])])
def test_a_list_where_a_value_belongs_is_an_error(dataset, value):
    dataset.append([1, 2], labels=[1, 2], tags={"names": ["a", "b"]})
    with pytest.raises(InvalidArgument, match=r"one of several values write \{'\$in'"):
        dataset.where(label=value)
    assert len(dataset.where(names={"$eq": ["a", "b"]})) == 2


def test_the_cost_of_an_append_does_not_grow_with_history(hub, dataset):
    """The keys examined for one more batch are the same after 100 batches."""
    dataset.append([[0, i] for i in range(10)])
    before = _examined(hub, dataset)
    for batch in range(1, 101):
        dataset.append([[batch, i] for i in range(10)])
    assert _examined(hub, dataset) <= before + 5


def _examined(hub, dataset):
    keys = [f"new-{i}" for i in range(10)]
    query = {"dataset": dataset.key, "key": {"$in": keys}}
    return hub.database["samples"].find(query).explain()["executionStats"]["totalKeysExamined"]


def range_of(n):
    return [[i] for i in range(n)]
