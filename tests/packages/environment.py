"""A clean virtual environment outside the repository, and what is done in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.packages.distributions import CORE, PLUGINS, ROOT, Distribution

CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
TEST_PACKAGES = ("hypothesis>=6.100", "psutil>=5.9", "pytest>=8.2", "pytest-xdist>=3.6", "threadpoolctl>=3.4")
SHIPPED_WITH_TESTS = ("problems", "docs", "requirements", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", ".ci")
"""What tests of the repository look at besides the code."""


@dataclass
class Environment:
    """A folder with a virtual environment `venv` and room for files."""

    folder: Path

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.folder / "venv" / "bin"

    def install(self, *requirements: str | Distribution) -> float:
        """Install distributions of ours by their built wheels, others by name, within the project's constraints.

        A wheel is given by its path, so that no index can stand in for it. Seconds."""
        begun = time.perf_counter()
        words = [_word(requirement) for requirement in requirements]
        line = ["python", "-m", "pip", "--disable-pip-version-check", "install", "-q", "-q", "-c", str(CONSTRAINTS)]
        self.run(*line, *words)
        return time.perf_counter() - begun

    def uninstall(self, names: Sequence[str]) -> None:
        """Remove distributions, by name."""
        self.run("python", "-m", "pip", "--disable-pip-version-check", "uninstall", "-q", "-y", *names)

    def frozen(self) -> set[str]:
        """Names of what is installed."""
        listed = self.run("python", "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check").stdout
        return {line.partition("==")[0] for line in listed.splitlines() if "==" in line}

    def run(
        self,
        program: str,
        *words: str,
        code: int = 0,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment; AssertionError with its output where it ends otherwise than with `code`."""
        done = subprocess.run(
            [*prefix, str(self.bin / program), *words],
            cwd=cwd or self.folder,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
        )
        if done.returncode != code:
            shown = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            raise AssertionError(f"{program} {' '.join(words)} ended with {done.returncode}, not {code}:\n{shown}")
        return done

    def variables(self, **more: str) -> dict[str, str]:
        """The environment's variables: none of Python's own from outside."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SOLVERKIT"))}
        path = f"{self.bin}{os.pathsep}{kept.get('PATH', '')}"
        return {**kept, "PATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **more}

    def test(self, *paths: str, workers: int = 2) -> str:
        """Run tests in `tree`; what pytest counted."""
        line = ["-m", "pytest", "-p", "partial", "-o", "addopts=--import-mode=importlib", "-n", str(workers), *paths]
        said = self.run("python", *line, cwd=self.folder / "tree", PYTHONPATH=".").stdout
        return said.strip().splitlines()[-1].strip("= ")

    def lay_out(self) -> None:
        """Copy tests and what they look at, but none of the packages, into `tree`."""
        tree = self.folder / "tree"
        tree.mkdir()
        for name in (*SHIPPED_WITH_TESTS, "tests", "plugins"):
            place = ROOT / name
            if place.is_dir():
                sources = ("src",) if name == "plugins" else ()  # what is installed is what the tests see
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", *sources)
                shutil.copytree(place, tree / name, ignore=ignored)
            else:
                shutil.copy(place, tree / name)
        shutil.copy(ROOT / "pyproject.toml", tree)
        shutil.copy(Path(__file__).with_name("partial.py"), tree)


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder outside the repository, removed afterwards; its path has a space, as some users' have."""
    with tempfile.TemporaryDirectory(prefix="solverkit packages ") as name:
        yield Path(name)


@contextmanager
def environment(*requirements: str | Distribution) -> Iterator[Environment]:
    """A new environment with these requirements."""
    with folder() as place:
        made = Environment(place)
        subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
        if requirements:
            made.install(*requirements)
        yield made


def _word(requirement: str | Distribution) -> str:
    return str(requirement.wheel) if isinstance(requirement, Distribution) else requirement


def with_extras(distribution: Distribution, *extras: str) -> str:
    """The requirement of a built wheel with extras; without names, with all of them."""
    named = extras or tuple(distribution.project.get("optional-dependencies", {}))
    wanted = [name for name in named if name != "dag-peers"]  # peers that pull in very much, never needed by a test
    return f"{distribution.name}[{','.join(wanted)}] @ {distribution.wheel.as_uri()}"


EVERYTHING = (CORE, *PLUGINS)
