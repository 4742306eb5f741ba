"""Policeman and burglar, n = 500: the paper's experiment by true component counts, uncentred and double-centred.

Steps are those of the published code (5 / ||A||, 3 sqrt(p) / ||A||_F, ...), tuned there on this very matrix, on the
centred one with its own norms; `production` rows have no setting at all. FIGURES=DIR draws an SVG there.
"""

from __future__ import annotations

import math

import numpy as np

import solverkit as sk
from solverkit.kinds.inclusion.problem import Inclusion
from tests.figures.inclusion._component_runs import PROBLEMS, Curve, centred, curve, draw, table

MARKS = (100, 500, 1000, 2000)


def methods(problem: Inclusion) -> dict[str, tuple[str, dict]]:
    """The paper's rows, then ours."""
    A = problem.bilinear.matrix  # type: ignore[union-attr]
    n, op, fro = len(A), float(np.linalg.norm(A, 2)), float(np.linalg.norm(A))
    p = 1 / n
    root = math.sqrt(n)
    tau = 5 * math.sqrt(p * (1 - p)) / (root + 1)
    return {
        "EG": ("extragradient", {"mode": "paper", "step": 5 / op, "block": 2}),
        "anchored EG": ("extragradient", {"mode": "paper", "step": 5 / op, "anchored": True, "block": 2}),
        "VR-EG": ("vr-extragradient", {"mode": "paper", "step": 3 * math.sqrt(p) / fro}),
        "Algorithm 1": (
            "vr-halpern",
            {"mode": "paper", "algorithm": "page", "guard": "off", "step": 5 / fro, "batch": int(root), "block": 16},
        ),
        "Algorithm 2": ("vr-halpern", {"mode": "paper", "algorithm": "forb", "step": root / fro, "inner_step": tau}),
        "vr-halpern, production": ("vr-halpern", {"block": 2}),
        "Algorithm 2, production": ("vr-halpern", {"algorithm": "forb"}),
        "vr-extragradient, production": ("vr-extragradient", {}),
    }


def main() -> None:
    raw = sk.load(PROBLEMS / "policeman-burglar" / "problem.yaml")
    panels = {}
    for title, problem in (("policeman and burglar", raw), ("the same, double-centred", centred(raw))):
        A = problem.bilinear.matrix
        norms = f"||A||_2 = {np.linalg.norm(A, 2):.4g}, ||A||_F = {np.linalg.norm(A):.4g}"
        curves: dict[str, Curve] = {}
        for name, (method, options) in methods(problem).items():
            curves[name] = curve(problem, method, options, MARKS[-1], tol=1e-6)
        table(f"{title}: {norms}", curves, MARKS)
        ends = {name: f"{one.residual[-1]:.1e} at {one.epochs[-1]:.0f}" for name, one in curves.items()}
        print("  last: " + "; ".join(f"{name} {end}" for name, end in ends.items() if "production" in name))
        panels[title] = {name: one for name, one in curves.items() if "2, production" not in name}
    draw(panels, "vr-halpern-game", MARKS[-1])
