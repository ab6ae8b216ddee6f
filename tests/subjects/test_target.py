"""What a user names becomes an Implementation, or one clear line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import kernels
import pytest

from xentfuzz import registry
from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.assumed_grade import grade_notes
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.target import resolve

KERNELS = str(Path(__file__).parent / "kernels.py")


@pytest.fixture(params=[False, True], ids=["here", "in_a_worker"])
def isolate(request):
    return request.param


def test_an_implementation_stands_for_itself_with_what_else_is_given():
    assert resolve(kernels.DECLARED) == kernels.DECLARED
    changed = resolve(kernels.DECLARED, dtypes=["float64"], grade="lse/pairwise", environment={"A": "1"})
    assert (changed.dtypes, changed.grade, changed.environment, changed.forward) == (
        ("float64",),
        "lse/pairwise",
        {"A": "1"},
        kernels.picky,
    )


def test_a_function_keeps_its_backward(isolate):
    assert resolve(kernels.with_backward, isolate=isolate).backward is kernels.backward_of_picky
    assert resolve(kernels.picky).backward is None
    assert resolve(kernels.with_backward).value_and_grad is None
    assert resolve(kernels.with_both, isolate=isolate).value_and_grad is kernels.value_and_grad_of_both
    assert resolve(kernels.with_both, value_and_grad=kernels.picky).value_and_grad is kernels.picky
    assert resolve(kernels.with_backward, backward=kernels.backward_that_never_works).backward is kernels.backward_that_never_works


@pytest.mark.parametrize("where", ["kernels", KERNELS])
def test_a_named_function_is_one_that_a_worker_finds(isolate, where, make_call):
    implementation = resolve(f"{where}:with_backward", isolate=isolate)
    assert (implementation.name, implementation.array) == (f"{where}:with_backward", "numpy")
    assert resolve(f"{where}:with_both", isolate=isolate).value_and_grad.endswith(":with_both.value_and_grad")
    subject = open_subject(implementation, isolate=isolate)
    assert subject.call(make_call("backward", grad_output=1.0)).results is not None
    subject.close()


def test_a_relative_path_stays_right_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(Path(KERNELS).parent)
    implementation = resolve("kernels.py:picky", isolate=False)
    monkeypatch.chdir(tmp_path)
    assert open_subject(implementation).capabilities.dtypes


def test_a_module_of_the_current_directory_is_found(monkeypatch, tmp_path, isolate):
    (tmp_path / f"only_here_{isolate}.py").write_text("def forward(logits, target): return logits.dtype.type(0)\n")
    monkeypatch.chdir(tmp_path)
    assert resolve(f"only_here_{isolate}:forward", isolate=isolate).array == "numpy"


def test_a_declaration_is_taken_with_functions_that_a_worker_finds(isolate):
    implementation = resolve("kernels:DECLARED", isolate=isolate)
    assert (implementation.name, implementation.dtypes) == ("declared", ("float32",))
    assert implementation.forward == "kernels:DECLARED.forward"
    subject = open_subject(implementation, isolate=True)
    assert subject.capabilities.ranks == (2,)
    subject.close()


def test_a_function_without_a_name_is_found_through_its_declaration(make_call):
    subject = open_subject(resolve("kernels:FACTORY_MADE"), isolate=True)
    assert subject.call(make_call()).results is not None
    subject.close()


def test_one_of_several_is_chosen_by_its_operation_or_its_place():
    assert resolve("kernels:SEVERAL", isolate=False).operation == "cross_entropy"
    assert resolve("kernels:SEVERAL", operation="softmax", isolate=False).operation == "softmax"
    assert resolve("kernels:AMBIGUOUS.1", isolate=False).name == "other"


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", registry.Registry(lambda: ()))
    registry.register(kernels.DECLARED)


def test_a_registered_implementation_in_another_interpreter_is_asked_there(monkeypatch):
    registered = registry.Registry(lambda: ())
    registered.register(replace(kernels.FACTORY_MADE, unavailable=lambda: "not in this process"), "kernels:FACTORY_MADE")
    monkeypatch.setattr(registry, "_REGISTRY", registered)
    chosen = resolve(kernels.FACTORY_MADE.name, python="/another/python")
    # What is missing here says nothing about there.
    assert (chosen.python, chosen.unavailable) == ("/another/python", "kernels:FACTORY_MADE.unavailable")
    assert registry.availability(chosen) is None


@pytest.mark.usefixtures("registered")
def test_a_registered_name():
    assert resolve("declared") == kernels.DECLARED


def test_a_registered_implementation_that_is_changed_is_still_found_by_a_worker(monkeypatch, make_call):
    registered = registry.Registry(lambda: ())
    registered.register(kernels.FACTORY_MADE, "kernels:FACTORY_MADE")
    monkeypatch.setattr(registry, "_REGISTRY", registered)
    implementation = resolve("made", dtypes=["float64"])
    assert implementation.dtypes == ("float64",)
    subject = open_subject(implementation, isolate=True)
    assert subject.call(make_call()).results is not None
    subject.close()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("declred", {}, "unknown implementation 'declred'; did you mean 'declared'?"),
        ("declared", {"operation": "softmax"}, "unknown operation of declared: 'softmax'"),
        ("kernels.py", {}, "what a module holds is named as kernels.py:ATTRIBUTE"),
        ("kernels:pikcy", {}, "kernels has no attribute 'pikcy'; did you mean 'picky'?"),
        ("no_such_module:forward", {}, "no module named 'no_such_module'"),
        ("no_such_file.py:forward", {}, "no_such_file.py does not exist"),
        ("kernels:AMBIGUOUS", {}, "declares declared for cross_entropy (AMBIGUOUS.0), other for cross_entropy (AMBIGUOUS.1)"),
        ("kernels:SEVERAL", {"operation": "nll_loss"}, "name one of them, or an operation"),
        ("kernels:SECONDS_TO_COMPILE", {}, "a float can't be called"),
        ("kernels:last_axis", {}, "last_axis takes 1 positional argument (logits); wanted 2 arrays at least; --operation softmax?"),
        ("kernels:picky", {"operation": "crossentropy"}, "unknown operation 'crossentropy'"),
        ("kernels:picky", {"array": "tensorflow"}, "array='tensorflow' is none of"),
    ],
)
def test_wrong_usage_is_answered_in_one_line(isolate, target, options, message):
    with pytest.raises(UsageError) as error:
        resolve(target, isolate=isolate, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_importing_a_target_may_end_a_worker_but_not_this_process(tmp_path):
    (tmp_path / "suicidal.py").write_text("import os\nos.abort()\n")
    with pytest.raises(UsageError, match=r"the process that imported it ended: abort \(SIGABRT\)"):
        resolve(f"{tmp_path}/suicidal.py:forward")


def test_an_implementation_object_is_no_plain_function():
    assert isinstance(resolve(kernels.DECLARED), Implementation)


def test_a_function_of_torch_is_held_to_what_torch_itself_can_do_in_16_bits():
    assumed = resolve("torch_kernels:annotated", isolate=False)
    grades = {dtype: assumed.grade_for(dtype) for dtype in ("float16", "bfloat16", "float32", "float64")}
    assert grades == {"float16": "staged/any", "bfloat16": "staged/any", "float32": "lse/any", "float64": "lse/any"}
    (note,) = grade_notes(assumed)
    assert note.startswith("the grade staged/any in float16 and bfloat16 is assumed, not declared: ")
    assert note.endswith("; --grade lse/any holds it to working precision")
    assert grade_notes(resolve("torch_kernels:annotated", grade="staged/any", isolate=False)) == []
    assert resolve("torch_kernels:annotated", grade="shift/any", isolate=False).grade == "shift/any"
    assert resolve("torch_kernels:annotated", device="cuda", isolate=False).grade == "lse/any"
