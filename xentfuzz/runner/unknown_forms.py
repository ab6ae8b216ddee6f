"""A form of input that an implementation doesn't know of and doesn't refuse: one cause, however its calls end.

A kernel of matrices that is given images raises here, returns an array of another shape there and a wrong number elsewhere, or takes
memory for every pair of rows. Its author needs to hear once that the form is not handled.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from xentfuzz.failures.failure import WRONG_NUMBERS, Failure


class Form(NamedTuple):
    """what: it in words; remedy: what its author can do where it is not meant to be taken."""

    what: str
    remedy: str


# As findings name what they need -> the form.
FORMS = {
    "rank > 2": Form("an input of more than two dimensions", "raise NotImplementedError for it, or declare supports={'ranks': (2,)}"),
    "rank 1": Form("an input of one dimension", "raise NotImplementedError for it, or declare supports={'ranks': (2,)}"),
    "class probabilities": Form(
        "a target of class probabilities", "raise NotImplementedError for it, or declare supports={'targets': ('index',)}"
    ),
    "class indices": Form("a target of class indices", "raise an exception for it, or declare supports={'targets': ('probabilities',)}"),
    "an ignored row": Form("a row whose target is ignore_index", "raise an exception for such a target, or leave the row out"),
}
ENDINGS = WRONG_NUMBERS | {"raised", "shape", "hang", "out_of_memory"}
_SIZE = re.compile(r"(at least )?\d+ (rows|class|classes)|classes [%<>].*")
# What an operation is for is unknown to it only where its smallest calls show that: beyond these sizes it may be a bug of long rows.
_FEW = re.compile(r"\d rows|[1-4] class(es)?")
CORE = frozenset({"class indices"})


def unknown_form(failure: Failure) -> str | None:
    """The one form that a finding needs, beside sizes; None where it needs another thing, too, or nothing."""
    if not failure.alone or failure.kind not in ENDINGS:
        return None
    # That a shape is wrong can't be seen in a single number.
    needs = [
        words for words in failure.needs if not _SIZE.fullmatch(words) and not (failure.kind == "shape" and words.startswith("reduction "))
    ]
    if len(needs) != 1 or needs[0] not in FORMS:
        return None
    sizes = [words for words in failure.needs if _SIZE.fullmatch(words)]
    return None if needs[0] in CORE and not all(map(_FEW.fullmatch, sizes)) else needs[0]


def endings_of(form: str) -> frozenset[str]:
    """How calls may end in which nothing but the form is wrong. What takes indices for numbers has none that are out of range."""
    return ENDINGS | {"accepted_invalid"} if form in CORE else ENDINGS


def name_form(failure: Failure) -> None:
    """Say of a form whose calls end in several ways that it is neither computed nor refused."""
    form = unknown_form(failure)
    endings = {seen.rpartition("(")[2].rstrip(")") for seen in failure.also} & ENDINGS - {failure.kind}
    if form is None or not endings or {failure.kind, *endings} <= WRONG_NUMBERS:
        return
    what, remedy = FORMS[form]
    ends = ", ".join(sorted({failure.kind, *endings}))
    failure.message = f"{what} is neither computed nor refused ({ends})\n{failure.message}\nwhere it is not meant to be taken: {remedy}"
