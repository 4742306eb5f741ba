"""`python -m tests.soak._traces ORDER SEED... [--methods NAME ...]`: the digest of a short run of each method, as JSON.

`--verdicts` prints the certificates' verdicts on longer runs in place of digests.

A fresh process for `determinism`: ORDER is `forward` or `backward`, the order in which plugins are found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from pathlib import Path

import solverkit as sk
from solverkit.registry import discovery
from solverkit.testing.subject import trace_digest
from tests.methods.subjects import Chosen, chosen

STEPS = 8
LONGER = 200


def digests(each: Chosen, seed: int, halted: bool) -> str:
    """Of one run; `halted` stops it half way, and goes on from the folder."""
    how = {"seed": seed, "max_iter": STEPS}
    if not halted:
        return trace_digest(sk.solve(each.load(), each.method, **how))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        first = sk.solve(each.load(), each.method, out=folder, checkpoint=0.0, **(how | {"max_iter": STEPS // 2}))
        if not (folder / "checkpoint.npz").exists():
            return trace_digest(first) if first.nit < STEPS // 2 else digests(each, seed, False)
        return trace_digest(sk.resume(folder, problem=each.load(), max_iter=STEPS))


def verdict(each: Chosen, seed: int) -> str:
    """The certificate's word, whatever the last bits of the point."""
    return sk.solve(each.load(), each.method, seed=seed, max_iter=LONGER).certificate.status.name


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("order", choices=("forward", "backward"))
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--methods", nargs="*", default=())
    parser.add_argument("--halted", action="store_true")
    parser.add_argument("--verdicts", action="store_true")
    asked = parser.parse_args()
    if asked.order == "backward":
        forward = discovery.entry_points
        discovery.entry_points = lambda: forward()[::-1]
    warnings.simplefilter("ignore")
    found = {
        f"{each.method} {seed}": verdict(each, seed) if asked.verdicts else digests(each, seed, asked.halted)
        for each in chosen()
        if not asked.methods or each.method in asked.methods
        for seed in asked.seeds
    }
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
