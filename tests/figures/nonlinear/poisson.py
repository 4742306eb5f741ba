"""Poisson control, one control a grid point: condensed conjugate gradients against IPOPT, a process each."""

from __future__ import annotations

from statistics import median

from tests.figures.nonlinear._child import HEADER, measured

RUNS = {150: 3, 500: 1, 800: 1}


def main() -> None:
    print(HEADER)
    for size, runs in RUNS.items():
        rows = {}
        for method, options, label in (
            ("sketched-newton", {}, "sketched-newton"),
            ("ipopt", {"functions": "native"}, "ipopt on graphs"),
        ):
            rows[label] = [measured("poisson-control", {"N": size}, method, options, 120, label) for _ in range(runs)]
        ours, theirs = rows["sketched-newton"], rows["ipopt on graphs"]
        time = median(row["seconds"] for row in ours) / median(row["seconds"] for row in theirs)
        memory = ours[0]["memory"] / theirs[0]["memory"]
        print(f"N = {size}: ratio of times {time:.2f}, of memory {memory:.2f}", flush=True)
