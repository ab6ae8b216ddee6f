"""Names, entry points that are loaded one by one and may fail, and why an implementation can't run."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from xentfuzz import registry
from xentfuzz.errors import UnknownName
from xentfuzz.implementation import Implementation


@dataclass
class FakeEntryPoint:
    name: str
    loaded: object
    loads: list[str] = field(default_factory=list)
    value: str = "package.module:ATTRIBUTE"

    def load(self):
        self.loads.append(self.name)
        if isinstance(self.loaded, BaseException):
            raise self.loaded
        return self.loaded


def implementation(name, operation="cross_entropy", **declaration):
    return Implementation(name, "module:forward", operation=operation, **declaration)


def registry_of(*entries):
    return registry.Registry(lambda: entries)


def test_an_entry_point_may_give_one_implementation_or_several():
    pair = (implementation("b"), implementation("b", "softmax"))
    found = registry_of(FakeEntryPoint("a", implementation("a")), FakeEntryPoint("b", pair))
    assert found.names() == ["a", "b"]
    assert found.get("b", "softmax") is pair[1]
    assert found.operations("b") == ("cross_entropy", "softmax")


def test_only_the_entry_point_that_is_asked_for_is_loaded():
    loads = []
    found = registry_of(FakeEntryPoint("a", implementation("a"), loads), FakeEntryPoint("b", implementation("b"), loads))
    assert loads == []
    found.get("b", "cross_entropy")
    found.get("b", "cross_entropy")
    assert loads == ["b"]


def test_an_implementation_may_have_another_name_than_its_entry_point():
    found = registry_of(FakeEntryPoint("package", implementation("kernel")))
    assert found.get("kernel", "cross_entropy").name == "kernel"


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        (ImportError("no libfast.so"), "package.module:ATTRIBUTE failed to load: ImportError: no libfast.so"),
        (SystemExit("no licence"), "package.module:ATTRIBUTE failed to load: SystemExit: no licence"),
        (3, "package.module:ATTRIBUTE failed to load: TypeError: wanted an Implementation or a sequence of them, got int"),
        ("text", "package.module:ATTRIBUTE failed to load: TypeError: wanted an Implementation or a sequence of them, got str"),
    ],
)
def test_an_entry_point_that_fails_is_listed_with_the_reason_and_hides_no_other(loaded, reason):
    found = registry_of(FakeEntryPoint("bad", loaded), FakeEntryPoint("good", implementation("good")))
    assert found.names() == ["bad", "good"]
    assert registry.availability(found.get("bad", "softmax")) == reason
    assert registry.availability(found.get("good", "cross_entropy")) is None


def test_a_key_is_registered_once():
    found = registry_of()
    found.register(implementation("a"))
    found.register(implementation("a", "softmax"))
    with pytest.raises(ValueError, match="'a' is registered for softmax already"):
        found.register(implementation("a", "softmax"))


def test_an_entry_point_that_takes_a_registered_key_is_listed_as_failed():
    found = registry_of(FakeEntryPoint("a", implementation("a")))
    own = implementation("a")
    found.register(own)
    assert found.get("a", "cross_entropy") is own
    assert found.names() == ["a", "a (package.module:ATTRIBUTE)"]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown implementation 'nunpy'; did you mean 'numpy'\? \(known: numpy\)"):
        registry_of(FakeEntryPoint("numpy", implementation("numpy"))).get("nunpy", "cross_entropy")


def test_an_operation_that_is_not_registered_is_told_from_an_unknown_name():
    with pytest.raises(UnknownName, match=r"unknown operation of numpy: 'softmax' \(known: cross_entropy\)"):
        registry_of(FakeEntryPoint("numpy", implementation("numpy"))).get("numpy", "softmax")


def test_another_process_is_told_where_a_registered_object_is():
    alone, first, second = implementation("a"), implementation("b"), implementation("c")
    found = registry_of(FakeEntryPoint("a", alone), FakeEntryPoint("b", [first, second], value="other:LIST"))
    found.names()
    assert found.reference(alone) == "package.module:ATTRIBUTE"
    assert found.reference(second) == "other:LIST.1"
    assert found.reference(implementation("a")) is None


def test_availability_is_what_the_implementation_says_or_how_it_failed_to():
    def broken():
        raise OSError("no driver")

    assert registry.availability(implementation("a")) is None
    assert registry.availability(implementation("a", unavailable=lambda: None)) is None
    assert registry.availability(implementation("a", unavailable=lambda: "no GPU")) == "no GPU"
    assert registry.availability(implementation("a", unavailable=broken)) == "its test of availability raised OSError: no driver"


def test_the_public_functions_share_one_registry(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", registry_of(FakeEntryPoint("a", implementation("a"))))
    registry.register(implementation("own"))
    assert registry.implementations() == ["a", "own"]
    assert registry.get("own").name == "own"
    assert registry.operations_of("own") == ("cross_entropy",)
    assert registry.reference_of(registry.get("a")) == "package.module:ATTRIBUTE"
