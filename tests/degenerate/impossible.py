"""R13: problems without an answer, and problems close to them that have one.

`known` says which kind of proof would be right; a kind that has no proofs may refuse, or end without a certificate.
Problems whose objective falls without end have no local minimum either, so that a local certificate is wrong too.
"""

from __future__ import annotations

from typing import Any

from tests.degenerate.linear import LINEAR
from tests.degenerate.table import INFEASIBLE, UNBOUNDED, Edge


def _curved(name: str, minimize: str, known: float | str, rows: tuple[str, ...] = (), **variable: Any) -> Edge:
    """A nonlinear problem in one vector x, of length 2 if nothing else is said."""
    content: dict[str, Any] = {"variables": {"x": {"shape": [2], "start": 0} | variable}, "minimize": minimize}
    if rows:
        content["subject_to"] = {f"r{k}": row for k, row in enumerate(rows)}
    return Edge(name, "nonlinear", content, known)


NONLINEAR = (
    _curved("a square below zero", "x[0]", INFEASIBLE, ("x[0]**2 <= -1",)),
    _curved("a disc and a half plane apart", "sum(x**2)", INFEASIBLE, ("sum(x**2) <= 1", "sum(x) >= 3")),
    _curved("two discs apart", "x[0]", INFEASIBLE, ("sum(x**2) <= 1", "sum((x - 2)**2) <= 1")),
    _curved("a circle of radius i", "sum(x)", INFEASIBLE, ("sum(x**2) == -1",), start=1),
    _curved("an exponential below zero", "sum(x**2)", INFEASIBLE, ("exp(x[0]) <= -1",)),
    _curved("a sine of two", "sum(x**2)", INFEASIBLE, ("sin(x[0]) == 2",)),
    _curved("a product of one with a factor of zero", "sum(x**2)", INFEASIBLE, ("x[0]*x[1] == 1", "x[0] == 0")),
    _curved("a square too large for its box", "sum(x**2)", INFEASIBLE, ("x[0]**2 >= 1",), lower=-0.5, upper=0.5),
    _curved("a curve above a line", "x[0]", INFEASIBLE, ("x[1] >= x[0]**2 + 1", "x[1] <= x[0]"), start=1),
    _curved("a parabola with a free slope", "x[0]**2 - x[1]", UNBOUNDED),
    _curved("a parabola with a free slope of 1e-6", "x[0]**2 - 1e-6*x[1]", UNBOUNDED),
    _curved("a parabola with a free slope of 1e-9", "x[0]**2 - 1e-9*x[1]", UNBOUNDED, ("x[1] >= x[0]",)),
    _curved("a slope of 1e-8 along a valley", "(x[0] + x[1])**2 - 1e-8*(x[0] - x[1])", UNBOUNDED),
    _curved("a saddle, from its middle", "x[0]*x[1]", UNBOUNDED),
    _curved("a saddle on a cone", "-x[0]*x[1]", UNBOUNDED, ("x[0] - x[1] <= 1", "x[1] - x[0] <= 1"), lower=0),
    _curved("a valley that falls", "(x[0] - x[1])**2 - x[0]", UNBOUNDED, ("x[0] + x[1] >= 1",)),
    _curved("a cubic, from its flat", "x[0]**3 + x[1]**2", UNBOUNDED),
    _curved("a cubic, from its slope", "x[0]**3 + x[1]**2", UNBOUNDED, start=1),
    _curved("minus an exponential", "-exp(x[0]) + x[1]**2", UNBOUNDED),
    _curved("a logarithm at zero", "log(x[0])", UNBOUNDED, shape=[1], lower=0, start=1),
    _curved("a pole", "-1/x[0]", UNBOUNDED, shape=[1], lower=0, start=1),
    _curved("a hyperbola that falls", "-x[1]", UNBOUNDED, ("x[0]*x[1] == 1",), start=1),
    # solvable
    _curved("a lens of width 1e-7", "x[0] - x[1]", -6.3246e-4, ("sum(x**2) <= 2", "sum(x) >= 1.9999999"), start=1),
    _curved("a disc touched by a line", "x[0]", 1.0, ("sum(x**2) <= 1", "x[0] >= 1")),
    _curved("a parabola with a far minimum", "1e-7*x[0]**2 - x[0] + x[1]**2", -2.5e6),
    _curved("curvature of 1e-10 beside 1", "1e-10*x[0]**2 - x[0] + x[1]**2", -2.5e9),
    _curved("a valley without a slope", "(x[0] + x[1] - 0.1)**2 + 1e-9*(x[0] + x[1])", 1e-10),
    _curved("a slope of 1e-9 that 1e-12 of curvature ends", "x[0]**2 + 1e-12*x[1]**2 - 1e-9*x[1]", -2.5e-7),
    _curved("an infimum at infinity", "exp(-x[0]) + x[1]**2", 0.0),
    _curved("a slope of 1e-7 in a large disc", "-1e-7*x[0]", -1e-4, ("sum(x**2) <= 1e6",)),
)


def _leader(name: str, known: float | str, **levels: Any) -> Edge:
    """min (x - 1)**2 + (y - 1)**2 over y in argmin (y - x)**2, changed at `above`, `rows`, `below`, `held`."""
    shape = {"shape": levels.get("shape", []), "start": levels.get("start", 0)}
    upper = {"variables": {"x": {"shape": [], "start": levels.get("start", 0)} | levels.get("box", {})}}
    lower: dict[str, Any] = {"variables": {"y": shape}}
    upper["minimize"] = levels.get("above", "(x - 1)**2 + sum((y - 1)**2)")
    lower["minimize"] = levels.get("below", "sum((y - x)**2)")
    for level, rows in ((upper, levels.get("rows", ())), (lower, levels.get("held", ()))):
        if rows:
            level["subject_to"] = {f"r{k}": row for k, row in enumerate(rows)}
    return Edge(name, "bilevel", {"upper": upper, "lower": lower}, known)


