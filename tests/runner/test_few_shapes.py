"""Where every shape costs a compilation, cases share a handful of specialisations and differ in all that is no part of them."""

from __future__ import annotations

import pytest

from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import FAMILIES
from xentfuzz.runner.few_shapes import SHAPES, FewShapes, specialised
from xentfuzz.runner.spaces import common_space

OPERATION = get_operation("cross_entropy")


def few(cases=1):
    shapes = FewShapes(OPERATION)
    space = common_space(OPERATION, "float32", "ordinary")
    for recipe in draw_corpus(shapes.narrow(space, new=True), 0, cases):
        shapes.note(recipe)
    return shapes


def test_cases_of_a_known_specialisation_differ_only_in_what_is_no_part_of_it():
    shapes = few()
    space = common_space(OPERATION, "float32", "ordinary")
    recipes = draw_corpus(shapes.narrow(space, new=False), 1, 40)
    (known,) = shapes.known["float32"]
    assert {specialised(recipe, OPERATION)._replace(weight=known.weight) for recipe in recipes} == {known}
    assert len({recipe.arrays["logits"].regime for recipe in recipes}) > 5
    assert len({recipe.arrays["logits"].layout for recipe in recipes}) > 2


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_cases_of_known_shapes(family):
    shapes = few(20)
    space = common_space(OPERATION, "float32", family)
    for recipe in draw_corpus(shapes.narrow(space, new=False), 1, 64):
        expand(recipe)
        assert specialised(recipe, OPERATION).positions in {one.positions for one in shapes.known["float32"]} or 0 in recipe.shape


def test_another_dtype_begins_with_the_shapes_that_are_known():
    shapes = few()
    (known,) = shapes.known["float32"]
    space = shapes.narrow(common_space(OPERATION, "float64", "ordinary"), new=False)
    assert space.shapes == ((known.positions, known.classes),)


def test_new_shapes_are_small():
    shapes = FewShapes(OPERATION).narrow(common_space(OPERATION, "float32", "ordinary"), new=True).shapes
    assert shapes == SHAPES


def test_the_specialisation_that_was_used_least_is_next():
    shapes = few(8)
    space = common_space(OPERATION, "float32", "ordinary")
    for place in range(40):
        (recipe,) = draw_corpus(shapes.narrow(space, new=False), place, 1)
        shapes.note(recipe)
    assert min(shapes.known["float32"].values()) >= 3
