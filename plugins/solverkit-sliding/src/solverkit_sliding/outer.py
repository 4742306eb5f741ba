"""The outer loop that both sliding methods share: one gradient of f a step, then an inner loop that needs none.

    xu_k = (1 - gamma_k) xb_{k-1} + gamma_k x_{k-1},   G = grad f(xu_k),   beta_k = L gamma_k
    (x_k, ut_k) = inner loop on  <G, u> + h-part + chi(u) + beta_k V(x_{k-1}, u)
    xb_k = (1 - gamma_k) xb_{k-1} + gamma_k ut_k

| here | derivation | meaning |
|---|---|---|
| x, average | x_k, xb_k | prox centre and answer |
| weight | A_k | of V(x_k, x*) in the potential |
| curvature, mu | L, mu | |
| gi | gi | limit of gamma_k |
| model | F_k + H_k | lower bound, see `lower` |
| upper | | Psi(xb_k), f from above by l_f + L ||xb - xu||^2 / 2 where its value is not asked for |

Where L is found by backtracking, a step whose f(xb_k) lies above l_f(xu_k, xb_k) + L gamma_k^2 V(x_{k-1}, ut_k) is
taken again with 2 L: gamma, beta and xu anew.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass, field
from math import ceil, inf

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.composite import bound
from solverkit.kinds.composite.problem import ANCHOR, CUTS, DUAL, WEIGHTS, Composite
from solverkit.plugin import Context, Point, Solver
from solverkit_sliding import costs, lower, recursion, smoothness
from solverkit_sliding.lower import Model
from solverkit_sliding.potential import REFERENCE, Potential


@dataclass
class State:
    """Of one run."""

    shape: tuple[int, ...]
    variable: str
    x: np.ndarray  # (n,)
    average: np.ndarray  # (n,)
    product: np.ndarray  # (m,) K xb; empty where the method does not keep it
    mu: float
    curvature: float
    backtracking: bool
    tol: float
    model: Model | None
    image: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (m,) K x
    norm: float = 0.0  # ||K||, or M
    diameter: float = 0.0  # D_Y
    reach: float = 0.0  # D_Y of y_0 = 0
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (m,) y_0
    exact: bool = False  # whether there is no h
    bias: float = 0.0  # h - h_eta at xb
    halved: float = inf  # the gap when it last had halved
    since: int = 0  # steps since then
    k: int = 0
    fresh: bool = True  # whether the next step begins anew: gamma = 1
    mark: float = inf  # the gap at the latest restart
    restarts: int = 0
    gamma: float = 1.0
    delta: float = 0.0
    weight: float = inf
    eta: float = 0.0
    inner: int = 0  # inner steps, all together
    answer: np.ndarray = field(default_factory=lambda: np.zeros(0))
    upper: float = inf
    lower: float = -inf
    first_gap: float = inf
    anchor: np.ndarray = field(default_factory=lambda: np.zeros(0))
    dual: np.ndarray = field(default_factory=lambda: np.zeros(0))
    cuts: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    shares: np.ndarray = field(default_factory=lambda: np.zeros(0))
    asked: float = inf  # the gap at which the core's own bound was last looked at
    claimed: bool = False
    potential: Potential | None = None

    @property
    def gap(self) -> float:
        """The certified gap, infinite before there is a bound."""
        return self.upper - self.lower


@dataclass
class Move:
    """What an inner loop hands back."""

    x: np.ndarray  # x_k
    average: np.ndarray  # ut_k
    pull: np.ndarray  # (n,) average of the subgradients of h
    dual: np.ndarray  # (m,) average of the y; empty where h has no structure
    delta: float
    error: float  # e_k
    steps: int
    image: np.ndarray = field(default_factory=lambda: np.zeros(0))  # K x_k, where the method keeps it
    product: np.ndarray = field(default_factory=lambda: np.zeros(0))  # K ut_k, likewise
    cuts: list[np.ndarray] = field(default_factory=list)  # points at which h is to be linearized


@dataclass
class Trial:
    """An outer step on its way: what is known before the inner loop."""

    gamma: float
    beta: float
    at: np.ndarray  # xu
    value: float  # f(xu); NaN where the gradient is sampled
    gradient: np.ndarray
    full: bool


class OuterLoop(Solver[Composite, State]):
    """What the two methods have in common; they bring the schedule and the inner loop."""

    @abstractmethod
    def prepare(self, problem: Composite, state: State) -> None:
        """What the method needs before the first step."""

    @abstractmethod
    def gamma(self, state: State) -> float:
        """gamma_k for the current L."""

    @abstractmethod
    def schedule(self, state: State) -> None:
        """Parameters of step k that do not depend on L."""

    @abstractmethod
    def inner(self, problem: Composite, state: State, trial: Trial, ctx: Context) -> Move:
        """The inner loop."""

    @abstractmethod
    def bounded(self, problem: Composite, state: State, move: Move) -> None:
        """Improve `state.lower`, with `anchor` and `dual` or `cuts` that prove it."""

    def level(self, problem: Composite, state: State, psi: float) -> float:
        """The first part of D_k + Psi(u), from Psi(xb_k)."""
        return psi

    # -- the protocol

    def init(self, problem: Composite, start: Point, ctx: Context) -> State:
        x = problem.flat(start).astype(float)
        begun = time.perf_counter()
        value, gradient = problem.smooth_both(x)
        taken = time.perf_counter() - begun
        mu, known = problem.simple.strong, smoothness.known(problem, self.options.lipschitz)
        if mu == 0 and not (known is None or known > 0):
            raise UsageError(
                f"{problem.name!r} has no smooth part and no strong convexity, so there is nothing to slide on. Use "
                "condat-vu, or add a square to `simple:`"
            )
        backtracking = self.options.backtracking
        state = State(
            shape=problem.variable.shape,
            variable=problem.variable.name,
            x=x,
            average=x,
            product=np.zeros(0),
            mu=mu,
            curvature=smoothness.along_gradient(problem, x, gradient) if known is None else known,
            backtracking=known is None if backtracking is None else backtracking,
            tol=ctx.tol,
            model=_first(problem, x, value, gradient),
            answer=x,
        )
        self._first_gap(problem, state, value)
        self.prepare(problem, state)
        if self.options.verify:
            u = problem.flat({problem.variable.name: start.get(REFERENCE, start[problem.variable.name])})
            psi = problem.smooth_value(u) + problem.nonsmooth_value(u) + problem.simple.value(u)
            state.potential = Potential(u, psi)
        if mu == 0:
            ctx.log("chi is not strongly convex: gamma_k falls like 2/k, and the rate is not linear")
        if problem.structured is not None:
            ctx.log(costs.sentence(costs.measured(problem, state.x, taken)))
        return state

    def step(self, problem: Composite, state: State, ctx: Context) -> State:
        state.k += 1
        self._restart(state)
        self.schedule(state)
        trial, move, psi = self._accepted(problem, state, ctx)
        gamma, old = trial.gamma, state.x
        before, state.weight = state.weight, gamma * (trial.beta + state.mu) * (1 + move.delta)
        state.average, state.product = self._mixed(state, gamma, move)
        state.x, state.image, state.gamma, state.delta = move.x, move.image, gamma, move.delta
        state.inner += move.steps
        state.fresh = False
        state.answer = state.x if self.options.answer == "last" else state.average
        if state.potential is not None and trial.full:
            state.potential.advance(
                problem,
                level=self.level(problem, state, problem.smooth_value(state.average) + psi),
                gamma=gamma,
                beta=trial.beta,
                mu=state.mu,
                delta=move.delta,
                before=before,
                after=state.weight,
                old=old,
                new=state.x,
                error=move.error,
            )
        if trial.full:
            self._model(state, trial, move)
            state.upper = self._upper(problem, state, trial, psi)
            self.bounded(problem, state, move)
            self._claim(problem, state)
        if state.backtracking:
            state.curvature *= 0.95
        return state

    def point(self, state: State) -> Point:
        blocks = {state.variable: state.answer.reshape(state.shape)}
        if state.anchor.size:
            blocks[ANCHOR] = state.anchor.reshape(state.shape)
        if state.dual.size:
            blocks[DUAL] = state.dual
        if state.shares.size:
            blocks[CUTS], blocks[WEIGHTS] = state.cuts, state.shares
        return blocks

    def report(self, state: State) -> dict[str, float]:
        report = {"merit": state.gap, "gamma": state.gamma, "inner": float(state.inner), "lipschitz": state.curvature}
        report["restarts"] = float(state.restarts)
        if state.eta:
            report["smoothing"] = state.eta
        if np.isfinite(state.upper):
            report["objective"] = state.upper
        return report

    def converged(self, state: State) -> bool:
        return state.claimed

    # -- one step

    def _restart(self, state: State) -> None:
        """Begin anew at xb_k where the certified gap has fallen far enough since the last time.

        Psi often grows faster around its minimizer than mu says. gamma_k, which starts at 1 and falls to gi, is then
        better high; and as a restart has to be earned by the gap, the guarantee loses a logarithm at most.
        """
        if self.options.mode == "paper" or not self.options.restart or not np.isfinite(state.gap):
            return
        if state.gap <= self.options.restart * state.mark:
            if np.isfinite(state.mark):
                state.x, state.image, state.fresh = state.average, state.product, True
                state.restarts += 1
            state.mark = state.gap

    def _accepted(self, problem: Composite, state: State, ctx: Context) -> tuple[Trial, Move, float]:
        """A step whose L holds, and h + chi at its xb."""
        for _ in range(60):
            trial = self._trial(problem, state, ctx)
            move = self.inner(problem, state, trial, ctx)
            average, product = self._mixed(state, trial.gamma, move)
            rest = self._nonsmooth(problem, average, product) + problem.simple.value(average)
            if not (state.backtracking and trial.full):
                return trial, move, rest
            value, apart = (
                problem.smooth_value(average),
                trial.gamma**2 * problem.simple.distance(state.x, move.average),
            )
            linear = trial.value + float(trial.gradient @ (average - trial.at))
            if value <= linear + state.curvature * apart + 1e-12 * (abs(value) + abs(trial.value)):
                return trial, move, rest
            state.curvature *= 2
        raise RuntimeError(f"no L up to {state.curvature:.3g} bounds f: is it convex, and its gradient right?")

    def _trial(self, problem: Composite, state: State, ctx: Context) -> Trial:
        gamma = 1.0 if state.fresh else self.gamma(state)
        at = state.x if gamma == 1.0 else (1 - gamma) * state.average + gamma * state.x
        beta, samples = state.curvature * gamma, self._samples(problem, state)
        if samples:
            drawn = ctx.rng.integers(problem.smooth.count, size=samples)
            return Trial(gamma, beta, at, float("nan"), problem.smooth_batch_gradient(at, drawn), False)
        if state.k == 1 and state.model is not None:  # taken by init
            slope = state.model.slope.copy()
            return Trial(gamma, beta, at, state.model.offset + float(slope @ at), slope, True)
        return Trial(gamma, beta, at, *problem.smooth_both(at), True)

    def _samples(self, problem: Composite, state: State) -> int:
        """Terms in the gradient of this step; 0 for all of them."""
        if not self.options.batch or problem.smooth.count == 1:
            return 0
        gi = recursion.fixed_point(state.curvature, state.mu, 0.5)
        size = ceil(self.options.batch / max(recursion.shrink(state.mu, gi, state.k), 1e-12))
        return size if size < problem.smooth.count else 0

    def _mixed(self, state: State, gamma: float, move: Move) -> tuple[np.ndarray, np.ndarray]:
        average = move.average if gamma == 1.0 else state.average + gamma * (move.average - state.average)
        if not move.product.size or gamma == 1.0:
            return average, move.product
        return average, state.product + gamma * (move.product - state.product)

    def _nonsmooth(self, problem: Composite, x: np.ndarray, product: np.ndarray) -> float:
        if problem.structured is not None and product.size:
            return float(problem.structured.outer.value(product))
        return problem.nonsmooth_value(x)

    # -- bounds

    def _model(self, state: State, trial: Trial, move: Move) -> None:
        offset = lower.linear(trial.value, trial.gradient, trial.at)
        new = Model(trial.gradient.copy(), offset, move.pull.copy(), move.dual.copy(), 0.0, trial.at.copy())
        if state.model is None or trial.gamma == 1.0:
            state.model = new
        else:
            state.model.mix(trial.gamma, new)

    def _upper(self, problem: Composite, state: State, trial: Trial, rest: float) -> float:
        """Psi at the answer from above, from the step's own gradient."""
        apart = state.answer - trial.at
        smooth = trial.value + float(trial.gradient @ apart) + 0.5 * state.curvature * float(apart @ apart)
        if state.backtracking:
            smooth = problem.smooth_value(state.answer)
        if self.options.answer == "last":
            rest = problem.nonsmooth_value(state.answer) + problem.simple.value(state.answer)
        return smooth + rest

    def near(self, problem: Composite, state: State) -> bound.Near | None:
        """Where bounds hold if they cannot hold everywhere."""
        return lower.near(problem, state.answer, state.upper)

    def improve(self, state: State, found: float) -> bool:
        """Take a bound where it is better. A local one belongs to its answer, and replaces the one before."""
        if not (found > state.lower or (state.mu == 0 and np.isfinite(found))):
            return False
        state.lower = found
        if state.model is not None:
            state.anchor = state.model.anchor.copy()
        return True

    def _first_gap(self, problem: Composite, state: State, value: float) -> None:
        """Delta_0 from the linearizations at the start."""
        model = state.model
        assert model is not None
        psi = value + problem.nonsmooth_value(state.x) + problem.simple.value(state.x)
        state.first_gap = psi - model.lowest(problem, self.near(problem, state))
        if not (np.isfinite(state.first_gap) and state.first_gap > 0):
            state.first_gap = abs(psi) if np.isfinite(psi) and psi != 0 else 1.0

    def _claim(self, problem: Composite, state: State) -> None:
        """Whether the core will find the gap closed. Its bound is looked at anew where f is not quadratic."""
        allowed = 0.98 * state.tol * (1 + abs(state.upper))
        if state.gap > allowed:
            return
        if problem.smooth.quadratic and state.mu > 0:
            state.claimed = True
        elif state.gap <= 0.7 * state.asked:
            state.asked = state.gap
            found = lower.checked(
                problem, state.anchor, state.dual, state.cuts, state.shares, self.near(problem, state)
            )
            state.claimed = state.upper - found <= allowed


def _first(problem: Composite, x: np.ndarray, value: float, gradient: np.ndarray) -> Model:
    """The model of the start: linearizations of f and h there."""
    offset = lower.linear(value, gradient, x)
    if problem.structured is not None:
        from solverkit.kinds.composite.subgradients import maximizer

        y = bound.inside(problem, maximizer(problem.structured.outer, problem.forward(x)))
        return Model(gradient.copy(), offset, problem.adjoint(y), y, 0.0, x.copy())
    pull = problem.subgradient(x)
    lift = lower.linear(problem.nonsmooth_value(x), pull, x)
    return Model(gradient.copy(), offset, pull, np.zeros(0), lift, x.copy())
