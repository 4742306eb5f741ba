"""Data sets that come with scikit-learn: no download, no file of the problem's own."""

from __future__ import annotations

import numpy as np

from solverkit.errors import MissingPackage
from solverkit.formats.files import Refused

SETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def read_bundled(name: str, key: str) -> np.ndarray:
    """`data` (n, d) or `target` (n,) of a bundled set. MissingPackage where scikit-learn is not installed."""
    if name not in SETS:
        raise Refused(f"no data set '{name[:64]}' (choices: {', '.join(SETS)})")
    try:
        from sklearn import datasets
    except ImportError:
        raise MissingPackage(
            f"the data set '{name}' comes with scikit-learn, which is not installed. Run: pip install scikit-learn"
        ) from None
    return np.array(getattr(datasets, f"load_{name}")()[key], dtype=float)
