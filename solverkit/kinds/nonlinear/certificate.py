"""The independent check of an answer to a nonlinear problem: recomputed in float64 from the problem's own oracles.

| term | value | scaling | tolerance |
|---|---|---|---|
| feasibility | worst row or bound: violation / (||gradient|| + |bound|) | 1 | tol |
| stationarity | ||grad f + J'y + z||_inf | S | tol |
| complementarity | worst force of a multiplier times the scaled distance to its bound | S | tol |
| multiplier_signs | worst force of a multiplier whose bound does not exist | S | tol |
| curvature | most negative curvature on the critical directions (`curvature.py`) | 1 | 100 tol, within [1e-6, 1e-4] |
| probe | fall of f per distance along soft directions (`probe.py`) | S | wide, tol at least 1e-7 |
| | or what f falls by there, ever faster | 1 | 0 |
| oracles | derivatives against differences (`kinds/oracles.py`) | 1 | 1e-4 |

Multipliers are those of the point where these certify it, and the core's own by least squares otherwise
(`multipliers.py`). S is the scale of grad f (`local.py`); `wide` is 100 tol, but not above 1e-2 unless tol itself is. A
row counts as active within 100 tol of its bound, at most 1e-3.

S does not see a slope in a small unit beside one in a large unit: where, in a linear program or a quadratic one with a
flat direction, r_j without the multipliers of rows that are not active is not small (WIDE tol) beside the terms that it
is the sum of, a ray along which f has no bound is looked for, and breaks `stationarity`.

Where the reduced Hessian is positive definite, a Newton step on the active constraints of at most tol (1 + |x_j|) in
each x_j satisfies `stationarity` too: the distance to the minimizer, whatever the units of f. And a step along which f
really falls by more than `wide` (1 + |f|) breaks it, whatever S is: one variable in a tiny unit makes S huge.

The probe is made last, where every other term holds, up to 500 variables.

A certified point is feasible, and locally optimal to first and second order. It is no claim of global optimality.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, lsmr

from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.nonlinear.consistency import oracle_term
from solverkit.kinds.nonlinear.curvature import Curvature, curvature
from solverkit.kinds.nonlinear.evidence import infeasibility, unboundedness
from solverkit.kinds.nonlinear.local import TINY, Local
from solverkit.kinds.nonlinear.multipliers import Measured, least_squares, measure, of_point
from solverkit.kinds.nonlinear.probe import newton_fall, probe
from solverkit.kinds.nonlinear.problem import Nonlinear
from solverkit.kinds.nonlinear.rows import refined

WIDE, FLOOR = 1e4, 1e-4
PRODUCTS = 200  # with the Hessian, before a ray is looked for by a linear program

Facts = dict[str, float | str | bool]


def certify(problem: Nonlinear, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point. Never raises: what cannot be computed is UNVERIFIED and says why."""
    try:
        x = problem.flat(point)
    except (KeyError, ValueError, TypeError) as error:
        text = f"block {error} is missing" if isinstance(error, KeyError) else str(error)
        return Certificate((), unverified=text)
    if not np.isfinite(x).all():
        return Certificate((), unverified="the point is not finite")
    try:
        with np.errstate(all="ignore"):
            return _certify(Local(_refined(problem), x, seed), point, float(tol))
    except Exception as error:  # an oracle is foreign code: whatever it raises becomes part of the verdict
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def _refined(problem: Nonlinear) -> Nonlinear:
    """Differences of two points carry the method, but their error would hide in a certificate: three are taken."""
    objective, constraints = refined(problem.objective_function), refined(problem.constraint_function)
    if objective is problem.objective_function and constraints is problem.constraint_function:
        return problem
    return replace(problem, objective_function=objective, constraint_function=constraints)


def _certify(local: Local, point: Point, tol: float) -> Certificate:
    problem = local.problem
    facts: Facts = {"objective": problem.objective(point), "variables": float(problem.n), "rows": float(problem.m)}
    if not np.isfinite(local.value):
        return Certificate((), facts, f"f is {local.value} at the point")
    if problem.differences:
        facts["differences"] = ", ".join(problem.differences)
    violation, where = local.violation
    feasible = violation <= tol
    terms = [Term("feasibility", violation, tol, feasibility=True, note="" if feasible else f"worst: {where}")]
    found = _multipliers(local, point, tol)
    bend = curvature(local, found, _wide(tol, 1e-3), tol)
    found = bend.moved or found
    facts |= {"multipliers": found.origin, "second_order": bend.how}
    terms += [
        _stationarity(local, found, bend, tol),
        _complementarity(local, found, tol),
        Term("multiplier_signs", found.signs, tol, local.scale),
        Term("curvature", bend.value, _wide(max(tol, 1e-8), 1e-4), note=bend.how),
        oracle_term(problem, local.x, local.seed),
    ]
    if bend.walks and all(term.ok for term in terms):
        terms.append(_probe(local, found, bend, tol, facts))
    if all(term.ok for term in terms) and (fallen := _falls_alone(local, found, bend, point, tol)):
        facts |= fallen
        share = _alone(local, _near(local, found, tol))
        terms[1] = Term("stationarity", share, tol, note="of one coordinate: f has no bound along a ray")
    elif all(term.ok for term in terms):
        facts["strict"] = bend.strict
    elif not feasible:
        facts |= infeasibility(local, point)
    else:
        facts |= unboundedness(local, point, tol)
    return Certificate(tuple(terms), facts)


