"""The distributions of this repository, built, and what is in them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
DIST = ROOT / "build" / "dist"

IMPORTED_AS = {"causal-learn": "causallearn", "pyyaml": "yaml", "ruamel.yaml": "ruamel", "scikit-learn": "sklearn"}
UNWANTED = re.compile(r"__pycache__|\.py[co]$|\.nb[ic]$|\.egg-info/|^tests?/|\.ipynb_checkpoints")


@dataclass(frozen=True)
class Distribution:
    """One folder with a pyproject.toml."""

    folder: Path

    @property
    def project(self) -> dict:
        """Its `[project]` table."""
        return tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]

    @property
    def name(self) -> str:
        """As pip knows it."""
        return self.project["name"]

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        return f"{self.name.replace('-', '_')}-{self.project['version']}"

    @property
    def wheel(self) -> Path:
        """The built wheel."""
        return DIST / f"{self.stem}-py3-none-any.whl"

    @property
    def sdist(self) -> Path:
        """The built source distribution."""
        return DIST / f"{self.stem}.tar.gz"

    @property
    def package(self) -> Path:
        """The folder of its import package."""
        source = self.folder / "src"
        return next(source.iterdir()) if source.is_dir() else self.folder / self.name


CORE = Distribution(ROOT)
PLUGINS = tuple(Distribution(path.parent) for path in sorted(ROOT.glob("plugins/*/pyproject.toml")))
EXAMPLES = tuple(Distribution(path.parent) for path in sorted(ROOT.glob("docs/examples/plugins/*/pyproject.toml")))


def build(distribution: Distribution) -> None:
    """Source distribution, and from it the wheel, into build/dist."""
    line = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), str(distribution.folder)]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{distribution.name} cannot be built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def defects(distribution: Distribution) -> Iterator[str]:
    """What is wrong with the built files and their metadata, one sentence each."""
    with zipfile.ZipFile(distribution.wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    with tarfile.open(distribution.sdist) as archive:
        packed = ["/".join(PurePosixPath(name).parts[1:]) for name in archive.getnames()]
    package = distribution.package
    sources = [
        f"{package.name}/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and not UNWANTED.search(path.as_posix())
    ]
    yield from (f"the wheel lacks {name}" for name in sorted(set(sources) - set(names)))
    yield from (f"the wheel has {name}" for name in names if UNWANTED.search(name))
    if not any(name.endswith("licenses/LICENSE") for name in names):
        yield "the wheel has no licence"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if name not in packed:
            yield f"the sdist lacks {name}"
    if str(ROOT) in metadata:
        yield "the metadata name a path of the machine that built it"
    if not re.search(r"^Requires-Python: >=3\.11$", metadata, re.MULTILINE):
        yield "the metadata do not ask for Python 3.11"
    yield from undeclared(distribution)
    if distribution.folder != ROOT:
        core = [line for line in distribution.project["dependencies"] if re.match(r"solverkit(\[|[<>=~ ])", line)]
        if not core or not re.search(r">=.*<", core[0]):
            yield "no range of versions of the core is asked for"
        yield from (
            f"the sdist lacks tests/{path.name}" for path in _tests(distribution) if path.name not in _names(packed)
        )


def _tests(distribution: Distribution) -> list[Path]:
    return [path for path in (distribution.folder / "tests").rglob("*.py")]


def _names(paths: list[str]) -> set[str]:
    return {PurePosixPath(path).name for path in paths}


def undeclared(distribution: Distribution) -> Iterator[str]:
    """Packages that are imported and neither part of Python nor among dependencies and extras."""
    project = distribution.project
    lines = list(project.get("dependencies", []))
    for extra in project.get("optional-dependencies", {}).values():
        lines += extra
    declared = {_imported(line) for line in lines} | {distribution.package.name, "pydantic_core"}  # a part of pydantic
    if distribution.folder != ROOT:
        declared |= {_imported(line) for line in CORE.project["dependencies"]}
    for path in sorted(distribution.package.rglob("*.py")):
        for name in _imports(ast.parse(path.read_text())):
            if name not in declared and name not in sys.stdlib_module_names:
                yield f"{path.relative_to(distribution.folder)} imports {name}, which is not declared"


def _imported(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement).group(0).lower()  # type: ignore[union-attr]
    return IMPORTED_AS.get(name, name.replace("-", "_"))


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found
