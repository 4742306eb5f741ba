"""What can be said of points that are no answers: proofs and signs of infeasibility and of unboundedness.

Infeasibility, by a block `farkas` w (m,) (Farkas): every feasible x has

    w'c(x) <= beta = sum_{w_i > 0} w_i upper_i + sum_{w_i < 0} w_i lower_i,

so where the least value of w'c over the box is above beta, no point is feasible. Rows are affine, or of degree 2 with
w'c convex: then its linearization at x is nowhere above it. Where a variable has no bound on the side that its
coefficient v_j = (J'w)_j asks for, v_j has to be 0: for affine rows w is moved to where it is, up to rounding
(`operators/settle.py`). What rounding leaves, and a curvature just below 0, make the proof hold for |x_j| <= R, and R
of at least FAR (1 + ||x||_inf) is asked for. Besides the block, the core tries the weights of the local test below, and
for affine rows the dual of the least violation, a linear program.

Local infeasibility, for any rows: to first order no move lessens every broken row and keeps the active ones,

    sum_i w_i u_i = 0,    w >= 0,    sum of the broken rows' w_i = 1,

u_i the gradients of broken rows outwards, and of active rows and bounds, over s_i, the largest gradient of row i here
and at points near by. It holds where any weighted sum of violations is stationary; maxima and saddles of that sum, and
places beside a root of high order, are left out. This is a sign, not a proof.

Unboundedness, by a block `ray` d (n,) at a feasible point, for affine rows and a quadratic objective: d keeps every
row and bound for ever, and either d'Hd < 0, or H d = 0 and grad f'd < 0; d is moved to where it does, up to rounding.
Without the block, a linear program looks for a d with H d = 0 in problems of up to MAX_LP variables and rows. There the
least violation says too whether a point is feasible at all: far out, rounding makes any point so.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack, vstack

from solverkit.kinds.base import Point
from solverkit.kinds.nonlinear.curvature import DENSE, dense_hessian
from solverkit.kinds.nonlinear.local import NEAR, TINY, Local
from solverkit.kinds.nonlinear.multipliers import active_sides
from solverkit.kinds.nonlinear.problem import FARKAS, RAY
from solverkit.operators.least_squares import null_space, signed_least_squares
from solverkit.operators.qp import QPSolution, solve_qp
from solverkit.operators.settle import ROUNDING, settled

FAR = 1e6
CLEAN = 1e-9  # relative size up to which a part of a ray counts as zero
STATIONARY = 1e-4  # length of the sum of the u_i up to which it counts as zero
ACTIVE = 1e-4
MAX_LP = 5000
HELD = 1e-8  # scaled violation up to which the point of least violation is feasible

Facts = dict[str, float | str | bool]


def infeasibility(local: Local, point: Point) -> Facts:
    """Facts of a point that breaks constraints."""
    slope, weights = _violation_slope(local)
    near = _near(local)
    for w in (_given(local, point), weights, _weights(near, _phase_one(near))):
        if w is not None and (proof := _farkas(near, w)):
            return proof
    return {"violation_slope": slope, "infeasible_stationary": _stationary(local, slope, weights)}


def _near(local: Local) -> Local:
    """Affine rows are the same everywhere, and rounding is least where x is small."""
    problem = local.problem
    if not problem.affine:
        return local
    return Local(problem, np.clip(np.zeros(problem.n), problem.lowest, problem.highest), local.seed)


def _given(local: Local, point: Point) -> np.ndarray | None:
    """The point's block."""
    block = np.asarray(point.get(FARKAS, np.nan), dtype=float)
    return block if block.shape == (local.problem.m,) and np.isfinite(block).all() else None


def _farkas(local: Local, w: np.ndarray) -> Facts:
    """The proof that w is, empty where it is none."""
    margin, radius = margin_and_radius(local, w)
    if not (margin > 0 and radius >= FAR * (1 + float(np.abs(local.x).max(initial=0.0)))):
        return {}
    proof: Facts = {"proven": "infeasible", "farkas_margin": margin}
    return proof | ({"farkas_radius": radius} if np.isfinite(radius) else {})


