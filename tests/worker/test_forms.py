"""Functions of torch's autograd and modules are called in their own way."""

from __future__ import annotations

import pytest
import torch

from xentfuzz.errors import UsageError
from xentfuzz.worker.forms import form_of

SEEN = []


class OldStyle(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, weight=None, ignore_index=-100, reduction="mean"):
        SEEN.append((weight, ignore_index, reduction))
        return logits.sum()


class NewStyle(torch.autograd.Function):
    @staticmethod
    def forward(logits, target, ignore_index=-100):
        SEEN.append(ignore_index)
        return logits.sum()

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Nothing is needed."""


class Loss(torch.nn.Module):
    def __init__(self, reduction="mean", *, label_smoothing=0.0):
        super().__init__()
        self.built = reduction, label_smoothing

    def forward(self, logits, target, weight=None):
        SEEN.append((*self.built, weight))
        return logits.sum()


@pytest.fixture
def arrays():
    SEEN.clear()
    return [torch.ones(2, 3), torch.tensor([0, 1])]


def test_an_autograd_function_is_applied_by_position(arrays):
    form = form_of(OldStyle, 2)
    assert form.kind == "autograd_function"
    form(arrays, {})
    form(arrays, {"ignore_index": 1})
    form(arrays, {"reduction": "sum"})
    assert SEEN == [(None, -100, "mean"), (None, 1, "mean"), (None, -100, "sum")]


def test_an_autograd_function_with_its_own_context_has_no_ctx(arrays):
    form_of(NewStyle, 2)(arrays, {"ignore_index": 7})
    assert SEEN == [7]


def test_a_modules_options_go_to_its_constructor_and_its_calls_to_the_call(arrays):
    form = form_of(Loss, 2)
    assert form.kind == "module"
    form(arrays, {"reduction": "sum", "label_smoothing": 0.5, "weight": 3})
    assert SEEN == [("sum", 0.5, 3)]
    assert form.parameters.takes("weight")
    assert form.parameters.takes("reduction")
    assert not form.parameters.takes("ignore_index")


def test_a_module_that_exists_is_a_function(arrays):
    form = form_of(Loss("sum"), 2)
    assert form.kind == "function"
    form(arrays, {})
    assert SEEN == [("sum", 0.0, None)]


def test_a_module_without_a_target_is_refused():
    with pytest.raises(UsageError, match="ReLU takes 1 positional argument "):
        form_of(torch.nn.ReLU, 2)


class WithoutConstructor(torch.nn.Module):
    def forward(self, logits, target, weight=None):
        return logits.sum()


def test_a_module_without_a_constructor_takes_no_options():
    parameters = form_of(WithoutConstructor, 2).parameters
    assert (parameters.takes("reduction"), parameters.takes("weight")) == (False, True)
