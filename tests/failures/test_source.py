"""A source names what a stranger's Python can import, without a path of the machine."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np

from xentfuzz.failures.source import Form, Source, source_of
from xentfuzz.implementation import Implementation


def test_functions_of_modules_are_named_by_module():
    implementation = Implementation("mine", np.linalg.norm, backward="package.module:gradient")
    assert source_of(implementation, "float32").places == {"forward": "numpy.linalg:norm", "backward": "package.module:gradient"}


def test_functions_of_files_are_named_by_file(tmp_path, monkeypatch):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "mine.py").write_text("def loss(logits, target):\n    return 0\n")
    spec = importlib.util.spec_from_file_location("made_up_name", tmp_path / "kernels" / "mine.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "made_up_name", module)
    spec.loader.exec_module(module)
    assert source_of(Implementation("mine", module.loss), "float32").places == {"forward": "mine.py:loss"}
    monkeypatch.chdir(tmp_path)
    assert source_of(Implementation("mine", module.loss), "float32").places == {"forward": "kernels/mine.py:loss"}
    named = Implementation("mine", f"{tmp_path}/kernels/mine.py:loss")
    assert source_of(named, "float32").places == {"forward": "kernels/mine.py:loss"}


def test_functions_without_a_name_are_marked():
    assert source_of(Implementation("mine", lambda logits, target: 0), "float32").places == {"forward": ""}


def test_declarations_and_descriptions_are_kept():
    implementation = Implementation(
        "mine",
        "m:f",
        array="torch",
        grade={"float32": "staged/any"},
        device="cuda",
        renames={"dim": "axis"},
        fixed={"fast": True},
        environment={"A": "1"},
    )
    parameters = [
        {"name": "dim", "required": True, "positional": True, "keyword": True},
        {"name": "fast", "required": False, "positional": True, "keyword": True},
    ]
    description = {"forward": {"kind": "module", "parameters": {"named": parameters, "open": False, "starred": False}}}
    assert source_of(implementation, "float32", description, "float32") == Source(
        {"forward": "m:f"},
        {"forward": Form("module", ("dim", "fast"), ("dim",))},
        "torch",
        "cuda",
        "float32",
        "staged/any",
        {"dim": "axis"},
        {"fast": True},
        {"A": "1"},
    )


def test_a_parameter_whose_default_is_not_the_contracts_is_always_passed():
    named = [{"name": "pad", "required": False, "default": (0,)}, {"name": "reduction", "required": False, "default": ("mean",)}]
    named += [{"name": "weight", "required": False, "default": (1,)}, {"name": "block", "required": False, "default": (1,)}]
    description = {"forward": {"kind": "function", "parameters": {"named": named}}}
    source = source_of(Implementation("mine", "m:f", renames={"pad": "ignore_index"}), "float32", description)
    assert source.form("forward").required == ("pad",)
