"""The list of implementations."""

from __future__ import annotations

import json

import pytest

from xentfuzz.implementation import Implementation
from xentfuzz.reports.lines import WIDTH
from xentfuzz.reports.listing import listing_json, listing_lines

ALL = ("float16", "bfloat16", "float32", "float64")


def forward(logits, target):
    raise NotImplementedError


IMPLEMENTATIONS = [
    Implementation("first", forward, dtypes=ALL),
    Implementation("first", forward, operation="softmax", dtypes=ALL),
    Implementation(
        "second",
        forward,
        array="torch",
        device="cuda",
        dtypes=("float16",),
        grade={"float16": "staged/any"},
        loss_dtype={"float16": "float32"},
        mutates=("logits",),
        aliases=True,
        deterministic=False,
        thread_safe=False,
        simulator=True,
        supports={"targets": ("index",), "ranks": (2,), "options": {"ignore_index": (-100,)}, "class_count_divisor": 8},
    ),
    Implementation("third", forward),
    Implementation("absent", forward, unavailable=lambda: "needs /home/somebody/libkernel.so, which is not there"),
]

TABLE = """\
implementation          operations      takes
first                   cross_entropy,  numpy arrays on cpu; every dtype; grade
                        softmax         lse/any (working precision)
second (simulator)      cross_entropy   torch arrays on cuda; float16; grade
                                        staged/any (16-bit intermediates) for
                                        float16; lse/any (working precision) for
                                        bfloat16, float32, float64; index
                                        targets only; rank 2 only; ignore_index
                                        only -100; class counts that 8 divides;
                                        loss in float32 for float16; overwrites
                                        logits; aliases its results; not
                                        deterministic; not thread-safe
third                   cross_entropy   numpy arrays on cpu; dtypes not
                                        declared; grade lse/any (working
                                        precision)
absent                  cross_entropy   unavailable: needs
                                        /home/somebody/libkernel.so, which is
                                        not there
"""


def test_the_table_says_what_is_declared_and_why_one_is_unavailable():
    assert "\n".join(listing_lines(IMPLEMENTATIONS)) + "\n" == TABLE
    assert max(map(len, TABLE.splitlines())) <= WIDTH


def test_the_json_has_one_entry_per_implementation_and_operation():
    read = json.loads(listing_json(IMPLEMENTATIONS))
    assert read["kind"] == "list"
    assert [(entry["implementation"], entry["operation"]) for entry in read["implementations"]] == [
        ("first", "cross_entropy"),
        ("first", "softmax"),
        ("second", "cross_entropy"),
        ("third", "cross_entropy"),
        ("absent", "cross_entropy"),
    ]
    assert read["implementations"][2]["supports"]["options"] == {"ignore_index": [-100]}
    assert read["implementations"][2]["simulator"] is True


@pytest.mark.parametrize(("index", "reason"), [(0, None), (4, "needs libkernel.so, which is not there")])
def test_the_json_has_the_reason_without_folders(index, reason):
    assert json.loads(listing_json(IMPLEMENTATIONS))["implementations"][index]["unavailable"] == reason