def _phase_one(local: Local) -> QPSolution | None:
    """min sum s + t  s.t.  lower - s <= J x + c_0 <= upper + t,  x in its box, s, t >= 0."""
    problem, m, n = local.problem, local.problem.m, local.problem.n
    if m == 0 or not problem.affine or n + m > MAX_LP:
        return None
    norms = np.maximum(local.norms, TINY)
    J = csr_array(csr_array(local.jacobian).multiply(1 / norms[:, None]))
    offset = local.rows / norms - J @ local.x
    A = hstack([J, eye_array(m), -eye_array(m)])
    box = eye_array(n + 2 * m)
    lower = np.concatenate([problem.lower / norms - offset, problem.lowest, np.zeros(2 * m)])
    upper = np.concatenate([problem.upper / norms - offset, problem.highest, np.full(2 * m, np.inf)])
    cost = np.concatenate([np.zeros(n), np.ones(2 * m)])
    return solve_qp(None, cost, csr_array(vstack([A, box])), lower, upper)


def _weights(local: Local, least: QPSolution | None) -> np.ndarray | None:
    """Of the rows, from the multipliers of the least violation: they push c back, so they are >= 0 at `upper`."""
    if least is None:
        return None
    multiplier = least.multiplier[: local.problem.m]
    return np.where(np.abs(multiplier) > 1e-9, multiplier, 0.0) / np.maximum(local.norms, TINY)


def margin_and_radius(local: Local, weights: np.ndarray) -> tuple[float, float]:
    """(least w'c over the box minus beta, relative; the radius within which that holds)."""
    problem = local.problem
    bend = _bend(local, weights)
    if not np.isfinite(bend):
        return -1.0, 0.0
    usable = np.where(weights > 0, np.isfinite(problem.upper), np.isfinite(problem.lower))
    w = np.where(usable, weights, 0.0)
    if not np.any(w):
        return -1.0, 0.0
    unit = float(np.abs(w * np.where(local.norms > TINY, local.norms, 1.0)).max())
    w, bend = w / unit, bend / unit
    if problem.affine:
        w = settled(local.jacobian.T, w, np.isfinite(problem.lowest) & np.isfinite(problem.highest))
    pulled = local.jacobian.T @ w
    asked = np.where(w > 0, problem.upper, problem.lower)
    beta = float(np.sum(np.where(w != 0, w * np.where(w != 0, asked, 0.0), 0.0)))
    side = np.where(pulled > 0, problem.lowest, problem.highest)
    bounded = np.isfinite(side)
    offset = float(w @ local.rows - pulled @ local.x)
    least = offset + float(np.sum(np.where(bounded, pulled * np.where(bounded, side, 0.0), 0.0)))
    size = abs(offset) + abs(beta) + float(np.sum(np.abs(w * local.rows))) + float(np.sum(np.abs(pulled * local.x)))
    margin = least - beta - 1e-12 * size
    noise = ROUNDING * (abs(local.jacobian).T @ np.abs(w))
    if problem.affine and np.any(~bounded & (np.abs(pulled) > noise)):
        return margin, 0.0
    loose = float(np.sum(np.abs(pulled[~bounded])))
    radius = margin / loose if loose > 0 else np.inf
    return margin, float(min(radius, np.sqrt(2 * max(margin, 0.0) / bend) if bend > 0 else np.inf))


def _bend(local: Local, weights: np.ndarray) -> float:
    """How far w'c is from convex: minus its smallest curvature, at least 0; inf where that is not known everywhere."""
    problem = local.problem
    if problem.affine:
        return 0.0
    function = problem.constraint_function
    if function is None or function.degree is None or function.degree > 2 or problem.n > DENSE:
        return float("inf")
    lowest = float(np.linalg.eigvalsh(dense_hessian(local, weights, 0.0))[0])
    return max(-lowest, 0.0)


