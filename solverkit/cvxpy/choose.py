"""Which kind a CVXPY problem goes to.

| asked in this order | kind |
|---|---|
| linear and piecewise linear | inclusion |
| the structured nonsmooth form: f + h + chi of one variable, h or chi nonsmooth | composite |
| quadratic with piecewise linear terms and rows | nonlinear |
| smooth atoms, epigraphs of nonsmooth ones, second-order cones | nonlinear |

A method that is asked for decides for its own kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solverkit.errors import MissingPackage, UsageError

try:
    import cvxpy as cp
    from cvxpy.reductions.eval_params import EvalParams
    from cvxpy.reductions.solvers.solving_chain import resolve_and_build_chain
    from cvxpy.settings import OFFSET
except ImportError:
    raise MissingPackage('CVXPY problems need CVXPY; pip install "solverkit[cvxpy]"') from None

from solverkit.cvxpy.atoms import REMEDY
from solverkit.cvxpy.epigraphs import Smoothed, flipped
from solverkit.cvxpy.program import program
from solverkit.cvxpy.reduction import ByExpressions, ByMatrices, ByTerms, Reduction
from solverkit.cvxpy.smooth import smooth
from solverkit.cvxpy.solver import SolverKit
from solverkit.kinds.composite.cvxpy_model import from_cvxpy

if TYPE_CHECKING:
    from solverkit.kinds.composite.problem import Composite

KINDS = ("inclusion", "composite", "nonlinear")
NAME = "cvxpy"


def reduce(model: Any, kind: str | None = None) -> Reduction:
    """The problem of ours that a CVXPY problem is, as it stands: parameters have their values. `model` is unchanged.

    kind : "inclusion", "composite" or "nonlinear"; None takes the one that fits

    Raises UsageError with the part that has no place in any kind, by name, and what to do instead.
    """
    if not isinstance(model, cp.Problem):
        raise UsageError(f"a CVXPY problem is a cvxpy.Problem, not {type(model).__name__}")
    evaluated = _checked(model)
    if kind is not None and kind not in KINDS:
        raise UsageError(
            f"a CVXPY problem is of the kind {', '.join(KINDS)}, not '{kind}': take a method for one of these"
        )
    linear, quadratic = evaluated.is_lp(), evaluated.is_qp()
    if kind == "inclusion" and not linear:
        raise UsageError("the CVXPY problem is no linear program, which is what methods for 'inclusion' take of CVXPY")
    if kind == "inclusion" or (kind is None and linear):
        return _by_matrices(model, evaluated, "inclusion", "linear and piecewise linear")
    if kind in ("composite", None):
        try:
            return _by_terms(model, evaluated, kind is not None)
        except UsageError:
            if kind is not None:
                raise
    if quadratic:
        return _by_matrices(model, evaluated, "nonlinear", "linear" if linear else "quadratic, piecewise linear rows")
    maximize = isinstance(model.objective, cp.Maximize)
    smoothed = Smoothed(flipped(evaluated))
    posed = smooth(smoothed, NAME, maximize)
    steps = [*_flip(model), *smoothed.steps]
    if posed.cones:
        steps.append(f"{len(posed.cones)} second-order cones by their squares")
    return ByExpressions(model, evaluated, "nonlinear", "smooth and convex", tuple(steps), smooth=posed)


def _checked(model: Any) -> Any:
    """The problem with the values of its parameters."""
    if not model.variables():
        raise UsageError("the CVXPY problem has no variables")
    missing = [parameter.name() for parameter in model.parameters() if parameter.value is None]
    if missing:
        raise UsageError(f"the parameters {', '.join(missing)} have no value: set parameter.value first")
    for variable in model.variables():
        for attribute in ("boolean", "integer"):
            if variable.attributes[attribute]:
                raise UsageError(
                    f"variable {variable.name()} is {attribute}; only continuous ones are solved here: "
                    "problem.solve(solver='HIGHS') takes linear problems with such"
                )
        for attribute in ("PSD", "NSD", "hermitian", "complex", "imag"):
            if variable.attributes[attribute]:
                raise UsageError(f"variable {variable.name()} is {attribute}, which no kind has: {REMEDY}")
    evaluated, _ = EvalParams().apply(model)
    if not evaluated.is_dcp():
        raise UsageError(
            "the CVXPY problem is not convex by CVXPY's rules (is_dcp): write it by those, or as a problem file of the "
            "kind 'nonlinear', which need not be convex"
        )
    return evaluated


def _by_matrices(model: Any, evaluated: Any, kind: str, why: str) -> ByMatrices:
    maximize = isinstance(model.objective, cp.Maximize)
    chain = resolve_and_build_chain(evaluated, solver=SolverKit())
    data, inverse = chain.apply(evaluated)
    posed = program(data, float(inverse[-1][OFFSET]), kind, NAME, maximize)
    before, after = sum(v.size for v in evaluated.variables()), int(data["n_var"])
    steps = _flip(model)
    if after != before:
        steps.append(f"{before} variables as {after} in CVXPY's standard form, epigraphs among them")
    return ByMatrices(model, evaluated, kind, why, tuple(steps), program=posed, chain=chain, inverse=inverse)


def _by_terms(model: Any, evaluated: Any, asked: bool) -> ByTerms:
    composite = from_cvxpy(flipped(evaluated), NAME)
    if not asked and not _nonsmooth(composite):
        raise UsageError("smooth")
    return ByTerms(model, evaluated, "composite", "structured and nonsmooth", tuple(_flip(model)), composite=composite)


def _nonsmooth(composite: Composite) -> bool:
    """Whether there is more than a smooth function on bounds or a simplex."""
    rest = getattr(composite.simple, "rest", composite.simple)
    return composite.structured is not None or type(rest).__name__ not in ("Free", "Box", "Simplex")


def _flip(model: Any) -> list[str]:
    return ["the negative is minimized"] if isinstance(model.objective, cp.Maximize) else []
