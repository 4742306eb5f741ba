"""The files of a new plugin: templates of the package, filled and written at once."""

from __future__ import annotations

import datetime
import keyword
import re
import shutil
import sys
import tempfile
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template

from solverkit import __version__, plugin
from solverkit.errors import UsageError
from solverkit.registry import published, registry
from solverkit.registry.names import normalized
from solverkit.scaffold.kinds import METHODS
from solverkit.text import clean

KINDS = tuple(sorted(METHODS))
"""Kinds for which there is a method to begin with."""

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40


def write(name: str, kind: str, out: Path) -> Path:
    """Write the package `name` into the new folder `out/name`; its path. UsageError where that cannot be."""
    package = _checked(name)
    if kind not in METHODS:
        raise UsageError(f"no template for kind '{clean(kind, 64)}' (there are: {', '.join(KINDS)})")
    folder = out / name
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{clean(folder)} is there already, and nothing is overwritten: take another name or --out")
    values = _values(name, package, kind)
    files = {
        "pyproject.toml": "common/pyproject.toml",
        "README.md": "common/README.md",
        "LICENSE": "common/LICENSE",
        ".gitignore": "common/gitignore",
        ".github/workflows/test.yml": "common/test.yml",
        f"src/{package}/__init__.py": "common/init.py",
        f"src/{package}/plugin.py": "common/plugin.py",
        f"src/{package}/options.py": f"{kind}/options.py",
        f"src/{package}/method.py": f"{kind}/method.py",
        "problems/first/problem.yaml": f"{kind}/problem.yaml",
        "tests/test_method.py": "common/test_method.py",
    }
    templates = resources.files("solverkit.scaffold") / "templates"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-plugin-", dir=out) as place:
            staged = Path(place) / name
            for target, template in files.items():
                path = staged / target
                path.parent.mkdir(parents=True, exist_ok=True)
                text = templates.joinpath(f"{template}.in").read_text(encoding="utf-8")
                path.write_text(Template(text).substitute(values), encoding="utf-8")
            (staged / "src" / package / "py.typed").touch()
            shutil.move(staged, folder)  # whole or not at all
    except OSError as error:
        raise UsageError(
            f"{clean(out)} cannot be written: {error.strerror or error}; give --out another folder"
        ) from None
    return folder


def _checked(name: str) -> str:
    """The import package of a distribution's name. UsageError where it cannot be one."""
    shown = f"plugin name '{clean(name, 64)}'"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(f"{shown}: small letters, digits and single hyphens, a letter first, at most {LONGEST}")
    package = name.replace("-", "_")
    if name in published.DISTRIBUTIONS or name.startswith("solverkit-"):
        raise UsageError(f"{shown}: names that begin with solverkit- are this project's own; put it at the end")
    if keyword.iskeyword(package) or package in sys.stdlib_module_names:
        raise UsageError(f"{shown}: `import {package}` means something else in Python; take another")
    if published.with_method(name) or any(spec.name == name for spec in registry.methods()):
        raise UsageError(f"{shown}: a method of that name exists, see `solverkit describe {name}`; take another")
    if any(normalized(record.distribution) == name for record in registry.plugins()):
        raise UsageError(f"{shown}: a plugin of that name is installed; take another")
    if (file := _importable(package)) is not None:
        raise UsageError(f"{shown}: `import {package}` would no longer give {clean(file)}; take another")
    if (used := _class_name(name)) in {"State", *plugin.__all__}:
        raise UsageError(f"{shown}: its class would be called {used}, like one that it uses; take another")
    return package


def _importable(package: str) -> str | None:
    """The file of an installed package of that name; a mere folder of that name is none."""
    try:
        spec = find_spec(package)
    except ValueError:  # imported, and without a spec
        return package
    return spec.origin if spec else None


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _values(name: str, package: str, kind: str) -> dict[str, str]:
    method = METHODS[kind]
    major, minor = __version__.split(".")[:2]
    return {
        "name": name,
        "package": package,
        "class_name": _class_name(name),
        "kind": kind,
        "summary": method.summary,
        "pays": method.pays,
        "avoid": method.avoid,
        "requires": repr(method.requires).replace("'", '"'),
        "extra": method.extra,
        "core": f"{major}.{minor}",
        "next_core": f"{major}.{int(minor) + 1}",
        "year": str(datetime.date.today().year),
    }
