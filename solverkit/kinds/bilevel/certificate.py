"""The independent check of a bilevel answer: every condition recomputed in float64 from the problem's own oracles.

| term | value | scaling | tolerance |
|---|---|---|---|
| upper_feasibility | worst row of X, G, H: violation / (||gradient|| + |bound|) | 1 | tol |
| lower_feasibility | the same for Y, g, h at (x, y) | 1 | tol |
| lower_gap | |f(x, y) - f*(x)|, f* solved independently (`lower_solve.py`) | max(|f*|, min(1, V)) | tol |
| lower_kkt | residual and complementarity of the lower KKT system (`multipliers.py`) | S_f | wide |
| lower_convexity | only where the author declares the lower level convex: negative curvature seen | 1 | 1e-8 |
| optimistic | F(x, y) - best F in S(x) under G, H (`optimistic.py`); absolute if exact, `_ahead` | |F|+S_F | wide |
| upper_stationarity | hypergradient or KKT reformulation (`stationarity.py`), the worst multipliers | S_F | wide |
| curvature | negative reduced curvature (`curvature.py`) | 1 | 100 tol, within [1e-6, 1e-4] |
| probe | fall of F per distance when x moves and the lower level is solved again | S_F | wide, tol at least 1e-7 |
| oracles | derivatives against differences (`kinds/oracles.py`) | 1 | 1e-4 |

`wide` is 100 tol, but not above 1e-2 unless tol itself is; a row is active within the same with 1e-3. S_F and S_f are
the scales of the gradients (`local.py`): 1 + ||grad||_inf for ordinary objectives. V is S_f (1 + ||y||_inf), how much f
changes over the size of y; min(1, V) is 1 for ordinary objectives too.

Where the lower Lagrangian is strongly convex in y at the point, a distance of at most tol (1 + |y_j|) to the lower
solution satisfies `lower_kkt` too (`_distance`): it does not know the units of f.

The probe is made last, where every other term holds and n + m <= 500; it is left out where the Lagrangian is convex,
the multipliers are unique and the lower level is a quadratic program, since nothing is left to see.

A certified point is feasible, globally optimal in y as far as `lower_global` says, and locally optimal in x to first
and second order. It is not a claim of global optimality in x.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve

from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.bilevel import by_products
from solverkit.kinds.bilevel.consistency import oracle_term
from solverkit.kinds.bilevel.curvature import DENSE, Curvature, probe, reduced_curvature
from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.lower_solve import LowerAnswer, at, negative_curvature, solve_lower
from solverkit.kinds.bilevel.multipliers import LowerMultipliers, lower_multipliers, unique_multipliers, vertices
from solverkit.kinds.bilevel.optimistic import BestUpper, best_upper
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.bilevel.stationarity import Stationarity, ValueRow, upper_stationarity
from solverkit.operators.least_squares import positive_definiteness

DEFINITE = 1e-10  # smallest eigenvalue of f_yy, relative, above which one step of Newton says how far y is off

Facts = dict[str, float | str | bool]


def certify(problem: Bilevel, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point, in float64 on the CPU whatever the method computed in.

    Never raises: what cannot be computed is UNVERIFIED and says why.
    """
    problem = problem.to("cpu", "float64")
    try:
        z = problem.flat(point)
    except (KeyError, ValueError, TypeError) as error:
        text = f"block {error} is missing" if isinstance(error, KeyError) else str(error)
        return Certificate((), unverified=text)
    if not np.isfinite(z).all():
        return Certificate((), unverified="the point is not finite")
    try:
        with np.errstate(all="ignore"):
            return _certify(problem, z, float(tol), seed)
    except Exception as error:  # an oracle is foreign code: whatever it raises becomes part of the verdict
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def _certify(problem: Bilevel, z: np.ndarray, tol: float, seed: int) -> Certificate:
    local = Local(problem, z, _wide(tol, 1e-3))
    facts: Facts = {"objective": local.upper_value, "lower_objective": local.lower_value}
    for name, value in (("F", local.upper_value), ("f", local.lower_value)):
        if not np.isfinite(value):
            return Certificate((), facts, f"{name} is {value} at the point")
    terms = _feasibility(local, tol)
    answer = by_products.solve_free(local, seed) if local.by_products else solve_lower(local, seed)
    multipliers = lower_multipliers(local)
    terms += _lower_terms(local, answer, multipliers, tol, seed)
    best = best_upper(local, answer, seed)
    terms.append(_optimistic_term(local, answer, best, tol))
    if local.by_products:
        upper, doubt = _upper_terms_by_products(local, answer, tol, seed, facts), None
    else:
        upper, doubt = _upper_terms(local, answer, multipliers, tol, seed, facts)
    terms += [*upper, oracle_term(problem, z, seed, local.by_products)]
    if doubt is not None and len(z) <= DENSE and all(term.ok for term in terms):
        moved = probe(local, answer, doubt, seed, tol)
        plain = Term("probe", moved.value, _wide(max(tol, 1e-7)), local.upper_scale)
        note = "F falls by so much, ever faster, along a soft direction"
        terms.append(plain if not plain.ok or moved.sudden == 0 else Term("probe", moved.sudden, 0.0, note=note))
        facts["probes"] = float(moved.informative)
    facts |= {"lower_value": answer.value, "lower_global": answer.label, "best_upper_value": best.value}
    facts |= _uniqueness(local, answer, best)
    return Certificate(tuple(terms), facts)


