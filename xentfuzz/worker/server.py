"""The worker's main loop: read a request, carry it out, reply."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.worker import watch
from xentfuzz.worker.callee import Answer, Callee
from xentfuzz.worker.describe import describe_callee, describe_target
from xentfuzz.worker.memory import Arena
from xentfuzz.worker.messages import encode, read_exactly, read_message, write_all
from xentfuzz.worker.surroundings import fingerprint
from xentfuzz.worker.texts import message_of, raised_from
from xentfuzz.worker.wire import answer_message, arrays_in


@dataclass
class Server:
    """replies: the pipe back. owner: this process, which a fork of it made by an implementation is not."""

    requests: int
    replies: int
    arena: Arena
    callee: Callee | None = None
    owner: int = 0

    def serve(self) -> None:
        """Until the parent closes the pipe."""
        self.owner = os.getpid()
        while True:
            try:
                request = read_message(self.requests)
            except EOFError:
                return
            reply = self._reply(request)
            write_all(self.replies, encode(reply))

    def _reply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["do"] == "call":
            return self._call(request)
        try:
            if request["do"] == "load":
                self.callee = Callee(pickle.loads(read_exactly(self.requests, request["size"])))  # noqa: S301 - from the parent
                self.callee.baseline = fingerprint()
                return {"loaded": describe_callee(self.callee)}
            return {"target": describe_target(request["reference"], request["positional"])}
        except UsageError as error:
            return {"error": str(error)}
        except BaseException as error:  # noqa: BLE001 - an array library that is missing or broken
            return {"error": f"{type(error).__name__}: {message_of(error)}"}

    def _call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.callee is not None
        self.arena.reach(request["free"])
        arrays = arrays_in(self.arena, request["arrays"])
        try:
            answer = self.callee.call(request["function"], arrays, request["options"])
        except KeyboardInterrupt as error:
            # Nobody interrupts a worker: it has no terminal.
            answer = Answer(raised=raised_from(error), seconds=self.callee.seconds)
        if os.getpid() != self.owner:
            os._exit(0)
        return {**answer_message(self.arena, answer, request["free"]), "closed": closed_streams()}


def closed_streams() -> list[str]:
    """The standard streams that can't be written to any more; what is buffered in them is written now, so that it belongs to this call."""
    closed = []
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        try:
            os.fstat(descriptor)
            stream = getattr(sys, name)
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            closed.append(name)
    return closed


def main(requests: int, replies: int, arena: int, lifeline: int) -> None:
    watch.die_with(lifeline)
    watch.offer_to_memory_killer()
    watch.report_crashes()
    with contextlib.suppress(BrokenPipeError):
        Server(requests, replies, Arena(arena)).serve()
    # Threads that an implementation left behind, and its functions registered for the interpreter's end, are of no use any more.
    os._exit(0)
