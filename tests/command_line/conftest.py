"""The command line in process: exit status, standard output and standard error of one command, in a folder with some kernels."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from xentfuzz.command_line.main import main

KERNELS = '''
import numpy as np


def loss(logits, target, *, reduction="mean", ignore_index=-100):
    """Right, for class indices of 2-d logits."""
    if target.shape != logits.shape[:1]:
        raise ValueError(f"target of shape {target.shape} with logits of shape {logits.shape}")
    kept = target != ignore_index
    wide = logits.astype(np.float64)
    if np.any((target[kept] < 0) | (target[kept] >= logits.shape[1])):
        raise ValueError("target out of range")
    with np.errstate(all="ignore"):
        top = wide.max(axis=1, initial=-np.inf)
        lse = top + np.log(np.exp(wide - top[:, None]).sum(axis=1))
        rows = np.where(kept, lse - wide[np.arange(len(target)), np.where(kept, target, 0)], 0.0)
        if reduction == "mean":
            return np.asarray(rows.sum() / kept.sum()).astype(logits.dtype)
    if reduction not in ("sum", "none"):
        raise ValueError(f"unknown reduction {reduction!r}")
    return (rows if reduction == "none" else np.asarray(rows.sum())).astype(logits.dtype)


def wrong(logits, target, *, reduction="mean", ignore_index=-100):
    """Twice the loss."""
    return (2 * loss(logits, target, reduction=reduction, ignore_index=ignore_index)).astype(logits.dtype)


def wrong_on_real_input(logits, target, *, reduction="mean", ignore_index=-100):
    """Wrong where a logit is 12345, which no case is likely to have."""
    function = wrong if np.any(logits == 12345) else loss
    return function(logits, target, reduction=reduction, ignore_index=ignore_index)


def explained(logits, target, *, temperature):
    """Has a parameter that no option explains."""
    return loss(logits, target)
'''


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current directory, with `kernels.py`."""
    (tmp_path / "kernels.py").write_text(KERNELS)
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def xentfuzz(folder, capsys, monkeypatch):
    """Runs a command as the program does."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(folder / ".xentfuzz" / "hypothesis"))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["xentfuzz", *arguments])
        status = main()
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run
