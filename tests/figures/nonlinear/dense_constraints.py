"""Dense constraints: Schur complements against IPOPT, and where IPOPT does not finish; peak memory of each process."""

from __future__ import annotations

from tests.figures.nonlinear._child import HEADER, measured


def main() -> None:
    print(HEADER)
    ours = measured("dense-constraints", {"n": 5000, "m": 300}, "sketched-newton")
    theirs = measured("dense-constraints", {"n": 5000, "m": 300}, "ipopt", limit=60)
    print(f"n = 5000, m = 300: ratio of times to IPOPT {ours['seconds'] / theirs['seconds']:.3f}", flush=True)
    measured("dense-constraints", {"n": 10000, "m": 1000}, "sketched-newton")
    measured("dense-constraints", {"n": 100000, "m": 1000}, "sketched-newton", build="python")
    print("the matrix of the last one takes 800 MB")
