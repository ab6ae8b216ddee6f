"""The page of truth, `python page.py FOLDER`: README.md beside this file, from the results that `check.py` left in FOLDER and `findings/`.

FOLDER gets report.html too, one report of all. Standard library only, and the `xentfuzz` of the shell.
"""

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# Peer -> the distribution whose version is told, where that isn't its name.
LIBRARIES = {
    "keras-jax": "keras",
    "keras-tensorflow": "keras",
    "keras-torch": "keras",
    "onnx-reference": "onnx",
    "paddle": "paddlepaddle",
    "tensorflow": "tensorflow_cpu",
    "liger-kernel": "liger_kernel",
    "torch-linear-cross-entropy": "torch",
}
INTERPRETED = {"fla-core": "Triton's interpreter", "liger-kernel": "Triton's interpreter", "tinygrad": "its Python emulator"}
VALUES = ("value", "gradient", "special_value", "special_gradient", "robust_value", "robust_gradient")


def main(folder: Path) -> None:
    results = sorted(path for path in folder.glob("*.json") if not path.name.endswith((".versions.json", ".bench.json")))
    subprocess.run(["xentfuzz", "report", *map(str, results), "--html", str(folder / "report.html")], check=True)  # noqa: S603, S607
    findings = [_finding(path) for path in sorted((HERE / "findings").glob("*.py"))]
    introduction = (HERE / "introduction.md").read_text().rstrip()
    parts = [introduction, _overview(results, findings), _told(findings), _accuracy(results), _takes(results)]
    (HERE / "README.md").write_text("\n\n".join(parts) + "\n")


def _finding(path: Path) -> dict[str, str]:
    first, _, rest = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")
    library, kind, form, words = first.split(" | ")
    return {"file": path.name, "library": library, "kind": kind, "form": form, "words": words, "rest": " ".join(rest.split())}


def _overview(results: list[Path], findings: list[dict[str, str]]) -> str:
    rows = ["| peer | version | runs | operations | cases | seconds | findings | loss of 64x4096 |", "|---|---|---|---|---|---|---|---|"]
    for path in results:
        name, reports = path.stem, json.loads(path.read_text())["reports"]
        library = LIBRARIES.get(name, name)
        versions = json.loads(path.with_suffix(".versions.json").read_text())
        operations = ", ".join(f"{report['operation']} {report['cases']}" for report in reports)
        found = Counter(finding["kind"] for finding in findings if finding["library"] in {name, library})
        kinds = ", ".join(f"{number} {kind}" for kind, number in found.items()) or "none"
        cells = [versions.get(library, ""), INTERPRETED.get(name, "compiled"), operations, sum(report["cases"] for report in reports)]
        seconds = f"{sum(report['seconds'] for report in reports):.0f}"
        rows.append(f"| {name} | {' | '.join(map(str, cells))} | {seconds} | {kinds} | {_time(path)} |")
    return "\n".join(rows)


def _time(path: Path) -> str:
    bench = path.with_suffix(".bench.json")
    rows = json.loads(bench.read_text())["benchmark"]["rows"] if bench.exists() else []
    return next((f"{row['stats']['median'] * 1e3:.3g} ms" for row in rows if row["measure"] == "loss" and row["status"] == "timed"), "")


def _accuracy(results: list[Path]) -> str:
    rows = ["| peer | operation | dtype | grade | error / allowed | ulp |", "|---|---|---|---|---|---|"]
    for path in results:
        for report in json.loads(path.read_text())["reports"]:
            for dtype in report["card"]["dtypes"]:
                checks = [check for check in report["checks"] if check["dtype"] == dtype and check["check"] in VALUES]
                ratio, ulp = (max((float(check[key] or 0) for check in checks), default=0.0) for key in ("worst_ratio", "worst_ulp"))
                cells = [path.stem, report["operation"], dtype, _grade(report["grade"], dtype), f"{ratio:.3g}", f"{ulp:.3g}"]
                rows.append(f"| {' | '.join(cells)} |")
    words = "## Accuracy\n\nThe worst of all cases, those of findings included; an error of at most 1 times what the grade allows is right."
    return words + "\n\n" + "\n".join(rows)


def _grade(told: str, dtype: str) -> str:
    """Of a grade for each dtype, "float16: staged/any, float32: lse/any", the one for `dtype`."""
    return dict(part.split(": ") for part in told.split(", ")).get(dtype, "lse/any") if ": " in told else told


def _takes(results: list[Path]) -> str:
    head = ["## What each takes", "", "And what it does where the contract allows several things.", ""]
    rows = ["| peer | operation | takes | choices |", "|---|---|---|---|"]
    for path in results:
        for report in json.loads(path.read_text())["reports"]:
            choices = "; ".join(f"{point}: {', '.join(chosen)}" for point, chosen in report["policies"].items())
            rows.append(f"| {path.stem} | {report['operation']} | {_card(report['card'])} | {choices} |")
    return "\n".join(head + rows)


def _card(card: dict[str, Any]) -> str:
    options = [name if values is None else f"{name} {values}" for name, values in card["options"].items() if values != []]
    parts = [*card["targets"], f"rank {', '.join(map(str, card['ranks']))}", *(["weight"] if card["weight"] else []), *options]
    return "; ".join([*parts, "gradient" if card["gradients"] else "no gradient"])


def _told(findings: list[dict[str, str]]) -> str:
    lines = ["## Findings", "", "Each was looked at by hand; its script needs the library and NumPy alone.", ""]
    lines += [
        f"- **{each['library']}, {each['kind']}** ({each['form']}): {each['words']}. {each['rest']} [{each['file']}](findings/{each['file']})"
        for each in findings
    ]
    return "\n".join(lines).replace(".  [", ". [")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
