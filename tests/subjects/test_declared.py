"""What is declared is the card; what is not said is all that the operation and the array library know."""

from __future__ import annotations

import kernels
import pytest

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.subjects.declared import declared_capabilities
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import capabilities_of


def card(forward=kernels.picky, **declaration):
    implementation = Implementation("subject", forward, **declaration)
    described = Implementation("subject", forward, operation=implementation.operation)
    return declared_capabilities(implementation, InProcess(described).describe())


def test_nothing_said_means_everything():
    found = card()
    assert (found.dtypes, found.ranks, found.targets, found.target_dtypes) == (
        FLOAT_NAMES,
        (1, 2, 3, 4),
        ("index", "probabilities"),
        ("int64",),
    )
    assert found.layouts == tuple(LAYOUTS)
    assert (found.rejections, found.assumed) == ((), False)


def test_what_is_said_holds():
    supports = {
        "targets": ("index",),
        "target_dtypes": ("int64", "int32"),
        "ranks": (2,),
        "layouts": ("contiguous",),
        "options": {"ignore_index": (-100,), "label_smoothing": (0.0,)},
        "largest_class_count": 1024,
        "class_count_divisor": 8,
    }
    found = card(dtypes=("float32",), supports=supports)
    assert (found.dtypes, found.targets, found.target_dtypes) == (("float32",), ("index",), ("int64", "int32"))
    assert (found.ranks, found.layouts) == ((2,), ("contiguous",))
    assert (found.largest_class_count, found.class_count_divisor) == (1024, 8)
    # label_smoothing is declared, but picky has no such parameter.
    assert found.options == {"reduction": None, "ignore_index": (-100,)}


def test_that_no_row_is_ever_ignored_can_be_declared_without_a_parameter_for_it():
    def forward(logits, target):
        return logits

    assert card(forward, supports={"options": {"ignore_index": ()}}).options == {"ignore_index": ()}
    assert card(forward, supports={"options": {}}).options == {}


def loss(logits, target, ignored_label=-100, label_smoothing=0.0, reduction="mean"):
    raise AssertionError("only its signature is asked")


def test_an_option_that_is_fixed_has_that_value_alone():
    renames = {"ignored_label": "ignore_index"}
    found = card(loss, renames=renames, fixed={"ignored_label": -1, "label_smoothing": 0, "reduction": "sum"})
    assert found.options == {"ignore_index": (-1,), "label_smoothing": (0.0,), "reduction": ("sum",)}
    assert card(loss, renames=renames, fixed={"ignored_label": None}).options["ignore_index"] == ()
    assert card(loss, renames=renames).options["ignore_index"] is None


@pytest.mark.parametrize(
    ("array", "missing"),
    [("numpy", set()), ("torch", {"negative_stride", "read_only"}), ("cuda", {"unaligned"}), ("jax", set(LAYOUTS) - {"contiguous"})],
)
def test_layouts_that_the_library_cannot_hold_are_left_out_and_said(array, missing):
    found = card(array=array)
    assert set(LAYOUTS) - set(found.layouts) == missing
    assert len(found.rejections) == bool(missing)


@pytest.mark.parametrize(
    ("declaration", "functions", "gradients"),
    [
        ({}, ("forward",), ()),
        ({"backward": kernels.backward_of_picky}, ("forward", "backward"), ("grad_logits",)),
        ({"value_and_grad": kernels.picky}, ("forward", "value_and_grad"), ("grad_logits",)),
        ({"array": "torch"}, ("forward", "backward"), ("grad_logits", "grad_target", "grad_weight")),
        ({"array": "torch", "supports": {"targets": ("index",)}}, ("forward", "backward"), ("grad_logits",)),
        ({"array": "torch", "backward": kernels.backward_of_picky}, ("forward", "backward"), ("grad_logits",)),
    ],
)
def test_gradients_follow_from_what_is_there(declaration, functions, gradients):
    found = card(**declaration)
    assert (found.functions, found.gradients) == (functions, gradients)


def test_a_declared_loss_dtype_holds_for_the_declared_dtypes():
    assert card(dtypes=("float16", "float32"), loss_dtype="float32").loss_dtypes == {"float16": "float32", "float32": "float32"}
    assert card().loss_dtypes == {}


def test_a_loss_dtype_may_be_declared_for_some_dtypes():
    assert card(loss_dtype={"float16": "float32"}).loss_dtypes == {"float16": "float32"}


def test_softmax_has_neither_targets_nor_weight():
    found = card(kernels.last_axis, operation="softmax")
    assert (found.targets, found.target_dtypes, found.weight, found.options) == ((), (), False, {"axis": (-1,)})


def test_the_target_of_nll_loss_is_never_probabilities():
    found = card(operation="nll_loss", supports={"ranks": (2,)})
    assert (found.targets, found.target_dtypes) == (("index",), ("int64",))


@pytest.mark.parametrize("probed", [True, False])
@pytest.mark.parametrize(("gradients", "functions"), [((), ("forward",)), (("logits",), ("forward", "backward"))])
def test_gradients_and_weights_that_are_not_taken_can_be_declared(gradients, functions, probed):
    supports = {"gradients": gradients, "weight": False}
    implementation = Implementation("subject", "torch_kernels:plain", array="torch", dtypes=("float32",), supports=supports, probed=probed)
    subject = InProcess(implementation)
    found = capabilities_of(subject)
    assert (found.functions, found.weight) == (functions, False)
    assert found.gradients == tuple(f"grad_{name}" for name in gradients)
    assert subject.callee.plan.differentiable == gradients
