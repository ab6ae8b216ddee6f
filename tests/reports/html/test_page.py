"""The HTML page as text: complete, linked, escaped, and nothing drawn that was not measured."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from html_documents import HOSTILE, document, finding, report

import xentfuzz
from xentfuzz.failures.failure import failure
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.reports.document import ErrorEntry
from xentfuzz.reports.html.page import to_html
from xentfuzz.runner.results import CheckReport
from xentfuzz.subjects.capabilities import Capabilities

LARGEST = 2 * 1024 * 1024
VOID = {"meta", "link", "img", "br", "hr", "input", "line", "rect", "circle", "polyline"}


class Page(HTMLParser):
    """ids, links, tags and texts of a page; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module", params=["sample", "faulty", "hostile"])
def page(request) -> Page:
    return Page(to_html(request.getfixturevalue(request.param)))


def test_ids_are_unique_and_every_link_leads_somewhere(page):
    assert [name for name, times in Counter(page.ids).items() if times > 1] == []
    assert {link for link in page.links if not link.startswith("#")} == set()
    assert {link.removeprefix("#") for link in page.links} - set(page.ids) == set()


def test_every_table_has_a_caption_and_every_plot_its_words_and_numbers(page):
    assert page.tags["caption"] == page.tags["table"] > 0
    assert page.tags["figcaption"] == page.tags["figure"]
    labelled = [value for name, value in page.attributes if name == "aria-label"]
    assert all(labelled)


