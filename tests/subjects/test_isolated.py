"""Whatever an implementation does to its process is found, named, and leaves the next call unharmed."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from xentfuzz.errors import UsageError
from xentfuzz.subjects import worker_process

CRASHES = {
    "segfault": "segfault",
    "bus_error": "segfault",
    "stack_overflow": "segfault",
    "abort": "abort",
    "arithmetic_trap": "abort",
    "garbage_in_every_pipe": "abort",
    "exit_at_once": "exit",
    "sys_exit": "exit",
    "close_everything": "exit",
    "endless_loop": "hang",
    "endless_native_loop": "hang",
    "stop": "hang",
    "ignore_every_signal": "hang",
    "memory_without_end": "out_of_memory",
    "too_much_at_once": "out_of_memory",
    "print_without_end": "output_flood",
    "print_much_and_return": "output_flood",
    "die_of_kill": "worker_killed",
    "die_of_terminate": "worker_killed",
}
RAISES = {
    "interrupt": ("KeyboardInterrupt", ""),
    "raise_unspeakable": ("Unspeakable", "(its message is not available: str() raised ValueError)"),
    "raise_rude": ("Rude", "(its message is not available: str() raised SystemExit)"),
    "raise_base": ("Foundation", "below Exception"),
    "recursion": ("RecursionError", "maximum recursion depth exceeded"),
}


def answers(outcome):
    return outcome.results == {"value": 0.0}


@pytest.mark.parametrize(("name", "kind"), CRASHES.items())
def test_a_crash_is_named_and_the_next_call_works(isolated, make_call, harm, name, kind):
    subject = isolated(f"harmful:{name}", call_seconds=1 if kind == "hang" else 60)
    assert answers(subject.call(make_call()))
    outcome = subject.call(harm)
    assert outcome.crash is not None
    assert outcome.crash.kind == kind, outcome.crash
    assert answers(subject.call(make_call()))


@pytest.mark.parametrize("name", ["sys_exit", "too_much_at_once", "close_streams"])
def test_a_worker_that_could_go_on_is_replaced_where_its_state_is_in_doubt(isolated, make_call, harm, name):
    subject = isolated(f"harmful:{name}")
    before = subject.worker.process.pid
    subject.call(harm)
    subject.call(make_call())
    assert subject.worker.process.pid != before


@pytest.mark.parametrize(("name", "raised"), RAISES.items())
def test_an_exception_is_reported_and_the_worker_goes_on(isolated, make_call, harm, name, raised):
    subject = isolated(f"harmful:{name}")
    before = subject.worker
    outcome = subject.call(harm)
    assert outcome.raised is not None
    assert (outcome.raised.types[0], outcome.raised.message.splitlines()[:1]) == (raised[0], raised[1].splitlines())
    assert answers(subject.call(make_call()))
    assert subject.worker is before


def test_a_long_message_is_shortened(isolated, harm):
    outcome = isolated("harmful:raise_long").call(harm)
    assert 100 < len(outcome.raised.message) < 10_000


@pytest.mark.parametrize(("name", "closed"), {"close_descriptors": ["stdout", "stderr"], "close_streams": ["stdout"]}.items())
def test_closed_streams_are_noted_and_open_again_for_the_next_call(isolated, make_call, harm, name, closed):
    subject = isolated(f"harmful:{name}")
    outcome = subject.call(harm)
    assert answers(outcome)
    assert outcome.notes["closed_streams"] == closed
    assert "closed_streams" not in subject.call(make_call()).notes


def test_what_a_call_prints_is_noted_with_that_call(isolated, make_call, harm):
    subject = isolated("harmful:print_a_line")
    assert subject.call(harm).notes["output"] == "here I am"
    assert "output" not in subject.call(make_call()).notes


def test_a_segmentation_fault_is_reported_with_the_place(isolated, harm):
    message = isolated("harmful:segfault").call(harm).crash.message
    assert message.startswith("segmentation fault (SIGSEGV)")
    assert 'File "harmful.py"' in message
    assert str(Path.cwd()) not in message


def test_a_hang_is_reported_with_the_place(isolated, make_call, harm):
    subject = isolated("harmful:endless_loop", call_seconds=1)
    subject.call(make_call())
    message = subject.call(harm).crash.message
    assert message.startswith("it did not return within")
    assert 'File "harmful.py"' in message


def test_a_hang_that_uses_much_memory_says_so(isolated, make_call, harm, monkeypatch):
    monkeypatch.setattr(worker_process, "MUCH", 1 << 26)
    subject = isolated("harmful:loops_with_much_memory", call_seconds=2)
    subject.call(make_call())
    assert subject.call(harm).crash.message.startswith("it did not return within 2 s, and used 2.0 GiB more than when idle")


def test_a_fork_that_returns_from_the_call_does_not_answer_twice(isolated, make_call, harm):
    subject = isolated("harmful:return_twice")
    assert subject.call(harm).results == {"value": 1.0}
    assert answers(subject.call(make_call()))


def test_a_worker_that_died_between_calls_is_reported_once(isolated, make_call):
    subject = isolated("harmful:segfault")
    os.kill(subject.worker.process.pid, signal.SIGKILL)
    subject.worker.process.wait()
    crash = subject.call(make_call()).crash
    assert crash.kind == "worker_killed"
    assert "between two calls" in crash.message
    assert answers(subject.call(make_call()))


def test_a_crash_after_the_call_is_found_at_the_next_one(isolated, make_call, harm):
    subject = isolated("harmful:crash_later")
    assert answers(subject.call(harm))
    subject.worker.process.wait()
    assert subject.call(make_call()).crash.kind == "abort"
    assert answers(subject.call(make_call()))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually_gone(pid):
    for _ in range(200):
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_what_a_call_started_ends_with_the_worker(isolated, harm):
    subject = isolated("harmful:leave_a_process")
    pid = int(subject.call(harm).results["value"])
    assert is_alive(pid)
    subject.close()
    assert eventually_gone(pid)


def test_a_forgotten_subject_leaves_no_process(isolated):
    subject = isolated("harmful:segfault")
    worker = subject.worker
    pid = worker.process.pid
    subject.worker = None
    del worker
    gc.collect()
    assert eventually_gone(pid)


ORPHAN = """
import sys, threading, time
sys.path[:0] = {path!r}
import numpy as np
from xentfuzz.arrays import StridedArray
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.outcome import Call
subject = Isolated(Implementation("subject", {forward!r}))
arrays = {{"logits": StridedArray.of(np.full((2, 3), 666, np.float32)), "target": StridedArray.of(np.array([0, 1]))}}
print(subject.worker.process.pid, flush=True)
subject.call(Call("forward", arrays, {{}}))
"""


@pytest.mark.parametrize("forward", ["harmful:endless_native_loop", "harmful:ignore_every_signal"])
def test_a_worker_dies_with_its_parent_even_in_the_middle_of_a_hang(forward):
    path = [str(Path(__file__).parent), *(entry for entry in sys.path if entry)]
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN.format(path=path, forward=forward)], stdout=subprocess.PIPE, text=True)
    with parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        assert is_alive(pid)
        parent.kill()
    assert eventually_gone(pid)


def test_an_interrupt_ends_the_worker_in_the_middle_of_a_call(isolated, make_call, harm, monkeypatch):
    subject = isolated("harmful:endless_loop")
    pid = subject.worker.process.pid

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(subject.worker, "_look", interrupted)
    with pytest.raises(KeyboardInterrupt):
        subject.call(harm)
    assert eventually_gone(pid)
    subject.close()
    assert answers(subject.call(make_call()))


def test_a_first_call_may_take_longer_than_a_warm_one(isolated, make_call, tmp_path):
    module = tmp_path / "compiles.py"
    module.write_text(
        "import time\nseen = set()\ndef forward(logits, target):\n"
        "    if logits.dtype not in seen: time.sleep(0.6)\n    seen.add(logits.dtype)\n"
        "    if logits.flat[0] > 100: time.sleep(0.6)\n    return logits.dtype.type(0)\n"
    )
    subject = isolated(f"{module}:forward", call_seconds=0.3)
    first, warm = subject.call(make_call()), subject.call(make_call())
    assert (first.compiled, answers(first)) == (True, True)
    assert (warm.compiled, answers(warm)) == (False, True)
    assert subject.call(make_call(logits=np.zeros((2, 3)))).compiled
    assert subject.call(make_call(logits=np.full((2, 3), 666.0))).crash.kind == "hang"
    assert subject.call(make_call(logits=np.zeros((2, 3)))).compiled


def test_arrays_larger_than_the_arena_make_it_grow(isolated, make_call):
    logits = np.arange(3_000_000, dtype=np.float64).reshape(1000, 3000)
    subject = isolated("arrays_and_results:copy_of_logits")
    np.testing.assert_array_equal(subject.call(make_call(logits=logits)).results["value"], logits)
    small = np.ones((2, 3))
    np.testing.assert_array_equal(subject.call(make_call(logits=small)).results["value"], small)


def test_the_environment_is_set_before_anything_is_imported(isolated, make_call):
    subject = isolated("arrays_and_results:environment_at_import", environment={"XENTFUZZ_TEST": "42"})
    assert subject.call(make_call()).results == {"value": 42.0}


def test_a_worker_imports_the_subject_and_numpy_only(isolated, make_call):
    assert answers(isolated("arrays_and_results:needless_modules").call(make_call()))


SCRIPT = """
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.open import open_subject

