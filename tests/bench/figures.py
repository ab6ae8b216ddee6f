"""Print the figures that the project wants to reach, next to what this machine gives: medians, and measured / wanted. Nothing is asserted.

python tests/bench/figures.py [NAME...]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MIB = 1 << 20


@dataclass(frozen=True)
class Figure:
    """wanted: at most this much, or at least where `more_is_better`."""

    name: str
    unit: str
    wanted: float
    measure: Callable[[], float]
    more_is_better: bool = False

    def line(self) -> str:
        measured = self.measure()
        bound = "at least" if self.more_is_better else "at most"
        return f"{self.name:<34} {measured:>10.3f} {self.unit:<8} {bound:>8} {self.wanted:<7g} ratio {measured / self.wanted:.2f}"


def seconds_of(command: list[str], rounds: int = 7) -> float:
    """Median of several runs, after one that fills the caches of the disk."""
    durations = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=True)
        durations.append(time.perf_counter() - began)
    return statistics.median(durations[1:])


def program(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("xentfuzz")), *arguments]


def help_seconds() -> float:
    return seconds_of(program("--help"))


def import_seconds() -> float:
    return seconds_of([sys.executable, "-c", "import xentfuzz"]) - seconds_of([sys.executable, "-c", "pass"])


def quick_run_seconds() -> float:
    with tempfile.TemporaryDirectory() as folder:
        return seconds_of(program("run", "--profile", "quick", "--seed", "0", "--out", folder), rounds=1)


def cases_per_second() -> float:
    """Small ordinary cases of all dtypes on the NumPy implementation: drawn, expanded, and judged by value and by gradient, on one core."""
    from xentfuzz import get
    from xentfuzz.checks.results import gradient, value
    from xentfuzz.checks.stricter import StricterGrades
    from xentfuzz.checks.trial import Trial
    from xentfuzz.dtypes import FLOAT_NAMES
    from xentfuzz.implementation import DEFAULT_GRADE
    from xentfuzz.operations import get_operation
    from xentfuzz.operations.grades import parse_grade
    from xentfuzz.recipes.corpus import draw_corpus
    from xentfuzz.recipes.expand import expand
    from xentfuzz.recipes.space import Space
    from xentfuzz.subjects.open import open_subject

    operation, subject, count = get_operation("cross_entropy"), open_subject(get("numpy"), isolate=False), 250
    options = {option.name: None for option in operation.options if not option.opt_in}
    # As for an implementation that declares no grade: its results are held to a stricter one too.
    stricter = StricterGrades.than(parse_grade(DEFAULT_GRADE))
    began = time.process_time()
    for dtype in FLOAT_NAMES:
        for recipe in draw_corpus(Space("cross_entropy", dtype, options=options, largest=1024, long=0), 0, count):
            case = expand(recipe)
            trial = Trial(operation, case, operation.evaluate(case), subject, stricter=stricter)
            value(trial)
            gradient(trial)
    return count * len(FLOAT_NAMES) / (time.process_time() - began)


ROWS, CLASSES = 1024, 32000


def harness_memory() -> float:
    """Peak of what exact result, bounds and comparison of a large case allocate, in MiB."""
    from xentfuzz.checks.compare import compare
    from xentfuzz.operations import get_operation
    from xentfuzz.operations.grades import parse_grade
    from xentfuzz.recipes.expand import expand
    from xentfuzz.recipes.recipe import ArrayRecipe, Recipe

    arrays = {"logits": ArrayRecipe(), "target": ArrayRecipe("uniform"), "grad_output": ArrayRecipe("ones")}
    case = expand(Recipe("cross_entropy", "float32", (ROWS, CLASSES), arrays))
    outputs = {"value": np.zeros((), np.float32), "grad_logits": np.zeros((ROWS, CLASSES), np.float32)}
    tracemalloc.start()
    evaluation = get_operation("cross_entropy").evaluate(case)
    for output, got in outputs.items():
        compare(got, evaluation, output, parse_grade("lse/any"), "float32")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MIB


FIGURES = (
    Figure("xentfuzz --help", "s", 0.3, help_seconds),
    Figure("import xentfuzz over bare Python", "s", 0.15, import_seconds),
    Figure("cases per second, value + gradient", "/s", 300.0, cases_per_second, more_is_better=True),
    Figure(f"memory of a {ROWS} x {CLASSES} case", "MiB", 8 * ROWS * CLASSES / MIB + 256, harness_memory),
    Figure("xentfuzz run --profile quick", "s", 180.0, quick_run_seconds),
)


def main(wanted: list[str]) -> None:
    for figure in FIGURES:
        if not wanted or any(word in figure.name for word in wanted):
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