def test_headings_go_down_one_step_at_a_time(sample):
    levels = [int(level) for level in re.findall(r"<h([1-6])", to_html(sample))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


def test_a_run_fits_into_two_megabytes_and_loads_nothing(sample):
    text = to_html(sample)
    assert len(text.encode()) <= LARGEST
    assert re.findall(r"(?:src|href)=[\"']?(?!#)[^\"' >]+|@import|url\(", text) == []


def test_markup_in_a_users_texts_stays_text(hostile):
    text = to_html(hostile)
    assert HOSTILE not in text
    page = Page(text)
    assert page.tags["script"] == 1  # the page's own
    assert page.tags["img"] == 0
    assert "".join(page.texts).count("document.title='owned'") > 10


def test_a_finding_shows_its_numbers_with_the_wrong_one_marked(faulty):
    text = to_html(faulty)
    assert "1 finding in kernel.py:loss" in text
    assert re.search(r'<td class="wrong right">\s*0\.25', text)
    assert not re.search(r'<td class="wrong right">\s*1\.7', text)
    assert "xentfuzz replay 1a2b3c4d5e6f kernel.py:loss" in text
    assert "import numpy as np" in text


def test_a_finding_without_small_arrays_shows_its_words():
    assert "float32 2x2" in to_html(document(report(failures=(finding(shown={}),))))


def test_verdicts():
    def verdict(*reports, **changes):
        found = re.search(r'<h1 id="verdict" class="verdict (\w+)">(.*?)</h1>', to_html(document(*reports, **changes)))
        return found.groups() if found else None

    assert verdict(report()) == ("passed", "Everything that was compared is right: 1 implementation.")
    cut = report()
    cut.cut_short = "quick's 90 s used up"
    assert verdict(cut) == ("passed", "Everything that was compared so far is right: 1 implementation.")
    assert verdict(report(failures=(finding(expected="known"),)))[0] == "passed"
    assert verdict(report(ok=False, problems=["nothing could be compared"])) == (
        "failed",
        "1 problem in kernel.py:loss (1 implementation checked).",
    )
    assert verdict(report(), interrupted=True)[0] == "failed"
    assert verdict()[1] == "Timed; every timed result is right."


def test_errors_of_the_harness_are_told_with_their_tracebacks():
    error = ErrorEntry("judging", "value", "float32", None, "ZeroDivisionError: division by zero", "Traceback: here", 3)
    text = to_html(document(report(errors=[error]), errors=[ErrorEntry("writing", "", "", None, "OSError: disk full", "Traceback: there")]))
    assert "kernel.py:loss, cross_entropy, judging value float32: ZeroDivisionError: division by zero (3 x)" in text
    assert "Traceback: here" in text
    assert "writing: OSError: disk full (1 x)" in text


def test_a_check_of_an_unknown_name_has_its_place():
    assert "a_check_of_another_version" in to_html(document(report()))


def test_nothing_is_drawn_that_was_not_measured(faulty):
    text = to_html(faulty)
    assert "Speed" not in text
    assert "Agreement" not in text


def test_a_benchmark_has_curves_bars_and_all_times(sample):
    text = to_html(sample)
    assert sample.benchmark is not None
    for row in sample.benchmark["rows"]:
        assert f"{row['rows']} x {row['classes']}" in text
    assert "Throughput: loss, float32" in text
    assert "Speed against torch-eager" in text
    assert "Accuracy against speed" in text


def rows_of(text, caption):
    """The cells of the table with this caption, as texts."""
    table = next(part for part in text.split("<table>") if caption in part.partition("</caption>")[0])
    lines = re.findall("<tr>(.*?)</tr>", table.partition("</table>")[0], re.DOTALL)
    return [[" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in re.findall("<t[hd].*?</t[hd]>", line, re.DOTALL)] for line in lines]


def test_errors_are_told_by_kind_of_numbers_and_dtype_the_worst_first(faulty):
    text = to_html(faulty)
    header, worst, swamp = rows_of(text, "the largest error / allowed error, and the same error in ulp")
    assert header == ["kind of numbers", "float32", "ulp", "what it is"]
    assert worst[1] == "inf"
    assert swamp[:3] == ["swamp", "0.93", "1.5"]
    assert swamp[3].startswith("One large logit")
    assert re.search(r'<td class="wrong right">\s*inf', text)
    assert re.search(r'<td class="shade-5 right">\s*0.93', text)


def test_errors_are_distributed_over_shares_of_the_allowed_one(faulty):
    text = to_html(faulty)
    assert "Of 40 comparisons with an error, 5 exceed what is allowed" in text
    _, counts = rows_of(text, "Comparisons by error / allowed error")
    assert counts == ["float32", "9", "0", "0", "0", "0", "16", "0", "10", "5"]


def test_of_several_implementations_each_has_its_share_and_its_folded_map():
    text = to_html(document(report("one"), report("two"), report("three", measured={})))
    assert [row[0] for row in rows_of(text, "Comparisons by error / allowed error")[1:]] == ["one", "two"]
    assert "<summary>two, cross_entropy: errors by kind of numbers</summary>" in text
    assert "<summary>three, cross_entropy: errors" not in text
    assert rows_of(text, "Comparisons by layout")[1][:4] == ["contiguous", "25", "25", "none"]


def test_what_green_covers_is_counted_by_what_the_cases_had(faulty):
    text = to_html(faulty)
    header, *rows = rows_of(text, "Comparisons by layout")
    assert header == ["layout", "kernel.py:loss", "what it is"]
    assert [row[:2] for row in rows] == [["contiguous", "25"], ["fortran", "15"]]
    assert rows[1][2].startswith("The first axis lies fastest")
    assert rows_of(text, "Comparisons by options together")[1] == ["ignored rows and weight", "5"]


def test_times_memory_and_changes_have_their_tables(sample):
    text = to_html(sample)
    assert "share of the roof" in text
    assert rows_of(text, "Peak memory of a call")[1][3] == "0.0"
    assert "Against the times" not in text
    change = {"shape": [4, 5], "rows": 4, "classes": 5, "implementation": "numpy", "measure": "loss", "dtype": "float32"}
    changes = [
        {**change, "old": 1.0, "new": 1.01, "percent": 1.0, "p": 0.4, "counts": False},
        {**change, "old": 1.0, "new": 2.0, "percent": 100.0, "p": 0.001, "counts": True},
    ]
    changed = msgspec.structs.replace(sample, benchmark={**sample.benchmark, "compared": {"changes": changes}})
    first, second = rows_of(to_html(changed), "Against the times of an earlier run")[1:]
    assert first[1:] == ["1 s", "2 s", "+100 %", "0.001", "more than the noise"]
    assert second[-1] == "noise"


def test_times_over_the_classes_have_the_machines_roof():
    def timed(rows, classes, seconds):
        stats = {"median": seconds, "q1": seconds / 2, "q3": seconds * 2, "iqr": seconds, "rounds": 5}
        row = {
            "implementation": "mine",
            "operation": "cross_entropy",
            "dtype": "float32",
            "measure": "loss",
            "status": "timed",
            "reason": "",
        }
        shape = {"shape": [rows, classes], "rows": rows, "classes": classes, "stats": stats, "bytes": 4, "bytes_per_second": 4 / seconds}
        return row | shape | {"roof_seconds": seconds / 4, "share_of_roof": 0.25}

    record = {"operation": "cross_entropy", "baseline": "mine", "interrupted": False}
    of_one_size = [timed(16, 16, 1e-3), timed(8, 32, 2e-3)]
    text = to_html(document(report("mine"), benchmark=record | {"rows": of_one_size}))
    assert rows_of(text, "Time: loss, float32")[1:] == [["16 x 16", "1 ms"], ["8 x 32", "2 ms"]]
    grid = [timed(8, 16, 1e-3), timed(8, 32, 2e-3), timed(4, 16, 1e-3)]
    text = to_html(document(report("mine"), benchmark=record | {"rows": grid}))
    assert "Time: loss, float32, 8 rows" in text
    assert "this machine&#39;s roof" in text
    assert rows_of(text, "Time: loss, float32, 8 rows")[1:] == [["8 x 16", "1 ms"], ["8 x 32", "2 ms"]]


def test_how_cost_grows_has_a_plot_with_its_numbers_where_it_was_measured(sample):
    def point(name, shape, threads, seconds):
        words = {"implementation": name, "operation": "cross_entropy", "dtype": "float32", "measure": "loss", "shape": shape}
        return words | {"threads": threads, "median": seconds, "q1": seconds / 2, "q3": seconds * 2, "roof_seconds": seconds / 4}

    growth = {
        "classes": [point("mine", [8, 16], 2, 1e-3), point("mine", [4, 32], 2, 2e-3), point("other", [4, 32], 2, 3e-3)],
        "rows": [point("mine", [8, 16], 2, 1e-3)],
        "threads": [point("mine", [8, 16], 1, 2e-3), point("mine", [8, 16], 2, 1e-3)],
    }
    text = to_html(msgspec.structs.replace(sample, benchmark={**sample.benchmark, "growth": growth}))
    over_classes = rows_of(text, "How loss grows over classes, at one number of bytes")
    assert over_classes == [["classes", "mine", "other"], ["16", "1 ms", ""], ["32", "2 ms", "3 ms"]]
    assert rows_of(text, "How loss grows over threads")[1:] == [["1", "2 ms"], ["2", "1 ms"]]
    assert "grows over rows" not in text  # one place is no line
    assert "How loss grows" not in to_html(sample)


def test_an_implementation_has_one_colour_in_every_plot(sample):
    text = to_html(sample)
    speed = text[text.index('id="speed"') : text.index('id="covers"')]
    marks = re.findall(
        r'<li><svg [^>]*><\w+ class="(mark-\d)"[^>]*></svg>([^<]*)</li>|<li><svg [^>]*><\w+ class="(mark-\d)"[^>]*/></svg>([^<]*)</li>',
        speed,
    )
    colours: dict[str, set[str]] = {}
    for first, name, second, other in marks:
        colours.setdefault(name or other, set()).add(first or second)
    assert {"numpy", "torch-eager"} <= set(colours)
    assert {name: found for name, found in colours.items() if len(found) > 1 and "roof" not in name} == {}


def failing() -> CheckReport:
    wrong = failure("value", "forward: loss is 1.0, exact: 0.5", function="forward", output="value", index=())
    wrong.check, wrong.operation, wrong.dtype, wrong.implementation = "value", "softmax", "float32", "mine"
    wrong.recipe = Recipe("softmax", "float32", (1, 2), {"logits": ArrayRecipe()}, {"axis": -1}).to_dict()
    wrong.case = {"logits": np.array([[0.5, -1.5]], np.float32), "axis": -1}
    return CheckReport("mine", "softmax", "lse/any", Capabilities("softmax", ("float32",)), 0, failures=[wrong])


def test_reports_and_failures_of_the_python_interface_have_pages():
    report = failing()
    assert "forward: loss is 1.0" in report.to_html()
    assert report._repr_html_().startswith("<iframe srcdoc=")
    shown = report.failures[0]._repr_html_()
    assert "forward: loss is 1.0" in shown
    assert "What this covers" not in shown


def test_what_a_check_finds_carries_the_numbers_of_its_case():
    def halved(logits, *, axis):
        shifted = np.exp(logits - logits.max(axis=axis, keepdims=True))
        return (shifted / shifted.sum(axis=axis, keepdims=True) / 2).astype(logits.dtype)

    kernel = xentfuzz.Implementation("halved", halved, operation="softmax", dtypes=("float32",), supports={})
    report = xentfuzz.check(kernel, profile="quick", seed=0, checks=["value"], max_examples=8)
    shown = report.to_dict()["failures"][0]["shown"]
    assert set(shown["arrays"]) >= {"logits"}
    assert np.shape(shown["output"]["got"]) == np.shape(shown["output"]["expected"]) == np.shape(shown["arrays"]["logits"]["values"])
    assert re.search(r'<td class="wrong right">', report.to_html())
