"""`xentfuzz check` on small kernels, whole."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import numpy as np

QUICK = ("--profile", "quick", "--max-examples", "6", "--seed", "1", "--dtype", "float32", "--no-isolate")
VALUE = (*QUICK, "--check", "value")


def test_a_right_kernel_passes(xentfuzz):
    ran = xentfuzz("check", "kernels.py:loss", *QUICK)
    assert (ran.status, ran.err) == (0, "")
    assert "\nkernels.py:loss, cross_entropy\n  card     what a few tiny calls showed;" in ran.out
    assert "\nPASSED: kernels.py:loss, cross_entropy; " in ran.out
    assert ran.out.endswith("\nrepeat with --seed 1\n")


def test_a_wrong_kernel_is_a_finding_that_can_be_replayed(xentfuzz):
    ran = xentfuzz("check", "kernels.py:wrong", *VALUE)
    assert ran.status == 1
    assert "\n1. value, float32\n" in ran.out
    assert "\nFAILED: kernels.py:wrong, cross_entropy; 1 finding; " in ran.out
    (replay,) = [line.split()[3:] for line in ran.out.splitlines() if line.startswith("   replay ")]
    again = xentfuzz("replay", *replay)
    assert again.status == 1
    assert again.out.startswith("kernels.py:wrong still fails: forward: loss")


def test_the_same_seed_gives_the_same_results(xentfuzz):
    first, second = (json.loads(xentfuzz("check", "kernels.py:loss", *VALUE, "--json", "-").out) for _ in range(2))
    for report in (*first["reports"], *second["reports"]):
        report["seconds"] = report["card"]["compile_seconds"] = 0
    assert first["reports"] == second["reports"]
    assert first["seed"] == second["seed"] == 1


def test_json_on_standard_output_is_all_of_it(xentfuzz):
    ran = xentfuzz("check", "kernels.py:wrong", *VALUE, "--json", "-")
    document = json.loads(ran.out)
    assert (ran.status, document["kind"], document["reports"][0]["ok"]) == (1, "check", False)
    assert document["command"][:3] == ["xentfuzz", "check", "kernels.py:wrong"]
    assert "FAILED: kernels.py:wrong" in ran.err


def test_all_outputs_are_written(xentfuzz, folder):
    ran = xentfuzz("check", "kernels.py:wrong", *VALUE, "--json", "out/r.json", "--junit", "j.xml", "--markdown", "r.md")
    assert ran.status == 1
    assert json.loads((folder / "out" / "r.json").read_text())["reports"][0]["failures"][0]["check"] == "value"
    assert ET.parse(folder / "j.xml").find("testsuite").get("failures") == "1"  # noqa: S314 - our own text
    assert (folder / "r.md").read_text().startswith("# xentfuzz check: FAILED, 1 finding\n")


def test_no_folder_of_the_machine_is_in_the_document(xentfuzz, folder):
    ran = xentfuzz("check", f"{folder}/kernels.py:wrong", *VALUE, "--json", "-")
    assert str(folder.parent) not in ran.out


def test_several_targets_are_reported_one_after_the_other(xentfuzz):
    ran = xentfuzz("check", "kernels.py:loss", "kernels.py:wrong", *VALUE)
    assert ran.status == 1
    assert ran.out.index("PASSED: kernels.py:loss") < ran.out.index("FAILED: kernels.py:wrong")


def test_a_registered_name_stands_for_all_its_operations(xentfuzz):
    ran = xentfuzz("check", "numpy", *VALUE)
    assert ran.status == 0
    assert ran.out.count("\nPASSED: numpy, ") == 4


def test_an_operation_may_be_chosen(xentfuzz):
    assert xentfuzz("check", "numpy", *VALUE, "--operation", "softmax").out.count("\nPASSED: numpy, ") == 1


def test_a_required_feature_that_is_missing_fails(xentfuzz):
    ran = xentfuzz("check", "kernels.py:loss", *VALUE, "--require", "weight,gradient")
    assert ran.status == 1
    assert "problem: required feature weight is not supported\n" in ran.out
    assert "problem: required feature gradient is not supported\n" in ran.out


def test_recorded_arrays_are_checked_too(xentfuzz, folder):
    logits = np.array([[0.5, -1.0, 2.0], [0.0, 12345.0, 1.0]], np.float32)
    np.savez(folder / "batch.npz", logits=logits, target=np.array([2, 0]))
    assert xentfuzz("check", "kernels.py:wrong_on_real_input", *VALUE).status == 0
    assert xentfuzz("check", "kernels.py:wrong_on_real_input", *VALUE, "--input", "batch.npz").status == 1
    assert xentfuzz("check", "kernels.py:loss", *VALUE, "--input", "batch.npz").status == 0


def test_findings_may_be_written_down_as_expected_and_then_pass(xentfuzz, folder):
    first = xentfuzz("check", "kernels.py:wrong", *VALUE, "--write-expected", "known.toml")
    assert (first.status, first.err) == (1, "added 1 expected failure to known.toml\n")
    second = xentfuzz("check", "kernels.py:wrong", *VALUE, "--expect", "known.toml")
    assert second.status == 0, second.out
    assert "1 expected finding:\n" in second.out


def test_an_expectation_that_passes_now_fails_the_run(xentfuzz, folder):
    xentfuzz("check", "kernels.py:wrong", *VALUE, "--write-expected", "known.toml")
    known = folder / "known.toml"
    known.write_text(known.read_text().replace("kernels.py:wrong", "kernels.py:loss"))
    ran = xentfuzz("check", "kernels.py:loss", *VALUE, "--expect", "known.toml")
    assert ran.status == 1
    assert "passes now; remove it" in " ".join(ran.out.split())


def test_a_misspelt_expectation_is_wrong_usage(xentfuzz, folder):
    (folder / "known.toml").write_text('[[expected]]\nimplementation = "kernels.py:loss"\ncheck = "valeu"\nreason = "none"\n')
    ran = xentfuzz("check", "kernels.py:loss", *VALUE, "--expect", "known.toml")
    assert ran.status == 2
    assert "valeu" in ran.err


def test_isolation_is_the_default(xentfuzz, monkeypatch):
    asked = []

    def run_checks(implementations, settings):
        asked.append(settings.isolate)
        return []

    monkeypatch.setattr("xentfuzz.runner.check.run_checks", run_checks)
    xentfuzz("check", "numpy")
    xentfuzz("check", "numpy", "--no-isolate")
    assert asked == [True, False]


def test_with_ci_set_the_seed_is_fixed_and_printed(xentfuzz, monkeypatch):
    monkeypatch.setenv("CI", "true")
    arguments = [argument for argument in VALUE if argument not in ("--seed", "1")]
    assert xentfuzz("check", "kernels.py:loss", *arguments).out.endswith("repeat with --seed 0\n")


def test_what_a_target_does_not_say_may_be_said_for_it(xentfuzz, folder, monkeypatch):
    asked = []
    monkeypatch.setattr("xentfuzz.runner.check.run_checks", lambda implementations, _: asked.extend(implementations) or [])
    options = {
        "--operation": "nll_loss",
        "--backward": "kernels.py:wrong",
        "--value-and-grad": "kernels.py:loss",
        "--array": "numpy",
        "--device": "cpu:0",
        "--dtype": "float16",
        "--grade": "shift/any",
        "--env": "A=1=2",
    }
    words = [word for pair in options.items() for word in pair]
    assert xentfuzz("check", "kernels.py:loss", *words, "--dtype", "float64", "--env", "B=").status == 0
    (implementation,) = asked
    assert implementation.operation == "nll_loss"
    assert implementation.backward == f"{folder}/kernels.py:wrong"
    assert implementation.value_and_grad == f"{folder}/kernels.py:loss"
    assert (implementation.array, implementation.device, implementation.grade) == ("numpy", "cpu:0", "shift/any")
    assert implementation.dtypes == ("float16", "float64")
    assert implementation.environment == {"A": "1=2", "B": ""}


def test_a_dtype_that_is_declared_is_chosen_not_changed(xentfuzz, monkeypatch):
    asked = []
    monkeypatch.setattr("xentfuzz.runner.check.run_checks", lambda *given: asked.append(given) or [])
    xentfuzz("check", "numpy", "--operation", "softmax", "--dtype", "float32")
    ((implementations, settings),) = asked
    assert len(implementations[0].dtypes) == 4
    assert settings.dtypes == ("float32",)


def test_a_kernel_that_refuses_every_call_fails_with_the_reason_of_each_array_library(xentfuzz, folder):
    kernel = """
