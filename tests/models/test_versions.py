"""Versions: numbers, atomic saving, verified loading, the best one."""

import threading
import types

import ml_dtypes
import numpy as np
import pytest

from tensorlayer.errors import (
    Corrupt,
    InvalidArgument,
    InvalidName,
    ModelNotFound,
    NotSerializable,
    StructureMismatch,
    VersionNotFound,
)
from tensorlayer.models.version import Version
from tests import forked


def model(value=0.0, structure="s1", config=None):
    """Return what a model is to the store; its weights say which one it is."""
    arrays = {
        "dense/weights": np.full((3, 2), value, np.float32),
        "dense/biases": np.full(2, value, ml_dtypes.bfloat16),
    }
    return types.SimpleNamespace(
        config=config or {"layers": ["dense"]}, structure_digest=structure, to_arrays=lambda: arrays
    )


def test_numbers_count_from_one(hub):
    saved = [hub.models.save("mlp", model(i), step=10 * i) for i in range(3)]
    assert [each.number for each in saved] == [1, 2, 3]
    assert hub.models.get("mlp") == saved[2]
    assert hub.models.get("mlp", 1) == saved[0]
    assert hub.models.list("mlp") == saved
    assert hub.models.save("other", model()).number == 1
    assert hub.models.keys() == ["mlp", "other"]
    assert len(hub.models.list()) == 4


def test_a_version_knows_where_it_comes_from(hub):
    version = hub.models.save(
        "mlp", model(), step=np.int64(7), values={"accuracy": np.float32(0.5)}
    )
    assert (version.step, version.values, version.digest) == (7, {"accuracy": 0.5}, "s1")
    assert (version.run, version.task) == (hub.models.run, None)
    assert abs((hub.store.now() - version.created).total_seconds()) < 60
    assert Version.from_document(version.to_document()) == version


def test_arrays_come_back_in_order_with_their_types(hub):
    hub.models.save("mlp", model(1.5))
    hub.models.save("mlp", model(np.nan))
    first, newest = hub.models.arrays("mlp", 1), hub.models.arrays("mlp")
    assert list(first) == ["dense/weights", "dense/biases"]
    assert first["dense/biases"].dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(first["dense/weights"], np.full((3, 2), 1.5, np.float32))
    assert np.isnan(newest["dense/weights"]).all()


def test_a_model_is_built_again_with_its_weights(hub):
    """With real models, layers and TensorFlow."""
    import tensorlayer as tl

    x, ones = tl.layers.Input([None, 4], name="x"), np.ones([2, 4], np.float32)
    net = tl.models.Model(inputs=x, outputs=tl.layers.Dense(x, n_units=3, name="dense"))
    first = net(ones, is_train=False).numpy()
    hub.models.save("net", net)
    net.assign_arrays({name: array + 1 for name, array in net.to_arrays().items()})
    hub.models.save("net", net)
    np.testing.assert_array_equal(hub.models.load("net", 1)(ones, is_train=False), first)
    newest = hub.models.load("net")(ones, is_train=False).numpy()
    np.testing.assert_array_equal(newest, net(ones, is_train=False))
    assert (newest != first).all()
    hub.database["versions"].update_one({"number": 2}, {"$set": {"digest": "other"}})
    with pytest.raises(StructureMismatch, match="version 2: the configuration now builds"):
        hub.models.load("net", 2)


def test_configurations_of_any_size_come_back(hub):
    large = {"layers": ["dense" * 10] * 20_000, "$odd.name": None}
    hub.models.save("small", model())
    hub.models.save("large", model(config=large))
    assert hub.models.config("small") == {"layers": ["dense"]}
    assert hub.models.config("large") == large
    assert hub.store.blobs.sweep(grace_seconds=0) == 0


