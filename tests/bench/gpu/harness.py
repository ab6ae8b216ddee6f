"""The project's own checks of every operation, as `xentfuzz check` runs them, each in a worker."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from gpu.support import GPU, say, write

OPERATIONS = ("cross_entropy", "nll_loss", "softmax", "log_softmax")
SECONDS = 30


def main(out):
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for operation in OPERATIONS if GPU else OPERATIONS[:1]:
            report = Path(folder) / f"{operation}.json"
            extent = ["--budget", str(SECONDS)] if GPU else ["--max-examples", "1", "--budget", "10"]
            words = ["check", "numba-cuda", "--operation", operation, "-p", "quick", "-s", "0", "--json", str(report), *extent]
            command = [sys.executable, "-m", "xentfuzz", *words]
            running.append((operation, report, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
        records = {}
        for operation, report, process in running:
            try:
                text, _ = process.communicate(timeout=SECONDS + 20)
            except subprocess.TimeoutExpired:
                process.kill()
                text = process.communicate()[0] + "\nout of time"
            records[operation] = {"exit": process.returncode, "text": text[-6000:]}
            if report.exists():
                records[operation]["summary"] = {k: v for k, v in json.loads(report.read_text()).items() if k in {"ok", "cases", "seconds"}}
            last = [line for line in text.splitlines() if line.strip()][-3:]
            say(out, f"harness {operation}: exit status {process.returncode}; {' / '.join(last)[:600]}")
            write(out, "harness", records)
