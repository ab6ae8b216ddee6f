"""What a user installs and what README tells to run."""

from __future__ import annotations

import ast
import configparser
import itertools
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

import xentfuzz
from xentfuzz.checks.registry import all_checks
from xentfuzz.reports.document import read_document

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What brings a library of others is nobody's default, and is not among the tested versions.
PEERS = {name: needed for name, needed in PROJECT["optional-dependencies"].items() if name.startswith("peer-")}
EXTRAS = {name: needed for name, needed in PROJECT["optional-dependencies"].items() if name not in PEERS}


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[ ]", requirement)[0].lower().replace("_", "-")


def versions(requirements: Iterable[str]) -> dict[str, str]:
    """Name -> version of requirements with one specifier; those on xentfuzz's own extras are left out."""
    return {name_of(each): re.split(r"[=<>!~]=?", each)[-1] for each in requirements if name_of(each) != "xentfuzz"}


DIRECT = [*PROJECT["dependencies"], *itertools.chain(*EXTRAS.values())]


def test_dependencies_have_lower_bounds_only() -> None:
    assert [
        each
        for each in [*DIRECT, *itertools.chain(*PEERS.values())]
        if name_of(each) != "xentfuzz" and not re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+", each)
    ] == []


def test_every_direct_dependency_has_a_tested_version() -> None:
    pinned = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert set(versions(DIRECT)) - set(versions(pinned)) == set()
    assert [line for line in pinned if not re.fullmatch(r"[\w-]+==[\w.]+", line)] == []


def test_the_oldest_environment_has_the_lowest_versions() -> None:
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini")
    oldest = versions(tox["testenv:oldest"]["deps"].split())
    library = versions([*PROJECT["dependencies"], *itertools.chain(*(EXTRAS[name] for name in EXTRAS if name not in ("all", "dev")))])
    assert {name: oldest.get(name) for name in library if name != "torch"} == {name: library[name] for name in library if name != "torch"}


def test_all_is_every_extra_but_the_developers() -> None:
    (all_of_it,) = EXTRAS["all"]
    assert set(re.findall(r"[a-z]+", all_of_it.partition("[")[2])) == set(EXTRAS) - {"all", "dev"}


# Module -> distribution, where they differ.
DISTRIBUTIONS = {"ml_dtypes": "ml-dtypes", "pytest_benchmark": "pytest-benchmark", "_pytest": "pytest"}
# Libraries that a user's implementation brings along.
OF_THE_USER = {"jax"}


def imported_libraries() -> set[str]:
    found = set()
    for path in (ROOT / "xentfuzz").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"xentfuzz", "__future__"} - OF_THE_USER


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    library = versions([*PROJECT["dependencies"], *itertools.chain(*(EXTRAS[name] for name in EXTRAS if name not in ("all", "dev")))])
    # numba-cuda is a plug-in of numba: it is imported as numba.cuda. torch's own samples, which are compared with, need expecttest.
    assert {DISTRIBUTIONS.get(name, name) for name in imported_libraries()} == set(library) - {"numba-cuda", "expecttest"}


def readme_commands() -> list[str]:
    return [line.strip() for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("    python3 -m venv")]


def test_the_first_two_commands_run_the_main_job_and_the_tests() -> None:
    main_job, tests = readme_commands()[:2]
    assert main_job.endswith(".venv/bin/xentfuzz run --profile quick")
    assert ".venv/bin/python -m pytest" in tests
    assert all("pip install" in command and "-c constraints.txt" in command for command in (main_job, tests))


def test_the_build_runs_the_test_command_of_the_readme() -> None:
    assert "grep -m 1 'python -m pytest' README.md" in (ROOT / ".ci" / "run").read_text()
    assert (
        next(line for line in (ROOT / "README.md").read_text().splitlines() if "python -m pytest" in line).strip() == readme_commands()[1]
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files in a wheel built from a copy of the checkout."""
    pytest.importorskip("setuptools", minversion="77")
    copy, out = tmp_path_factory.mktemp("source") / "checkout", tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist"))
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(out)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, check=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_implementations_in_the_package_and_nowhere_else(wheel: list[str]) -> None:
    assert "xentfuzz/impls/numpy_stable.py" in wheel
    assert {name.partition("/")[0] for name in wheel} == {"xentfuzz", f"xentfuzz-{xentfuzz.__version__}.dist-info"}


def test_the_wheel_holds_every_file_of_the_package(wheel: list[str]) -> None:
    files = [path for folder in ("xentfuzz", "impls") for path in (ROOT / folder).rglob("*.*") if path.is_file()]
    names = {re.sub("^impls/", "xentfuzz/impls/", path.relative_to(ROOT).as_posix()) for path in files}
    wanted = {name for name in names if "cache" not in name}
    assert wanted - set(wheel) == set()


def test_the_sample_report_is_of_the_checks_that_there_are() -> None:
    document = read_document(ROOT / "reports" / "sample" / "results.json")
    assert {entry.check for report in document.reports for entry in report.checks} == set(all_checks())
    assert all(report.ok for report in document.reports)