def test_other_structures_are_refused_and_leave_nothing(hub):
    hub.models.save("mlp", model())
    with pytest.raises(StructureMismatch, match=r"'mlp' holds versions of structure s1.*s2"):
        hub.models.save("mlp", model(structure="s2"))
    assert hub.models.save("mlp", model()).number == 2
    assert hub.database["blobs.files"].count_documents({}) == 2


def test_what_is_not_json_is_refused(hub):
    with pytest.raises(NotSerializable, match="configuration of model 'mlp' is not JSON"):
        hub.models.save("mlp", model(config={"act": lambda x: x}))
    assert hub.models.keys() == []


def test_a_missing_model_or_version_is_named_with_what_there_is(hub):
    hub.models.save("mlp", model())
    for read in (hub.models.get, hub.models.arrays, hub.models.config, hub.models.list):
        with pytest.raises(ModelNotFound, match=r"no model 'mpl'.*Did you mean 'mlp'"):
            read("mpl")
    with pytest.raises(VersionNotFound, match=r"no version 2\. It has had numbers 1 to 1"):
        hub.models.get("mlp", 2)
    for number in (0, -1):
        with pytest.raises(VersionNotFound):
            hub.models.get("mlp", number)
    for number in ("1", 1.0, True, {"$gt": 0}):
        with pytest.raises(InvalidArgument, match="a version is an integer"):
            hub.models.get("mlp", number)


@pytest.mark.parametrize("key", ["", "../x", "a\0b", "$where", {"$gt": ""}, 3])
def test_hostile_keys_are_refused(hub, key):
    for use in (hub.models.get, hub.models.list, lambda k: hub.models.save(k, model())):
        with pytest.raises(InvalidName, match="model key"):
            use(key)


def test_hostile_metrics_are_refused(hub):
    with pytest.raises(InvalidName, match="metric"):
        hub.models.save("mlp", model(), values={"$set": 1})
    assert hub.models.keys() == []


def test_a_flipped_bit_is_corrupt(hub):
    hub.models.save("mlp", model())
    chunk = hub.database["blobs.chunks"].find_one()
    data = bytearray(chunk["data"])
    data[-1] ^= 1
    hub.database["blobs.chunks"].update_one({"_id": chunk["_id"]}, {"$set": {"data": bytes(data)}})
    with pytest.raises(Corrupt, match="Model 'mlp' version 1"):
        hub.models.arrays("mlp")


def test_in_a_stage_nothing_is_visible_before_it_is_applied(hub):
    with hub.store.staged(run="task-1") as stage:
        first = hub.models.save("mlp", model(1), step=1)
        second = hub.models.save("mlp", model(2), step=2)
        assert (first.number, first.run, first.task) == (None, "task-1", "task-1")
        assert second.number is None
    assert hub.models.keys() == hub.models.list() == []
    hub.store.transact(stage.apply)
    assert [(each.number, each.step) for each in hub.models.list("mlp")] == [(1, 1), (2, 2)]
    assert hub.models.get("mlp").task == "task-1"


def test_a_stage_that_is_applied_again_saves_nothing_twice(hub):
    with hub.store.staged(run="task-1") as stage:
        hub.models.save("mlp", model())
    hub.store.transact(stage.apply)
    hub.store.transact(stage.apply)
    assert [each.number for each in hub.models.list("mlp")] == [1]
    assert hub.models.save("mlp", model()).number == 2


def test_a_structure_that_came_first_wins_over_a_stage(hub):
    with hub.store.staged(run="task-1") as stage:
        hub.models.save("mlp", model(structure="s2"))
    hub.models.save("mlp", model())
    with pytest.raises(StructureMismatch, match="'mlp'"):
        hub.store.transact(stage.apply)
    assert len(hub.models.list("mlp")) == 1


def test_a_stage_that_is_dropped_leaves_only_what_the_sweep_takes(hub):
    with hub.store.staged(run="task-1"):
        hub.models.save("mlp", model())
    assert hub.models.keys() == []
    assert hub.store.blobs.sweep(grace_seconds=0) == 1
    assert hub.database["blobs.chunks"].count_documents({}) == 0


