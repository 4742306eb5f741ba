"""What the compiler may assume in the kernels.

Never `nnan` or `ninf`: a Gram matrix that is not finite is found by its NaN. Sums may be reordered (`reassoc`) only in
kernels whose sums run over whole vectors.
"""

from __future__ import annotations

PLAIN: dict = {"fastmath": {"contract", "nsz", "arcp"}, "nogil": True, "cache": True}
VECTORS: dict = {"fastmath": {"contract", "nsz", "arcp", "reassoc"}, "nogil": True, "cache": True}
