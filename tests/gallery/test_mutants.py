"""Mutants are made mechanically, one slip each, and the same ones every time."""

from __future__ import annotations

import ast

from xentfuzz.gallery.catalogue import entry
from xentfuzz.gallery.entry import Entry
from xentfuzz.gallery.mutants import answers, mutants, unused_reasons
from xentfuzz.gallery.mutation import mutations

SOURCE = '''
class Kernel:
    def loss(self, x, kept):
        """Not -1."""
        return where(kept, x - 1, 0) if x.ndim == 2 else x

    def check(self, x):
        self.refuse(x)
        if x < 0:
            raise ValueError(f"{x + 1}")
'''


def test_every_kind_of_slip_is_made_and_texts_are_left_alone():
    names = {mutation.name for mutation in mutations(SOURCE)}
    assert "Kernel.loss: x - 1 -> x + 1" in names
    assert "Kernel.loss: x.ndim == 2 -> x.ndim != 2" in names
    assert "Kernel.loss: where(kept, x - 1, 0) if x.ndim == 2 else x -> x" in names
    assert "Kernel.check: self.refuse(x) -> pass" in names
    assert "Kernel.check: x < 0 -> x <= 0" in names
    assert not any("ValueError" in name.partition(" -> ")[0] and not name.startswith("Kernel.check: if") for name in names)
    assert not any("x + 1 -> " in name for name in names)


def test_a_mutant_differs_in_one_place():
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutation in mutations(SOURCE):
        changed = ast.unparse(mutation.tree()).splitlines()
        assert changed != original
        assert len(set(original) ^ set(changed)) <= 4


def test_names_are_unique():
    names = [mutant.mechanism + mutant.reference for mutant in mutants().values()]
    assert len(names) == len(set(names))


def test_the_list_of_equivalent_mutants_names_none_that_is_gone():
    assert unused_reasons() == ()


def test_a_mutant_is_an_entry_that_another_process_can_load():
    identifier, mutant = next(iter(mutants().items()))
    assert entry(identifier) is mutant
    assert mutant.implementation.forward == f"xentfuzz.gallery.kernels:{identifier}.forward"


def test_what_raises_or_loops_without_end_does_not_answer():
    class Endless:
        def forward(self, *_):
            while True:
                pass

    class Raising:
        def forward(self, *_):
            raise ZeroDivisionError

    for kernel in (Endless, Raising):
        assert not answers(Entry("M000", "MUTANT", 0, "", "", kernel))
    assert answers(entry("two_pass_shift"))


def test_a_mutant_declares_what_its_original_declares():
    staged = next(mutant for mutant in mutants().values() if mutant.mechanism.startswith("StagedIn16Bits.surprisals"))
    assert staged.implementation.grade_for("float16") == "staged/any"
    assert next(iter(mutants().values())).implementation.grade_for("float16") == "lse/any"
