"""The code of the core and of the plugins that this installation has, wherever it lies."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("solverkit", *sorted(folder.name.replace("-", "_") for folder in ROOT.glob("plugins/solverkit-*")))


def sources() -> dict[str, Path]:
    """Each module's file, by its path from the folder that holds its package; of packages that are installed."""
    found = {}
    for name in PACKAGES:
        spec = find_spec(name)
        for place in (spec and spec.submodule_search_locations) or ():
            base = Path(place).parent
            found |= {file.relative_to(base).as_posix(): file for file in sorted(Path(place).rglob("*.py"))}
    return found
