"""What the compiler may assume: sums over whole vectors may be reordered, NaN is never assumed away.

A diverging iteration is found by its NaN, so neither `nnan` nor `ninf` is set."""

from __future__ import annotations

from typing import Any

VECTORS: Any = {"fastmath": {"contract", "nsz", "arcp", "reassoc"}, "nogil": True, "cache": True}
