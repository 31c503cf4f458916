from __future__ import annotations

from tensorlayer.workflow import notifications
from tensorlayer.workflow.tasks import Status


def test_a_message_exists_once_however_often_it_is_posted(hub, store, tasks):
    task = hub.workflow.submit(tasks.add, 1, output="found").task()

    for _ in range(3):
        store.transact(lambda session: notifications.post(store, session, (task, Status.DONE)))

    [message] = hub.workflow.notifications(task.id)
    assert message.id == f"{task.id}:0:done"
    assert (message.function, message.output) == ("sample_tasks:add", "found")
    assert message.created.tzinfo is not None


def test_a_message_is_not_there_if_its_transaction_is_not(hub, store, tasks):
    task = hub.workflow.submit(tasks.add, 1).task()

    with store.client.start_session() as session:
        session.start_transaction()
        notifications.post(store, session, (task, Status.DONE))
        session.abort_transaction()

    assert hub.workflow.notifications(task.id) == []
