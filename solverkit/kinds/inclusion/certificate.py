"""The independent check of an inclusion's answer, recomputed in float64 from the problem's own oracles.

With a step eta and u+ = J_{eta G}(u - eta F(u)), g+ = (u - u+) / eta - F(u) lies in G(u+), so that F(u+) + g+ is an
element of (F + G)(u+), and its norm bounds dist(0, (F + G)(u+)).

| term | for | value | tolerance |
|---|---|---|---|
| domain | all but games and LPs | ||u - the nearest point of dom G||_inf / (1 + ||u||_inf) | tol |
| natural_residual | the same | max_i |u - u+|_i / (eta s_i) | tol |
| inclusion | the same | max_i |F(u+) + g+|_i / s_i | 2 tol |
| monotone | the same, unless the author says that F is not | what `local.py` sees against it | 1e-6 |
| strategies | games | how far from feasible ones (`gap.py`) | tol |
| gap | games | max_y' x'A y' - min_x' x''A y, exact, over the scale of payoffs (`structure.py`) | tol |
| primal, dual, gap | LPs | relative residuals (`linear.py`) | tol |
| rows, columns | LPs | backward errors of single rows and columns (`linear.py`) | 1e4 tol, at most 1/2 |
| oracles | components, payoffs | components against F, gradients against differences | 1e-4, or 1e-8 where exact |

s_i is the scale of coordinate i of F around u and eta = 1 / L with the L seen near by (`local.py`). For eta L <= 1 the
residual r gives ||F(u+) + g+|| <= (1 + eta L) r, whence the 2. A term on games and LPs is a proof; natural residual and
distance are then facts. Bounds that are stated as facts: `value_lower`, `value_upper` of a game; for other monotone
problems on a bounded domain `gap_bound`, diameter times distance.
"""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import Certificate, Point, Term
from solverkit.kinds.inclusion.consistency import oracle_term
from solverkit.kinds.inclusion.gap import Bracket, game_bracket, sequence_bracket
from solverkit.kinds.inclusion.linear import WIDE, optimality
from solverkit.kinds.inclusion.local import Local, defined, inside, look
from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.kinds.inclusion.rays import proof
from solverkit.kinds.inclusion.structure import Game, LinearProgram, SequenceForm

BEND = 1e-6  # evidence against monotonicity, relative, that is more than rounding

Facts = dict[str, float | str | bool]


def certify(problem: Inclusion, point: Point, tol: float = 1e-6, seed: int = 0) -> Certificate:
    """The verdict on a point. Never raises: what cannot be computed is UNVERIFIED and says why."""
    try:
        u = problem.flat(point)
    except (KeyError, ValueError, TypeError) as error:
        text = f"block {error} is missing" if isinstance(error, KeyError) else str(error)
        return Certificate((), unverified=text)
    if not np.isfinite(u).all():
        return Certificate((), unverified="the point is not finite")
    try:
        with np.errstate(all="ignore"):
            return _certify(problem.to("cpu", "float64"), point, u, float(tol), seed)
    except Exception as error:  # an operator is foreign code: whatever it raises becomes part of the verdict
        return Certificate((), unverified=f"{type(error).__name__}: {error}")


def _certify(problem: Inclusion, point: Point, u: np.ndarray, tol: float, seed: int) -> Certificate:
    structure = problem.structure
    if isinstance(structure, Game):
        return _game(problem, u, game_bracket(structure, u), structure.scale, tol, seed)
    if isinstance(structure, SequenceForm):
        return _game(problem, u, sequence_bracket(structure, u), structure.scale, tol, seed)
    if isinstance(structure, LinearProgram):
        return _linear_program(problem, structure, point, u, tol, seed)
    return _general(problem, u, tol, seed)


# -- games and linear programs


def _game(problem: Inclusion, u: np.ndarray, found: Bracket, scale: float, tol: float, seed: int) -> Certificate:
    facts: Facts = {
        "objective": problem.objective(problem.blocks(u)),
        "value_lower": found.lower,
        "value_upper": found.upper,
        "gap_absolute": found.gap,
        **_residual_facts(problem, u),
    }
    terms = (
        Term("strategies", found.violation, tol, feasibility=True),
        Term("gap", found.gap, tol, scale),
        oracle_term(problem, u, seed),
    )
    return Certificate(terms, facts)