def forward(logits, target):
    return logits.dtype.type(0)

if __name__ == "__main__":
    subject = open_subject(Implementation("subject", forward), isolate=True)
    print(*subject.capabilities.dtypes)
    subject.close()
"""


def test_a_script_may_hand_over_its_own_function(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["float16", "bfloat16", "float32", "float64"]


def test_another_interpreter_gets_none_of_our_packages(isolated, make_call, tmp_path):
    if sys.prefix == sys.base_prefix:
        pytest.skip("needs a virtual environment: the interpreter outside of it is the other one")
    packages = Path(np.__file__).parent.parent
    (tmp_path / "packages").mkdir()
    for entry in packages.glob("numpy*"):
        (tmp_path / "packages" / entry.name).symlink_to(entry)
    environment = {"PYTHONPATH": str(tmp_path / "packages"), "XENTFUZZ_TEST_FOREIGN": str(packages)}
    subject = isolated("arrays_and_results:foreign_folders", python=str(Path(sys.executable).resolve()), environment=environment)
    assert subject.call(make_call()).results == {"value": 0.0}


def test_availability_is_asked_of_the_interpreter_that_is_named(isolated):
    with pytest.raises(UsageError, match=f"can't run in {sys.executable}: no such library here"):
        isolated("arrays_and_results:foreign_folders", python=sys.executable, unavailable="arrays_and_results:no_library")


@pytest.fixture
def modules_that_fail(tmp_path, monkeypatch):
    (tmp_path / "fails_to_import.py").write_text("1 / 0\n")
    (tmp_path / "exits_on_import.py").write_text("import os\nos._exit(5)\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(
    ("forward", "declaration", "message"),
    [
        ("no_such_module:f", {}, "no module named 'no_such_module'"),
        ("harmful:segfalt", {}, "did you mean 'segfault'?"),
        ("harmful:np", {}, "can't be called"),
        ("fails_to_import:f", {}, "failed to import: ZeroDivisionError: division by zero"),
        ("exits_on_import:f", {}, "its worker ended while it was loaded: the process exited with status 5"),
        ("harmful:segfault", {"python": "/no/such/python"}, "can't start /no/such/python: No such file or directory"),
        (lambda logits, target: 0, {}, "can't be found by another process"),
        ("harmful:segfault", {"fixed": {"key": lambda: 0}}, "can't be sent to another process"),
    ],
)
@pytest.mark.usefixtures("modules_that_fail")
def test_what_cannot_be_loaded_is_wrong_usage(isolated, forward, declaration, message):
    with pytest.raises(UsageError) as error:
        isolated(forward, **declaration)
    assert message in str(error.value)
