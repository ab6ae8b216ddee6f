"""Expected failures: what matches, what the search leaves out, and what fails the run."""

from __future__ import annotations

import pytest

from xentfuzz.errors import UsageError
from xentfuzz.failures.expected import load_expectations, parse_expectations, shipped_expectations
from xentfuzz.failures.failure import FAILURES
from xentfuzz.failures.write_expected import write_expected
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.registry import implementations

ENTRY = {"implementation": "mine", "check": "value", "reason": "its smoothing is wrong"}


def _about(failure):
    return failure.implementation, failure.operation, failure.check, failure.dtype


@pytest.mark.parametrize(
    ("more", "matches"),
    [
        ({}, True),
        ({"operation": "cross_entropy", "dtype": "float32"}, True),
        ({"dtype": ["float16", "float32"]}, True),
        ({"when": {"label_smoothing": ">0", "rank": 2, "reduction": "mean", "layout": "sliced_rows"}}, True),
        ({"operation": "nll_loss"}, False),
        ({"dtype": "float16"}, False),
        ({"check": "gradient"}, False),
        ({"implementation": "yours"}, False),
        ({"when": {"label_smoothing": "0"}}, False),
        ({"when": {"label_smoothing": ">0", "rank": ">2"}}, False),
        ({"when": {"axis": 1}}, False),
    ],
)
def test_an_expectation_meets_what_it_describes(make_failure, more, matches):
    failure = make_failure(options={"label_smoothing": 0.1})
    expectations = load_expectations([{**ENTRY, **more}])
    assert (expectations.matching(failure) is not None) == matches


def test_the_search_leaves_out_the_region_of_an_expectation_that_can_be_replayed(make_failure):
    failure = make_failure(options={"label_smoothing": 0.1})
    recipe = recipe_from(failure.recipe)
    region, replayable = {"when": {"label_smoothing": ">0"}}, {"recipe": recipe.one_line()}
    excluding = load_expectations([{**ENTRY, **region, **replayable}])
    assert excluding.excludes(*_about(failure), recipe)
    assert not excluding.excludes(*_about(failure), recipe_from(make_failure().recipe))
    assert not excluding.excludes("mine", "cross_entropy", "gradient", "float32", recipe)
    for searched in ({**ENTRY, **region}, {**ENTRY, **replayable}):
        assert not load_expectations([searched]).excludes(*_about(failure), recipe)


RAN = {("value", "float32"), ("gradient", "float32")}


def test_a_found_failure_is_expected(make_failure):
    failures = [make_failure(kind="shape"), make_failure()]
    judgement = load_expectations([ENTRY]).judge("mine", "cross_entropy", RAN, failures, lambda *_: None)
    assert (judgement.reasons, judgement.replayed, judgement.problems) == ({1: ENTRY["reason"]}, [], [])


def test_a_failure_that_was_found_is_not_told_twice(make_failure):
    failure = make_failure()
    entry = {**ENTRY, "recipe": recipe_from(failure.recipe).one_line()}
    judgement = load_expectations([entry]).judge("mine", "cross_entropy", RAN, [failure], lambda *_: failure)
    assert (judgement.reasons, judgement.replayed) == ({0: ENTRY["reason"]}, [])


def test_what_the_search_left_out_is_replayed(make_failure):
    failure = make_failure()
    recipe = recipe_from(failure.recipe)
    asked = []

    def run_check(check, replayed):
        asked.append((check, replayed))
        return failure

    judgement = load_expectations([{**ENTRY, "recipe": recipe.one_line()}]).judge("mine", "cross_entropy", RAN, [], run_check)
    assert (judgement.replayed, judgement.problems, asked) == ([(failure, ENTRY["reason"])], [], [("value", recipe)])


def _unsupported(*_):
    raise UsageError("no label_smoothing")


@pytest.mark.parametrize(
    ("options", "kind", "expected"), [({}, "relation", {0: ENTRY["reason"]}), ({}, "value", {}), ({"reduction": "sum"}, "relation", {})]
)
def test_what_another_check_makes_of_the_same_bug_is_expected_too(make_failure, options, kind, expected):
    seen, known = make_failure(kind="relation", options=options), make_failure()
    entry = {**ENTRY, "when": {"reduction": "mean"}, "recipe": recipe_from(known.recipe).one_line()}

    def run_check(check, recipe):
        assert recipe == recipe_from(known.recipe)
        return make_failure(kind=kind) if check == "relation" else known

    assert load_expectations([entry]).judge("mine", "cross_entropy", RAN, [seen], run_check).reasons == expected


@pytest.mark.parametrize(
    ("with_recipe", "run_check", "problem"),
    [
        (True, lambda *_: None, "passes now; remove it"),
        (True, _unsupported, "cannot be judged: no label_smoothing"),
        (False, lambda *_: None, "matches no failure"),
    ],
)
def test_an_expectation_that_holds_no_longer_fails_the_run(make_failure, with_recipe, run_check, problem):
    entry = {**ENTRY, **({"recipe": recipe_from(make_failure().recipe).one_line()} if with_recipe else {})}
    (said,) = load_expectations([entry]).judge("mine", "cross_entropy", RAN, [], run_check).problems
    assert problem in said
    assert "expected_failures, entry 1 (mine, value: its smoothing is wrong)" in said


