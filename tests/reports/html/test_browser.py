"""The HTML page in a real browser: widths, contrast, keyboard, copying, links into folded parts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from html_documents import document, finding, report

from xentfuzz.reports.html.page import to_html

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; Debian's package brings one")

WIDTHS = (360, 800, 1600)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with playwright.sync_playwright() as started:
        # Without a sandbox, because tests may run as root.
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory, sample, faulty, hostile) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {"sample": sample, "faulty": faulty, "hostile": hostile}
    for name, content in found.items():
        (folder / f"{name}.html").write_text(to_html(content), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in found}


@pytest.fixture
def opened(browser, files):
    """Opens a page; at the end of the test the console must have been silent and nothing must have been asked of the network."""
    contexts, complaints = [], []

    def opened_page(name, *, width=1200, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith("file:") else complaints.append(request.url))
        page.goto(files[name].as_uri())
        return page

    yield opened_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["sample", "faulty", "hostile"])
def test_nothing_overflows(opened, name, width):
    page = opened(name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sample", "faulty"])
def test_contrast_names_and_order_are_as_accessibility_wants_them(opened, name, scheme):
    page = opened(name, scheme=scheme)
    page.evaluate("document.querySelectorAll('article details, figure details').forEach(part => part.open = true)")
    found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]})
    assert found.response["violations"] == []
    assert len(found.response["passes"]) > 10


def test_a_hostile_text_runs_nothing(opened):
    page = opened("hostile")
    assert page.title() != "owned"
    assert page.locator("img").count() == 0


def test_a_button_copies_the_whole_script(opened):
    page = opened("faulty")
    card = page.locator("article").first
    card.locator("summary").click()
    button = card.get_by_role("button", name="Copy the script")
    button.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "import numpy as np\nprint('<b>')\n"


def test_every_copy_button_copies_what_stands_beside_it(opened):
    page = opened("faulty")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    copied = page.locator(".copied")
    for place in range(copied.count()):
        copied.nth(place).locator("button").click()
        assert page.evaluate("navigator.clipboard.readText()") == copied.nth(place).locator("code").text_content()


def test_every_link_leads_to_something_that_is_seen(opened):
    page = opened("faulty")
    for target in page.eval_on_selector_all("a[href^='#']", "links => links.map(link => link.getAttribute('href'))"):
        page.evaluate("target => location.hash = target", target)
        page.locator(f"[id='{target[1:]}']").wait_for(state="visible")


def test_the_keyboard_reaches_everything(opened):
    page = opened("faulty")
    wanted = page.evaluate("[...document.querySelectorAll('a, button, summary, [tabindex]')].filter(part => part.checkVisibility()).length")
    seen = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("(e => [...document.querySelectorAll('*')].indexOf(e))(document.activeElement)"))
    assert len(seen - {0}) >= wanted


def test_it_prints_on_few_pages(browser, files, tmp_path):
    page = browser.new_page()
    page.goto(files["faulty"].as_uri())
    pdf = page.pdf(path=str(tmp_path / "page.pdf"), format="A4")
    page.close()
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 6


def test_a_page_of_very_long_names_still_fits(browser, tmp_path):
    name = f"folder/{'long_name_' * 12}.py:cross_entropy"
    (tmp_path / "long.html").write_text(to_html(document(report(name, (finding(),)))), encoding="utf-8")
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto((tmp_path / "long.html").as_uri())
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert width <= 360
