"""The problems, as the content of problem files.

`known` is the value of the answer, or REFUSED, INFEASIBLE, UNBOUNDED; None where no value is compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import solverkit as sk

REFUSED, INFEASIBLE, UNBOUNDED = "refused", "infeasible", "unbounded"


@dataclass(frozen=True)
class Edge:
    """One problem."""

    name: str
    kind: str
    content: dict[str, Any]
    known: float | str | None

    def load(self, folder: Path) -> Any:
        """Written to a file and read."""
        file = folder / "problem.yaml"
        file.write_text(_text({"solverkit": 1, "kind": self.kind, "name": "edge"} | self.content))
        return sk.load(file)


def _text(content: dict[str, Any]) -> str:
    """JSON, with YAML's word for infinity."""
    return json.dumps(content).replace("Infinity", ".inf")


def _smooth(name: str, minimize: str, known: Any, rows: tuple[str, ...] = (), **variable: Any) -> Edge:
    """A nonlinear problem in one vector x."""
    content: dict[str, Any] = {"variables": {"x": {"shape": [1], "start": 0} | variable}, "minimize": minimize}
    if rows:
        content["subject_to"] = {f"r{k}": row for k, row in enumerate(rows)}
    return Edge(name, "nonlinear", content, known)


NONLINEAR = (
    _smooth("one variable", "(x[0] - 1)**2", 0.0),
    _smooth("a scalar", "(x - 1)**2", 0.0, shape=[]),
    _smooth("all fixed", "sum(x**2)", 8.0, shape=[2], lower=2, upper=2, start=2),
    _smooth("fixed, start elsewhere", "sum(x**2)", 8.0, shape=[2], lower=2, upper=2),
    _smooth("a row three times", "sum(x**2)", 0.5, ("sum(x) == 1", "sum(x) == 1", "2*sum(x) == 2"), shape=[2]),
    _smooth("redundant rows", "sum(x)", 1.0, ("x[0] >= 1", "x[0] <= 5", "x[0] <= 6", "2*x[0] >= 1")),
    _smooth("bounds that contradict", "sum(x)", REFUSED, lower=1, upper=0),
    _smooth("rows that contradict", "sum(x**2)", INFEASIBLE, ("x[0] >= 1", "x[0] <= 0")),
    _smooth("equations that contradict", "sum(x**2)", INFEASIBLE, ("x[0] == 1", "x[0] == 2")),
    _smooth("a row of zeros", "sum((x - 1)**2)", 0.0, ("0*x[0] <= 1",)),
    _smooth("a row of zeros that fails", "sum((x - 1)**2)", INFEASIBLE, ("0*x[0] == 1",)),
    _smooth("a constant", "3 + 0*x[0]", 3.0),
    _smooth("unbounded line", "-x[0]", UNBOUNDED),
    _smooth("unbounded parabola", "-x[0]**2", UNBOUNDED, start=1),
    _smooth("huge units", "1e12*(x[0] - 1)**2", 0.0),
    _smooth("tiny units", "1e-12*(x[0] - 1)**2", None),
    _smooth("a corner of three rows", "-x[0] - x[1]", -2.0, ("x[0] <= 1", "x[1] <= 1", "x[0] + x[1] <= 2"), shape=[2]),
    _smooth("a flat valley", "(x[0] + x[1] - 1)**2", 0.0, shape=[2]),
    _smooth("an even saddle", "x[0]**4", 0.0, start=1),
)

GAME = {"game": {"payoff": "A"}}


def _game(name: str, payoff: list[list[float]], known: Any) -> Edge:
    return Edge(name, "inclusion", {"data": {"A": payoff}} | GAME, known)


def _program(name: str, known: Any, c: list[float], A: list[list[float]], low: Any, high: Any, **more: Any) -> Edge:
    form = {"cost": "c", "matrix": "A", "row_lower": low, "row_upper": high} | more
    return Edge(name, "inclusion", {"data": {"c": c, "A": A}, "linear_program": form}, known)


