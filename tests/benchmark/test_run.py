"""The benchmark on implementations of this process: right, wrong, and without a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from xentfuzz.benchmark import growth, roof, run
from xentfuzz.benchmark.bandwidth import Bandwidth
from xentfuzz.benchmark.grid import Grid, GrowthGrid
from xentfuzz.errors import UnknownName
from xentfuzz.implementation import Implementation
from xentfuzz.runner.events import BenchmarkFinished, Progress

LOSS, LOSS_AND_GRADIENT = "loss", "loss+gradient"


def probabilities(logits: Any) -> Any:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def forward(logits: Any, target: Any) -> Any:
    rows = np.arange(len(target))
    return -np.log(probabilities(logits)[rows, target]).mean(dtype=logits.dtype)


def backward(grad_output: Any, logits: Any, target: Any) -> Any:
    gradient = probabilities(logits)
    gradient[np.arange(len(target)), target] -= 1
    return gradient * (grad_output / len(target)).astype(logits.dtype)


def overwriting(logits: Any, target: Any) -> Any:
    loss = forward(logits, target)
    logits[...] = backward(np.float32(1), logits, target)
    return loss, logits


def doubled(grad_output: Any, logits: Any, target: Any) -> Any:
    return 2 * backward(grad_output, logits, target)


SUPPORTS = {"targets": ("index",), "target_dtypes": ("int64",), "ranks": (2,), "options": {}}


def declared(name: str, **changes: Any) -> Implementation:
    return Implementation(name, **{"forward": forward, "backward": backward, "dtypes": ("float32",), "supports": SUPPORTS} | changes)


@pytest.fixture(autouse=True)
def tiny_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "get_grid", lambda _profile: Grid(("float32",), ((4, 3),), 0.01))
    monkeypatch.setattr(roof, "measure_bandwidth", lambda threads, size: Bandwidth(1e12, 2e12, threads))
    monkeypatch.setattr(roof, "measure_exponentials", lambda dtype, threads: 1e12)


def rows(*implementations: Implementation, **options: Any) -> dict[tuple[str, str], dict[str, Any]]:
    record = run.benchmark(implementations, isolate=False, **options)
    return {(row["implementation"], row["measure"]): row for row in record["rows"]}


def test_loss_and_gradient_are_timed_with_their_functions() -> None:
    found = rows(declared("mine"))
    assert found["mine", LOSS]["functions"] == ["forward"]
    assert found["mine", LOSS_AND_GRADIENT]["functions"] == ["forward", "backward"]
    assert all(row["status"] == "timed" and row["stats"]["median"] > 0 for row in found.values())


def test_a_fused_call_is_preferred_and_gets_fresh_arrays_every_round() -> None:
    found = rows(declared("mine", value_and_grad=overwriting, mutates=("logits",), aliases=True))
    assert found["mine", LOSS_AND_GRADIENT]["functions"] == ["value_and_grad"]
    assert found["mine", LOSS_AND_GRADIENT]["status"] == "timed"


def test_what_is_wrong_has_failed_and_no_time() -> None:
    found = rows(declared("mine", backward=doubled))
    assert found["mine", LOSS]["status"] == "timed"
    assert found["mine", LOSS_AND_GRADIENT]["status"] == "failed"
    assert "gradient" in found["mine", LOSS_AND_GRADIENT]["reason"]
    assert "stats" not in found["mine", LOSS_AND_GRADIENT]


def test_an_exception_in_a_later_round_is_a_failure_without_time() -> None:
    calls = iter(range(3))

    def tires(logits: Any, target: Any) -> Any:
        if next(calls, None) is None:
            raise RuntimeError("no more")
        return forward(logits, target)

    found = rows(declared("mine", forward=tires))
    assert found["mine", LOSS]["status"] == "failed"
    assert "no more" in found["mine", LOSS]["reason"]


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"simulator": True}, "simulator", "simulator"),
        ({"unavailable": lambda: "no such device"}, "unavailable", "no such device"),
        ({"dtypes": ("float64",)}, "unsupported", "float32 logits"),
        ({"supports": SUPPORTS | {"largest_class_count": 2}}, "unsupported", "more than 2 classes"),
        ({"supports": SUPPORTS | {"class_count_divisor": 2}}, "unsupported", "2 doesn't divide"),
        ({"supports": SUPPORTS | {"targets": ("probabilities",)}}, "unsupported", "index targets"),
        ({"supports": SUPPORTS | {"ranks": (3,)}}, "unsupported", "2-d logits"),
    ],
)
def test_what_cannot_be_timed_says_why(changes: dict[str, Any], status: str, reason: str) -> None:
    row = rows(declared("mine", **changes))["mine", LOSS]
    assert row["status"] == status
    assert reason in row["reason"]


def test_without_a_gradient_the_loss_alone_is_timed() -> None:
    found = rows(declared("mine", backward=None))
    assert found["mine", LOSS]["status"] == "timed"
    assert found["mine", LOSS_AND_GRADIENT]["status"] == "unsupported"


def test_speed_is_relative_to_the_baseline() -> None:
    found = rows(declared("mine"), declared("other"), relative_to="other")
    assert found["other", LOSS]["speed"] == 1.0
    medians = [found[name, LOSS]["stats"]["median"] for name in ("other", "mine")]
    assert found["mine", LOSS]["speed"] == medians[0] / medians[1]


def test_other_operations_are_left_out() -> None:
    assert rows(declared("mine", operation="softmax")) == {}


def test_listeners_hear_of_the_progress_and_of_the_record() -> None:
    events: list[Any] = []
    rows(declared("mine"), listeners=[events.append])
    assert [(event.check, event.done, event.total) for event in events if isinstance(event, Progress)] == [
        (LOSS, 0, 2),
        (LOSS_AND_GRADIENT, 1, 2),
    ]
    assert isinstance(events[-1], BenchmarkFinished)


def test_an_interruption_keeps_what_was_timed() -> None:
    def interrupted(event: Any) -> None:
        if isinstance(event, Progress) and event.done == 1:
            raise KeyboardInterrupt

    record = run.benchmark([declared("mine")], isolate=False, listeners=[interrupted])
    assert record["interrupted"]
    assert [row["measure"] for row in record["rows"]] == [LOSS]


def test_a_baseline_that_is_not_timed_is_named() -> None:
    with pytest.raises(UnknownName, match=r"unknown implementation to give speed relative to 'other' \(known: mine"):
        rows(declared("mine"), relative_to="other")


def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(UnknownName):
        run.benchmark([], profile="quik")


def test_how_cost_grows_is_measured_over_each_axis_where_the_grid_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    grids = SimpleNamespace(growth=GrowthGrid(24, (3, 6), (2, 4), 5, (4, 3), 0.01), baseline="nobody")
    monkeypatch.setattr(growth, "stored_grids", lambda: grids)
    grid = Grid(("float32",), ((4, 3),), 0.01, growth=True)
    found = run.benchmark([declared("mine")], isolate=False, grid=grid, threads=1)["growth"]
    losses = {axis: [point for point in points if point["measure"] == LOSS] for axis, points in found.items()}
    assert [point["shape"] for point in losses["classes"]] == [[8, 3], [4, 6]]
    assert [point["shape"] for point in losses["rows"]] == [[2, 5], [4, 5]]
    assert [(point["threads"], point["shape"]) for point in losses["threads"]] == [(1, [4, 3])]
    assert all(0 < point["q1"] <= point["median"] <= point["q3"] for points in found.values() for point in points)


def test_growth_that_is_not_asked_for_is_not_in_the_record() -> None:
    assert "growth" not in run.benchmark([declared("mine")], isolate=False)


def test_threads_are_doubled_up_to_as_many_as_there_are() -> None:
    plans = growth.growth_plans(GrowthGrid(24, (3,), (2,), 5, (4, 3), 0.01), 6)
    assert [count for axis, count, _ in plans if axis == "threads"] == [1, 2, 4, 6]
    assert {count for axis, count, _ in plans if axis != "threads"} == {6}