@pytest.mark.parametrize(
    "about", [("yours", "cross_entropy", RAN), ("mine", "cross_entropy", {("shape", "float32")}), ("mine", "nll_loss", RAN)]
)
def test_what_was_not_run_is_not_judged(about):
    name, operation, ran = about
    judgement = load_expectations([{**ENTRY, "operation": "cross_entropy"}]).judge(name, operation, ran, [], _unsupported)
    assert judgement.problems == []


def test_misspelt_names_are_problems():
    expectations = load_expectations([ENTRY, {**ENTRY, "implementation": "mien", "check": "valu"}])
    first, second = expectations.misspelt(["mine"], ["value", "shape"])
    assert first == "expected_failures, entry 2: unknown implementation 'mien'; did you mean 'mine'? (known: mine)"
    assert "unknown check 'valu'; did you mean 'value'?" in second


def test_a_file_may_serve_targets_that_are_not_in_this_run():
    expectations = load_expectations([ENTRY, {**ENTRY, "implementation": "kernels.py:other"}])
    assert expectations.misspelt(["mine"], ["value", "shape"]) == []


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("[[expected]", "x.toml is not TOML"),
        ("[[expectd]]\ncheck = 'value'", "x.toml: unknown table 'expectd'; did you mean 'expected'?"),
        ("[expected]\ncheck = 'value'", "write [[expected]] for each"),
        ("[[expected]]\nchek = 'value'", "x.toml, entry 1: unknown key 'chek'; did you mean 'check'?"),
        ("[[expected]]\nimplementation = 'a'\ncheck = 'value'", "x.toml, entry 1: Object missing required field `reason`"),
        ("{}dtype = 'float31'", "unknown dtype 'float31'; did you mean 'float32'?"),
        ("{}operation = 'cross_entropie'", "unknown operation 'cross_entropie'; did you mean 'cross_entropy'?"),
        ("{}when = {{ label_smothing = '>0' }}", "unknown feature 'label_smothing'; did you mean 'label_smoothing'?"),
        ("{}operation = 'softmax'\nwhen = {{ label_smoothing = '>0' }}", "unknown feature 'label_smoothing'"),
        ("{}when = {{ rank = '>' }}", "'>' is no comparison"),
        ("{}recipe = 'x'", "not a recipe"),
        ("{}reason = 3", "Cannot overwrite a value"),
        ("{}dtype = 3", "Expected `str | array | null`, got `int`"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_reason(toml, complaint):
    start = "[[expected]]\nimplementation = 'a'\ncheck = 'value'\nreason = 'r'\n"
    with pytest.raises(UsageError) as raised:
        parse_expectations(toml.format(start) if toml.startswith("{}") else toml, "x.toml")
    assert complaint in str(raised.value)


def test_an_unreadable_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*none\.toml: No such file"):
        load_expectations(tmp_path / "none.toml")


def test_written_expectations_meet_the_failures_they_were_written_from(make_failure, tmp_path):
    first, second = make_failure(message='says "no"\nand more', options={"label_smoothing": 0.1}), make_failure(kind="shape")
    first.region = {"label_smoothing": ">0", "weight": True, "rank": 2, "layout": "it's"}
    path = tmp_path / "expected.toml"
    path.write_text("# by hand\n[[expected]]\nimplementation = 'other'\ncheck = 'value'\nreason = 'r'\n")
    assert write_expected(path, [first, second, second]) == 2
    assert write_expected(path, [second]) == 0
    expectations = load_expectations(path)
    assert path.read_text().startswith("# by hand\n")
    assert [entry.implementation for entry in expectations.entries] == ["other", "mine", "mine"]
    written = expectations.entries[1]
    assert (written.when, written.reason, written.recipe) == (first.region, 'value: says "no"', recipe_from(first.recipe))
    assert expectations.matching(second) == expectations.entries[2]


def test_written_expectations_name_every_dtype_and_check_in_which_it_was_seen(make_failure, tmp_path):
    failure = make_failure()
    failure.dtypes = ("float64", failure.dtype)
    failure.fails_too = {"robust_value": ("bfloat16",)}
    path = tmp_path / "expected.toml"
    assert write_expected(path, [failure]) == 2
    first, second = load_expectations(path).entries
    assert (first.check, first.dtypes) == (failure.check, (failure.dtype, "float64"))
    assert (second.check, second.dtypes) == ("robust_value", ("bfloat16", failure.dtype))


def test_what_ships_is_well_formed():
    shipped = shipped_expectations()
    assert all(entry.recipe is not None for entry in shipped.entries)
    assert not shipped.misspelt(implementations(), [*FAILURES, *(entry.check for entry in shipped.entries)])
