"""The linearly constrained quadratic program, n = 200: the paper's second experiment by true component counts.

Steps are those of the published code. 20,000 epochs, a fiftieth of the paper's; PAPER_EPOCHS asks for others.
"""

from __future__ import annotations

import math
import os

import solverkit as sk
from tests.figures.inclusion._component_runs import PROBLEMS, curve, draw, table

EPOCHS = float(os.environ.get("PAPER_EPOCHS", "20000"))


def main() -> None:
    problem = sk.load(PROBLEMS / "qp-lower-bound" / "problem.yaml")
    root = math.sqrt(problem.count)
    block = max(1, int(EPOCHS // 1000))
    paper = {"mode": "paper"}
    page = {"algorithm": "page", "guard": "off", "step": 0.3, "batch": int(root), "block": 3 * block}
    methods = {
        "EG": ("extragradient", {**paper, "step": 0.5, "block": block}),
        "anchored EG": ("extragradient", {**paper, "step": 0.3, "anchored": True, "block": block}),
        "VR-EG": ("vr-extragradient", {**paper, "step": 0.01, "block": block}),
        "Algorithm 1": ("vr-halpern", {**paper, **page}),
        "Algorithm 2": (
            "vr-halpern",
            {**paper, "algorithm": "forb", "step": root, "inner_step": 0.001, "block": block},
        ),
        "vr-halpern, production": ("vr-halpern", {"block": block}),
    }
    curves = {name: curve(problem, method, options, EPOCHS) for name, (method, options) in methods.items()}
    table(
        f"quadratic program, n = {problem.count}", curves, [EPOCHS * share for share in (0.005, 0.05, 0.15, 0.5, 0.99)]
    )
    draw({"quadratic program, n = 200": curves}, "vr-halpern-qp", EPOCHS)
