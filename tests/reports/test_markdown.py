"""The report as Markdown: every section, and text that would break it."""

from __future__ import annotations

import re

import pytest

from xentfuzz.reports.markdown.page import to_markdown
from xentfuzz.reports.markdown.text import code, fenced, markdown_table


def sections(page):
    return re.findall(r"^## (.*)$", page, re.MULTILINE)


def test_a_run_has_every_section(samples, document):
    page = to_markdown(document(samples.run_events()))
    assert page.startswith("# xentfuzz run: FAILED, 1 finding\n\n2 implementations, 2 operations, 1200 cases in 2 s.\n")
    assert sections(page) == [
        "Findings",
        "Results",
        "Accuracy",
        "Agreement",
        "What this covers",
        "Policies",
        "Expected findings",
        "Environment",
        "How to repeat this",
    ]


def test_a_clean_run_has_no_findings(samples, document):
    page = to_markdown(document(samples.check_events(samples.passing())))
    assert page.startswith("# xentfuzz check: PASSED\n")
    assert not {"Findings", "Expected findings", "Benchmark"} & set(sections(page))


def test_a_finding_has_message_input_recipe_and_script(samples, document):
    page = to_markdown(document(samples.check_events(samples.failing())))
    finding = page[page.index("### mine, cross_entropy: gradient, float32 (gradient)") : page.index("## Results")]
    assert "needs an ignored row\n```\n" in finding
    assert "target = [1] int64\n```\n" in finding
    assert '\nRecipe: `{"operation":"cross_entropy","dtype":"float32","shape":[1,2],' in finding
    assert (
        "<details><summary>Script that shows it alone</summary>\n\n```python\n#!/usr/bin/env python3\nprint('shown')\n```\n\n</details>"
        in finding
    )


def test_the_matrix_has_a_mark_for_each_dtype(samples, document):
    page = to_markdown(document(samples.run_events()))
    assert "| check | alpha | beta |\n|---|---|---|\n| gradient | **`??F?`** |  |\n| value | `??..` | `??x.` |\n" in page


def test_accuracy_names_the_recipe_of_the_worst_case(samples, document):
    page = to_markdown(document(samples.check_events(samples.passing(stricter_grade="shift/any"))))
    assert "| mine | cross_entropy | float32 | lse/any (working precision) | shift/any | 0.93 | 1.5 | value | `{" in page


def test_a_recipe_of_many_numbers_is_told_in_words(samples, document):
    report = samples.passing()
    logits = {"regime": "recorded:digits", "elements": ["0.5"] * 640}
    report.checks[0].recipe = {"operation": "cross_entropy", "dtype": "float32", "shape": [64, 10], "arrays": {"logits": logits}}
    page = to_markdown(document(samples.check_events(report)))
    assert "| value | float32 64x10; logits: recorded:digits |\n" in page


def test_agreement_covers_policies_and_unavailable_ones_are_told(samples, document):
    page = to_markdown(document(samples.run_events()))
    assert "| cross_entropy | alpha, beta | 40 | 25 % | 0.5 |\n" in page
    assert "- gamma, cross_entropy: not run: needs a GPU: no device was found\n" in page
    assert "| cross_entropy | mean over no rows | alpha | NaN (12) |\n" in page
    assert "- beta, cross_entropy: value, float32 (special): a known fault of the library below\n" in page


def test_the_command_is_repeated_with_the_seed_that_was_drawn(samples, document):
    made = document(samples.run_events())
    assert to_markdown(made).endswith("## How to repeat this\n\n```sh\nxentfuzz run --seed 7\n```\n")
    made.command = ["xentfuzz", "run", "--seed=7"]
    assert to_markdown(made).endswith("```sh\nxentfuzz run --seed=7\n```\n")


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
    assert page.count("<details>") == 20


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
