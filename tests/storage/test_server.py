"""The private server, with real processes that are really killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import psutil
import pymongo
import pytest
from pymongo.errors import OperationFailure, PyMongoError

import tensorlayer as tl
from tensorlayer.errors import ServerFailed, ServerNotFound
from tensorlayer.storage.server import PrivateServer, default_home
from tests.servers import pids, processes_of, wait_until

CLIENT = """
import sys, tensorlayer as tl
hub = tl.connect(home=sys.argv[1], project="shared")
print("connected", flush=True)
sys.stdin.read()
"""

WRITER = """
import sys, tensorlayer as tl
hub = tl.connect(home=sys.argv[1], project="shared")
notes = hub.database["notes"]
for n in range(10**9):
    notes.insert_one({"_id": n})
    print(n, flush=True)
"""

STARTER = """
import sys, tensorlayer as tl
with tl.connect(home=sys.argv[1], project="shared") as hub:
    hub.store.call(lambda: hub.database["notes"].insert_one({}))
"""


def run(program, home):
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def advanced(before, after, *, by):
    return all(new - old >= by for old, new in zip(before, after, strict=True))


def test_a_home_is_made_and_only_its_owner_can_read_it(home):
    with tl.connect(home=home) as hub:
        assert hub.database.name == "tensorlayer"

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(home) == mode(home / "data") == 0o700
    assert mode(home / "server.json") == mode(home / "keyfile") == 0o600


def test_a_server_listens_on_the_loopback_interface_only(home):
    with tl.connect(home=home):
        server, _ = pids(home)
        listening = [
            each.laddr
            for each in psutil.Process(server).net_connections("all")
            if each.status == psutil.CONN_LISTEN or each.family == socket.AF_UNIX
        ]
        record = PrivateServer(home).home.read()
        assert [tuple(each) for each in listening] == [("127.0.0.1", record.port)]


def test_an_unauthenticated_client_is_refused(server_home):
    port = PrivateServer(server_home).home.read().port
    with pymongo.MongoClient("127.0.0.1", port, directConnection=True) as stranger:
        for attempt in (
            lambda: stranger.list_database_names(),
            lambda: stranger["x"]["y"].insert_one({}),
            lambda: stranger.admin.command("createUser", "me", pwd="x", roles=["root"]),
            lambda: stranger.admin.command("shutdown"),
        ):
            with pytest.raises(OperationFailure, match="requires authentication"):
                attempt()


def test_secrets_are_in_no_command_line_log_or_repr(home, caplog):
    caplog.set_level("DEBUG")
    with tl.connect(home=home) as hub:
        record = PrivateServer(home).home.read()
        secrets = [record.password, (home / "keyfile").read_text()]
        commands = [" ".join(each.cmdline()) for each in processes_of(home)]
        assert len(commands) == 2
        shown = [*commands, repr(hub), repr(hub.store), repr(record), caplog.text]
        shown += [repr(PrivateServer(home)), repr(PrivateServer(home).status())]
        shown.append((home / "mongod.log").read_text(errors="replace"))
        assert not [text for text in shown for secret in secrets if secret in text]


def test_a_first_start_is_fast_and_joining_is_faster(home):
    begun = time.monotonic()
    with tl.connect(home=home):
        first = time.monotonic() - begun
        begun = time.monotonic()
        with tl.connect(home=home) as second:
            joined = time.monotonic() - begun
            second.database["a"].insert_one({})
    assert first < 10, "the promise is 3 s on an idle machine"
    assert joined < 1, "the promise is 0.1 s on an idle machine"


def test_eight_processes_at_once_start_one_server(home):
    clients = [run(CLIENT, home) for _ in range(8)]
    try:
        assert {each.stdout.readline() for each in clients} == {"connected\n"}
        assert len([each for each in processes_of(home) if "mongod" in each.name()]) == 1
    finally:
        for each in clients:
            each.communicate()
    wait_until(lambda: not processes_of(home))


@pytest.mark.parametrize("sign", [None, signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_after_its_last_client_however_that_ends(home, sign):
    first, second = run(CLIENT, home), run(CLIENT, home)
    assert first.stdout.readline() == second.stdout.readline() == "connected\n"
    first.communicate()
    assert PrivateServer(home).status().running
    if sign is None:
        second.communicate()
    else:
        second.send_signal(sign)
        second.wait()
    wait_until(lambda: not processes_of(home))
    assert not PrivateServer(home).status().running


def test_a_clean_end_leaves_the_data_for_the_next_start(home):
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({"_id": 1})
        port = hub.store.client.address[1]
    wait_until(lambda: not processes_of(home))
    with tl.connect(home=home) as hub:
        assert hub.database["notes"].find_one() == {"_id": 1}
        assert hub.store.client.address[1] == port


@pytest.mark.parametrize("victims", ["server", "supervisor", "both"])
def test_a_store_recovers_by_itself_when_its_server_is_killed(home, victims):
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({"_id": 1})
        server, supervisor = pids(home)
        for pid in {"server": [server], "supervisor": [supervisor]}.get(
            victims, [supervisor, server]
        ):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(server))
        assert hub.store.call(lambda: hub.database["notes"].find_one()) == {"_id": 1}
        assert pids(home)[0] not in (None, server)
    wait_until(lambda: not processes_of(home))


def test_five_hundred_acknowledged_writes_survive_kill_9(home):
    writer = run(WRITER, home)
    acknowledged = [int(writer.stdout.readline()) for _ in range(500)]
    for pid in pids(home):
        os.kill(pid, signal.SIGKILL)
    writer.kill()
    acknowledged += [int(line) for line in writer.stdout.read().split()]
    with tl.connect(home=home, project="shared") as hub:
        found = {each["_id"] for each in hub.database["notes"].find()}
    assert found.issuperset(acknowledged)


@pytest.mark.slow
def test_a_transaction_counts_once_while_the_server_is_killed_again_and_again(home):
    """``$inc`` counts twice if an unknown outcome is repeated, not at all if it is lost."""
    hub = tl.connect(home=home, project="shared")
    counters = hub.database["counters"]
    counters.insert_many([{"_id": n, "count": 0} for n in range(4)])
    stop, done, failed = threading.Event(), [0] * 4, []

    def count(n):
        def operation(session):
            counters.update_one({"_id": n}, {"$inc": {"count": 1}}, session=session)

        while not stop.is_set():
            try:
                hub.store.transact(operation)
            except Exception as error:
                failed.append(error)
                raise
            done[n] += 1

    threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for _ in range(4):
        before = list(done)
        wait_until(lambda before=before: failed or advanced(before, done, by=20))
        pid = pids(home)[0]
        os.kill(pid, signal.SIGKILL)
    before = list(done)
    wait_until(lambda: failed or advanced(before, done, by=1))
    stop.set()
    for each in threads:
        each.join()
    assert failed == []
    assert [each["count"] for each in counters.find().sort("_id")] == done
    hub.close()


def test_a_record_of_a_dead_server_and_a_reused_port_and_pid_are_seen_through(home):
    """Somebody else got the port, and the recorded process is another one."""
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({"_id": 1})
    PrivateServer(home).stop()
    path = home / "server.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"pid": os.getpid()}))
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", record["port"]))
        with tl.connect(home=home) as hub:
            assert hub.store.client.address[1] != record["port"]
            assert hub.database["notes"].find_one() == {"_id": 1}
            hub.store.transact(lambda s: hub.database["notes"].insert_one({"_id": 2}, session=s))


def test_another_server_on_the_recorded_port_is_not_taken_for_ours(home, server_home):
    with tl.connect(home=home):
        pass
    PrivateServer(home).stop()
    path = home / "server.json"
    foreign = PrivateServer(server_home).home.read().port
    path.write_text(json.dumps(json.loads(path.read_text()) | {"port": foreign}))
    with tl.connect(home=home) as hub:
        assert hub.store.client.address[1] != foreign


@pytest.mark.slow
def test_a_frozen_server_is_replaced(home):
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({"_id": 1})
        server, _ = pids(home)
        os.kill(server, signal.SIGSTOP)
        wait_until(lambda: psutil.Process(server).status() == psutil.STATUS_STOPPED)
        assert hub.store.call(lambda: hub.database["notes"].find_one()) == {"_id": 1}
        assert pids(home)[0] != server


def test_a_kept_server_stays_until_it_is_stopped(home):
    server = PrivateServer(home)
    server.acquire()
    server.keep()
    server.release()
    wait_until(lambda: not server.status().has_clients)
    running = pids(home)[0]
    quiet_until = time.monotonic() + 3.5  # longer than the grace and a look
    wait_until(lambda: time.monotonic() > quiet_until)
    assert pids(home)[0] == running
    assert server.status().kept
    assert server.stop()
    assert not processes_of(home)
    assert not server.status().kept
    assert not server.stop()


def test_a_fork_does_not_end_the_server_and_a_program_does_not_keep_it(home):
    server = PrivateServer(home)
    server.acquire()
    program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    server.release()
    wait_until(lambda: not server.status().running)
    program.communicate(b"\n")


def test_a_supervisor_costs_next_to_nothing(home):
    with tl.connect(home=home):
        supervisor = psutil.Process(pids(home)[1])
        before, begun = sum(supervisor.cpu_times()[:2]), time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 3)
        assert sum(supervisor.cpu_times()[:2]) - before < 0.05
        assert supervisor.memory_info().rss < 40 * 2**20


def test_status_starts_nothing(home):
    status = PrivateServer(home).status()
    assert (status.running, status.address, status.pid) == (False, None, None)
    assert not home.exists()


def test_a_home_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerFailed, match=r"cannot be written: Not a directory. Choose another"):
        tl.connect(home=tmp_path / "file" / "home")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_read_only_home_is_told(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    for each in (tmp_path, *tmp_path.parents):
        with contextlib.suppress(PermissionError):
            each.chmod(each.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(65534)
            PrivateServer(home).acquire()
        except ServerFailed as error:
            code = 0 if "cannot be written" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_lost_password_is_told_and_nothing_is_overwritten(home):
    with tl.connect(home=home):
        pass
    PrivateServer(home).stop()
    (home / "server.json").rename(home / "elsewhere")
    with pytest.raises(ServerFailed, match=r"server\.json with its password is gone"):
        tl.connect(home=home)
    (home / "server.json").write_text("{")
    with pytest.raises(ServerFailed, match=r"server\.json cannot be read"):
        tl.connect(home=home)
    (home / "elsewhere").replace(home / "server.json")
    tl.connect(home=home).close()


def test_a_server_that_does_not_start_says_why(home, tmp_path):
    with tl.connect(home=home):
        pass
    PrivateServer(home).stop()
    (home / "data" / "WiredTiger.turtle").write_bytes(b"nonsense")
    for each in home.joinpath("data").glob("*.wt"):
        each.write_bytes(b"nonsense")
    with pytest.raises(ServerFailed, match=r"ended at once. It says: .*WiredTiger"):
        tl.connect(home=home)
    assert not processes_of(home)


@pytest.mark.slow
def test_a_start_that_was_killed_anywhere_is_finished_by_the_next(home):
    """Kill whoever starts the server a little later every time."""
    for step in range(8):
        starter = run(STARTER, home)
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(0.25 + 0.1 * step)
        starter.kill()
        starter.communicate()
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({})
    wait_until(lambda: not processes_of(home))


def test_without_a_mongod_the_three_ways_are_listed(home, monkeypatch):
    monkeypatch.setenv("TENSORLAYER_MONGOD", str(home / "nothing"))
    with pytest.raises(ServerNotFound, match=r"tensorlayer\[server\].*PATH.*TENSORLAYER_MONGOD"):
        tl.connect(home=home)
    assert not processes_of(home)


def test_the_default_home_is_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("TENSORLAYER_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("TENSORLAYER_HOME")
    assert "tensorlayer" in str(default_home())


def test_stopping_under_a_client_is_healed_by_its_next_call(home):
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({"_id": 1})
        assert PrivateServer(home).stop()
        with contextlib.suppress(PyMongoError):
            hub.database["notes"].find_one()
        assert hub.store.call(lambda: hub.database["notes"].find_one()) == {"_id": 1}
