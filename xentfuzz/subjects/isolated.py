"""An implementation that is called in a worker of its own: whatever it does to the process, this one goes on."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.compiled_code import kept_for_workers
from xentfuzz.subjects.in_process import notices_of, outcome_of, results_of
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import Call, Crash, Outcome
from xentfuzz.subjects.planning import plan_of, spelling_of, values_in_force
from xentfuzz.subjects.specialisation import Specialisations, specialisation
from xentfuzz.subjects.worker_process import WorkerProcess
from xentfuzz.worker.plan import Plan
from xentfuzz.worker.texts import one_line
from xentfuzz.worker.wire import answer_in, arrays_in, put_arrays


class Isolated:
    """A worker that came to its end is replaced for the next call. environment: variables of the worker, beside those that are declared.

    Raises UsageError where the implementation can't be loaded.
    """

    capabilities: Capabilities
    isolated = True

    def __init__(self, implementation: Implementation, limits: Limits | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.implementation = implementation
        self.environment = {**implementation.environment, **(environment or {})}
        self.limits = limits or Limits()
        self._plan = plan_of(implementation, elsewhere=True)
        self._packed = self._pack()
        self.specialisations = Specialisations()
        self._description: dict[str, Any] = {}
        self.worker: WorkerProcess | None = None
        self.notices: set[str] = set()
        self._started()

    def describe(self) -> dict[str, Any]:
        """The form and the parameters of each function."""
        return self._description

    def differentiate(self, arguments: tuple[str, ...]) -> None:
        """Ask autodiff for the gradients of these arguments only."""
        self._change(replace(self._plan, differentiable=arguments))

    def assume_renames(self, renames: dict[str, str]) -> None:
        """Pass what we call `ours` under its own name: own -> ours."""
        self.implementation = replace(self.implementation, renames=renames)
        self._change(replace(self._plan, spelling=spelling_of(self.implementation)))

    def assume_options(self, options: dict[str, tuple[Any, ...]]) -> None:
        """Take these values of options as declared, and the rest as not."""
        self.implementation = replace(self.implementation, supports={"options": options}, probed=True)
        self._change(replace(self._plan, in_force=values_in_force(self.implementation)))

    def _change(self, plan: Plan) -> None:
        self._plan = plan
        self._packed = self._pack()
        if self.worker is not None:
            self._load(self.worker)

    def _pack(self) -> bytes:
        try:
            return pickle.dumps(self._plan, protocol=4)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(f"{self.implementation.name}: fixed holds what can't be sent to another process: {error}") from None

    def call(self, call: Call) -> Outcome:
        try:
            worker = self._started()
        except UsageError as error:
            # It was loaded once: what keeps it from being loaded again is its own doing.
            return Outcome(crash=Crash("abort", f"it can't be loaded a second time: {error}"))
        key = specialisation(call)
        new = self.specialisations.is_new(key)
        described, free = put_arrays(worker.arena, call.arrays)
        message = {"do": "call", "function": call.function, "arrays": described, "options": dict(call.options), "free": free}
        try:
            reply = worker.request(message, call.seconds or self.specialisations.time_limit(key, self.limits))
        except BaseException:
            # An interrupt has ended the worker; what is shrunk and reported after it needs another one.
            self.close()
            raise
        if isinstance(reply, Crash):
            self.specialisations.hung |= reply.kind == "hang"
            self.close()
            return Outcome(crash=reply, compiled=new)
        answered = self._outcome(worker, call, described, reply, compiled=new)
        outcome = replace(answered, seconds=max(0.0, answered.seconds - worker.waited))
        self.specialisations.note(key, call, outcome.seconds)
        if outcome.crash is not None or "closed_streams" in outcome.notes:
            self.close()
        return outcome

    def close(self) -> None:
        """The next call starts a new worker, which has compiled nothing."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None
        self.specialisations.forget()

    def _outcome(self, worker: WorkerProcess, call: Call, described: dict[str, Any], reply: dict[str, Any], *, compiled: bool) -> Outcome:
        try:
            answer = answer_in(worker.arena, reply)
        except (ValueError, LookupError, TypeError):
            return Outcome(
                crash=Crash("abort", "what it replied makes no sense: something wrote over the worker's memory"), compiled=compiled
            )
        notes = {name: value for name, value in (("closed_streams", reply["closed"]), ("output", worker.output())) if value}
        self.notices.update(notices_of(answer))
        after = arrays_in(worker.arena, described)
        return outcome_of(answer, results_of(answer, copy=False), call.arrays, after, compiled=compiled, notes=notes)

    def _started(self) -> WorkerProcess:
        if self.worker is None:
            environment = {**kept_for_workers(self.environment), **self.environment}
            worker = WorkerProcess(environment, self.implementation.python, self.limits)
            self._load(worker)
            worker.note_baseline()
            self.worker = worker
        return self.worker

    def _load(self, worker: WorkerProcess) -> None:
        reply = worker.request({"do": "load", "size": len(self._packed)}, self.limits.load_seconds, self._packed)
        if isinstance(reply, Crash):
            raise UsageError(f"{self.implementation.name}: its worker ended while it was loaded: {one_line(reply.message)}")
        if "error" in reply:
            worker.close()
            raise UsageError(f"{self.implementation.name}: {reply['error']}")
        self._description = reply["loaded"]
