"""The shipped problems: what they are, and that Clarabel's answer is the expected one and certified."""

from __future__ import annotations

from pathlib import Path

import pytest

import solverkit as sk

PROBLEMS = Path(__file__).parents[2] / "problems" / "composite"
SLOW = {"partial-dct", "tv-denoising-1000"}  # two minutes of Clarabel; more than it can take
FORMS = {
    "entropy-portfolio": (500, {"entropy", "structured", "strongly-convex", "samples"}),
    "fused-lasso": (100, {"structured", "strongly-convex", "quadratic"}),
    "fused-lasso-weak": (200, {"structured", "quadratic"}),
    "graph-fused-logistic": (200, {"structured", "strongly-convex", "samples"}),
    "group-lasso-breast-cancer": (30, {"structured", "strongly-convex"}),
    "lasso-diabetes": (10, {"quadratic", "samples"}),
    "partial-dct": (4096, {"structured", "strongly-convex", "quadratic"}),
    "robust-regression": (50, {"nonsmooth-samples", "strongly-convex"}),
    "svm-breast-cancer": (30, {"nonsmooth-samples", "strongly-convex"}),
    "tv-denoising": (4096, {"structured", "strongly-convex"}),
    "tv-denoising-1000": (1_000_000, {"structured", "strongly-convex"}),
}


def test_every_problem_is_here() -> None:
    assert {path.parent.name for path in PROBLEMS.glob("*/problem.yaml")} == set(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    problem = sk.load(PROBLEMS / name / "problem.yaml")
    size, provides = FORMS[name]
    assert problem.n == size  # type: ignore[attr-defined]
    assert problem.provides >= provides | {"euclidean" if name != "entropy-portfolio" else "entropy", "lipschitz"}
    if name == "lasso-diabetes":
        assert "structured" not in problem.provides
        assert "strongly-convex" not in problem.provides
    assert problem.expected["objective"]
    assert problem.fingerprint() == sk.load(PROBLEMS / name / "problem.yaml").fingerprint()


@pytest.mark.parametrize("name", sorted(set(FORMS) - SLOW - {"entropy-portfolio", "tv-denoising"}))
def test_expected(name: str) -> None:
    pytest.importorskip("cvxpy")
    found = sk.solve(PROBLEMS / name / "problem.yaml", "cvxpy-clarabel", tol=1e-6)
    assert found.point_status.name == "CERTIFIED", found.message
    expected = sk.load(PROBLEMS / name / "problem.yaml").expected
    assert found.fun == pytest.approx(expected["objective"], rel=expected["tolerance"], abs=expected["tolerance"])
