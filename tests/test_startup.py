from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEGIN = """
import os, sys
from tensorlayer.startup import quiet_tensorflow
quiet_tensorflow()
quiet_tensorflow()
assert "tensorflow" not in sys.modules
"""
USE = """
import tensorflow as tf
import inspect
assert float(tf.function(lambda x: x @ x, jit_compile=True)(tf.ones((1, 1)))[0, 0]) == 1
assert "tensorflow" in inspect.getsource(tf)
"""
# In place of TensorFlow, where what it writes has to be known.
FAKE = """
import os, sys, warnings
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called ...\\n")
os.write(2, b"I0000 00:00:1795311808.395315   23842 port.cc:153] an information\\n")
os.write(2, b"W0000 00:00:1795311808.395678   23842 xla/stub.cc:31] a warning\\n")
os.write(2, b"To enable the following instructions: AVX2, rebuild.\\n")
os.write(2, b"E1122 10:00:00.395678   23842 cuda_platform.cc:52] an error\\n")
print("somebody else's line", file=sys.stderr)
warnings.warn("Python warns")
os.write(2, b"the last line has no end")
if os.environ.get("FAIL"):
    raise ImportError("no such processor")
"""
EVERYTHING = ["All log messages", "an information", "a warning", "To enable", "an error"]


@pytest.fixture
def fake(tmp_path):
    (tmp_path / "tensorflow.py").write_text(FAKE)
    return tmp_path


def run(program, folder, **environment):
    inherited = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
    )


def words(shown):
    kept = ("somebody else's line", "UserWarning: Python warns", "the last line has no end")
    assert all(line in shown for line in kept), shown
    return [word for word in EVERYTHING if word in shown]


def test_tensorflow_starts_and_compiles_without_a_word(tmp_path):
    done = run(BEGIN + USE, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_it_there_are_messages(tmp_path):
    assert "absl::InitializeLog" in run(USE, tmp_path).stderr


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (None, []),
        ("3", []),
        ("2", ["an error"]),
        ("1", ["a warning", "an error"]),
        ("0", EVERYTHING),
        ("all", EVERYTHING),
    ],
)
def test_the_level_is_that_of_the_environment(fake, level, shown):
    environment = {} if level is None else {"TF_CPP_MIN_LOG_LEVEL": level}
    program = BEGIN + "import tensorflow\nprint(os.environ['TF_CPP_MIN_LOG_LEVEL'])"

    done = run(program, fake, **environment)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (level or "3")
    assert words(done.stderr) == shown


def test_an_import_that_fails_shows_all_messages(fake):
    done = run(BEGIN + "import tensorflow", fake, FAIL="1")

    assert done.stderr.rstrip().endswith("ImportError: no such processor")
    assert words(done.stderr) == [
        "All log messages",
        "an information",
        "a warning",
        "To enable",
        "an error",
    ]


def test_after_the_import_standard_error_is_what_it_was(fake):
    program = BEGIN + (
        "import tensorflow\n"
        "os.write(2, b'\\nI0000 00:00:1795311808.395315   23842 port.cc:153] mine\\n')\n"
        "print('also mine', file=sys.stderr)"
    )

    shown = run(program, fake).stderr

    assert "port.cc:153] mine" in shown
    assert "also mine" in shown


def test_a_process_without_standard_error_imports_all_the_same(fake):
    (fake / "tensorflow.py").write_text("loaded = True")

    done = run("import os\nos.close(2)" + BEGIN + "import tensorflow\nprint('there')", fake)

    assert done.stdout == "there\n"


def test_without_a_folder_for_temporary_files_it_imports_with_its_messages(fake):
    program = BEGIN + (
        "import tempfile\ntempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
        "import tensorflow\nprint('there')"
    )

    done = run(program, fake)

    assert done.stdout == "there\n", done.stderr
    assert words(done.stderr) == EVERYTHING


@pytest.mark.parametrize(("fails", "printed"), [("", "there\n"), ("1", "no such processor\n")])
def test_where_nobody_reads_standard_error_it_imports_all_the_same(fake, fails, printed):
    program = "import os\nreader, writer = os.pipe()\nos.dup2(writer, 2)\nos.close(reader)" + BEGIN
    program += "try:\n    import tensorflow\n    print('there')\n"
    program += "except ImportError as error:\n    print(error)"

    assert run(program, fake, FAIL=fails).stdout == printed


def test_where_tensorflow_is_imported_only_the_level_is_set(fake):
    program = (
        "import tensorflow, os, sys\nfrom tensorlayer.startup import quiet_tensorflow\n"
        "n = len(sys.meta_path)\nquiet_tensorflow()\n"
        "print(os.environ['TF_CPP_MIN_LOG_LEVEL'], len(sys.meta_path) - n)"
    )

    assert run(program, fake).stdout == "3 0\n"


def test_a_missing_tensorflow_is_missing(tmp_path):
    program = BEGIN + (
        "sys.path = [p for p in sys.path if 'site-packages' not in p]\n"
        "try:\n    import tensorflow\nexcept ModuleNotFoundError as error:\n    print(error)"
    )

    assert run(program, tmp_path).stdout == "No module named 'tensorflow'\n"
