"""Dense constraints: Schur complements against IPOPT, and the same with a Gram Hessian that is never formed."""

from __future__ import annotations

from tests.figures.nonlinear._child import HEADER, measured

GRAM = {"n": 5000, "m": 300, "samples": 50000}


def main() -> None:
    print(HEADER)
    ours = measured("dense-constraints", {"n": 5000, "m": 300}, "sketched-newton")
    theirs = measured("dense-constraints", {"n": 5000, "m": 300}, "ipopt", limit=60)
    print(f"n = 5000, m = 300: ratio of times to IPOPT {ours['seconds'] / theirs['seconds']:.3f}", flush=True)
    measured("dense-constraints", {"n": 10000, "m": 1000}, "sketched-newton")
    measured("dense-constraints", {"n": 100000, "m": 1000}, "sketched-newton", build="python")
    steps = {}
    for rank in (0, 30, 120):
        label = f"Nystrom, rank {rank}" if rank else "diagonal metric"
        options = {"inner": "nystrom", "rank": rank}
        steps[label] = measured("dense-constraints-gram", GRAM, "sketched-newton", options, label=label)["nhvp"]
    print("products with the Hessian: " + ", ".join(f"{label} {count}" for label, count in steps.items()), flush=True)
