"""Compile CUDA kernels for a compute capability without a GPU: `python compile_for_gpu.py MAJOR MINOR [KERNEL-FORMAT ...]`, all by default.

Prints a line of JSON for each: what ptxas says of its registers, stack and spills, where there is a ptxas, and instructions of its PTX.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from numba.cuda import dispatcher

from xentfuzz.impls.numba_cuda.compiler import compile_to_ptx

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))
from compile_kernels import usual_kernels

INSTRUCTIONS = {
    "vector loads": r"ld\.global\.nc\S*\.v[24]\.(b32|f64)",
    "vector stores": r"st\.global\S*\.v[24]\.(b32|f64)",
    "exponentials": r"ex2\.approx\.ftz\.f32",
    "shuffles": r"shfl\.sync",
    "arithmetic of 64 bits": r"\b(add|sub|mul|fma|div|max|min|rcp|sqrt)\.(\w+\.)*f64",
    "atomics": r"\b(atom|red)\.",
    "local memory": r"\b(ld|st)\.local",
}


def assembled(text, capability):
    """What ptxas says of a kernel; nothing where it is missing or knows no such GPU."""
    ptxas = shutil.which("ptxas")
    if ptxas is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.ptx"
        source.write_text(text)
        arch = f"sm_{capability[0]}{capability[1]}"
        done = subprocess.run([ptxas, "-v", f"-arch={arch}", "-o", "/dev/null", source], check=False, capture_output=True, text=True)
    words = done.stdout + done.stderr
    if "Unsupported .version" in words:
        return {}
    found = {
        "registers": r"Used (\d+) registers",
        "stack": r"(\d+) bytes stack frame",
        "spill stores": r"(\d+) bytes spill stores",
        "spill loads": r"(\d+) bytes spill loads",
    }
    figures = {name: int(match.group(1)) for name, pattern in found.items() if (match := re.search(pattern, words))}
    shared = re.search(r"(\d+) bytes smem", words)
    if done.returncode != 0 or len(figures) != len(found):
        raise RuntimeError(f"ptxas for {arch}: {words[-1000:]}")
    return {**figures, "shared": int(shared.group(1)) if shared else 0}


def main():
    capability = int(sys.argv[1]), int(sys.argv[2])
    # Numba asks the current device when it compiles a device function, and is told about one that is not there.
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    names = set(sys.argv[3:])
    for which in usual_kernels():
        if names and f"{which.kernel}-{which.format}" not in names:
            continue
        text = compile_to_ptx(which, capability)
        counts = {name: len(re.findall(pattern, text)) for name, pattern in INSTRUCTIONS.items()}
        record = {"kernel": which.kernel, "format": which.format, "threads": which.threads, "resident": which.resident}
        print(json.dumps({**record, **counts, **assembled(text, capability)}), flush=True)


main()
