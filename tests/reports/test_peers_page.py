"""The page about libraries of others: every peer has an environment, a weekly job and a place; every finding a script and a kind."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from xentfuzz import get, implementations
from xentfuzz.failures.expected import load_expectations
from xentfuzz.registry import operations_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "reports" / "peers"
PEERS = {name for name in implementations() if any(get(name, each).named_only for each in operations_of(name))}
SCRIPTS = sorted((FOLDER / "findings").glob("*.py"))
KINDS = {
    "wrong value",
    "wrong gradient",
    "memory error",
    "accepts invalid input",
    "refuses valid input",
    "accuracy below grade",
    "contract difference",
}


@pytest.fixture(scope="module")
def page():
    spec = spec_from_file_location("peers_page", FOLDER / "page.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_peer_has_an_environment_and_a_weekly_job():
    tox = (ROOT / "tox.ini").read_text()
    (environments,) = re.findall(r"^\[testenv:peers-\{(.*)\}\]$", tox, re.MULTILINE)
    (all_of_them,) = re.findall(r"tox run -e (.*)$", tox, re.MULTILINE)
    jobs = re.findall(r"^ {10}- (\S+)$", (ROOT / ".github" / "workflows" / "peers.yml").read_text(), re.MULTILINE)
    assert set(environments.split(",")) == PEERS
    assert {name.removeprefix("peers-") for name in all_of_them.split(",")} == PEERS
    assert set(jobs) == PEERS


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_says_whose_it_is_and_of_which_kind(path, page):
    finding = page._finding(path)
    assert finding["library"] in PEERS | set(page.LIBRARIES.values())
    assert finding["kind"] in KINDS
    assert finding["form"].startswith(("compiled, ", "interpreted, "))
    assert f"]({path.relative_to(FOLDER)})" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("path", sorted((FOLDER / "expected").glob("*.toml")), ids=lambda path: path.stem)
def test_what_is_expected_has_a_reason_and_a_case(path):
    entries = load_expectations(path).entries
    assert {entry.implementation for entry in entries} == {path.stem}
    assert all(entry.recipe is not None and entry.reason for entry in entries)
