"""Scripts run beside the module of their targets, in this process or one of their own."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest
from scripts import Ended
from target_sources import NUMPY_TARGET


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Called with a script and mended=..., runs that beside the targets of this module, in this process: starting torch takes seconds."""

    def run(script, *, mended, target=NUMPY_TARGET):
        _write(tmp_path, script, target.format(mended=mended))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        monkeypatch.delitem(sys.modules, "targets", raising=False)
        # The finder of "." is that of the folder which was current when it was made.
        monkeypatch.delitem(sys.path_importer_cache, ".", raising=False)
        status: object = 0
        try:
            runpy.run_path("script.py", run_name="__main__")
        except SystemExit as end:
            status = end.code
        except Exception as error:  # noqa: BLE001 - as Python itself would end
            status = 1
            print(f"{type(error).__name__}: {error}")
        return Ended(status, capsys.readouterr().out)

    return run


@pytest.fixture
def run_alone(tmp_path):
    """The same in a process of its own."""

    def run(script, *, mended, target=NUMPY_TARGET):
        _write(tmp_path, script, target.format(mended=mended))
        done = subprocess.run([sys.executable, "-B", "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return Ended(done.returncode, done.stdout + done.stderr)

    return run


def _write(folder, script, target):
    (folder / "targets.py").write_text(target)
    (folder / "script.py").write_text(script)
