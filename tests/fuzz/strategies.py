"""Hypothesis strategies: small problem files of every kind that are valid by construction."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

numbers = st.floats(-10, 10, allow_nan=False).map(lambda value: round(value, 3))
positive = st.floats(0.1, 10).map(lambda value: round(value, 3))
sizes = st.integers(1, 3)


def _rows(m: int, n: int, entries: st.SearchStrategy[float] = numbers) -> st.SearchStrategy[list[list[float]]]:
    return st.lists(st.lists(entries, min_size=n, max_size=n), min_size=m, max_size=m)


@st.composite
def _variable(draw: Any, size: int) -> dict[str, Any]:
    low = draw(st.none() | numbers)
    found: dict[str, Any] = {"shape": [size], "start": draw(numbers)}
    if low is not None:
        found |= {"lower": low, "start": low}
    if draw(st.booleans()):
        found["upper"] = round((low if low is not None else found["start"]) + draw(positive), 3)
    return found


@st.composite
def nonlinear(draw: Any) -> dict[str, Any]:
    """A quadratic, an exponential or a quartic over bounds and up to two rows."""
    n = draw(sizes)
    form = draw(st.sampled_from(["sum((x - {a})**2)", "sum(exp({b}*x)) + sum(x**2)", "sum(x**4) - {a}*sum(x)"]))
    rows = {
        f"r{k}": f"sum(x) {draw(st.sampled_from(['<=', '>=']))} {draw(numbers)}" for k in range(draw(st.integers(0, 2)))
    }
    made = {"variables": {"x": draw(_variable(n))}, "minimize": form.format(a=draw(numbers), b=draw(numbers))}
    return {"kind": "nonlinear"} | made | ({"subject_to": rows} if rows else {})


@st.composite
def bilevel(draw: Any) -> dict[str, Any]:
    """A quadratic above a strongly convex quadratic."""
    upper = {
        "variables": {"x": draw(_variable(1))},
        "minimize": f"sum((x - {draw(numbers)})**2) + sum((y - {draw(numbers)})**2)",
    }
    lower = {
        "variables": {"y": draw(_variable(1))},
        "minimize": f"{draw(positive)}*sum(y**2) - {draw(numbers)}*dot(x, y)",
    }
    return {"kind": "bilevel", "upper": upper, "lower": lower}


@st.composite
def composite(draw: Any) -> dict[str, Any]:
    """Least squares plus a norm."""
    n, m = draw(sizes), draw(sizes)
    return {
        "kind": "composite",
        "data": {"A": draw(_rows(m, n)), "b": draw(st.lists(numbers, min_size=m, max_size=m))},
        "variables": {"x": {"shape": n}},
        "smooth": {"least_squares": {"matrix": "A", "targets": "b"}},
        "nonsmooth": f"{draw(positive)}*{draw(st.sampled_from(['norm1(x)', 'norm(x)']))}",
        "simple": f"{draw(positive)}*sum(x**2)",
    }


@st.composite
def inclusion(draw: Any) -> dict[str, Any]:
    """A matrix game."""
    m, n = draw(sizes), draw(sizes)
    return {"kind": "inclusion", "data": {"A": draw(_rows(m, n))}, "game": {"payoff": "A"}}


@st.composite
def dag(draw: Any) -> dict[str, Any]:
    """Samples of a few variables."""
    d, n = draw(st.integers(1, 3)), draw(st.integers(4, 8))
    return {"kind": "dag", "data": {"X": draw(_rows(n, d))}, "samples": "X"}


@st.composite
def linear_sequence(draw: Any) -> dict[str, Any]:
    """A diagonal plus a shift, and several right-hand sides."""
    n, T = draw(sizes), draw(sizes)
    diagonal = [[draw(positive) if i == j else 0.0 for j in range(n)] for i in range(n)]
    data = {"A": diagonal, "B": draw(_rows(T, n))}
    return {"kind": "linear-sequence", "data": data, "systems": {"matrix": "A", "right_hand_sides": "B"}}


KINDS = {
    "bilevel": bilevel(), "composite": composite(), "dag": dag(), "inclusion": inclusion(),
    "linear-sequence": linear_sequence(), "nonlinear": nonlinear(),
}  # fmt: skip


def files(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """The content of a problem file of a kind."""
    return KINDS[kind].map(lambda content: {"solverkit": 1, "name": "made"} | content)
