"""The tests that are marked `gpu`, where pytest is at hand."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from gpu.support import say, write

ROOT = Path(__file__).parent.parent.parent.parent


def main(out):
    if find_spec("pytest") is None:
        return say(out, "no pytest: the tests marked gpu are not run")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests/impls/test_numba_cuda_on_gpu.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(ran.stdout, ran.stderr)
    last = re.sub(r" in [\d.]+s.*|=", "", ran.stdout.strip().rpartition("\n")[2]).strip()
    write(out, "tests", {"exit": ran.returncode, "summary": last})
    say(out, f"pytest -m gpu: {last}")
    return None
