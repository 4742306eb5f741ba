"""`SequenceTuner`: solves the systems of a user's loop, and learns on the way how to solve them fast.

    tuner = SequenceTuner()
    for t in range(steps):
        A, b = assemble(u, t)
        u, info = tuner.solve(A, b, x0=u)        # as scipy.sparse.linalg.cg: info == 0 means converged

A round: show the context to the learner, try the arm that it chooses under a cap, let the safe solver finish what was
not solved, tell the learner all that was paid. The first rounds are a race: the first arm, then the middle of every
group of arms that may be worth it (`prospects`); the learner takes over from there. Where systems are small and alike a
choice is kept for a few of them (`hold`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, isfinite, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.learners import Learner, LogTS
from solverkit_sor.tuner.backstop import Backstop
from solverkit_sor.tuner.clock import Clock
from solverkit_sor.tuner.context import Names, dominance
from solverkit_sor.tuner.defaults import SYMMETRIC, automatic_space, may_be_definite
from solverkit_sor.tuner.history import History, Report, report
from solverkit_sor.tuner.hold import Hold
from solverkit_sor.tuner.info import Cost, Info
from solverkit_sor.tuner.policies import make_learner
from solverkit_sor.tuner.prospects import Prospects
from solverkit_sor.tuner.saving import read, write
from solverkit_sor.tuner.space import Arms, Parameters, Space, arms_of
from solverkit_sor.tuner.trial import Trial


class SequenceTuner:
    """Chooses the solver of each system, or any parameters of the user's own, so that the sequence costs little.

    space : what to choose from (`tuner.space`). `auto`: CG, SSOR-CG over w, multigrid (with PyAMG installed), sparse
        LU, the last two also kept for later systems; for matrices that are not symmetric GMRES, incomplete and complete
        LU.
    cost : `work` (multiply-adds by a model, the same in every run), `time` (wall seconds), `cpu` (processor seconds),
        or a function of `Info`. Trials outside `solve` report their own.
    context_dim : numbers in `context`, where that is to be checked from the first call on.
    policy : `auto` and `log-ts`, `tsallis-inf`, `tsallis-inf-rv`, `binned`, `chebcb`, `fixed` (the first arm).
    context_range : (low, high) of a one-dimensional context, which `binned` and `chebcb` need.
    safe : the solver behind every trial of `solve`: a name, or a dict with its parameters.
    cap : a trial may cost this many times what the best arm is expected to.
    guess : x0 where none is given: `zero` as in SciPy, `previous` solution, or `extrapolated` from the last two.
    discount : weight that old rounds keep at each new one, below 1 to follow a drift.
    """

    def __init__(
        self,
        space: Space | str = "auto",
        cost: Cost = "work",
        context_dim: int | None = None,
        policy: str = "auto",
        safe: str | Parameters = "cg",
        seed: int | np.random.Generator = 0,
        *,
        cap: float = 2.0,
        guess: str = "zero",
        discount: float = 0.998,
        context_range: tuple[float, float] | None = None,
    ) -> None:
        if isinstance(space, str) and space != "auto":
            raise UsageError(f"space {space!r}: give 'auto', a dict of parameters, or a list of such dicts")
        if not callable(cost) and cost not in ("work", "time", "cpu"):
            raise UsageError(f"cost {cost!r}: 'work', 'time', 'cpu', or a function of what solve returns")
        if guess not in ("zero", "previous", "extrapolated"):
            raise UsageError(f"guess {guess!r}: 'zero', 'previous' or 'extrapolated'")
        if not cap > 1:
            raise UsageError(f"cap = {cap}: a trial must be allowed more than the best arm costs")
        self.space, self.cost, self.policy, self.cap, self.guess = space, cost, policy, cap, guess
        self.discount, self.context_range = discount, context_range
        self.safe: Parameters = {"solver": safe} if isinstance(safe, str) else dict(safe)
        self.rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
        self.history = History()
        self.names = Names(context_dim)
        self.arms: Arms | None = None if isinstance(space, str) else arms_of(space)
        self.learner: Learner | None = None
        self.size: int | None = None  # n
        self.clock = Clock()
        self.prospects = Prospects()
        self.hold = Hold()
        self.work = inf  # of the last system; only solve knows it
        self._backstop: Backstop | None = None
        self._solutions: list[np.ndarray] = []  # the last two, newest first

    # -- solve

    def solve(
        self,
        A: Any,
        b: Any,
        x0: Any = None,
        *,
        rtol: float = 1e-8,
        atol: float = 0.0,
        maxiter: int | None = None,
        context: Any = None,
    ) -> tuple[np.ndarray, Info]:
        """x (n,) with |b - A x| <= max(rtol |b|, atol), and what it took; `info == 0` where it converged.

        A : (n, n) sparse or dense, b, x0 : (n,). `maxiter` bounds the iterations of a solver. `context`: numbers, or
        names with numbers, the same ones at every call. Raises UsageError for NaN, an empty row, wrong shapes,
        another n or context than before."""
        backstop = self._ready()
        matrix = backstop.matrices.csr(A)
        b = np.ascontiguousarray(b, dtype=np.float64).reshape(-1)
        vector = self._checked(matrix, b, context)
        size = sqrt(b @ b)
        if size == 0.0:
            return self._remember(np.zeros(len(b))), Info.nothing("b is zero, and so is x")
        if not isfinite(size):
            raise UsageError("the right-hand side holds NaN or infinite values, or its norm overflows")
        shown = np.empty(vector.size + 1)
        shown[:-1] = vector
        shown[-1] = dominance(backstop.matrices.pattern(matrix), matrix.data)
        if not isfinite(shown[-1]):
            raise UsageError("the matrix holds NaN or infinite values")
        arms = self._arms_for(matrix)
        arm, limit = self._next(shown)
        parameters = arms.parameters[arm]
        attempt = backstop.attempt(
            matrix, b, self._guess(x0), max(rtol, atol / size), maxiter or 10_000, parameters,
            self._in_work(limit), lambda: self._proven(arm),
        )  # fmt: skip
        info = Info.of(attempt, arm, parameters)
        self.work = info.work
        info.cost, cost = self._price(info)
        heard = cost if attempt.failed else self.prospects.spread(backstop, arm, parameters, cost, attempt.built)
        if heard is not None:
            self.prospects.correct(self.learner, arms, arm, heard)
        self._hear(arm, shown, info.cost, heard, attempt.failed)
        if heard is None:
            self.prospects.queue.insert(0, arm)
        if self.learner is None:
            expected = self.prospects.begin(backstop, arms, matrix, parameters, arm, attempt.iterations)
            self.learner = self._make_learner(arms, shown.size, np.log(expected / expected[arm]))
            self.learner.update(arm, self._for_learner(shown), info.cost)
        if isinstance(self.learner, LogTS):
            self.learner.horizon = len(self.history)
            self.prospects.review(self.learner, self.history, backstop, arms, matrix, arm, attempt.iterations)
        return self._remember(attempt.x), info

    def as_solver(self, **options: Any) -> Callable[[Any, Any], np.ndarray]:
        """A function (A, b) -> x for code that wants one; numpy.linalg.LinAlgError where a system was not solved."""

        def solver(A: Any, b: Any) -> np.ndarray:
            x, info = self.solve(A, b, **options)
            if info:
                raise np.linalg.LinAlgError(f"not solved after {info.iterations} iterations: {info.message}")
            return x

        return solver

    # -- ask and tell

    def trial(self, context: Any = None) -> Trial:
        """A round whose solve is the user's own; see `Trial`."""
        if self.arms is None:
            raise UsageError("trial() needs a space: SequenceTuner(space={...}); 'auto' is for solve()")
        vector = self.names.vector(context)
        if self.learner is None and not len(self.history) and not self.prospects.queue:
            self.prospects.queue = self.arms.middles()
            self.learner = self._make_learner(self.arms, vector.size, None)
        arm, limit = self._next(vector)

        def tell(cost: float | None, converged: bool) -> None:
            rescue = self._expected()
            if cost is None:  # left by an exception, nothing reported
                cost = limit if limit is not None else max(self.history.costs, default=1.0)
            paid = cost if converged else cost + (rescue if rescue is not None else cost)
            self._hear(arm, vector, paid, paid, not converged)

        return Trial(arm, self.arms.parameters[arm], limit, self.cost in ("time", "cpu"), tell)

    # -- the report, and saving

    def report(self) -> Report:
        """Totals, a row for each arm, and an estimate of the regret; a dict that prints as a table."""
        unit = self.cost if isinstance(self.cost, str) else "the user's cost"
        if self.arms is None:
            return report(self.history, Arms([], np.zeros(0, int), np.zeros((0, 0))), None, unit)
        return report(self.history, self.arms, self.learner, unit)

    def save(self, path: str | Path) -> None:
        """Write all that was learnt as JSON."""
        Path(path).write_text(json.dumps(write(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path, cost: Callable[[Info], float] | None = None) -> SequenceTuner:
        """A tuner that goes on as the saved one would have. `cost`: the function, where it was one. Hierarchies and
        factors are not saved: they are built anew when next needed. Raises UsageError for a file that is not a saved
        tuner."""
        return read(cls, path, cost)

    # -- a round's parts

    def _next(self, shown: np.ndarray) -> tuple[int, float | None]:
        """The arm of this round, and what it may cost (None: no limit yet)."""
        if self.learner is None:
            return 0 if self.arms is None else self.arms.middles()[0], None
        learner, queue = self.learner, self.prospects.queue
        if isinstance(learner, LogTS) and self.hold.goes_on(shown, learner):
            return self.hold.arm, self.hold.limit
        if not queue:
            arm = learner.choose(self._for_learner(shown), self.rng)
        else:
            arm = queue[0]
            if isinstance(learner, LogTS):
                learner.look(shown)
        expected = self._expected()
        limit = None if expected is None else self.cap * expected
        if isinstance(learner, LogTS) and not queue and arm == learner.best:
            self.hold.begin(arm, limit, shown, len(self.history), self.work)
        return arm, limit

    def _expected(self) -> float | None:
        """What the best arm should cost in this round, one sd up; None before the first."""
        if not len(self.history):
            return None
        if isinstance(self.learner, LogTS):
            return self.learner.bound()
        return min((self.history.mean(arm) for arm in self.history.finished), default=None)

    def _proven(self, arm: int) -> Parameters | None:
        """The best of the other arms that have finished a solve, to go on where `arm` does not."""
        learner = self.learner
        others = self.history.finished.keys() - {arm}
        if not others or learner is None or self.arms is None:
            return None
        means = learner.last[0].tolist() if isinstance(learner, LogTS) else None
        return self.arms.parameters[min(others, key=self.history.mean if means is None else means.__getitem__)]

    def _hear(self, arm: int, shown: np.ndarray, cost: float, heard: float | None, failed: bool) -> None:
        """Note a round; `heard` is what the learner is told, if anything."""
        if self.prospects.queue and self.prospects.queue[0] == arm:
            self.prospects.queue.pop(0)
        self.history.add(arm, cost, shown, failed)
        if failed:
            self.hold.left = 0
        if self.learner is not None and heard is not None and (failed or not self.hold.on):
            self.learner.update(arm, self._for_learner(shown), heard)

    def _for_learner(self, shown: np.ndarray) -> Any:
        """LogTS sees everything; the paper's learners one number, the user's where there is one."""
        if isinstance(self.learner, LogTS):
            return shown
        return float(shown[0]) if shown.size else None

    # -- the parts of solve

    def _ready(self) -> Backstop:
        if self._backstop is None:
            self._backstop = Backstop(self.safe)
        return self._backstop

    def _checked(self, matrix: Any, b: np.ndarray, context: Any) -> np.ndarray:
        """The context; raises UsageError for shapes and contexts that do not go with the earlier ones."""
        n = matrix.shape[0]
        if self.size not in (None, n):
            raise UsageError(
                f"the matrix has {n} rows, the systems so far {self.size}: a tuner learns one sequence, "
                "make another for this one"
            )
        if b.size != n:
            raise UsageError(f"the right-hand side has {b.size} numbers, the matrix {n} rows")
        vector = self.names.vector(context)
        self.size = n
        return vector

    def _arms_for(self, matrix: Any) -> Arms:
        if self.arms is None:
            backstop = self._ready()
            definite = may_be_definite(matrix, backstop.matrices)
            if not definite and backstop.safe["solver"] in SYMMETRIC:
                backstop.safe = {"solver": "direct"}
            self.arms = arms_of(automatic_space(definite, backstop.safe))
        elif self.learner is None and any("solver" not in parameters for parameters in self.arms.parameters):
            raise UsageError("solve() needs a space with 'solver', as in {'solver': 'ssor-cg', 'w': Real(1, 1.95)}")
        return self.arms

    def _make_learner(self, arms: Arms, contexts: int, prior: np.ndarray | None) -> Learner:
        return make_learner(self.policy, arms, contexts, prior, self.discount, self.context_range)

    def _price(self, info: Info) -> tuple[float, float]:
        """What the round cost, and what to learn from, which is less where the time is an outlier."""
        if callable(self.cost):
            cost = float(self.cost(info))
            return cost, cost
        if self.cost == "work":
            return info.work, info.work
        seconds = info.seconds if self.cost == "time" else info.cpu
        return seconds, self.clock.cost(info.arm, seconds, info.work)

    def _in_work(self, limit: float | None) -> float:
        """A limit on the cost as one on work."""
        if limit is None or callable(self.cost):
            return float("inf")
        return limit if self.cost == "work" else limit / self.clock.rate

    def _guess(self, x0: Any) -> np.ndarray | None:
        if x0 is not None:
            return np.ascontiguousarray(x0, dtype=np.float64).reshape(-1)
        if self.guess == "zero" or not self._solutions:
            return None
        if self.guess == "previous" or len(self._solutions) < 2:
            return self._solutions[0]
        return 2.0 * self._solutions[0] - self._solutions[1]

    def _remember(self, x: np.ndarray) -> np.ndarray:
        if self.guess != "zero":
            self._solutions = [x.copy(), *self._solutions[:1]]
        return x
