"""Options come from signatures; a parameter that nothing explains is wrong usage, with a suggestion."""

from __future__ import annotations

import pytest

from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.reports.card import card_lines
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import capabilities_of
from xentfuzz.subjects.signature import other_spellings, own_defaults, require_explained, supported_options, takes_argument


def described(forward, operation="cross_entropy", **declaration):
    implementation = Implementation("subject", forward, operation=operation, **declaration)
    return InProcess(implementation).describe(), implementation, get_operation(operation)


@pytest.mark.parametrize(
    ("forward", "options"),
    [
        (lambda logits, target: 0, ()),
        (lambda logits, target, *, ignore_index=-100, weight=None: 0, ("ignore_index",)),
        (lambda logits, target, **options: 0, ("ignore_index", "label_smoothing", "reduction")),
        (lambda logits, target, size_average=None, **options: 0, ("ignore_index", "label_smoothing", "reduction", "size_average")),
        (max, ("ignore_index", "label_smoothing", "reduction")),
    ],
)
def test_options_are_those_of_the_signature(forward, options):
    assert tuple(sorted(supported_options(*described(forward)))) == options


def test_renamed_options_and_arguments_are_found_under_their_own_names():
    found = described(lambda logits, target, ignored=-1, w=None: 0, renames={"ignored": "ignore_index", "w": "weight"})
    assert supported_options(*found) == ("ignore_index",)
    assert takes_argument(*found[:2], "weight")
    require_explained(*found)


@pytest.mark.parametrize(
    ("forward", "declaration", "message"),
    [
        (
            lambda logits, target, ignored_index: 0,
            {},
            (
                "forward has 'ignored_index', which no argument of cross_entropy explains; "
                'did you mean renames={"ignored_index": "ignore_index"}? Otherwise fixed={"ignored_index": ...}, '
                "both arguments of xentfuzz.Implementation"
            ),
        ),
        (lambda logits, target, smoothing: 0, {}, 'did you mean renames={"smoothing": "label_smoothing"}?'),
        (
            lambda logits, target, block: 0,
            {},
            'a value that is always the same goes in fixed={"block": ...}, an argument of xentfuzz.Implementation',
        ),
        (lambda logits, target, *, weight, ignore_index, block: 0, {}, "forward has 'block'"),
        (lambda logits, target: 0, {"renames": {"w": "weight"}}, "renames 'w', but forward has no such parameter"),
        (lambda logits, target, block_size=1: 0, {"fixed": {"blocksize": 2}}, "did you mean 'block_size'?"),
        (
            lambda logits, target, w=0: 0,
            {"fixed": {"blocksize": 2}},
            "fixes 'blocksize', but no function of it has such a parameter; there are w",
        ),
        (lambda logits, target, w=0: 0, {"renames": {"w": "wait"}}, "renames 'w' to 'wait', which is none of"),
        (lambda logits, dim=0: 0, {"operation": "softmax"}, 'did you mean renames={"dim": "axis"}?'),
        (lambda logits, target: 0, {"backward": lambda grad_output, logits, target, saved: 0}, "backward has 'saved'"),
    ],
)
def test_what_nothing_explains_is_refused_with_a_suggestion(forward, declaration, message):
    with pytest.raises(UsageError) as error:
        require_explained(*described(forward, **declaration))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("forward", "declaration"),
    [
        (lambda logits, target, block: 0, {"fixed": {"block": 128}}),
        (lambda logits, target, weight, ignore_index, reduction, label_smoothing: 0, {}),
        (lambda logits, target, block=128: 0, {}),
        (lambda logits, target: 0, {"fixed": {"block": 128}, "backward": lambda grad_output, logits, target, block=1: 0}),
        (lambda logits: 0, {"operation": "softmax"}),
        (lambda logits, dim: 0, {"operation": "softmax", "renames": {"dim": "axis"}}),
        (lambda logits, target, **options: 0, {"renames": {"anything": "weight"}}),
    ],
)
def test_what_is_explained_is_not(forward, declaration):
    require_explained(*described(forward, **declaration))


def test_a_parameter_that_looks_like_ours_is_pointed_out():
    assert other_spellings(*described(lambda logits, target, smoothing=0.0, block=3: 0)) == [
        'has \'smoothing\', which looks like label_smoothing: renames={"smoothing": "label_smoothing"}'
    ]
    assert other_spellings(*described(lambda logits, target, red="mean": 0)) == [
        'has \'red\', which looks like reduction: renames={"red": "reduction"}'
    ]
    assert other_spellings(*described(lambda logits, target, label_smoothing=0.0, reduction="mean": 0)) == []


def test_a_default_that_is_not_the_contract_s_is_said():
    def forward(logits, target, red="sum", ignore_index=-100, label_smoothing=0):
        return 0

    assert own_defaults(*described(forward, renames={"red": "reduction"})) == [
        "red is 'sum' where it is not given, the contract's default is 'mean'; it is passed in every call"
    ]
    assert own_defaults(*described(forward, fixed={"red": "mean"})) == []
    assert own_defaults(*described(lambda logits, target, reduction, ignore_index=-100: 0)) == []
    assert own_defaults(*described(lambda logits, axis=1: 0, operation="softmax")) == []


@pytest.mark.parametrize("declared", [{}, {"dtypes": ("float32",), "supports": {"targets": ("index",)}}])
def test_the_card_says_so_whether_the_rest_is_declared_or_not(declared):
    found = capabilities_of(InProcess(Implementation("sums", lambda logits, target, reduction="sum": logits.sum(), **declared)))
    assert [note.partition(" where")[0] for note in found.notes] == ["reduction is 'sum'"]
    assert any("reduction is 'sum'" in str(line) for line in card_lines(found))
