"""What several threads find at once is told as one finding."""

from __future__ import annotations

import threading

import pytest

from xentfuzz.worker.protocols import threads

SECONDS = 20.0


class Scene:
    """Two steps that are right alone; together the first raises and the second gives something else, both at the same moment."""

    steps = (0, 1)

    def __init__(self, duration=SECONDS):
        self.parameters = {"duration": duration}
        self.alone = [0, 1]
        self.together = threading.Barrier(2)

    def run(self, step):
        if self.alone:
            return {"value": self.alone.pop(0)}
        self.together.wait(SECONDS)
        if step == 0:
            message = "busy"
            raise RuntimeError(message)
        return {"value": 7}

    def snapshot(self, outputs):
        return outputs


class Right(Scene):
    """Nothing but right results."""

    def run(self, step):
        return {"value": step}


@pytest.mark.parametrize("repeat", range(5))
def test_an_exception_and_another_result_at_once_are_not_mixed(repeat):
    found = threads.run(Scene())
    assert found in (
        {"step": 0, "calls": found["calls"], "error": "RuntimeError: busy", "output": ""},
        {"step": 1, "calls": 1, "error": "", "output": "value", "together": 7, "alone": 1},
    )


def test_right_results_are_counted():
    found = threads.run(Right(duration=0.01))
    assert found["calls"] > 0
    assert found == {"step": -1, "calls": found["calls"], "error": "", "output": ""}


class OfItsThread(Scene):
    """Another sum in the thread that has loaded the library than in every later one, as where each has a number of threads of its own."""

    def run(self, step):
        return {"value": step + (threading.current_thread() is threading.main_thread())}


def test_what_differs_between_the_first_thread_and_all_others_is_no_disturbance():
    assert threads.run(OfItsThread(duration=0.01))["step"] == -1
