"""The script of a finding about torch's autograd does what the check did."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xentfuzz.gallery.catalogue import entry
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner.check import run_recipe

HALF = {
    "operation": "cross_entropy",
    "dtype": "float32",
    "shape": (2,),
    "arrays": {
        "logits": {"elements": ("0.0", "0.0")},
        "target": {"regime": "first_class", "elements": ("0",)},
        "grad_output": {"regime": "ones", "elements": ("0.5",)},
    },
}


@pytest.mark.parametrize(("name", "status"), [("R98", 1), ("autograd_function", 0)])
def test_a_second_backward_is_taken_of_the_same_graph(tmp_path, name, status):
    failure = run_recipe(entry("R98").implementation, "torch_second_backward", recipe_from(HALF))
    path = tmp_path / "script.py"
    path.write_text(failure.script().replace("R98", name))
    done = subprocess.run([sys.executable, path], check=False, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert "second backward: tensor([-0." in done.stdout