import torch

def broken(logits, target):
    if isinstance(logits, torch.Tensor):
        raise RuntimeError("no GPU")
    raise TypeError("wanted a tensor")
"""
    (folder / "broken.py").write_text(kernel)
    ran = xentfuzz("check", "broken.py:broken", "--profile", "quick", "--seed", "0", "--no-isolate", "--json", "r.json")
    assert (ran.status, ran.err) == (1, "")
    assert "  takes    nothing that was tried\n" in ran.out
    assert "  rejects  torch arrays: RuntimeError: no GPU\n" in ran.out
    assert "float16" not in ran.out
    (problem,) = json.loads((folder / "r.json").read_text())["reports"][0]["problems"]
    assert problem == (
        "nothing could be compared: it rejects numpy arrays, float32 logits of shape (3, 5) with int64 targets: TypeError: wanted a tensor"
        "; rejects torch arrays: RuntimeError: no GPU"
    )


def test_the_summary_is_appended_once_at_the_end(xentfuzz, folder):
    (folder / "step.md").write_text("before\n")
    ran = xentfuzz("check", "kernels.py:loss", "--check", "value", "--max-examples", "2", "--seed", "0", "--summary", "step.md")
    assert ran.status == 0, ran.err
    text = (folder / "step.md").read_text()
    assert text.startswith("before\n# xentfuzz check: PASSED\n")
    assert text.count("# xentfuzz check") == 1
