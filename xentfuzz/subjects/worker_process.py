"""A worker: another interpreter that carries out requests, with limits on time, memory and output.

A bare pipe and a shared mapping instead of pebble's or multiprocessing's processes: a worker may need another interpreter, and always needs
its own environment before anything is imported, neither of which those offer; forking is out of the question once an OpenMP runtime has
started; and a call through a pipe costs a fraction of one through their queues and threads.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xentfuzz
from xentfuzz.errors import UsageError
from xentfuzz.subjects.clock import CLOCK, Delay
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import Crash
from xentfuzz.subjects.system import explain_death, has_ended, lack_of_memory_kills, private_memory
from xentfuzz.worker import messages
from xentfuzz.worker.memory import Arena, anonymous_file
from xentfuzz.worker.texts import without_folders

# How often a call that takes long is looked at: memory, life.
TICK = 0.05
# Set in every worker: whatever the implementation starts knows by it where it runs.
WORKER_VARIABLE = "XENTFUZZ_WORKER"
# What is kept of a worker's output for messages.
TAIL = 4096
READ = 1 << 16
# Memory that is worth a word where a call does not return: it may be on its way to the limit.
MUCH = 1 << 30
# Memory by which a call that does not return has to grow to be told from one that loops, or that compiles.
GROWS = 128 << 20
# How long a process may take to end whose pipe is closed, or that has been killed.
PATIENCE = 5.0


@dataclass
class Growth:
    """How the memory of one call that began at a time, and has so many seconds, grows. first: bytes when it was first looked at; late:
    when three quarters of the time had gone; last: now.
    """

    began: float
    seconds: float
    first: int | None = None
    late: int | None = None
    last: int = 0

    def note(self, now: float, size: int) -> None:
        self.first = size if self.first is None else self.first
        self.last = size
        if self.late is None and now - self.began >= 0.75 * self.seconds:
            self.late = size

    @property
    def total(self) -> int:
        return self.last - (self.first or 0)

    @property
    def endless(self) -> bool:
        """Whether it grew by a good part of all that it grew by when most of the time was over."""
        return self.late is not None and self.total > GROWS and (self.last - self.late) * 16 > self.total


class WorkerProcess:
    """environment: variables beside this process's own; python: another interpreter. Raises UsageError where it can't be started.

    waited: seconds of the last request in which the worker waited for a processor that others had.
    """

    def __init__(self, environment: Mapping[str, str], python: str | None, limits: Limits) -> None:
        self.limits = limits
        self.lack_of_memory_kills = lack_of_memory_kills()
        with ExitStack() as ours, ExitStack() as theirs:
            request_end, self._requests = _pipe(read_by=theirs, written_by=ours)
            self._replies, reply_end = _pipe(read_by=ours, written_by=theirs)
            self._output, output_end = _pipe(read_by=ours, written_by=theirs)
            lifeline_end, _ = _pipe(read_by=theirs, written_by=ours)
            descriptor = anonymous_file()
            ours.callback(os.close, descriptor)
            self.arena = Arena(descriptor)
            self.process = _spawn(environment, python, (request_end, reply_end, descriptor, lifeline_end), output_end)
            # From here on they are closed when the worker ends.
            self._end = weakref.finalize(self, _end, self.process, ours.pop_all())
        os.set_blocking(self._output, False)
        os.set_blocking(self._replies, False)
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        self._output_open = True
        self.written = 0
        self.tail = b""
        self.baseline: int | None = None
        self.growth = Growth(0.0, 0.0)
        self._delay = Delay(self.process.pid)
        self._delayed = self.waited = 0.0

    def request(self, message: dict[str, Any], seconds: float, payload: bytes = b"") -> dict[str, Any] | Crash:
        """The reply to a message, or how the worker came to its end. An exception here (an interrupt) ends the worker as well."""
        self.written, self.tail, self.growth = 0, b"", Growth(time.monotonic(), seconds)
        self._delayed = self._delay.seconds()
        try:
            try:
                messages.write_all(self._requests, messages.encode(message) + payload)
            except BrokenPipeError:
                return self._death(" between two calls")
            return self._await(time.monotonic() + seconds, seconds)
        except BaseException:
            self.close()
            raise
        finally:
            self.waited = self._delay.seconds() - self._delayed
            CLOCK.pause(self.waited)

    def close(self) -> None:
        """End the worker and everything that it has started."""
        self._end()

    def note_baseline(self) -> None:
        """Take the memory in use now as what the implementation needs before any call."""
        self.baseline = private_memory(self.process.pid)

    def output(self) -> str:
        """The end of what the worker wrote to its standard streams since the last request, without the folders of files."""
        return without_folders(self.tail.decode(errors="replace").strip())

    def _await(self, deadline: float, seconds: float) -> dict[str, Any] | Crash:
        received = b""
        next_look = time.monotonic() + TICK
        while True:
            now = time.monotonic()
            if now >= next_look:
                crash = self._look(deadline, seconds)
                if crash is not None:
                    return crash
                next_look = now + TICK
            ready = dict(self._poll.poll(max(0.0, next_look - now) * 1000))
            if self._output in ready:
                self._drain()
            if self.written > self.limits.output_bytes:
                return self._flood()
            if self._replies in ready:
                part = os.read(self._replies, READ)
                if not part:
                    return self._death()
                received += part
                size = messages.complete_size(received)
                if size:
                    return self._decoded(received[messages.HEADER.size : size])

    def _decoded(self, body: bytes) -> dict[str, Any] | Crash:
        try:
            return messages.decode(body)
        except ValueError:
            return self._killed("abort", "what it replied is no message: something wrote over the worker's memory or into its pipe")

    def _look(self, deadline: float, seconds: float) -> Crash | None:
        """What is found wrong with a worker that has been silent for a while."""
        if has_ended(self.process.pid):
            return self._death()
        now = time.monotonic()
        grown = self._grown()
        if grown > self.limits.memory_bytes:
            return self._killed("out_of_memory", f"it used more than {self.limits.memory_bytes} bytes beyond what it needs when idle")
        self.growth.note(now, grown)
        # What the worker waited for a processor is no time of its own; but it ends.
        waited = min(self._delay.seconds() - self._delayed, seconds)
        return self._hang(seconds) if now - waited > deadline else None

    def _grown(self) -> int:
        """Bytes beyond what it needs when idle; 0 while that is not known."""
        return 0 if self.baseline is None else private_memory(self.process.pid) - self.baseline

    def _flood(self) -> Crash:
        return self._killed("output_flood", f"it wrote more than {self.limits.output_bytes} bytes to its standard streams in one call")

    def _hang(self, seconds: float) -> Crash:
        self.tail = b""
        grown, endless = self._grown(), self.growth.endless
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGUSR1)
        time.sleep(TICK)
        self._drain()
        if endless:
            words = f"it did not return, and its memory grew without end: by {self.growth.total >> 20} MiB in {seconds:.3g} s"
            return self._killed("out_of_memory", words)
        memory = f", and used {grown / MUCH:.1f} GiB more than when idle" if grown > MUCH else ""
        return self._killed("hang", f"it did not return within {seconds:.3g} s{memory}")

    def _death(self, when: str = "") -> Crash:
        deadline = time.monotonic() + PATIENCE
        while not has_ended(self.process.pid):
            if time.monotonic() > deadline:
                return self._killed("exit", "it closed its pipe to the harness")
            time.sleep(0.001)
        self._drain()
        output = self.output()
        starved = lack_of_memory_kills() > self.lack_of_memory_kills
        self.close()
        kind, message = explain_death(self.process.returncode, starved=starved)
        return Crash(kind, _with_output(message + when, output))

    def _killed(self, kind: str, message: str) -> Crash:
        output = self.output()
        self.close()
        return Crash(kind, _with_output(message, output))

    def _drain(self) -> None:
        while self._output_open:
            try:
                part = os.read(self._output, READ)
            except BlockingIOError:
                return
            if not part:
                # Both streams closed: nothing more will come, and poll would report it for ever.
                self._output_open = False
                self._poll.unregister(self._output)
                return
            self.written += len(part)
            self.tail = (self.tail + part)[-TAIL:]
            if self.written > self.limits.output_bytes:
                return


def _with_output(message: str, output: str) -> str:
    return f"{message}\n{output}" if output else message


def _require_no_worker() -> None:
    """A module that starts a check when it is imported would start one in each worker, without end. Raises UsageError."""
    if WORKER_VARIABLE in os.environ:
        raise UsageError('a worker imports a module that calls xentfuzz itself; put that call under `if __name__ == "__main__":`')


def _pipe(*, read_by: ExitStack, written_by: ExitStack) -> tuple[int, int]:
    """The two ends of a pipe, each closed with the stack of the process that it is for."""
    reading, writing = os.pipe()
    read_by.callback(os.close, reading)
    written_by.callback(os.close, writing)
    return reading, writing


def _spawn(environment: Mapping[str, str], python: str | None, theirs: tuple[int, ...], output: int) -> subprocess.Popen[bytes]:
    _require_no_worker()
    package = Path(xentfuzz.__file__).parent
    command = [python or sys.executable, str(package / "worker" / "bootstrap.py"), str(package), *map(str, theirs), *_path(python)]
    try:
        # A session of its own: an interrupt from the terminal is the parent's business, and what the worker starts ends with it.
        return subprocess.Popen(  # noqa: S603 - the interpreter that the user named
            command,
            env={**os.environ, **environment, WORKER_VARIABLE: "1"},
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(f"can't start {command[0]}: {error.strerror}; python= is the path of a Python interpreter") from None


def _path(python: str | None) -> list[str]:
    """What a worker finds modules on before its own path: this process's path; without installed packages for another interpreter."""
    entries = [entry or str(Path.cwd()) for entry in sys.path]
    if python is None:
        return entries
    foreign = (sys.prefix, sys.base_prefix)
    return [entry for entry in entries if not entry.startswith(foreign) and "-packages" not in entry]


def _end(process: subprocess.Popen[bytes], descriptors: ExitStack) -> None:
    # The group has the number of the worker, which leads a session. It is killed before the worker is waited for: until then the number
    # is nobody else's.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # A driver may hold a killed process for as long as its device is busy.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    descriptors.close()
