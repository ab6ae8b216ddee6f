"""Check one library of others: `python check.py NAME FOLDER`, with the Python of an environment that has NumPy and that library.

The `xentfuzz` of the shell does the work and starts its workers by this Python. FOLDER gets NAME.json (the results), NAME.bench.json
(times) and NAME.versions.json. Ends with 1 where something is found that `expected/NAME.toml` doesn't know, or is there and passes now;
where there is no such file, what is found is written to it. Standard library only.
"""

import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected"
# Where the profile quick compares few cases in its time: Triton's interpreter takes milliseconds for a row, jax compiles for each new shape.
PROFILES = {
    "fla-core": ("--profile", "default", "--budget", "300"),
    "keras-jax": ("--profile", "quick", "--budget", "400"),
    "optax": ("--profile", "quick", "--budget", "240"),
}
QUICK = ("--profile", "quick")
SHAPE = ("--operation", "cross_entropy", "--rows", "64", "--classes", "4096", "--dtype", "float32", "--threads", "1", "--quick")


def main(name: str, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    versions = {found.name: found.version for found in distributions()}
    (folder / f"{name}.versions.json").write_text(json.dumps(versions, indent=1, sort_keys=True) + "\n")
    python = ("--python", sys.executable)
    known = EXPECTED / f"{name}.toml"
    expected = ("--expect" if known.exists() else "--write-expected", str(known))
    common = ("--seed", "0", "--json", str(folder / f"{name}.json"))
    found = subprocess.run(["xentfuzz", "check", name, *python, *PROFILES.get(name, QUICK), *common, *expected], check=False)  # noqa: S603, S607
    times = folder / f"{name}.bench.json"
    subprocess.run(["xentfuzz", "bench", name, *python, *SHAPE, "--json", str(times)], check=False)  # noqa: S603, S607
    return found.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].removeprefix("peers-"), Path(sys.argv[2])))
