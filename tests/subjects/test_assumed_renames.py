"""A parameter under another name is taken for ours where calls bear that out, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from xentfuzz import Implementation
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import capabilities_of


def loss_of(logits, target, **options):
    return torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(target), **options).numpy()


def smoothed(logits, target, smoothing=0.1):
    return loss_of(logits, target, label_smoothing=smoothing)


def two_names(logits, target, class_weights=None, smooth_factor=0.2, pad_id=-1):
    weight = None if class_weights is None else torch.from_numpy(class_weights)
    return loss_of(logits, target, weight=weight, label_smoothing=smooth_factor, ignore_index=pad_id)


def one_of_two(logits, target, smoothing=0.1, alpha=3):
    return loss_of(logits, target, label_smoothing=smoothing)


def two_of_three(logits, target, smoothing=0.1, pad_id=-1, alpha=3):
    return loss_of(logits, target, label_smoothing=smoothing, ignore_index=pad_id)


def focal(logits, target, alpha=0.25):
    return alpha * (1 - np.exp(-loss_of(logits, target)))


def for_each_row(logits, target, eps=0.1):
    return loss_of(logits, target, label_smoothing=eps, reduction="none")


def declared(logits, target, *, label_smoothing=0.0, eps=1e-6):
    return loss_of(logits, target, label_smoothing=label_smoothing)


def opened(forward, **declaration):
    subject = InProcess(Implementation("mine", forward, dtypes=("float32",), **declaration))
    return subject, capabilities_of(subject)


@pytest.mark.parametrize(
    ("forward", "renames"),
    [
        (smoothed, {"smoothing": "label_smoothing"}),
        (two_names, {"class_weights": "weight", "smooth_factor": "label_smoothing", "pad_id": "ignore_index"}),
        (one_of_two, {"smoothing": "label_smoothing"}),
        (two_of_three, {"smoothing": "label_smoothing", "pad_id": "ignore_index"}),
        (focal, {}),
        (for_each_row, {"eps": "label_smoothing"}),
        (declared, {}),
    ],
)
def test_what_calls_bear_out_is_assumed_and_said(forward, renames):
    subject, card = opened(forward)
    assert subject.implementation.renames == renames
    assert [note.partition(",")[0] for note in card.notes if "taken for" in note] == [
        f"{own!r} is taken for {ours}" for own, ours in renames.items()
    ]
    assert all(ours in (*card.options, "weight") for ours in renames.values())


def test_what_is_fixed_or_declared_is_left_alone():
    assert opened(smoothed, fixed={"smoothing": 0.0})[0].implementation.renames == {}
    assert opened(smoothed, supports={"ranks": (2,)})[0].implementation.renames == {}


def test_a_call_that_ends_its_process_is_not_repeated_for_a_guess():
    calls = []

    class Crashing(InProcess):
        def call(self, call):
            calls.append(call)
            outcome = super().call(call)
            return type(outcome)(crash=Crash("hang", "no answer within 10 s"), seconds=10.0)

    from xentfuzz.subjects.assumed_renames import assume_renames
    from xentfuzz.subjects.outcome import Crash

    subject = Crashing(Implementation("mine", one_of_two, dtypes=("float32",)))
    assert assume_renames(subject, subject.describe()) == ()
    assert len(calls) == 1
    assert subject.implementation.renames == {}
