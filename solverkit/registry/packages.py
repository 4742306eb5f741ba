"""Optional packages: which are missing, and the line that installs them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec

PIP_NAMES = {
    "PIL": "pillow",
    "causallearn": "causal-learn",
    "ruamel": "ruamel.yaml",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "torch": "torch==2.13.0",  # as in requirements/constraints.txt: a plain `torch` draws several GB
    "yaml": "PyYAML",
}
"""Import name -> what pip calls it, where the two differ."""


def missing(packages: Iterable[str]) -> list[str]:
    """Those of the importable names that are not installed. Imports nothing."""
    return [name for name in packages if not _installed(name.partition(".")[0])]


def pip_line(packages: Iterable[str]) -> str:
    """The command that installs these importable names."""
    tops = dict.fromkeys(name.partition(".")[0] for name in packages)
    return "pip install " + " ".join(PIP_NAMES.get(top, top) for top in tops)


def _installed(name: str) -> bool:
    if name in sys.modules:
        return sys.modules[name] is not None
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
