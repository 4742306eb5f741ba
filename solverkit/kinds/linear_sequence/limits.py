"""How large a sequence may be: its solutions are kept as one array, and so is what is recorded of it."""

from __future__ import annotations

MAX_POINT = 200_000_000
"""Most numbers in the solutions of a sequence, T n: 1.6 GB."""

MAX_RECORDED = 400_000_000
"""Most numbers in its recorded matrices and right-hand sides: 3.2 GB."""


def too_large(T: int, n: int) -> str:
    """Why T systems of n unknowns do not fit; empty where they do."""
    if T * n <= MAX_POINT:
        return ""
    fit = max(MAX_POINT // n, 1)
    return (
        f"{T} systems of {n} unknowns have {T * n} numbers as their solutions, and a point holds at most {MAX_POINT}. "
        f"Cut the sequence into problems of at most {fit} systems"
    )