def test_a_stage_whose_weights_were_swept_is_refused_whole(hub):
    with hub.store.staged(run="task-1") as stage:
        hub.models.save("mlp", model())
    assert hub.store.blobs.sweep(grace_seconds=-60) == 1
    with pytest.raises(Corrupt, match=r"swept before.*save again"):
        hub.store.transact(stage.apply)
    assert hub.models.keys() == hub.models.list() == []


def test_what_is_saved_is_claimed(hub):
    hub.models.save("mlp", model(config={"large": "x" * 300_000}))
    hub.models.save("mlp", model())
    files = hub.database["blobs.files"]
    assert files.count_documents({"metadata.committed": True}) == 3
    assert files.count_documents({}) == 3


def save_ten(hub, n):
    for i in range(10):
        hub.models.save("shared", model(100 * n + i), step=i, values={"who": n})


def test_eight_processes_save_without_gaps(hub):
    assert forked.run(hub, "together", save_ten, 8) == [0] * 8
    versions = hub.models.list("shared")
    assert [each.number for each in versions] == list(range(1, 81))
    for who in range(8):
        own = [each for each in versions if each.values["who"] == who]
        assert [each.step for each in own] == list(range(10))
    for each in versions[::13]:
        weights = hub.models.arrays("shared", each.number)["dense/weights"]
        assert (weights == 100 * each.values["who"] + each.step).all()


