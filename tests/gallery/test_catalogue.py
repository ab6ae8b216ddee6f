"""Entries are found by identifier, here and in a worker process."""

from __future__ import annotations

import subprocess
import sys

import pytest

import xentfuzz.gallery
from xentfuzz.errors import UnknownName
from xentfuzz.gallery import catalogue, kernels
from xentfuzz.gallery.entry import Shelf
from xentfuzz.subjects.open import open_subject
from xentfuzz.worker.reference import load_reference

ENTRIES = {**catalogue.faulty(), **catalogue.honest()}


def test_identifiers_are_unique_over_all_shelves():
    assert len(ENTRIES) == len(catalogue.faulty()) + len(catalogue.honest())


def test_the_mappings_are_attributes_of_the_package():
    assert xentfuzz.gallery.FAULTY is catalogue.faulty()
    assert xentfuzz.gallery.HONEST is catalogue.honest()


def test_nothing_of_the_gallery_is_loaded_before_it_is_asked_for():
    code = "import sys, xentfuzz.gallery; print(*(name for name in sys.modules if name.startswith('xentfuzz.gallery.')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


@pytest.mark.parametrize("name", ENTRIES)
def test_a_target_names_an_entry(name):
    implementation = load_reference(f"xentfuzz.gallery:{name}")
    assert implementation.name == name
    for function in (implementation.forward, implementation.backward, implementation.value_and_grad):
        assert function is None or callable(load_reference(function))


def test_a_kernel_keeps_what_it_keeps_from_call_to_call():
    assert kernels.kernel("D26") is kernels.D26


def test_an_unknown_identifier_is_an_error():
    with pytest.raises(UnknownName, match="did you mean 'R02'"):
        catalogue.entry("R02x")
    with pytest.raises(AttributeError):
        xentfuzz.gallery.R02x  # noqa: B018 - the attribute is what is tested


def test_an_identifier_is_taken_once():
    shelf = Shelf("NORM")
    shelf("R02", tier=1, reference="derived", mechanism="a bug")(object)
    with pytest.raises(ValueError, match="R02 is on the shelf NORM already"):
        shelf("R02", tier=1, reference="derived", mechanism="another bug")


def test_a_worker_loads_an_entry():
    subject = open_subject(catalogue.entry("R02").implementation, isolate=True)
    try:
        assert subject.capabilities.dtypes == ("float16", "bfloat16", "float32", "float64")
    finally:
        subject.close()


def test_an_entry_is_a_target_by_its_name():
    from xentfuzz.subjects.in_process import InProcess
    from xentfuzz.subjects.target import resolve

    implementation = resolve("xentfuzz.gallery:R02")
    assert implementation.name == "R02"
    assert set(InProcess(implementation).describe()) == {"forward", "backward"}
