"""References lead to the object they name, and errors say what to do."""

from __future__ import annotations

import sys
from functools import partial

import pytest

from xentfuzz.errors import UsageError
from xentfuzz.worker.reference import load_reference, reference_to


@pytest.fixture(autouse=True)
def _leave_nothing_behind(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def kernel(tmp_path):
    """A file with functions."""
    file = tmp_path / "some_kernel.py"
    file.write_text("import neighbour\ndef forward(): return neighbour.VALUE\nclass Group:\n    members = [forward]\n")
    (tmp_path / "neighbour.py").write_text("VALUE = 7\n")
    return file


def test_a_module_and_an_attribute():
    assert load_reference("json:dumps") is __import__("json").dumps
    assert load_reference("os:path.join") is __import__("os").path.join


def test_a_number_in_the_path_is_an_index():
    assert load_reference("sys:version_info.0") == sys.version_info[0]


def test_a_file_sees_its_neighbours_and_runs_once(kernel):
    forward = load_reference(f"{kernel}:forward")
    assert forward() == 7
    assert load_reference(f"{kernel}:Group.members.0") is forward


def test_a_file_does_not_replace_a_module_of_its_name(tmp_path):
    import json

    file = tmp_path / "json.py"
    file.write_text("def forward(): return 1\n")
    assert load_reference(f"{file}:forward")() == 1
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("json", "'json' is not package.module:attribute or path/to/file.py:attribute"),
        (":dumps", "is not package.module:attribute"),
        ("json:", "is not package.module:attribute"),
        ("json:dunps", "json has no attribute 'dunps'; did you mean 'dumps'?"),
        ("json:dumps.forward", "json:dumps has no attribute 'forward'"),
        ("no_such_package.module:f", "no module named 'no_such_package'"),
        ("json.no_such_module:f", "no module named 'json.no_such_module'"),
        ("no/such/file.py:f", "no/such/file.py does not exist"),
        ("{folder}/broken.py:f", "broken.py failed to import: SyntaxError: "),
        ("{folder}/needs.py:f", "needs.py failed to import: ModuleNotFoundError: No module named 'no_such_dependency'"),
        ("{folder}/leaves.py:f", "leaves.py failed to import: SystemExit: 3"),
    ],
)
def test_what_cannot_be_loaded_is_named(tmp_path, reference, message):
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "needs.py").write_text("import no_such_dependency\n")
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(UsageError) as error:
        load_reference(reference.format(folder=tmp_path))
    assert message in str(error.value)


def test_a_missing_dependency_of_an_importable_module_is_not_mistaken_for_the_module(tmp_path, monkeypatch):
    (tmp_path / "importable_but_poor.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="importable_but_poor failed to import: ModuleNotFoundError"):
        load_reference("importable_but_poor:f")


def top_level():
    pass


class Holder:
    @staticmethod
    def method():
        pass


def test_a_function_of_a_module_has_a_reference():
    import json

    assert reference_to(json.dumps) == "json:dumps"
    assert load_reference(reference_to(top_level)) is top_level
    assert load_reference(reference_to(Holder.method)) is Holder.method


def test_a_function_of_a_file_that_no_name_leads_to_is_referred_to_by_the_file(kernel, monkeypatch):
    forward = load_reference(f"{kernel}:forward")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(kernel.parent)])
    assert reference_to(forward) == f"{kernel.resolve()}:forward"


def test_what_no_other_process_can_find_has_none():
    def local():
        pass

    assert reference_to(local) is None
    assert reference_to(lambda: 0) is None
    assert reference_to(partial(top_level)) is None


def test_a_function_that_was_replaced_has_none(monkeypatch):
    original = Holder.method
    monkeypatch.setattr(Holder, "method", staticmethod(lambda: 1))
    assert reference_to(original) is None
