"""Every word that reports use without telling it is explained."""

from __future__ import annotations

import pytest

from xentfuzz.command_line.main import main
from xentfuzz.errors import UnknownName
from xentfuzz.failures.failure import KINDS
from xentfuzz.operations.grades import FORMS, SUMMATIONS
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.reports import glossary
from xentfuzz.reports.lines import WIDTH


def test_every_grade_regime_and_kind_has_words():
    assert set(glossary.GRADES) == set(FORMS)
    assert set(glossary.SUMMATIONS) == set(SUMMATIONS)
    assert set(glossary.REGIMES) == set(LOGITS)
    assert set(glossary.LAYOUTS) == set(LAYOUTS)
    assert [kind for kind in KINDS if not glossary.meaning(kind)] == []


def test_a_grade_is_told_by_its_form_and_its_summation():
    assert glossary.meaning("lse/blocked") == f"{glossary.GRADES['lse']} {glossary.SUMMATIONS['blocked']}"


@pytest.mark.parametrize("word", ["regime", "swamp", "lse/any", "policy", "recipe", "grade", "segfault", "fortran", "choice"])
def test_explain_answers_within_the_width(word, capsys):
    assert main(["explain", word]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == word
    assert len(lines) > 2
    assert max(map(len, lines)) <= WIDTH


def test_an_unknown_word_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'regime'"):
        glossary.meaning("regim")
