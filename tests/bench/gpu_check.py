"""Try and time the CUDA kernels on a machine with a GPU: `python tests/bench/gpu_check.py --out DIR`, in the checkout, without a network.

Stages of about a minute, the most important first, each in a process of its own that writes its result at once; one that fails or runs
out of time takes no other along. In DIR then: tables.txt for a person, results.json with every figure, log.txt with all output.

`--wheels DIR` names a folder with wheels of small packages that are missing (msgspec), and in `ptx/` kernels that are compiled already
(`compile_kernels.py`). Without a GPU it rehearses: tiny arrays, in Numba's simulator, which NUMBA_ENABLE_CUDASIM=1 asks for.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BUDGET = 300.0
LEAST = 8.0


@dataclass(frozen=True)
class Stage:
    """limit: seconds; the module of its name in the folder `gpu` has a function `main(out)`."""

    name: str
    limit: float


STAGES = (
    Stage("machine", 40),
    Stage("compiling", 75),
    Stage("values", 60),
    Stage("bench", 60),
    Stage("tuning", 60),
    Stage("streams", 30),
    Stage("harness", 60),
    Stage("sanitizer", 100),
    Stage("tests", 60),
    Stage("compiled", 60),
)


def prepare(folder: Path, wheels: Path | None) -> dict[str, str]:
    """The environment of the stages: the checkout with its entry points, as if it were installed, and the packages of the wheels."""
    for wheel in sorted(wheels.glob("*.whl")) if wheels else ():
        if wheel.stem.split("-")[-3] not in {"py3", f"cp{sys.version_info.major}{sys.version_info.minor}"}:
            continue
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder)
    impls = ROOT / "xentfuzz" / "impls"
    if not impls.is_dir():  # a copy of the checkout that lost the symbolic link
        impls.unlink(missing_ok=True)
        impls.symlink_to(Path("..") / "impls")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    about = folder / "xentfuzz-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: xentfuzz\nVersion: 0\n")
    entries = [
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in of.items()) for group, of in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("\n".join(entries))
    path = [str(folder), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
    kept = folder / "ptx"
    kept.mkdir()
    for compiled in sorted((wheels / "ptx").glob("*.ptx")) if wheels else ():
        shutil.copy(compiled, kept)
    environment["XENTFUZZ_CUDA_CACHE"] = str(kept)
    if "CUDA_HOME" not in environment and Path("/usr/local/cuda").exists():
        environment["CUDA_HOME"] = "/usr/local/cuda"
    return environment


def run(stage: Stage, out: Path, environment: dict[str, str], seconds: float) -> str:
    """How the stage went, in a line; its output goes to a log and to the screen's end."""
    began = time.monotonic()
    log = out / "log.txt"
    with log.open("a") as stream:
        stream.write(f"\n===== {stage.name} =====\n")
        stream.flush()
        command = [sys.executable, str(Path(__file__).resolve()), "--stage", stage.name, "--out", str(out)]
        try:
            code = subprocess.run(
                command, check=False, env=environment, stdout=stream, stderr=subprocess.STDOUT, timeout=seconds
            ).returncode
            how = "done" if code == 0 else f"FAILED with exit status {code}"
        except subprocess.TimeoutExpired:
            how = f"out of time ({seconds:.0f} s)"
    return f"{stage.name:<10} {how}, {time.monotonic() - began:.1f} s"


def run_all(out: Path, wheels: Path | None, budget: float, names: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        environment = prepare(Path(folder), wheels)
        for stage in STAGES:
            if names and stage.name not in names:
                continue
            left = budget - (time.monotonic() - began)
            line = run(stage, out, environment, min(stage.limit, left)) if left > LEAST else f"{stage.name:<10} no time left"
            print(line, flush=True)
            with (out / "tables.txt").open("a") as tables:
                tables.write(line + "\n")
    text = (out / "tables.txt").read_text() if (out / "tables.txt").exists() else ""
    print(text[-9000:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for everything")
    parser.add_argument("--only", default="", help="stages, with commas")
    parser.add_argument("--stage", choices=[stage.name for stage in STAGES], help="run one stage in this process")
    given = parser.parse_args()
    if given.stage:
        from importlib import import_module

        sys.path.insert(0, str(Path(__file__).parent))
        import_module(f"gpu.{given.stage}").main(given.out)
    else:
        run_all(
            given.out.resolve(), given.wheels and given.wheels.resolve(), given.budget, [name for name in given.only.split(",") if name]
        )


if __name__ == "__main__":
    main()
