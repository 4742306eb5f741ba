"""Runs against true component counts: an evaluation of F is n components, a compiled step what it charges."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import solverkit as sk
from solverkit.kinds.inclusion.problem import Inclusion

PROBLEMS = Path(__file__).parents[3] / "problems" / "inclusion"
PILOT = 40  # driver steps that tell how many make so many epochs


@dataclass(frozen=True)
class Curve:
    """What one run reported."""

    epochs: np.ndarray
    residual: np.ndarray
    gap: np.ndarray
    seconds: float
    log: tuple[str, ...]

    def at(self, mark: float) -> str:
        """residual / gap at the first report from so many epochs on."""
        place = int(np.searchsorted(self.epochs, mark))
        if place == len(self.epochs):
            return "-"
        gap = f"/{self.gap[place]:.1e}" if np.isfinite(self.gap[place]) else ""
        return f"{self.residual[place]:.1e}{gap}"


def curve(
    problem: Inclusion, method: str, options: Mapping[str, Any], epochs: float, tol: float = 1e-9, seed: int = 0
) -> Curve:
    """A run of so many epochs, or until it claims."""
    pilot = sk.solve(problem, method=method, options=options, tol=tol, seed=seed, max_iter=PILOT)
    rate = max(count(pilot.counts, problem), 1e-9) / max(pilot.nit, 1)
    steps = int(1.4 * epochs / rate) + 1
    result = sk.solve(problem, method=method, options=options, tol=tol, seed=seed, max_iter=steps)
    records = result.trace
    return Curve(
        np.array([count(record["counts"], problem) for record in records]),
        np.array([record["report"]["residual"] for record in records]),
        np.array([record["report"].get("gap", np.nan) for record in records]),
        float(result.timing["solve"]) if "solve" in result.timing else np.nan,
        tuple(result.notes),
    )


def count(counts: Mapping[str, int], problem: Inclusion) -> float:
    """Epochs: components over n, a product with A or A' being half of an evaluation of F."""
    return counts["nop"] + counts.get("ncomp", 0) / problem.count + counts.get("nmul", 0) / 2


def centred(problem: Inclusion) -> Inclusion:
    """The same game, x'A y = x'(A - a 1' - 1 b')y + a'x + b'y, a and b from the means of rows and columns."""
    from solverkit.kinds.inclusion.bilinear import MatrixOperator

    A = problem.bilinear.matrix  # type: ignore[union-attr]
    a, b = A.mean(axis=1), A.mean(axis=0) - A.mean()
    return replace(problem, part=MatrixOperator.of(A - a[:, None] - b, a, -b), name=f"{problem.name}, centred")


def table(title: str, curves: Mapping[str, Curve], marks: Sequence[float]) -> None:
    """Residual/gap at epochs."""
    print(f"\n{title}")
    print(f"  {'residual/gap at epochs':34s}" + "".join(f"{mark:>18g}" for mark in marks) + "   seconds")
    for name, one in curves.items():
        print(f"  {name:34s}" + "".join(f"{one.at(mark):>18s}" for mark in marks) + f"{one.seconds:10.2f}")


def draw(panels: Mapping[str, Mapping[str, Curve]], name: str, epochs: float) -> None:
    """An SVG of residuals over epochs in the folder that FIGURES names; nothing without it."""
    folder = os.environ.get("FIGURES")
    if not folder:
        return
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "solverkit"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(panels), figsize=(2.2 + 3.6 * len(panels), 3.4), sharey=True, layout="constrained"
    )
    styles = ("-", "--", "-", "--", "-.", ":")
    for ax, (title, curves) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for style, (label, one) in zip(styles * 2, curves.items(), strict=False):
            ax.plot(one.epochs, one.residual, style, label=label, linewidth=1.3)
        ax.set(yscale="log", xlim=(0, epochs), xlabel="epochs (components / n)", title=title)
        ax.grid(alpha=0.3)
    np.atleast_1d(axes)[0].set_ylabel("natural residual, step 1")
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8)
    path = Path(folder) / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    print(f"  drawn to {path.name}")