INCLUSION = (
    _game("a 1 x 1 game", [[2.0]], 2.0),
    _game("a game of zeros", [[0.0, 0.0], [0.0, 0.0]], 0.0),
    _game("dominated rows and columns", [[1.0, 2.0], [3.0, 4.0]], 2.0),
    _game("equal rows", [[1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], 0.0),
    _game("one row", [[3.0, 5.0, 4.0]], 5.0),
    _game("huge payoffs", [[1e9, -1e9], [-1e9, 1e9]], 0.0),
)


def _dag(name: str, samples: list[list[float]], known: Any, **more: Any) -> Edge:
    return Edge(name, "dag", {"data": {"X": samples}, "samples": "X"} | more, known)


DAG = (
    _dag("one variable", [[1.0], [2.0], [4.0]], None),
    _dag("a constant column", [[1.0, 2.0], [1.0, 3.0], [1.0, 5.0]], REFUSED),
    _dag("equal columns", [[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]], None),
    _dag("fewer samples than variables", [[1.0, 2.0, 0.5], [0.3, -1.0, 2.0]], None),
    _dag("one sample", [[1.0, 2.0]], REFUSED),
    _dag("no edge allowed", [[1.0, 2.0], [2.0, 1.0], [0.5, 3.0]], None, forbidden=[["x0", "x1"], ["x1", "x0"]]),
    _dag("independent columns", [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], None),
)


def _systems(name: str, A: list[list[float]], B: list[list[float]], known: Any) -> Edge:
    content = {"data": {"A": A, "B": B}, "systems": {"matrix": "A", "right_hand_sides": "B"}}
    return Edge(name, "linear-sequence", content, known)


LINEAR_SEQUENCE = (
    _systems("1 x 1", [[2.0]], [[4.0]], None),
    _systems("a right-hand side of zeros", [[2.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]], None),
    _systems("a singular matrix", [[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0]], INFEASIBLE),
    _systems("a matrix of zeros", [[0.0, 0.0], [0.0, 0.0]], [[1.0, 2.0]], INFEASIBLE),
    _systems("an indefinite matrix", [[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0]], None),
    _systems("units far apart", [[1e12, 0.0], [0.0, 1e-12]], [[1.0, 1.0]], None),
    _systems("no systems", [[1.0]], [], REFUSED),
)


def _composite(name: str, A: list[list[float]], b: list[float], known: Any, **more: Any) -> Edge:
    content = {
        "data": {"A": A, "b": b},
        "variables": {"x": {"shape": len(A[0])}},
        "smooth": {"least_squares": {"matrix": "A", "targets": "b"}},
    }
    return Edge(name, "composite", content | more, known)


COMPOSITE = (
    _composite("one variable", [[1.0]], [2.0], None, nonsmooth="norm1(x)", simple="sum(x**2)"),
    _composite("a matrix of zeros", [[0.0, 0.0]], [0.0], 0.0, nonsmooth="norm1(x)"),
    _composite("weight zero", [[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], REFUSED, nonsmooth="0*norm1(x)"),
    _composite("equal columns", [[1.0, 1.0]], [0.0], 0.0, nonsmooth="norm1(x)", simple="sum(x**2)"),
    _composite(
        "all fixed", [[1.0]], [0.0], None, nonsmooth="norm1(x)", variables={"x": {"shape": 1, "lower": 1, "upper": 1}}
    ),
)


def _bilevel(name: str, known: Any, upper: dict[str, Any] | None = None, lower: dict[str, Any] | None = None) -> Edge:
    above = {"variables": {"x": {"shape": [], "start": 0}}, "minimize": "(x - 1)**2 + (y - 1)**2"} | (upper or {})
    below = {"variables": {"y": {"shape": [], "start": 0}}, "minimize": "(y - x)**2"} | (lower or {})
    return Edge(name, "bilevel", {"upper": above, "lower": below}, known)


BILEVEL = (
    _bilevel("scalars", 0.0),
    _bilevel("x fixed", 2.0, {"variables": {"x": {"shape": [], "start": 0, "lower": 0, "upper": 0}}}),
    _bilevel("y fixed", 0.0, None, {"variables": {"y": {"shape": [], "start": 1, "lower": 1, "upper": 1}}}),
    _bilevel(
        "a constant lower objective", None, None, {"minimize": "0*y", "subject_to": {"a": "y <= 3", "b": "y >= -3"}}
    ),
    _bilevel("a lower level without a point", INFEASIBLE, None, {"subject_to": {"a": "y >= 1", "b": "y <= 0"}}),
    _bilevel("an unbounded lower level", UNBOUNDED, None, {"minimize": "-y"}),
    _bilevel("an upper row that fails", INFEASIBLE, {"subject_to": {"a": "x >= 1", "b": "x <= 0"}}),
)

EDGES = (*BILEVEL, *COMPOSITE, *DAG, *INCLUSION, *LINEAR_SEQUENCE, *NONLINEAR)
