"""The 41 equality problems that the figures of this folder share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solverkit.formats import load

PROBLEMS = Path(__file__).parents[3] / "problems" / "nonlinear"

EQUALITIES = [
    "bt1", "bt2", "bt3", "bt4", "bt5", "bt6", "bt7", "bt8", "bt9", "bt10", "bt11", "bt12", "hs6", "hs7", "hs26",
    "hs27", "hs28", "hs39", "hs40", "hs42", "hs46", "hs47", "hs48", "hs49", "hs50", "hs51", "hs52", "hs56", "hs61",
    "hs77", "hs78", "hs79", "hs100lnp", "maratos", "mwright", "orthregb", "byrdsphr", "genhs28", "dixchlng", "elec",
    "orthrdm2",
]  # fmt: skip


INEQUALITIES = [
    "hs15", "hs21", "hs24", "hs35", "hs43", "hs65", "hs71", "hs76", "hs83", "hs93", "hs100", "hs106", "hs113",
    "waechter-biegler",
]  # fmt: skip


def shipped(name: str) -> Any:
    """A problem of the repository."""
    return load(PROBLEMS / name / "problem.yaml")
