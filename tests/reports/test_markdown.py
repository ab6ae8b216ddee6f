"""The report as Markdown: every section, and text that would break it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xentfuzz.reports.document import read_document
from xentfuzz.reports.markdown.page import to_markdown
from xentfuzz.reports.markdown.text import code, fenced, markdown_table


def folded(page):
    return re.findall(r"^<details><summary>(.*)</summary>$", page, re.MULTILINE)


def sections(page):
    return re.findall(r"^## (.*)$", page, re.MULTILINE)


def test_a_run_has_every_section(samples, document):
    page = to_markdown(document(samples.run_events()))
    assert page.startswith("# xentfuzz run: FAILED, 1 finding\n\n2 implementations, 2 operations, 1200 cases in 2 s.\n")
    assert sections(page) == ["Findings", "Accuracy"]
    assert folded(page) == [
        "Script that shows it alone",
        "What this covers",
        "Choices that the contract leaves",
        "Expected findings",
        "Agreement",
        "Machine, versions and how to repeat this",
    ]


def test_a_run_of_four_implementations_fits_a_pull_request():
    sample = read_document(Path(__file__).parents[2] / "reports" / "sample" / "results.json")
    page = to_markdown(sample)
    assert sections(page) == ["Accuracy", "Speed"]
    assert page.count("\n") <= 120


def test_a_clean_run_has_no_findings(samples, document):
    page = to_markdown(document(samples.check_events(samples.passing())))
    assert page.startswith("# xentfuzz check: PASSED\n")
    assert not {"Findings", "Expected findings", "Speed"} & {*sections(page), *folded(page)}


def test_a_finding_has_message_input_recipe_and_script(samples, document):
    page = to_markdown(document(samples.check_events(samples.failing())))
    finding = page[page.index("### mine, cross_entropy: gradient, float32 (gradient)") : page.index("## Accuracy")]
    assert "needs an ignored row\n```\n" in finding
    assert "target = [1] int64\n```\n" in finding
    assert '\nRecipe: `{"operation":"cross_entropy","dtype":"float32","shape":[1,2],' in finding
    assert (
        "<details><summary>Script that shows it alone</summary>\n\n```python\n#!/usr/bin/env python3\nprint('shown')\n```\n\n</details>"
        in finding
    )


def test_accuracy_has_a_row_for_each_implementation_and_operation(samples, document):
    page = to_markdown(document(samples.check_events(samples.passing())))
    assert "| mine | cross_entropy | passed | 0 |  | 300 |  |  | 0.93 | 0.41 | lse/any (working precision) |\n" in page
    assert "| alpha | cross_entropy | **FAILED** | 1 |" in to_markdown(document(samples.run_events()))


def test_a_benchmark_has_medians_with_their_speed_and_says_what_was_not_timed(samples, document):
    row = {"implementation": "alpha", "dtype": "float32", "rows": 8, "classes": 5, "measure": "loss", "status": "timed", "reason": ""}
    rows = [
        row | {"speed": 1.5, "stats": {"median": 1.25e-3}},
        row | {"implementation": "beta", "status": "failed", "reason": "wrong"},
        row | {"implementation": "gamma", "status": "unavailable", "reason": "no GPU"},
    ]
    made = document(samples.run_events())
    made.benchmark = {"baseline": "beta", "rows": rows}
    page = to_markdown(made)
    assert "| loss, float32 | 8 x 5 | 1.25 ms (1.50 x) | **FAILED** |\n" in page
    assert "Not timed: beta: wrong; gamma: no GPU.\n" in page


def test_agreement_covers_policies_and_unavailable_ones_are_told(samples, document):
    page = to_markdown(document(samples.run_events()))
    assert "| cross_entropy | alpha, beta | 40 | 25 % | 0.5 |\n" in page
    assert "- gamma, cross_entropy: not run: needs a GPU: no device was found\n" in page
    assert "The same everywhere: cross_entropy: mean over no rows: NaN" in page
    assert "- beta, cross_entropy: a known fault of the library below: value, float32 (special)\n" in page


def test_choices_that_differ_have_a_row(samples, document):
    first, second = samples.passing("one"), samples.passing("two", policies={"mean over no rows": {"0": 3}})
    page = to_markdown(document([*samples.check_events(first), *samples.check_events(second)]))
    assert "| cross_entropy | mean over no rows | NaN: one; 0: two |\n" in page


def test_the_command_is_repeated_with_the_seed_that_was_drawn(samples, document):
    made = document(samples.run_events())
    assert to_markdown(made).endswith("\n\n```sh\nxentfuzz run --seed 7\n```\n\n</details>\n")
    made.command = ["xentfuzz", "run", "--seed=7"]
    assert to_markdown(made).endswith("```sh\nxentfuzz run --seed=7\n```\n\n</details>\n")


def test_an_interrupted_run_says_so_at_the_top(samples, document):
    page = to_markdown(document(samples.check_events(samples.passing(), interrupted=True)))
    assert "**Interrupted**" in page[: page.index("## ")]


def test_problems_are_findings(samples, document):
    page = to_markdown(document(samples.check_events(samples.passing(problems=["nothing could be compared"]))))
    assert page.startswith("# xentfuzz check: FAILED, 1 problem\n")
    assert "## Findings\n\n- mine, cross_entropy: nothing could be compared\n" in page


def test_scripts_of_many_findings_are_left_to_their_records(samples, document):
    report = samples.failing()
    report.failures = [samples.found() for _ in range(25)]
    page = to_markdown(document(samples.check_events(report)))
    assert page.count("### mine, cross_entropy: gradient") == 25
    assert folded(page).count("Script that shows it alone") == 20


@pytest.mark.parametrize(
    ("text", "marked"),
    [("plain", "`plain`"), ("a `tick`", "`` a `tick` ``"), ("``two``", "``` ``two`` ```"), ("a`b", "``a`b``")],
)
def test_inline_code_may_hold_backticks(text, marked):
    assert code(text) == marked


def test_a_block_may_hold_fences():
    assert fenced("```\ninner\n```") == ["````text", "```", "inner", "```", "````"]


def test_cells_hold_no_bars_or_line_ends():
    assert markdown_table(["a"], [["x | y\nz"]]) == ["| a |", "|---|", r"| x \| y z |"]
