"""Whether the stand-alone script of a finding shows it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from xentfuzz.failures.failure import Failure
from xentfuzz.failures.store import write_failure

# A script makes a few calls; one of a hanging kernel waits for a minute by itself.
SECONDS = 180
STILL_WRONG = 1


def script_fault(failure: Failure) -> str:
    """Empty where the script ends with the status of a finding that is still there, else how it ended."""
    with TemporaryDirectory(prefix="xentfuzz-") as folder:
        path = write_failure(Path(folder), failure).with_suffix(".py")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
        try:
            done = subprocess.run(  # noqa: S603 - a script that the harness wrote
                [sys.executable, path],
                cwd=folder,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            return f"it did not end within {SECONDS} s"
    last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
    # Python's own status for an exception is that of a finding, too: it has to be the one that was found.
    expected = "Traceback (most recent call last)" not in done.stderr or (failure.kind == "raised" and last in failure.message)
    return "" if done.returncode == STILL_WRONG and expected else f"exit status {done.returncode}: {last}"
