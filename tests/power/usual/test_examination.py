"""What gives an implementation away, and what does not."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from xentfuzz.errors import UnknownName
from xentfuzz.gallery.catalogue import entry
from xentfuzz.power.usual import examination
from xentfuzz.power.usual.case import Arguments
from xentfuzz.power.usual.close import numpy_close
from xentfuzz.power.usual.examination import EXAMINING, Examination, UsualTask, cases_of, examine, examine_all
from xentfuzz.power.usual.method import Method
from xentfuzz.power.usual.reference import case_of

LOGITS, TARGET = np.float32([[0, 1, 3], [2, 0, 1]]), np.array([0, 1])
RIGHT = case_of(Arguments(LOGITS, TARGET), numpy_close(), upstream=1.0)
WRONG = replace(RIGHT, loss=RIGHT.loss + 1)


@pytest.fixture
def method(monkeypatch):
    """A method of two right cases and one that is itself wrong."""
    made = Method("made up", "", "", lambda: [RIGHT, WRONG, RIGHT])
    monkeypatch.setitem(examination.METHODS, made.name, made)
    yield made.name
    cases_of.cache_clear()


@pytest.fixture
def kernel(monkeypatch, method):
    """Examines a kernel that is given, in the place of an entry's."""

    def examined(**functions):
        honest = entry("two_pass_shift")
        kernel = honest.kernel()
        steps = {"forward": kernel.forward, "backward": kernel.backward, **functions}
        made = replace(honest, kernel=lambda: SimpleNamespace(**steps))
        cases_of(method)
        monkeypatch.setattr(examination, "entry", lambda _: made)
        return examine(UsualTask(method, "given"))

    return examined


def raise_error(*_, **__):
    raise ZeroDivisionError


def test_cases_that_a_right_implementation_fails_are_left_out(method):
    cases = cases_of(method)
    assert (len(cases.kept), len(cases.dropped)) == (2, 1)
    run = examine(UsualTask(method, "log1p_of_the_others"))
    assert (run.found, run.compared, run.dropped, run.left_out) == ("", 2, "loss differs", 1)


@pytest.mark.parametrize(
    ("functions", "found"),
    [
        ({"forward": lambda *_, **__: np.float32(0)}, "loss differs"),
        ({"forward": lambda *_, **__: np.full(1, RIGHT.loss)}, "loss of another shape"),
        ({"forward": lambda *_, **__: np.float32(np.nan)}, "loss differs"),
        ({"forward": raise_error}, "raised ZeroDivisionError"),
        ({"backward": lambda *_, **__: RIGHT.gradient * np.float32(1.01)}, "gradient differs"),
        ({"backward": lambda *_, **__: RIGHT.gradient[:1]}, "gradient of another shape"),
        ({"backward": lambda *_, **__: RIGHT.gradient}, ""),
    ],
)
def test_what_gives_an_implementation_away(kernel, functions, found):
    run = kernel(**functions)
    assert run.found == found
    assert run.compared == (1 if found else 2)


def test_no_answer_in_time_is_a_find(kernel, monkeypatch):
    monkeypatch.setattr(examination, "SECONDS_FOR_A_CASE", 0.05)
    assert kernel(forward=lambda *_, **__: time.sleep(5)).found == "raised TimeoutError"


def test_what_nothing_can_be_asked_of_is_not_found(method):
    run = examine(UsualTask(method, "float32_loss"))
    assert (run.found, run.compared, run.dropped) == ("", 0, "")


def test_a_process_that_died_is_a_find():
    assert EXAMINING.died(UsualTask("numpy.allclose", "R13")) == Examination("numpy.allclose", "R13", "its process died", 1)


def test_an_unknown_method_is_named():
    with pytest.raises(UnknownName, match=r"did you mean 'numpy.allclose'"):
        examine(UsualTask("numpy.alclose", "R02"))


def test_tasks_are_examined_in_other_processes():
    tasks = [UsualTask("robust-kbench", name) for name in ("R90", "two_pass_shift")]
    runs = {run.entry: run for run in examine_all(tasks, jobs=1)}
    assert runs["R90"].found
    assert (runs["two_pass_shift"].found, runs["two_pass_shift"].compared) == ("", 2)