def _wide(tol: float, cap: float = 1e-2) -> float:
    """100 tol, but not above `cap` unless tol is."""
    return max(tol, min(100 * tol, cap))


def _feasibility(local: Local, tol: float) -> list[Term]:
    return [
        Term("upper_feasibility", local.upper.violation, tol, feasibility=True),
        Term("lower_feasibility", local.lower.violation, tol, feasibility=True),
    ]


def _lower_terms(local: Local, answer: LowerAnswer, multipliers: LowerMultipliers, tol: float, seed: int) -> list[Term]:
    y = local.z[local.problem.n :]
    change = local.lower_scale * (1 + float(np.abs(y).max(initial=0.0)))
    value = abs(answer.value) if np.isfinite(answer.value) else 0.0
    scaling = max(value, min(1.0, change))
    residual = max(multipliers.residual, multipliers.complementarity)
    terms = [
        Term("lower_gap", abs(answer.gap), tol, scaling, note=answer.note),
        Term("lower_kkt", residual, _wide(tol), local.lower_scale),
    ]
    if not terms[1].ok and multipliers.complementarity <= _wide(tol) * local.lower_scale:
        far = _distance(local, multipliers)
        if far <= tol:
            terms[1] = Term("lower_kkt", far, tol, note="relative distance to the lower solution")
    if local.problem.convex is True and not answer.quadratic:
        look = by_products.negative_curvature if local.by_products else negative_curvature
        seen = look(local, seed)
        note = "declared convex, but it is not at a sampled y" if seen else ""
        terms.append(Term("lower_convexity", seen, 1e-8, note=note))
    return terms


def _distance(local: Local, multipliers: LowerMultipliers) -> float:
    """sqrt(r' H^-1 r / lambda_min(H)) / (1 + ||y||_inf), r what is left of the KKT system and H = L_yy.

    Where H bounds L_yy from below on the way, ||d||_H^2 <= r'd for the step d to the lower solution, and so ||d|| is at
    most that. Infinite where H is not safely positive definite or too large to look at.
    """
    n, y = local.problem.n, local.z[local.problem.n :]
    if not len(y) or len(y) > DENSE or local.by_products:
        return float("inf")
    values, vectors = np.linalg.eigh(local.lagrangian_hessian(multipliers.value).toarray()[n:, n:])
    if not values[0] > DEFINITE * values[-1]:
        return float("inf")
    left = local.lower_gradient[n:] + (local.lower.jacobian.T @ multipliers.value)[n:]
    share = vectors.T @ left
    return float(np.sqrt((share**2 / values).sum() / values[0])) / (1 + float(np.abs(y).max()))


def _optimistic_term(local: Local, answer: LowerAnswer, best: BestUpper, tol: float) -> Term:
    excess = local.upper_value - best.value
    if not best.exact:
        excess = max(excess, 0.0, _ahead(local))
    scaling = abs(local.upper_value) + local.upper_scale
    return Term("optimistic", abs(excess), _wide(tol), scaling, note=best.note)