def _violation_slope(local: Local) -> tuple[float, np.ndarray | None]:
    """||sum w_i u_i||_2 over the best weights, sum of the broken rows' = 1; inf where only bounds are broken.

    And these weights, of the rows themselves, (m,). u_i: gradients of broken rows outwards, and of active rows and
    bounds, over s_i."""
    problem, x = local.problem, local.x
    short = local.rows - np.clip(local.rows, problem.lower, problem.upper)
    broken = np.flatnonzero(short)
    if len(broken) == 0:
        return float("inf"), None
    rows, row_side, row_free = active_sides(local.row_room, ACTIVE)
    keep = short[rows] == 0
    rows, row_side, row_free = rows[keep], row_side[keep], row_free[keep]
    bounds, bound_side, bound_free = active_sides(local.bound_room, ACTIVE)
    if len(x) + len(broken) + len(rows) > MAX_LP:
        weights = np.abs(short[broken]) / float(np.abs(short[broken]).sum())
        pulled = local.jacobian[broken].T @ (weights * np.sign(short[broken]) / local.row_sizes[broken])
        pulled[bounds] = np.where(bound_side * pulled[bounds] < 0, 0.0, pulled[bounds])
        return float(np.linalg.norm(pulled)), None
    index = np.concatenate([broken, rows])
    unit = np.concatenate([np.sign(short[broken]), row_side]) / local.row_sizes[index]
    columns = csr_array(local.jacobian[index]).multiply(unit[:, None]).T
    walls = csr_array(eye_array(len(x), format="csr")[:, bounds]).multiply(bound_side[None, :])
    M = hstack([columns, walls])
    total = np.concatenate([np.ones(len(broken)), np.zeros(M.shape[1] - len(broken))])
    signed = np.concatenate([np.ones(len(broken), bool), ~row_free, ~bound_free])
    target = np.append(np.zeros(len(x)), -1.0)
    fit = signed_least_squares(csr_array(vstack([M, total[None, :]])), target, csr_array((0, len(signed))), signed)
    weight = float(total @ fit.u)
    if not weight > 0:
        return float("inf"), None
    weights = np.zeros(problem.m)
    weights[index] = fit.u[: len(index)] * unit
    return float(np.linalg.norm(M @ fit.u)) / weight, weights


def _stationary(local: Local, slope: float, weights: np.ndarray | None) -> bool:
    """Whether the violation is a local minimum, as far as first and second derivatives tell.

    At a slope that would end the violation within a tenth of the size of x, a root of high order may be near."""
    short = np.abs(local.rows - np.clip(local.rows, local.problem.lower, local.problem.upper))
    left = float((short / local.row_sizes).max(initial=0.0))
    return slope <= STATIONARY and left > slope * NEAR * float(local.size.max()) and _bent(local, weights)


def _bent(local: Local, weights: np.ndarray | None) -> bool:
    """Whether the weighted violation bends upwards where rows and bounds let x move: else it is a maximum or a saddle.

    weights : (m,) of the rows, as `_violation_slope` gives them"""
    problem = local.problem
    if weights is None or problem.affine or problem.n > DENSE:
        return True
    held = np.abs(weights) * local.row_sizes > STATIONARY
    H = dense_hessian(local, weights, 0.0)
    rows, bounds = active_sides(local.row_room, ACTIVE)[0], active_sides(local.bound_room, ACTIVE)[0]
    keep = np.union1d(np.flatnonzero(held), rows)
    gradients = csr_array(local.jacobian[keep]).toarray() / local.row_sizes[keep][:, None]
    rigid = np.vstack([gradients, np.eye(problem.n)[bounds]])
    rigid = rigid[np.linalg.norm(rigid, axis=1) > STATIONARY * np.abs(H).max(initial=0.0)]
    tangent = null_space(rigid / np.linalg.norm(rigid, axis=1, keepdims=True), 1e-8)
    if tangent.shape[1] == 0:
        return True
    return bool(np.linalg.eigvalsh(tangent.T @ H @ tangent)[0] >= -1e-2 * np.abs(H).max(initial=0.0))


def unboundedness(local: Local, point: Point, tol: float) -> Facts:
    """Facts of a point that brings a ray."""
    problem, degree = local.problem, local.problem.objective_function.degree
    quadratic = problem.affine and degree is not None and degree <= 2
    d = np.asarray(point.get(RAY, np.nan), dtype=float)
    if d.shape != (problem.n,) or not np.isfinite(d).all():
        d = _flat_ray(local) if quadratic and problem.n + problem.m <= MAX_LP else np.zeros(problem.n)
    if not np.any(d):
        return {}
    d = _kept(local, d / float(np.abs(d).max()))
    if not local.violation[0] <= tol or not _recedes(local, d):
        return {"ray": "leaves the constraints"}
    product = problem.hvp(local.x, np.zeros(problem.m), d)
    start = _near(local).gradient if quadratic else local.gradient
    curved, slope = float(d @ product), float(start @ d)
    size = max(local.change[1], TINY)
    steep = slope < -CLEAN * float(np.abs(start) @ np.abs(d))
    falls = curved < -CLEAN * size or (_flat(local, d, product) and steep)
    if falls and quadratic:
        empty, known = _searched(local)
        if empty or known:
            return empty or {"proven": "unbounded", "ray_slope": slope, "ray_curvature": curved}
        return {"ray": "no point that satisfies the constraints is known beyond rounding"}
    far = [problem.value(local.x + 10.0**k * d) for k in range(3, 9)]
    falling = bool(np.all(np.diff([local.value, *far]) < 0))
    return {"ray": "f falls along it as far as 1e8" if falling else "f does not fall along it"}


