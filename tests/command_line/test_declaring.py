"""What a target is can be said by options, without a Python file."""

from __future__ import annotations

import shlex

import pytest

from xentfuzz.command_line import values
from xentfuzz.command_line.main import main
from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.reports.card import card_fields
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import capabilities_of
from xentfuzz.subjects.target import resolve

KERNEL = """
import numpy as np


def loss(logits, target, *, pad=-100, mode, red="mean"):
    if mode != "fast":
        raise ValueError(mode)
    return np.asarray(0, logits.dtype)
"""


def test_spelling_values_and_limits_are_told_by_options(tmp_path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    told = {
        "renames": values.renames(["ignore_index=pad", "reduction=red"]),
        "fixed": values.fixed(["mode=fast"]),
        "supports": values.supports("sum", 100, 50, 2e38),
    }
    implementation = resolve(f"{tmp_path / 'kernel.py'}:loss", isolate=False, **told)
    found = capabilities_of(InProcess(implementation))
    assert found.assumed
    assert (found.largest_class_count, found.largest_row_count, found.largest_logit) == (100, 50, 2e38)
    assert found.options == {"ignore_index": None, "reduction": ("sum",)}


@pytest.mark.parametrize(
    ("texts", "wanted"), [(["mode=fast"], "fast"), (["mode=3"], 3), (["mode=(1, 2)"], (1, 2)), (["mode=None"], None), (["mode=a=b"], "a=b")]
)
def test_a_fixed_value_is_what_python_reads(texts, wanted) -> None:
    assert values.fixed(texts) == {"mode": wanted}


@pytest.mark.parametrize("text", ["mode", "=fast", "mode=", "my mode=1"])
def test_a_pair_that_is_none_is_named(text) -> None:
    with pytest.raises(UsageError, match="wanted NAME=VALUE"):
        values.fixed([text])


def test_an_unknown_spelling_or_reduction_is_wrong_usage(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    monkeypatch.chdir(tmp_path)
    arguments = ["check", "kernel.py:loss", "--no-isolate", "--fixed", "mode=fast"]
    assert main([*arguments, "--rename", "ignore=pad"]) == 2
    assert "renames 'pad' to 'ignore', which is none of" in capsys.readouterr().err
    assert main([*arguments, "--rename", "reduction=redu"]) == 2
    assert "renames 'redu', but forward has no such parameter" in capsys.readouterr().err
    assert main([*arguments, "--reduction", "median"]) == 2
    assert "unknown reduction 'median'" in capsys.readouterr().err


@pytest.fixture
def told(monkeypatch):
    """What a command was about to check, time or replay."""
    found = []

    def stopped(implementations, *_, **__):
        found.extend(implementations)
        raise UsageError("enough")

    monkeypatch.setattr("xentfuzz.runner.check.run_checks", stopped)
    monkeypatch.setattr("xentfuzz.benchmark.run.benchmark", stopped)
    monkeypatch.setattr("xentfuzz.failures.replay.replay", lambda _, __, implementation: stopped([implementation]))
    return found


SAYS = ("--rename", "ignore_index=pad", "--fixed", "mode=fast", "--reduction", "sum", "--max-classes", "90", "--max-rows", "50")
MORE = ("--max-logit", "1e3", "--supports", "ranks=1,2", "--supports", "targets=index", "--supports", "weight=False")


@pytest.mark.parametrize("command", [("check",), ("run", "--out", "report"), ("bench", "--quick"), ("replay", "RECIPE")])
def test_every_command_that_takes_a_target_is_told_what_it_is(command, told, tmp_path, monkeypatch) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "record.json").write_text("{}")
    name, *rest = ["record.json" if part == "RECIPE" else part for part in command]
    monkeypatch.setattr("xentfuzz.command_line.replay._operation", lambda _: "cross_entropy")
    main([name, *rest, "kernel.py:loss", *SAYS, *MORE])
    assert {implementation.renames["pad"] for implementation in told} == {"ignore_index"}
    assert dict(told[0].fixed) == {"mode": "fast"}
    limits = {"largest_class_count": 90, "largest_row_count": 50, "largest_logit": 1e3}
    wanted = {**limits, "ranks": (1, 2), "targets": ("index",), "weight": False, "options": {"reduction": ("sum",)}}
    assert told[0].supports == wanted


@pytest.mark.parametrize("command", ["run", "bench"])
def test_what_is_said_of_no_target_is_wrong_usage(command, told, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "--max-rows", "3"]) == 2
    assert "name the TARGET" in capsys.readouterr().err
    assert not told


PICKY = """
import numpy as np


def loss(logits, target, *, weight=None, pad=-100, reduction="mean", label_smoothing=0.0):
    if logits.ndim != 2 or logits.dtype == np.float16:
        raise TypeError("only matrices of wider numbers")
    if weight is not None or label_smoothing:
        raise NotImplementedError("plain losses only")
    if not logits.flags.c_contiguous:
        raise ValueError("C order only")
    rows = np.logaddexp.reduce(logits.astype(np.float64), axis=1) - logits[np.arange(len(target)), np.where(target == pad, 0, target)]
    kept = target != pad
    total = {"none": rows * kept, "sum": (rows * kept).sum(), "mean": (rows * kept).sum() / kept.sum()}[reduction]
    return np.asarray(total).astype(logits.dtype)
"""
HELD = (
    "dtypes", "ranks", "targets", "target_dtypes", "options", "gradients", "largest_class_count", "largest_row_count", "loss_dtypes",
)  # fmt: skip


def test_the_card_ends_with_declarations_that_hold_the_target_to_it(told, tmp_path, monkeypatch) -> None:
    (tmp_path / "kernel.py").write_text(PICKY)
    monkeypatch.chdir(tmp_path)
    given = {"renames": {"pad": "ignore_index"}, "supports": {"largest_class_count": 300, "largest_row_count": 9}, "grade": "shift/any"}
    found = capabilities_of(InProcess(resolve("kernel.py:loss", isolate=False, **given)))
    assert not found.weight
    assert [label for label, _ in card_fields(found)][-2:] == ["declare", "or"]
    python = eval(found.declaration, {"Implementation": Implementation})  # noqa: S307 - our own text
    main(shlex.split(found.command)[1:])
    for declared in (python, told[0]):
        again = capabilities_of(InProcess(declared))
        assert declared.grade == "shift/any"
        assert {name: getattr(again, name) for name in HELD} == {name: getattr(found, name) for name in HELD} | {"options": again.options}
        assert set(again.layouts) == set(found.layouts)
        assert {name for name, values in again.options.items() if values != ()} == set(found.options)
        assert not again.weight


def test_what_is_declared_by_options_stays_though_a_probe_sees_it_refused(tmp_path) -> None:
    (tmp_path / "kernel.py").write_text(PICKY.replace("pad", "ignore_index"))
    supports = values.told(None, None, None, None, None, None, ["ranks=2,3", "weight=True", "layouts=contiguous,fortran"], None)["supports"]
    found = capabilities_of(InProcess(resolve(f"{tmp_path / 'kernel.py'}:loss", isolate=False, supports=supports)))
    assert (found.ranks, found.weight, found.layouts) == ((2, 3), True, ("contiguous", "fortran"))