def _ahead(local: Local) -> float:
    """|F_y' f_yy^-1 f_y|: what F changes by, to first order, on the way to the lower solution near by.

    A gap of tol in f leaves room along its flattest directions, where F may gain more than `optimistic` allows. 0 where
    the lower level has rows or f_yy is not safely positive definite; at a lower solution it is 0 whatever f_yy is.
    """
    if local.lower.rows.count:
        return 0.0
    n = local.problem.n
    hessian = csr_array(local.lower_hessian[n:, n:])
    if positive_definiteness(hessian) <= DEFINITE:
        return 0.0
    step = spsolve(hessian.tocsc(), local.lower_gradient[n:])
    return abs(float(local.upper_gradient[n:] @ np.atleast_1d(step)))


def _upper_terms(
    local: Local, answer: LowerAnswer, multipliers: LowerMultipliers, tol: float, seed: int, facts: Facts
) -> tuple[list[Term], Curvature | None]:
    """The terms, and what the probe should look at; None where it could add nothing."""
    values = value_rows(local, answer)
    gradients = np.array([row.gradient for row in values]).reshape(len(values), len(local.z))
    worst, bend, count = None, Curvature(0.0, ""), 0
    for candidate in vertices(local, multipliers, seed):
        found = upper_stationarity(local, candidate, values, _wide(tol) * local.upper_scale)
        curved = reduced_curvature(local, candidate, found, gradients)
        count += 1
        if worst is None or not (found.value <= worst.value or np.isnan(worst.value)):
            worst = found
        if bend.how == "" or not (curved.value <= bend.value or np.isnan(bend.value)):
            bend = curved
    assert worst is not None
    _upper_facts(facts, worst, bend, count, len(values))
    terms = [
        Term("upper_stationarity", worst.value, _wide(tol), local.upper_scale, note=worst.note),
        Term("curvature", bend.value, _wide(max(tol, 1e-8), 1e-4), note=bend.how),
    ]
    convex = bend.how == "Lagrangian convex" and answer.quadratic
    settled = convex and worst.label == "S" and count == 1 and unique_multipliers(local)
    return terms, None if settled and not bend.soft else replace(bend, around=not settled)


def _upper_terms_by_products(local: Local, answer: LowerAnswer, tol: float, seed: int, facts: Facts) -> list[Term]:
    values = value_rows(local, answer)
    reduced = by_products.Reduced(local)
    found = by_products.stationarity(local, reduced, values)
    bend = by_products.curvature(local, reduced, found, seed)
    _upper_facts(facts, found, bend, 1, len(values))
    return [
        Term("upper_stationarity", found.value, _wide(tol), local.upper_scale, note=found.note),
        Term("curvature", bend.value, _wide(max(tol, 1e-8), 1e-4), note=bend.how),
    ]


def _upper_facts(facts: Facts, worst: Stationarity, bend: Curvature, count: int, values: int) -> None:
    facts["stationarity"] = worst.label
    facts["biactive"] = float(worst.biactive)
    facts["lower_multipliers"] = float(count)
    if np.isfinite(worst.hypergradient):
        facts["hypergradient"] = worst.hypergradient
    if values:
        facts["value_rows"] = float(values)


def value_rows(local: Local, answer: LowerAnswer) -> list[ValueRow]:
    """One row for each other global minimizer of a nonconvex lower level."""
    if answer.quadratic or local.problem.convex is True:
        return []
    problem, n = local.problem, local.problem.n
    rows = []
    for y in answer.starts:
        if np.abs(y - local.z[n:]).max() <= 1e-3 * (1 + np.abs(y).max()):
            continue
        there = at(local, y)
        value = local.lower_value - there.lower_value
        if value < -local.width * local.lower_scale:
            continue
        slope = there.lower_gradient + there.lower.jacobian.T @ lower_multipliers(there).value
        gradient = local.lower_gradient.copy()
        gradient[: problem.n] -= slope[:n]
        if float(np.abs(gradient).max()) > 1e-9 * local.lower_scale:
            rows.append(ValueRow(value, gradient))
    return rows


def _uniqueness(local: Local, answer: LowerAnswer, best: BestUpper) -> Facts:
    if answer.unique:
        return {"unique_lower": True}
    y = local.z[local.problem.n :]
    others = [*answer.minimizers, best.y]
    apart = max(float(np.abs(other - y).max(initial=0.0)) for other in others)
    return {"unique_lower": False} if apart > 1e-3 * (1 + float(np.abs(y).max(initial=0.0))) else {}
