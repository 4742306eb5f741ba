"""The published iteration, to the letter, for equality constraints alone.

    K d = -(g_L, c),   K = [B, G'; G, 0],    (x, y) <- (x, y) + a d

| here | paper | meaning |
|---|---|---|
| eta1, eta2 | eta_1, eta_2 | weights of L_eta = f + y'c + eta1/2 |c|^2 + eta2/2 |g_L|^2, g_L = grad f + G'y |
| xi_g | xi_G | least eigenvalue of G G'; below `FULL_RANK` the authors' code gives up, and so does this |
| B | B_k | W, or W + (xi + |W|_F) I where the Hessian on the null space of G has an eigenvalue below `CONVEX` |
| psi | Psi | bound of |K^-1| |
| upsilon | Upsilon | max(|G|_F, |W|_F, 1) |
| delta, theta | delta_k, theta_k | accuracy of the direction: |K d - b| <= theta delta |b| / (|K|_F psi) |
| nu, beta | nu, beta | how eta moves where the descent test fails; Armijo's constant |

Hong, Na, Mahoney, Kolar, arXiv 2305.18379, algorithm 1, with the constants of their code. Deviations: the slope of
L_eta takes W, the Hessian of the Lagrangian, where their code takes that of f; the first residual of the inner loop has
its right sign; a line search that has come down to `SHORTEST` ends the run instead of going on for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.errors import Unsuitable
from solverkit.kinds.nonlinear.problem import BOUND_MULTIPLIERS, MULTIPLIERS, Nonlinear
from solverkit.plugin import Context, Point, Stop, Termination
from solverkit_sketched_newton.inner.sketch import Sketch
from solverkit_sketched_newton.merit import slope_along
from solverkit_sketched_newton.options import SketchedNewtonOptions

FULL_RANK = 1e-2
CONVEX = 1e-6
LEAST_DELTA = 1e-6
ETA1_MOST, ETA2_LEAST = 1e8, 1e-8  # outside of these any direction is accepted
SHORTEST = 1e-12
TOLERANCE = 1e-4
ARMIJO = 0.1


@dataclass(eq=False)
class PaperState:
    """The iterate and the constants that are carried from iteration to iteration."""

    x: np.ndarray  # (n,)
    y: np.ndarray  # (m,)
    f: float
    c: np.ndarray  # (m,)
    g: np.ndarray  # (n,) grad f
    jacobian: np.ndarray  # G, (m, n)
    eta1: float
    eta2: float
    delta: float
    tol: float
    iterations: int = 0
    inner_iterations: int = 0
    step: float = 0.0

    @property
    def lagrangian(self) -> np.ndarray:
        """g_L, (n,)."""
        return self.g + self.jacobian.T @ self.y

    @property
    def residual(self) -> float:
        """|(g_L, c)|."""
        return float(np.linalg.norm(np.concatenate([self.lagrangian, self.c])))

    @property
    def merit(self) -> float:
        """L_eta."""
        pulled = self.lagrangian
        penalties = self.eta1 * float(self.c @ self.c) + self.eta2 * float(pulled @ pulled)
        return self.f + float(self.y @ self.c) + 0.5 * penalties


class Paper:
    """The iteration as a method; `sketched_newton` hands the protocol's calls on to it."""

    def __init__(self, options: SketchedNewtonOptions) -> None:
        self.options = options
        self._problem: Nonlinear | None = None
        self._sketch = Sketch("exact" if options.inner == "auto" else options.inner, options.inner_steps)

    def init(self, problem: Nonlinear, start: Point, ctx: Context) -> PaperState:
        """At the start as it is, y = 0 where it has none. Raises Unsuitable for inequalities and bounds."""
        if not {"equalities-only", "no-bounds"} <= problem.provides:
            raise Unsuitable(
                f"mode=paper takes equality constraints alone; problem {problem.name!r} has inequalities or bounds. "
                "Use mode=production"
            )
        if "hessian" not in problem.provides:
            raise Unsuitable(
                f"mode=paper needs the Hessian; problem {problem.name!r} has products alone. Use mode=production"
            )
        options = self.options
        y = np.asarray(start.get(MULTIPLIERS, np.zeros(problem.m)), float)
        state = PaperState(
            x=problem.flat(start),
            y=y if y.shape == (problem.m,) else np.zeros(problem.m),
            f=0.0,
            c=np.zeros(0),
            g=np.zeros(0),
            jacobian=np.zeros((0, 0)),
            eta1=options.eta1,
            eta2=options.eta2,
            delta=options.delta,
            tol=options.converge or TOLERANCE,
        )
        self._problem = problem
        self._evaluate(problem, state)
        return state

    def finish(self, problem: Nonlinear, state: PaperState, ctx: Context) -> PaperState:
        """Nothing."""
        return state

    def point(self, state: PaperState) -> Point:
        """x and y; bounds there are none."""
        assert self._problem is not None
        zero = np.zeros(len(state.x))
        return {**self._problem.blocks(state.x), MULTIPLIERS: state.y, BOUND_MULTIPLIERS: zero}

    def report(self, state: PaperState) -> dict[str, float]:
        """|(g_L, c)| as merit, and what it is made of."""
        return {
            "merit": state.residual,
            "objective": state.f,
            "violation": float(np.linalg.norm(state.c)),
            "step": state.step,
            "inner": float(state.inner_iterations),
        }

    def converged(self, state: PaperState) -> bool:
        """The paper's test."""
        return state.residual <= state.tol

    def step(self, problem: Nonlinear, state: PaperState, ctx: Context) -> PaperState:
        """One outer iteration."""
        self._problem = problem
        theta = self.options.theta / (state.iterations + 1) if self.options.sharpen else self.options.theta
        state.iterations += 1
        hessian = problem.dense_hessian(state.x, state.y)
        if not np.isfinite(hessian).all():
            state.g = np.full_like(state.g, np.nan)  # the merit tells the driver, who names the oracle
            return state
        dx, dy, slope = self._direction(state, hessian, theta, ctx)
        self._search(problem, state, dx, dy, slope)
        return state

    # -- the direction

    def _direction(
        self, state: PaperState, hessian: np.ndarray, theta: float, ctx: Context
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """dx, dy and the slope of L_eta, once the descent test holds or eta has left its range."""
        options, jacobian, pulled = self.options, state.jacobian, state.lagrangian
        m, n = jacobian.shape
        xi_g = float(np.linalg.eigvalsh(jacobian @ jacobian.T)[0]) if m else 1.0
        if xi_g < FULL_RANK:
            raise Stop(
                Termination.STALLED,
                f"the least eigenvalue of JJ' is {xi_g:.2g}, below the paper's {FULL_RANK:g}; mode=production copes",
            )
        shifted = convexified(hessian, jacobian, options.xi)
        matrix = np.block([[shifted, jacobian.T], [jacobian, np.zeros((m, m))]])
        right = -np.concatenate([pulled, state.c])
        psi = 20.0 * max(_square(shifted), 1.0) / (min(xi_g, 1.0) * min(options.xi, 1.0))
        upsilon = max(np.sqrt(_square(jacobian)), np.sqrt(_square(hessian)), 1.0)
        square = float(right @ right)
        state.delta = max(min(state.delta, self._trial(state, psi, upsilon)), LEAST_DELTA)
        self._sketch.begin(matrix, right)
        while True:
            accuracy = theta * state.delta * np.sqrt(square) / (np.sqrt(_square(matrix)) * psi)
            before = self._sketch.steps
            d = self._sketch.solve(accuracy, ctx.rng)
            state.inner_iterations += self._sketch.steps - before
            dx, dy = d[:n], d[n:]
            turned = hessian @ dx + jacobian.T @ dy
            parts = slope_along(dx, dy, pulled, turned, state.c, jacobian @ dx, None, None)
            slope = parts.at(state.eta1, state.eta2)
            if slope <= -0.5 * state.eta2 * square or state.eta1 > ETA1_MOST or state.eta2 < ETA2_LEAST:
                return dx, dy, slope
            state.eta1, state.eta2 = state.eta1 * options.nu**2, state.eta2 / options.nu
            state.delta = max(min(state.delta / options.nu**4, self._trial(state, psi, upsilon)), LEAST_DELTA)

    def _trial(self, state: PaperState, psi: float, upsilon: float) -> float:
        """delta_trial."""
        beta = self.options.armijo or ARMIJO
        return (0.5 - beta) * state.eta2 / ((1 + state.eta1 + state.eta2) * upsilon**2 * psi**2)

    # -- the line search

    def _search(self, problem: Nonlinear, state: PaperState, dx: np.ndarray, dy: np.ndarray, slope: float) -> None:
        """Halve from 1 until L_eta has decreased enough. Raises Stop(STALLED) at the floor."""
        beta, x, y, start = self.options.armijo or ARMIJO, state.x, state.y, state.merit
        state.step = 1.0
        while True:
            state.x, state.y = x + state.step * dx, y + state.step * dy
            self._evaluate(problem, state)
            if state.merit <= start + state.step * beta * slope:
                return
            state.step *= 0.5
            if state.step < SHORTEST:
                raise Stop(Termination.STALLED, f"the line search came down to steps of {SHORTEST:g}")

    @staticmethod
    def _evaluate(problem: Nonlinear, state: PaperState) -> None:
        state.f, state.g = problem.value(state.x), problem.gradient(state.x)
        state.c, state.jacobian = problem.constraints(state.x) - problem.lower, problem.dense_jacobian(state.x)


def convexified(hessian: np.ndarray, jacobian: np.ndarray, xi: float) -> np.ndarray:
    """B: the Hessian, shifted where it is not convex enough on the null space of the Jacobian, (n, n)."""
    m, n = jacobian.shape
    if m >= n:
        return hessian
    null = np.linalg.qr(jacobian.T, mode="complete")[0][:, m:] if m else np.eye(n)
    if np.linalg.eigvalsh(null.T @ hessian @ null)[0] >= CONVEX:
        return hessian
    return hessian + (xi + np.sqrt(_square(hessian))) * np.eye(n)


def _square(matrix: np.ndarray) -> float:
    """Square of the Frobenius norm."""
    return float(np.sum(matrix * matrix))