def test_threads_save_the_first_version_of_one_key(hub):
    numbers = []

    def save():
        numbers.append(hub.models.save("mlp", model()).number)

    threads = [threading.Thread(target=save) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(numbers) == list(range(1, 9))


def save_one(hub, n):
    hub.models.save(f"crash-{n}", model(n), step=n)


def test_killed_after_any_operation_there_is_no_version_or_a_whole_one(hub):
    with forked.impatient_server(hub):
        codes = forked.run(hub, "crash", save_one)
        _check_crashes(hub, codes)


def _check_crashes(hub, codes):
    assert codes[-1] == 0
    assert set(codes[:-1]) == {-9}
    found = hub.models.keys()
    assert 0 < len(found) < len(codes)
    for key in found:
        [version] = hub.models.list(key)
        assert version.number == 1
        assert (hub.models.arrays(key)["dense/weights"] == version.step).all()
    for n in range(1, len(codes) + 1):
        expected = 2 if f"crash-{n}" in found else 1
        assert hub.models.save(f"crash-{n}", model(n)).number == expected
    hub.store.blobs.sweep(grace_seconds=0)
    n_versions = len(hub.models.list())
    assert hub.database["blobs.files"].count_documents({}) == n_versions


def _history(hub, values, name="accuracy"):
    for step, value in enumerate(values):
        hub.models.log("mlp", {name: value}, step=step)
        hub.models.save("mlp", model(), step=step)


@pytest.mark.parametrize(
    ("values", "mode", "number"),
    [
        ([0.1, 0.9, 0.5], "max", 2),
        ([0.1, 0.9, 0.5], "min", 1),
        ([0.9, 0.9, 0.1], "max", 2),
        ([0.5, 0.1, 0.1], "min", 3),
        ([np.nan, 0.1, np.nan], "max", 2),
        ([np.nan, 0.1, np.nan], "min", 2),
        ([-np.inf, np.nan, -1e300], "max", 3),
        ([-np.inf, 0.0, np.inf], "max", 3),
    ],
)
def test_best(hub, values, mode, number):
    _history(hub, values)
    assert hub.models.best("mlp", "accuracy", mode).number == number


def test_best_prefers_the_values_of_the_version_and_its_own_run(hub):
    _history(hub, [0.1, 0.2])
    hub.models.save("mlp", model(), step=0, values={"accuracy": 0.15})
    assert hub.models.best("mlp", "accuracy").number == 2
    hub.models.save("mlp", model(), step=1, values={"accuracy": 0.05})
    assert hub.models.best("mlp", "accuracy", "min").number == 4
    with hub.store.staged(run="task"):
        hub.models.log("mlp", {"accuracy": 9.0}, step=0)
    assert hub.models.best("mlp", "accuracy").number == 2


def test_best_without_a_match_says_what_there_is(hub):
    with pytest.raises(ModelNotFound, match="'mlp'"):
        hub.models.best("mlp", "accuracy")
    hub.models.save("mlp", model())
    hub.models.log("mlp", {"accuracy": 1.0}, step=3)
    with pytest.raises(VersionNotFound, match=r"no event 'acuracy'.*Did you mean 'accuracy'"):
        hub.models.best("mlp", "acuracy")
    with pytest.raises(VersionNotFound, match="none of its versions was saved at the run and step"):
        hub.models.best("mlp", "accuracy")
    with pytest.raises(InvalidArgument, match="mode must be 'max' or 'min', got 'mean'"):
        hub.models.best("mlp", "accuracy", "mean")


@pytest.mark.parametrize("field", ["weights", "number", "digest"])
def test_a_damaged_version_breaks_no_other(hub, caplog, field):
    _history(hub, [0.1, 0.2, 0.9])
    hub.database["versions"].update_one({"number": 3}, {"$unset": {field: ""}})
    found = hub.models.list("mlp")
    assert sorted(each.damaged for each in found) == [(), (), (field,)]
    assert len(hub.models.list()) == 3
    assert hub.models.best("mlp", "accuracy").number == 2
    assert "is passed over" in caplog.text
    assert hub.models.get("mlp", 2).step == 1
    if field != "number":
        for read in (hub.models.get, hub.models.arrays, hub.models.load):
            with pytest.raises(Corrupt, match=f"'mlp' version 3: in its document '{field}'"):
                read("mlp", 3)


@pytest.mark.parametrize("field", ["structure", "n_versions", "config"])
def test_a_damaged_head_is_named_where_it_is_needed(hub, field):
    hub.models.save("mlp", model())
    hub.database["models"].update_one({}, {"$unset": {field: ""}})
    assert hub.models.keys() == ["mlp"]
    assert list(hub.models.arrays("mlp")) == ["dense/weights", "dense/biases"]
    use = hub.models.config if field == "config" else lambda key: hub.models.save(key, model())
    with pytest.raises(Corrupt, match=f"Model 'mlp': in its document '{field}' is missing"):
        use("mlp")


def test_a_damaged_block_of_events_breaks_no_other(hub, caplog):
    _history(hub, [0.1, 0.9])
    hub.models.flush()
    block = {"model": "mlp", "name": "accuracy", "written": hub.store.now()}
    hub.database["events"].insert_many([block, {**block, "steps": [1], "values": ["x"]}])
    assert hub.models.best("mlp", "accuracy").number == 2
    assert "is damaged" in caplog.text


def test_events_without_a_version_are_said(hub):
    hub.models.log("mlp", {"accuracy": 1.0}, step=3)
    with pytest.raises(ModelNotFound, match=r"'mlp' has 1 events 'accuracy' but no version"):
        hub.models.best("mlp", "accuracy")


def test_lists_read_indexes_only(hub):
    for key in ("a", "b"):
        hub.models.save(key, model())
        hub.models.save(key, model())
    database = hub.database
    by_order = {"model": 1, "number": 1}
    for collection, query, sort, projection in (
        ("versions", {}, by_order, {}),
        ("versions", {"model": "a"}, by_order, {}),
        ("versions", {"model": "a"}, {"number": -1}, {}),
        ("models", {}, {"_id": 1}, {"_id": 1}),
    ):
        find = {"find": collection, "filter": query, "sort": sort, "projection": projection}
        plan = str(database.command("explain", find)["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in plan
        assert "COLLSCAN" not in plan
        assert "SORT" not in plan
        assert ("FETCH" in plan) == (collection == "versions")
