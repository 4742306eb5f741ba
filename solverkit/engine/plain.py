"""Values as strict JSON: NaN is null, infinities are the strings "inf" and "-inf", arrays are nested lists."""

from __future__ import annotations

import json
from math import isfinite, isnan
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """`value` in JSON's own types; what JSON cannot say becomes its text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if isfinite(value) else None if isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry) for entry in value]
    return str(value)


def number(value: Any) -> float:
    """The float that `plain` wrote. Raises ValueError for anything else."""
    if value is None:
        return float("nan")
    if value in ("inf", "-inf"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"a number was expected, {type(value).__name__} found")
    return float(value)


def dumps(value: Any, indent: int | None = None) -> str:
    """Strict JSON text."""
    return json.dumps(plain(value), allow_nan=False, indent=indent, ensure_ascii=True)