def _linear_program(
    problem: Inclusion, program: LinearProgram, point: Point, u: np.ndarray, tol: float, seed: int
) -> Certificate:
    found = optimality(program, u)
    sense = -1.0 if program.maximize else 1.0
    facts: Facts = {
        "objective": program.value(u),
        "dual_objective": sense * (found.dual_value + program.constant),
        **_residual_facts(problem, u),
    }
    terms = (
        Term("primal", found.primal, tol, found.primal_scale, feasibility=True),
        Term("dual", found.dual, tol, found.dual_scale),
        Term("gap", found.gap, tol, found.gap_scale),
        Term("rows", found.rows, _wide(tol), feasibility=True),
        Term("columns", found.columns, _wide(tol)),
        oracle_term(problem, u, seed),
    )
    if not all(term.ok for term in terms):
        facts |= proof(program, point, u[: len(program.c)], terms[0].ok and terms[3].ok)
    return Certificate(terms, facts)


def _wide(tol: float) -> float:
    """For backward errors of single rows and columns; above 1/2 they say nothing."""
    return max(tol, min(WIDE * tol, 0.5))


def _residual_facts(problem: Inclusion, u: np.ndarray) -> Facts:
    """The natural residual with step 1: what the gap makes redundant."""
    operator = problem.operator(u)
    ahead = problem.resolvent(u - operator, 1.0)
    return {"natural_residual": float(np.linalg.norm(u - ahead))}


# -- the general form


def _general(problem: Inclusion, u: np.ndarray, tol: float, seed: int) -> Certificate:
    if not defined(problem, u, problem.operator(u)):
        return Certificate((), unverified="F is not finite at the point")
    near = look(problem, u, seed)
    step = near.step
    forward = problem.resolvent(u - step * near.value, step)
    natural = (u - forward) / step
    there = problem.operator(forward)
    if not defined(problem, forward, there):
        return Certificate((), unverified="F is not finite at the forward-backward point")
    distance = there + natural - near.value
    terms = [
        Term("domain", _outside(problem, u), tol, 1 + float(np.abs(u).max(initial=0.0)), feasibility=True),
        Term("natural_residual", float(np.abs(natural / near.scales).max(initial=0.0)), tol),
        Term("inclusion", float(np.abs(distance / near.scales).max(initial=0.0)), 2 * tol),
        oracle_term(problem, u, seed),
    ]
    facts = _facts(problem, u, near, step, natural, distance)
    proven = _proven(problem)
    if problem.monotone and not proven:
        terms.insert(3, Term("monotone", near.bend, BEND, note=near.where))
        if near.bend > BEND:
            reason = f"F is not monotone near the point: seen {near.where} ({near.bend:.3g} of its size)"
            return Certificate(tuple(terms), facts, reason)
    facts["monotone"] = "proven" if proven else "nothing seen against it" if problem.monotone else "not claimed"
    return Certificate(tuple(terms), facts)


def _outside(problem: Inclusion, u: np.ndarray) -> float:
    return float(np.abs(u - inside(problem, u)).max(initial=0.0))


def _proven(problem: Inclusion) -> bool:
    spectrum = getattr(problem.part, "spectrum", None)
    return problem.bilinear is not None or (spectrum is not None and spectrum.monotone)


def _facts(
    problem: Inclusion, u: np.ndarray, near: Local, step: float, natural: np.ndarray, distance: np.ndarray
) -> Facts:
    declared = problem.part.lipschitz
    facts: Facts = {
        "natural_residual_norm": float(np.linalg.norm(natural)),
        "distance": float(np.linalg.norm(distance)),
        "step": step,
        "lipschitz_seen": near.lipschitz,
    }
    if declared is not None:
        facts["lipschitz"] = declared
    value = problem.objective(problem.blocks(u))
    if np.isfinite(value):
        facts["objective"] = value
    if np.isfinite(reach := diameter(problem)):
        facts |= {"diameter": reach, "gap_bound": reach * facts["distance"]}  # type: ignore[operator]
    return facts


def diameter(problem: Inclusion) -> float:
    """Of the domain of G, from those of its blocks; infinite where one is unbounded or not known."""
    parts = zip(problem.sets, problem.variables, strict=True)
    return float(np.linalg.norm([block_diameter(part, block.size) for part, block in parts]))


def block_diameter(part: object, n: int) -> float:
    """Of one block's domain; infinite where it is not known."""
    from solverkit.operators.proximal import Box, L1Ball, L2Ball, Simplex

    if isinstance(part, Box):
        width = np.broadcast_to(part.upper.host - part.lower.host, n)
        return float(np.linalg.norm(width))
    if isinstance(part, Simplex):
        return float(np.sqrt(2) * part.total) if n > 1 else 0.0
    if isinstance(part, L1Ball | L2Ball):
        return 2 * float(part.radius)
    return float("inf")
