"""An inclusion near a point: how large F is there, how fast it changes, and whether it is monotone.

    v = J_G(u + d),    d random with entries of the size of t (1 + |u_i|),    t = 1, 1e-2, 1e-4

v is taken through the resolvent with a tiny step, so that F is asked within the domain alone. From F(v) - F(u) come

    s_i      the scale of coordinate i: the largest |F_i| and change of F_i seen, but not above GROWTH times what is
             extrapolated from close by, since exponentials grow beyond all measure; it follows the units of F
    L        the largest ||F(v) - F(u)|| / ||v - u||, also along d = -F(u) and F(v) - F(u), the steep ways
    bend     the most negative <F(v) - F(u), v - u> / (||F(v) - F(u)|| ||v - u||), beyond rounding: 0 if monotone
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from solverkit.kinds.inclusion.problem import Inclusion

DISTANCES = (1.0, 1.0, 1e-2, 1e-4)
STEEP = 6  # probes along the change of F
JACOBIAN = 400  # variables up to which the symmetric part of a Jacobian is formed
DIFFERENCES = 40  # the same where it has to be formed by differences
TINY = 1e-12  # step of the resolvent that finds the domain
GROWTH = 100.0
FLOOR = 1e-9  # least scale of a coordinate, relative to the largest
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Local:
    """What was seen around u."""

    value: np.ndarray  # F(u), (N,)
    scales: np.ndarray  # s, (N,), positive
    lipschitz: float  # the largest ratio seen: a lower bound of L
    step: float  # eta = 1 / L, L not above GROWTH times the steepness close by
    bend: float  # >= 0, how far F is from monotone
    where: str  # how that was seen


def inside(problem: Inclusion, v: np.ndarray) -> np.ndarray:
    """The nearest point of the domain of G, (N,)."""
    return problem.resolvent(v, TINY)


def defined(problem: Inclusion, v: np.ndarray, value: np.ndarray) -> bool:
    """Whether F(v) = `value` is finite, and the payoff it comes from too: 1 / x is finite where log(x) is not."""
    payoff = getattr(problem.part, "payoff", None)
    return bool(np.isfinite(value).all() and (payoff is None or np.isfinite(payoff(v))))


def look(problem: Inclusion, u: np.ndarray, seed: int = 0) -> Local:
    """Probe F around u. Costs about 12 evaluations of F and, for few variables, those of a Jacobian.

    Points where F is not finite are passed over: F may end within the domain of G.
    """
    rng = np.random.default_rng(seed)
    here = np.asarray(problem.operator(u), dtype=float)
    seen = _Seen(here)
    reach = 1 + np.abs(u)
    around: list[tuple[np.ndarray, np.ndarray]] = []  # points with their F
    steep = None
    for distance in DISTANCES:
        d = distance * reach * rng.choice([-1.0, 1.0], len(u)) * rng.uniform(0.5, 1.0, len(u))
        place = inside(problem, u + d)
        change = seen.probe(problem, u, place)
        if change is not None:
            if distance < 1:
                seen.near = np.maximum(seen.near, np.abs(change) / distance)
                seen.steep_near = max(seen.steep_near, float(np.linalg.norm(change) / np.linalg.norm(place - u)))
            around.append((place, here + change))
            steep = change if steep is None else steep
    for (one, first), (two, second) in combinations(around, 2):
        seen.measure(two - one, second - first, np.abs(first) + np.abs(second))
    _follow(problem, u, seen, -here)
    for _ in range(STEEP):
        steep = _follow(problem, u, seen, steep)
    curved = max(_curvature(problem, place, seen) for place in (u, *(place for place, _ in around[:2])))
    bend, where = max((seen.bend, "between random points"), (curved, "by the symmetric part of its Jacobian"))
    scales = np.where(seen.near > 0, np.minimum(seen.scales, GROWTH * seen.near), seen.scales)
    scales = np.maximum(scales, FLOOR * scales.max(initial=0.0))
    steepest = min(seen.lipschitz, GROWTH * seen.steep_near) if seen.steep_near > 0 else seen.lipschitz
    step = 1 / steepest if steepest > 0 else 1.0
    return Local(here, np.where(scales > 0, scales, 1.0), seen.lipschitz, step, bend, where if bend > 0 else "")


def _follow(problem: Inclusion, u: np.ndarray, seen: _Seen, d: np.ndarray | None) -> np.ndarray | None:
    """Probe along d, as far as 1 + |u|, and give the change of F there."""
    if d is None or not 0 < (size := float(np.linalg.norm(d))) < np.inf:
        return None
    return seen.probe(problem, u, inside(problem, u + d * (float(np.linalg.norm(1 + np.abs(u))) / size)))


class _Seen:
    """The largest of what the probes show."""

    def __init__(self, here: np.ndarray) -> None:
        self.here = here
        self.scales = np.abs(here)
        self.near = np.abs(here)  # the same from close by: what F would change by if it were affine
        self.lipschitz = self.steep_near = 0.0
        self.bend = 0.0

    def probe(self, problem: Inclusion, u: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """F(v) - F(u); None where v = u or F is not finite at v."""
        apart = v - u
        length = float(np.linalg.norm(apart))
        if not 0 < length < np.inf:
            return None
        there = np.asarray(problem.operator(v), dtype=float)
        if not defined(problem, v, there):
            return None
        change = there - self.here
        self.scales = np.maximum(self.scales, np.maximum(np.abs(change), np.abs(there)))
        self.measure(apart, change, np.abs(there) + np.abs(self.here))
        return change

    def measure(self, apart: np.ndarray, change: np.ndarray, values: np.ndarray) -> None:
        """What the change of F between two points shows; `values` are the sizes of the two F."""
        length, size = float(np.linalg.norm(apart)), float(np.linalg.norm(change))
        rounding = 8 * EPS * float(np.linalg.norm(values))
        if size > 8 * rounding and length > 0:
            self.lipschitz = max(self.lipschitz, size / length)
            self.bend = max(self.bend, (-float(change @ apart) - rounding * length) / (size * length))


def _curvature(problem: Inclusion, u: np.ndarray, seen: _Seen) -> float:
    """max(0, -least eigenvalue of the symmetric part of dF) / ||dF||, at u; 0 where the Jacobian is out of reach."""
    jacobian = _jacobian(problem, u)
    if jacobian is None or not np.isfinite(jacobian).all():
        return 0.0
    norm = float(np.linalg.norm(jacobian, 2))
    if norm == 0:
        return 0.0
    seen.lipschitz = max(seen.lipschitz, norm)
    least = float(np.linalg.eigvalsh((jacobian + jacobian.T) / 2)[0])
    return max(0.0, -least / norm)


def _jacobian(problem: Inclusion, u: np.ndarray) -> np.ndarray | None:
    exact = getattr(problem.part, "jacobian", None)
    if exact is not None:
        return exact(u).toarray() if len(u) <= JACOBIAN else None
    if len(u) > DIFFERENCES or problem.bilinear is not None:
        return None
    columns = []
    for k in range(len(u)):
        h = EPS ** (1 / 3) * (1 + abs(u[k]))
        e = np.zeros(len(u))
        e[k] = h
        try:  # a step may lead out of the domain, where a user's function need not be defined
            columns.append((problem.operator(u + e) - problem.operator(u - e)) / (2 * h))
        except (ArithmeticError, ValueError):
            return None
    return np.array(columns).T
