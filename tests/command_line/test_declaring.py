"""What a target is can be said by options, without a Python file."""

from __future__ import annotations

import pytest

from xentfuzz.command_line import values
from xentfuzz.command_line.main import main
from xentfuzz.errors import UsageError
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
