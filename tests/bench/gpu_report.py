"""Make reports/gpu of what `gpu_check.py` left: `python tests/bench/gpu_report.py DIR/results.json DATE`, the date as 2026-01-31.

Keeps the figures, without paths and names of the machine, and writes the tables that a person reads.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from gpu.bench import FEW_ROWS, WANTED

OUT = Path(__file__).parent.parent.parent / "reports" / "gpu"
COMMAND = "python tests/bench/gpu_check.py --out DIR"


def kept(results):
    """The results without what says where they were obtained, and without long texts."""
    machine = {name: value for name, value in results["machine"].items() if name not in {"system", "kernels kept"}}
    harness = {
        name: {"exit": of["exit"], "passed": next((line for line in of["text"].splitlines() if line.startswith("PASSED")), None)}
        for name, of in results["harness"].items()
    }
    sanitizer = {tool: summary(text) for tool, text in results["sanitizer"].items()}
    return {**results, "machine": machine, "harness": harness, "sanitizer": sanitizer}


def summary(text):
    found = [line for line in re.findall(r"SUMMARY: (.*)", text) if "not printed" not in line]
    return found[-1] if found else "no summary"


def cell(value, wanted):
    """A figure beside the one that is wanted, bold where it falls short."""
    return f"{value:.2f} ({wanted:.2f})" if value >= wanted else f"**{value:.2f}** ({wanted:.2f})"


def table(results):
    ratios = {(of["rows"], of["classes"], of["dtype"], of["what"]): of["compiled_us"] / of["ours_us"] for of in results["compiled"]}
    lines = [
        "| rows, classes | dtype | outputs | us on the GPU | share of bandwidth (wanted) | x eager (wanted) | x torch.compile (wanted) |",
        "|---|---|---|---|---|---|---|",
    ]
    for of in results["bench"]["rows"]:
        if "name" in of or "error" in of:
            continue
        share, with_gradient, eager, compiled = WANTED.get((of["rows"], of["classes"]), FEW_ROWS)
        gradient = of["what"] != "loss"
        ratio = ratios[of["rows"], of["classes"], of["dtype"], of["what"]]
        cells = [
            f"{of['rows']}, {of['classes']}",
            of["dtype"],
            of["what"],
            f"{of['ours']['gpu_us']:.1f} ({of['ours']['least_us']:.1f} to {of['ours']['most_us']:.1f})",
            cell(of["share"], with_gradient if gradient else share),
            cell(of["times_eager"], eager),
            cell(ratio, compiled),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def more(results):
    lines = ["| what | shape | dtype | outputs | us on the GPU | share of bandwidth | x torch eager |", "|---|---|---|---|---|---|---|"]
    for of in results["bench"]["rows"]:
        if "name" in of and "error" not in of:
            us = of["ours"]["gpu_us"]
            cells = [of["name"], str(tuple(of["shape"])), of["dtype"], of["what"], f"{us:.1f}", f"{of['share']:.2f}"]
            lines.append(f"| {' | '.join(cells)} | {of['eager_us'] / us:.2f} |")
    return lines


def page(results, date):
    gpu, driver, *_ = results["machine"]["gpu"].split(", ")
    clocks = results["bench"]["gpu"].split(", ")
    versions = ", ".join(f"{name} {version}" for name, version in results["machine"]["packages"].items() if version)
    bandwidth, values = results["bench"]["bandwidth"], results["values"]
    worst = ", ".join(f"{name} {error:.1f}" for name, error in values["worst"].items())
    return [
        "# The CUDA kernels on a GPU",
        "",
        f"`{COMMAND}` on {date}: {gpu}, driver {driver}, {clocks[2]} and {clocks[3]} of memory while measuring; {versions}.",
        f"A plain read moved {bandwidth['read'] / 1e9:.0f} GB/s in the same run, a plain copy {bandwidth['copy'] / 1e9:.0f} GB/s.",
        "",
        "Medians (least to most) of GPU time by events, inputs rotating beyond the cache. A share is of the bandwidth of a plain read for",
        "the loss and of a plain copy with gradient; the bytes counted are logits, gradient and targets, once.",
        "**Bold** falls short of what is wanted.",
        "",
        *table(results),
        "",
        "No target is set for these:",
        "",
        *more(results),
        "",
        f"- Values: {values['cases']} cases against torch in float64, {len(values['wrong'])} wrong.",
        f"- The largest norm of an error, in roundings of the dtype: {worst}.",
        *(f"- `xentfuzz check`: {of['passed'] or 'exit status ' + str(of['exit'])}." for of in results["harness"].values()),
        f"- Streams and graphs: {', '.join(f'{name}: {how}' for name, how in results['streams'].items())}.",
        f"- compute-sanitizer: {'; '.join(f'{tool}: {how}' for tool, how in results['sanitizer'].items())}.",
        *([f"- `pytest -m gpu`: {results['tests']['summary']}."] if "tests" in results else []),
        "",
        "`results.json` holds every figure; `tuning.json` those of the knobs that were tried earlier on the same card, by which the",
        "defaults were chosen.",
        "",
    ]


def main():
    path, date = sys.argv[1:]
    results = kept(json.loads(Path(path).read_text()))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (OUT / "README.md").write_text("\n".join(page(results, date)))


if __name__ == "__main__":
    main()
