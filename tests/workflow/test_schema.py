from __future__ import annotations

from tensorlayer.workflow import schema
from tensorlayer.workflow.tasks import Status


def test_later_is_exact_to_a_millisecond(store):
    things = store.database["things"]
    things.insert_one({"_id": 1})
    change = {"now": "$$NOW", "then": schema.later(1.2345)}

    things.update_one({"_id": 1}, [{"$set": change}])

    found = things.find_one()
    assert (found["then"] - found["now"]).total_seconds() in (1.234, 1.235)


def test_what_is_logged_is_stamped_and_bounded(store):
    things = store.database["things"]
    things.insert_one({"_id": 1, "attempt": 4})

    for n in range(25):
        things.update_one({"_id": 1}, [{"$set": {"history": schema.logged({"n": n})}}])

    history = things.find_one()["history"]
    assert [event["n"] for event in history] == list(range(5, 25))
    assert {event["attempt"] for event in history} == {4}
    assert history[0]["at"] <= history[-1]["at"]


def test_silent_agents_are_removed_by_the_server(store):
    indexes = schema.agents(store).index_information()

    assert indexes["beat_1"]["expireAfterSeconds"] == 3600


def test_a_message_exists_once_however_often_it_is_posted(hub, store, tasks):
    task = hub.workflow.submit(tasks.add, 1, output="found").task()

    for _ in range(3):
        store.transact(lambda session: schema.post(store, session, (task, Status.DONE)))

    [message] = hub.workflow.notifications(task.id)
    assert message.id == f"{task.id}:0:done"
    assert (message.function, message.output) == ("sample_tasks:add", "found")
    assert message.created.tzinfo is not None


def test_a_message_is_not_there_if_its_transaction_is_not(hub, store, tasks):
    task = hub.workflow.submit(tasks.add, 1).task()

    with store.client.start_session() as session:
        session.start_transaction()
        schema.post(store, session, (task, Status.DONE))
        session.abort_transaction()

    assert hub.workflow.notifications(task.id) == []