BILEVEL = (
    _leader("upper rows that contradict", INFEASIBLE, rows=("x + y >= 1", "x + y <= 0")),
    _leader("an upper row that no lower answer meets", INFEASIBLE, below="y**2", rows=("y >= 1",)),
    _leader("upper equations that contradict", INFEASIBLE, rows=("x == 1", "y == 2")),
    _leader("a lower level empty for every x", INFEASIBLE, held=("y >= x + 1", "y <= x")),
    _leader("a lower level empty where x may be", INFEASIBLE, rows=("x <= 0",), held=("y >= 1", "y <= x")),
    _leader("a curved lower level without a point", INFEASIBLE, held=("y**2 <= -1",)),
    _leader("a lower line", UNBOUNDED, below="-y", held=("y >= x",)),
    _leader("a lower parabola upside down", UNBOUNDED, below="-y**2"),
    _leader("a lower cubic", UNBOUNDED, below="y**3", start=1),
    _leader("a lower level free in one of two", UNBOUNDED, below="(y[0] - x)**2 - y[1]", shape=[2]),
    _leader("an upper line", UNBOUNDED, above="-x"),
    _leader("an upper line by way of y", UNBOUNDED, above="x - 2*y"),
    _leader("an upper parabola upside down", UNBOUNDED, above="-x**2", start=1),
    _leader("an upper saddle, from its middle", UNBOUNDED, above="x*y", below="(y + x)**2"),
    _leader("a friendly lower level without a bound", UNBOUNDED, above="(x - 1)**2 - y", below="0*y"),
    # solvable
    _leader("an upper slope of 1e-7 to a far bound", -0.1, above="-1e-7*x", box={"upper": 1e6}),
    _leader("a lower slope of 1e-7", 0.0, below="-1e-7*y", held=("y <= x",)),
    _leader("a lower strip of width 1e-7", 0.0, below="y", held=("y >= x", "y <= x + 1e-7")),
    _leader("upper rows with one point", 2.0, rows=("x >= 0", "x <= 0")),
)


def _systems(name: str, A: list[list[float]], B: list[list[float]], known: Any = INFEASIBLE) -> Edge:
    content = {"data": {"A": A, "B": B}, "systems": {"matrix": "A", "right_hand_sides": "B"}}
    return Edge(name, "linear-sequence", content, known)


RING = [[2.0 if i == j else -1.0 if abs(i - j) in (1, 5) else 0.0 for j in range(6)] for i in range(6)]

LINEAR_SEQUENCE = (
    _systems("a row of zeros with a right-hand side", [[1.0, 0.0], [0.0, 0.0]], [[1.0, 1.0]]),
    _systems("rank two of three", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]], [[1.0, 1.0, 3.0]]),
    _systems("a ring with a source and no sink", RING, [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]),
    _systems("the second of two inconsistent", [[1.0, -1.0], [-1.0, 1.0]], [[1.0, -1.0], [1.0, 1.0]]),
    _systems("inconsistent by a thousandth", [[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.001]]),
    _systems("inconsistent in units far apart", [[1e6, 1e6], [1e-6, 1e-6]], [[1e6, 2e-6]]),
    _systems("nilpotent", [[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0]]),
    # solvable
    _systems("a ring with a source and a sink", RING, [[1.0, 0.0, 0.0, -1.0, 0.0, 0.0]], None),
    _systems("equal rows, equal sides", [[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0]], None),
    _systems("nearly equal rows", [[1.0, 1.0], [1.0, 1.0 + 2.0**-20]], [[1.0, 2.0]], None),
)


def _composite(name: str, known: float | str, smooth: Any, size: int = 2, box: Any = None, **more: Any) -> Edge:
    content = {"variables": {"x": {"shape": size} | (box or {})}, "smooth": smooth}
    return Edge(name, "composite", content | more, known)


COMPOSITE = (
    _composite("a slope that the 1-norm does not hold", UNBOUNDED, "-sum(x)", nonsmooth="0.5*norm1(x)"),
    _composite("a slope with no edge", UNBOUNDED, "x[0]**2 - x[1]", nonsmooth="norm1(x[:1])"),
    _composite("a slope in the simple part", UNBOUNDED, "x[0]**2", nonsmooth="norm1(x)/2", simple="-sum(x)"),
    _composite("a slope along a ray of a half space", UNBOUNDED, "-sum(x)", nonsmooth="norm1(x)/2", box={"lower": 0}),
    _composite("a parabola upside down under the 1-norm", UNBOUNDED, "-sum(x**2)", nonsmooth="norm1(x)"),
    _composite("a saddle under the 1-norm", UNBOUNDED, "x[0]*x[1]", nonsmooth="0.1*norm1(x)"),
    _composite(
        "bounds that contradict, under the 1-norm",
        INFEASIBLE,
        "sum(x**2)",
        nonsmooth="norm1(x)",
        box={"lower": 1, "upper": 0},
    ),
    # solvable
    _composite("a slope that the 1-norm just holds", 0.0, "-sum(x)", nonsmooth="norm1(x)"),
    _composite(
        "a slope of 1e-7 more than the 1-norm holds",
        -0.2,
        "-sum(x)",
        nonsmooth="0.9999999*norm1(x)",
        box={"upper": 1e6},
    ),
)

IMPOSSIBLE = (
    *BILEVEL,
    *COMPOSITE,
    *LINEAR_SEQUENCE,
    *NONLINEAR,
    *(edge for program in LINEAR for edge in program.edges()),
)