def _searched(local: Local) -> tuple[Facts, bool]:
    """(a proof that no point is feasible, whether one is known), for affine rows."""
    problem, near = local.problem, _near(local)
    if problem.m == 0 or near.violation[0] == 0:
        return {}, True
    least = _phase_one(near)
    if least is None:  # too many rows
        return {}, float((ROUNDING * (local.lengths + np.abs(local.rows)) - CLEAN * local.norms).max()) <= 0
    weights = _weights(near, least)
    if weights is not None and (empty := _farkas(near, weights)):
        return empty, False
    at = Local(problem, np.clip(least.v[: problem.n], problem.lowest, problem.highest), local.seed)
    return {}, bool(at.violation[0] <= HELD and np.abs(at.x).max() <= FAR * near.size.max())


def _hessian(local: Local) -> csr_array | None:
    problem = local.problem
    if "hessian" not in problem.provides:
        return None
    return csr_array(problem.hessian(local.x, np.zeros(problem.m)))


def _kept(local: Local, d: np.ndarray) -> np.ndarray:
    """d with rows and curvature that it nearly keeps at 0 exactly there, for affine rows and f of degree 2."""
    problem = local.problem
    if not problem.affine:
        return d
    open_rows = np.isinf(problem.lower) & np.isinf(problem.upper)
    H = _hessian(local) if problem.objective_function.degree == 2 else None
    if H is None:
        return settled(local.jacobian, d, open_rows)
    both = csr_array(vstack([csr_array(local.jacobian), H]))
    return settled(both, d, np.append(open_rows, np.zeros(problem.n, bool)))


def _flat(local: Local, d: np.ndarray, product: np.ndarray) -> bool:
    """Whether product = H d is 0 up to rounding."""
    H = _hessian(local)
    terms = local.change[1] if H is None else abs(H) @ np.abs(d)
    return bool(np.all(np.abs(product) <= ROUNDING * terms))


def _flat_ray(local: Local) -> np.ndarray:
    """The steepest d without curvature that keeps to the constraints, ||d||_inf <= 1; zero where there is none."""
    problem, n = local.problem, local.problem.n
    H = _hessian(local)
    if H is None or not np.any(local.gradient):
        return np.zeros(n)
    norms = np.maximum(local.norms, TINY)
    rows = vstack(
        [csr_array(local.jacobian).multiply(1 / norms[:, None]), H / max(local.change[1], TINY), eye_array(n)]
    )
    zero = np.zeros(n)
    lower = [np.where(np.isfinite(problem.lower), 0.0, -np.inf), zero, np.where(np.isfinite(problem.lowest), 0.0, -1.0)]
    upper = [np.where(np.isfinite(problem.upper), 0.0, np.inf), zero, np.where(np.isfinite(problem.highest), 0.0, 1.0)]
    found = solve_qp(None, local.gradient, csr_array(rows), np.concatenate(lower), np.concatenate(upper))
    d = np.where(np.abs(found.v) > 1e-7, found.v, 0.0) if found.ok else zero
    return np.clip(d, lower[2], upper[2])


def _recedes(local: Local, d: np.ndarray) -> bool:
    """d keeps to every row (to first order) and bound."""
    problem = local.problem
    along, allowance = local.jacobian @ d, ROUNDING * (abs(local.jacobian) @ np.abs(d))
    rows = np.where(np.isfinite(problem.upper), along <= allowance, True)
    rows &= np.where(np.isfinite(problem.lower), along >= -allowance, True)
    bounds = np.where(np.isfinite(problem.highest), d <= 0, True) & np.where(np.isfinite(problem.lowest), d >= 0, True)
    return bool(rows.all() and bounds.all())
