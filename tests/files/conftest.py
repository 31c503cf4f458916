"""A server of files on this machine, and a guard against every other one."""

import hashlib
import http.server
import socket
import threading

import pytest


class Files(http.server.ThreadingHTTPServer):
    """Serves ``files``, in part if asked (RFC 9110), and breaks off where ``breaks`` says."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.breaks = []  # after how many bytes the next answers break off
        self.statuses = []  # what the next requests are answered with instead
        self.requests = []  # (path, Range)
        self.headers = {}  # added to every answer
        self.heeds_if_range = True  # some servers send the part of a file that has changed
        self.says_where = True  # in which part of the file an answer begins
        self.begins_at = None  # where every partial answer begins, whatever was asked for
        self.stall = None  # an event that an answer waits for where it would break off

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.requests.append((self.path, wanted))
        if server.statuses:
            return self.send_error(server.statuses.pop(0))
        content = server.files.get(self.path.partition("?")[0].lstrip("/"))
        if content is None:
            return self.send_error(404)
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        start, is_same = 0, self.headers.get("If-Range") in (None, tag)
        is_part = bool(wanted) and (is_same or not server.heeds_if_range)
        if is_part:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content) > 0:
            return self.send_error(416)
        if is_part and server.begins_at is not None:
            start = server.begins_at
        self.send_response(206 if is_part else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(content) - start))
        if is_part and server.says_where:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        length = server.breaks.pop(0) if server.breaks else len(content)
        self.wfile.write(content[start : start + length])
        self.wfile.flush()
        if server.stall is not None:
            server.stall.wait(30)
        return None


@pytest.fixture
def server():
    files = Files()
    thread = threading.Thread(target=files.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield files
    files.shutdown()
    files.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _this_machine_only(monkeypatch):
    connect = socket.socket.connect

    def guarded(self, address):
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), address
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def entries():
    """Return a function that lists everything below a folder, also what is hidden."""
    return lambda folder: sorted(str(e.relative_to(folder)) for e in folder.rglob("*"))


@pytest.fixture
def put(tmp_path):
    """Return a function that writes files into the folder of the test and returns the folder."""

    def write(contents):
        for name, content in contents.items():
            path = tmp_path / name.rpartition("/")[2]
            path.write_bytes(content)
        return tmp_path

    return write
