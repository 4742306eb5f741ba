"""What the compiler may assume in the kernels.

Never `nnan` or `ninf`: a diverging iteration is found by its NaN. Sums may be reordered (`reassoc`, which is what lets
them be vectorized) only over whole vectors: on rows of five entries a vectorized loop is slower than a plain one.
"""

from __future__ import annotations

ROWS: dict = {"fastmath": {"contract", "nsz", "arcp"}, "nogil": True, "cache": True}
VECTORS: dict = {"fastmath": {"contract", "nsz", "arcp", "reassoc"}, "nogil": True, "cache": True}