def _probe(local: Local, found: Measured, bend: Curvature, tol: float, facts: Facts) -> Term:
    """How f falls along soft directions: by how much per distance, or suddenly, which no minimum allows at all."""
    fall, sudden, told = probe(local, found, bend, tol)
    facts["probes"] = float(told)
    flat = len(bend.degenerate)
    note = f"{flat} degenerate directions: necessary conditions hold, sufficient ones do not" if flat else ""
    plain = Term("probe", fall, _wide(max(tol, 1e-7)), local.scale, note=note)
    if not plain.ok or sudden == 0:
        return plain
    return Term("probe", sudden, 0.0, note="f falls by so much, ever faster, along a soft direction")


def _wide(tol: float, cap: float = 1e-2) -> float:
    """100 tol, but not above `cap` unless tol is."""
    return max(tol, min(100 * tol, cap))


def _falls_alone(local: Local, found: Measured, bend: Curvature, point: Point, tol: float) -> Facts:
    """A proof that a program has no bound, looked for where a coordinate's residual is not small by itself."""
    degree = local.problem.objective_function.degree
    if not local.problem.affine or degree is None or degree > 2 or (degree == 2 and bend.strict):
        return {}
    near, least = _near(local, found, tol), max(tol, min(WIDE * tol, 0.5))
    if _alone(local, near) <= least or (degree == 2 and _alone(local, _straight(local, near)) <= least):
        return {}
    ray = unboundedness(local, point, tol)
    return ray if ray.get("proven") == "unbounded" else {}


def _near(local: Local, found: Measured, tol: float) -> Measured:
    """Without the multipliers of rows and bounds that are not active: small ones carry a small slope all the same."""
    width = _wide(tol, 1e-3)
    y, z = (
        np.where(np.where(multiplier > 0, above, below) <= width, multiplier, 0.0)
        for multiplier, (below, above) in ((found.y, local.row_room), (found.z, local.bound_room))
    )
    return measure(local, y, z, found.origin)


def _straight(local: Local, found: Measured) -> Measured:
    """With what the range of the Hessian leaves of r: no ray without curvature sees the rest, an iteration's error."""
    problem = local.problem

    def product(d: np.ndarray) -> np.ndarray:
        return problem.hvp(local.x, np.zeros(problem.m), np.ravel(d))

    H = LinearOperator((problem.n, problem.n), matvec=product, rmatvec=product, dtype=float)
    step = lsmr(H, found.residual, atol=1e-12, btol=1e-12, maxiter=PRODUCTS)[0]
    return replace(found, residual=found.residual - product(step))


def _alone(local: Local, found: Measured) -> float:
    """max_j |r_j| / (|grad_j f| + sum_i |J_ij y_i| + FLOOR ||J_j|| ||y||_inf)."""
    J = csr_array(local.jacobian)
    y = np.abs(found.y)
    norms = np.sqrt(np.asarray(J.power(2).sum(axis=0)).ravel())
    unit = np.abs(local.gradient) + abs(J).T @ y + FLOOR * norms * float(y.max(initial=0.0))
    left = np.abs(found.residual)
    return float((left[left > 0] / np.maximum(unit[left > 0], TINY)).max(initial=0.0))


def _complementarity(local: Local, found: Measured, tol: float) -> Term:
    """The products, or what f falls by on the way to the bounds that multipliers press on: near a pole S is huge."""
    plain = Term("complementarity", found.complementarity, tol, local.scale)
    if not plain.ok:
        return plain
    problem, x, wide = local.problem, local.x, _wide(tol)
    side = np.where(found.z < 0, problem.lowest, problem.highest)
    near = (found.z != 0) & (np.abs(x - side) <= wide * local.size)
    fall, size = local.value - problem.value(np.where(near, side, x)), 1 + abs(local.value)
    if not fall > wide * size:
        return plain
    return Term("complementarity", fall, wide, size, note="f falls by so much on the way to an active bound")


def _multipliers(local: Local, point: Point, tol: float) -> Measured:
    """The point's own where they certify it, otherwise the better of the two."""
    given = of_point(local, point)
    if given is not None and given.worst <= tol * local.scale:
        return given
    own = least_squares(local, _wide(tol, 1e-3))
    return own if given is None or not given.worst <= own.worst else given


def _stationarity(local: Local, found: Measured, bend: Curvature, tol: float) -> Term:
    """The residual, or the relative Newton step where that is the smaller one: it does not know the units of f."""
    plain = Term("stationarity", found.stationarity, tol, local.scale)
    if plain.ok and local.violation[0] <= tol:
        size, wide = 1 + abs(local.value), _wide(tol)
        fall = newton_fall(local, found, bend, tol)
        if fall > wide * size:
            return Term("stationarity", fall, wide, size, note="f falls by so much within a Newton step")
    if bend.step is None or plain.ok or not bend.outside <= tol * local.scale:
        return plain
    step = float((np.abs(bend.step) / (1 + np.abs(local.x))).max(initial=0.0))
    if not step <= tol:
        return plain
    return Term("stationarity", step, tol, note="relative Newton step on the active constraints")
