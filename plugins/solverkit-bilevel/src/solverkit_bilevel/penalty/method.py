"""`penalty`: first-order bilevel optimization by the penalty psi_s (Kwon, Kwon, Wright, Nowak; ICLR 2024, 2309.01753).

Problem (optimistic):

    min_{x in X} psi(x),   psi(x) = min { F(x, y) : y in argmin_{y in Y} f(x, y) }

X and Y closed and convex with projections, Y independent of x; F and f smooth, f not necessarily convex in y. The
method descends

    psi_s(x) = (l(x, s) - l(x, 0)) / s,    l(x, s) = min_{y in Y} s F(x, y) + f(x, y)

whose gradient asks for gradients alone (see `ladder`); under the paper's proximal error bound with constant mu,
|psi_s - psi| = O(s / mu) and |grad psi_s - grad psi| = O(s / mu^3).

| here | paper | meaning |
|---|---|---|
| x, F, f, X, Y | x, f, g, X, Y | the paper calls the upper objective f and the lower one g |
| s | sigma | penalty |
| ys[0], ys[1] | z, y | minimizers of f and of h_s over Y |
| state.bias | - | measured error of the gradient, see `production` |

`production` has the iteration that converges, `paper` the published ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solverkit.engine.solver import Context, Solver, Stop
from solverkit.engine.status import Termination
from solverkit.kinds.base import Point
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.polyhedra import NoProjection
from solverkit.operators.qp import Outcome
from solverkit_bilevel.penalty.domains import domain, own_rows
from solverkit_bilevel.penalty.options import PenaltyOptions
from solverkit_bilevel.penalty.paper import begin, run_block
from solverkit_bilevel.penalty.production import Production
from solverkit_bilevel.penalty.projected import Domain, Walk
from solverkit_bilevel.penalty.state import State

NAME = "penalty"
BLOCK, PAPER_BLOCK = 1, 100  # iterations a step
FIRST = 0.1  # of the ratio of curvatures, for the first s


class Penalty(Solver[Bilevel, State]):
    """See the module."""

    Options = PenaltyOptions

    def __init__(self, options: PenaltyOptions) -> None:
        super().__init__(options)
        self._problem: Bilevel | None = None  # whose sets the caches below hold
        self._x: Domain
        self._y: Domain
        self._production: Production

    # -- protocol

    def init(self, problem: Bilevel, start: Point, ctx: Context) -> State:
        """The start projected onto X and Y. Raises Unsuitable for rows that couple x and y."""
        n, options = problem.n, self.options
        rows = list(own_rows(problem, NAME))
        shapes = {b.name: list(b.shape) for b in (*problem.upper_blocks, *problem.lower_blocks)}
        z = problem.flat(start)
        state = State(shapes, n, rows, Walk(z[:n], np.nan, np.zeros(n)), [], 1.0, 1.0, options.inner_accuracy, ctx.tol)
        self._prepare(problem, state, ctx)
        x, y = _inside(self._x, z[:n], "upper"), _inside(self._y, z[n:], "lower")
        state.x.v, state.ys = x, [Walk(y, np.nan, np.zeros(problem.m))]
        if options.paper:
            state.schedule, state.s_first = begin(x, y), options.s0 or 1.0
            z = np.concatenate([x, y])
            state.s, state.upper, state.size = state.s_first, problem.upper(z), 0.0
            return state
        at = np.concatenate([x, y])
        state.size = float(np.linalg.norm(problem.upper_gradient(at)))
        state.s = state.s_first = options.s0 or first_s(problem, at, ctx.rng)
        self._production.begin(problem, state, ctx)
        return state

    def step(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """A block of iterations."""
        self._prepare(problem, state, ctx)
        options = self.options
        count = options.block or (PAPER_BLOCK if options.paper else BLOCK)
        if options.paper:
            run_block(problem, self._x, self._y, state, options, ctx.rng, count)
            return state
        for _ in range(count):
            if not state.claimed:
                self._production.iterate(problem, state, ctx)
        return state

    def point(self, state: State) -> Point:
        """Blocks of (x, y_0)."""
        z, point, offset = np.concatenate([state.x.v, state.y]), {}, 0
        for name, shape in state.shapes.items():
            size = int(np.prod(shape))
            point[name] = z[offset : offset + size].reshape(shape).copy()
            offset += size
        return point

    def report(self, state: State) -> dict[str, float]:
        """merit, F, residual, s, iterations; in production also the bias, inner iterations and the measured psi."""
        out = {"merit": state.merit, "objective": state.upper, "residual": state.residual, "s": state.s}
        out["iterations"] = float(state.iterations)
        if state.schedule is None:
            out |= {"inner": float(state.inner), "level": float(state.level)}
            out |= {"bias": state.bias} if np.isfinite(state.bias) else {}
            out |= {name: value for name, value in zip(("psi_s", "psi_s2", "psi_s4"), state.psi, strict=False)}
            if state.psi:
                out["psi_extrapolated"] = state.psi_zero
        return out

    def converged(self, state: State) -> bool:
        """x is stationary for the function it descends, and that function's measured bias is small."""
        return state.claimed

    def finish(self, problem: Bilevel, state: State, ctx: Context) -> State:
        """Production: the lower level solved at the last x."""
        if not self.options.paper:
            self._prepare(problem, state, ctx)
            self._production.settle(problem, state)
        return state

    # -- caches

    def _prepare(self, problem: Bilevel, state: State, ctx: Context) -> None:
        """Build what follows from problem and options alone; again after a resume."""
        if self._problem is problem:
            return
        n, m = problem.n, problem.m
        self._x = domain(problem.upper_set, state.rows[0], n, problem.name, NAME)
        self._y = domain(problem.lower_set, state.rows[1], m, problem.name, NAME)
        self._production = Production(problem, self.options, self._x, self._y, ctx.dtype)
        self._problem = problem


def first_s(problem: Bilevel, z: np.ndarray, rng: np.random.Generator) -> float:
    """0.1 of the ratio of the curvatures of f and F over y, along one random direction, by differences of gradients.

    Where F has no curvature there: the s that moves y by about a tenth of its size. Free of the units of F and f.
    """
    n = problem.n
    direction = rng.standard_normal(problem.m)
    direction /= max(float(np.linalg.norm(direction)), 1e-300)
    length = 1e-2 * (1 + float(np.linalg.norm(z[n:])))
    ahead = z + length * np.concatenate([np.zeros(n), direction])

    def bend(gradient: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
        here = gradient(z)[n:]
        return float(np.linalg.norm(gradient(ahead)[n:] - here)) / length, float(np.linalg.norm(here))

    (bent_F, slope_F), (bent_f, slope_f) = bend(problem.upper_gradient), bend(problem.lower_gradient)
    reach = 1 + float(np.linalg.norm(z[n:]))
    scale_F, scale_f = max(bent_F, slope_F / reach), bent_f or slope_f / reach
    if not (np.isfinite(scale_F) and np.isfinite(scale_f)) or scale_F <= 0 or scale_f <= 0:
        return FIRST
    return float(np.clip(FIRST * scale_f / scale_F, 1e-8, 1e8))


def _inside(domain: Domain, start: np.ndarray, level: str) -> np.ndarray:
    """The start projected onto the set of a level; Stop where no point of it can be found."""
    try:
        return domain.project(start).copy()
    except NoProjection as error:
        end = Termination.INFEASIBLE if error.outcome is Outcome.INFEASIBLE else Termination.STALLED
        raise Stop(end, f"no point of the {level} level's rows is found: {error}") from None
