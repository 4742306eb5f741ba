"""`SequenceTuner`: solves the systems of a user's loop, and learns on the way how to solve them fast.

    tuner = SequenceTuner()
    for t in range(steps):
        A, b = assemble(u, t)
        u, info = tuner.solve(A, b, x0=u)        # as scipy.sparse.linalg.cg: info == 0 means converged

A round: show the context to the learner, try the arm that it chooses under a cap, let the safe solver finish what was
not solved, tell the learner all that was paid. The first rounds are a race: the safe solver, the middle of every
group of arms, the classical formula; the learner takes over from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from solverkit.errors import UsageError
from solverkit_sor.learners import Learner, LogTS
from solverkit_sor.tuner.backstop import Attempt, Backstop
from solverkit_sor.tuner.context import Names, dominance
from solverkit_sor.tuner.defaults import automatic_space, guesses
from solverkit_sor.tuner.history import History, Report, report
from solverkit_sor.tuner.policies import make_learner
from solverkit_sor.tuner.saving import read, write
from solverkit_sor.tuner.space import Arms, Parameters, Space, arms_of
from solverkit_sor.tuner.trial import Trial

Cost = str | Callable[["Info"], float]


class Info(int):
    """What `solve` returns beside x. As a number, SciPy's code: 0 converged, else the iterations that were not
    enough."""

    converged: bool
    parameters: Parameters  # of the arm that was tried
    arm: int
    iterations: int  # of all solvers that took part
    work: float  # multiply-adds, by the solvers' model
    seconds: float
    cost: float  # what this round was charged
    message: str  # empty, or what went wrong and who finished

    @staticmethod
    def of(attempt: Attempt, arm: int, parameters: Parameters) -> Info:
        info = Info(0 if attempt.converged else max(attempt.iterations, 1))
        info.converged, info.parameters, info.arm = attempt.converged, parameters, arm
        info.iterations, info.work, info.seconds = attempt.iterations, attempt.work, attempt.seconds
        info.cost, info.message = attempt.work, attempt.message
        return info


class SequenceTuner:
    """Chooses the solver of each system, or any parameters of the user's own, so that the sequence costs little.

    space : what to choose from (`tuner.space`). `auto`: CG, SSOR-CG over w and by the formula, multigrid (with PyAMG
        installed), sparse LU; for matrices that are not symmetric GMRES, incomplete and complete LU.
    cost : `work` (multiply-adds by a model, the same in every run), `time` (wall seconds), or a function of `Info`.
    Trials
        outside `solve` report their own.
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
        if not callable(cost) and cost not in ("work", "time"):
            raise UsageError(f"cost {cost!r}: 'work', 'time', or a function of what solve returns")
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
        self.queue: list[int] = []  # arms still to race
        self.size: int | None = None  # n
        self.rate = float("nan")  # seconds of one unit of work, for caps where the cost is time
        self.reference = float("nan")  # cost of the first round
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
        size = float(np.linalg.norm(b))
        if size == 0.0:
            info = Info(0)
            info.converged, info.parameters, info.arm, info.iterations = True, {}, -1, 0
            info.work = info.seconds = info.cost = 0.0
            info.message = "b is zero, and so is x"
            return self._remember(np.zeros(len(b))), info
        pattern = backstop.matrices.pattern(matrix)
        shown = np.append(vector, dominance(pattern, matrix.data))
        arms = self._arms_for(matrix)
        arm, limit = self._next(shown)
        parameters = arms.parameters[arm]
        attempt = backstop.attempt(
            matrix, b, self._guess(x0), max(rtol, atol / size), maxiter or 10_000, parameters, self._in_work(limit)
        )
        info = Info.of(attempt, arm, parameters)
        info.cost = self._price(info)
        if not np.isfinite(self.rate) and attempt.work:
            self.rate = attempt.seconds / attempt.work
        elif attempt.work:
            self.rate += 0.1 * (attempt.seconds / attempt.work - self.rate)
        self._hear(arm, shown, info.cost, info.cost * (1.0 - attempt.lasting), attempt.failed)
        if self.learner is None and not self.queue:
            self._begin(backstop, arms, matrix, attempt, shown)
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
        if self.learner is None and not len(self.history) and not self.queue:
            self.queue = self.arms.middles()
            self.learner = self._make_learner(self.arms, vector.size, None)
        arm, limit = self._next(vector)

        def tell(cost: float | None, converged: bool) -> None:
            rescue = self._expected(vector)
            if cost is None:  # left by an exception, nothing reported
                cost = limit if limit is not None else max(self.history.costs, default=1.0)
            paid = cost if converged else cost + (rescue if rescue is not None else cost)
            self._hear(arm, vector, paid, paid, not converged)

        return Trial(arm, self.arms.parameters[arm], limit, self.cost == "time", tell)

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
        if self.queue:
            arm = self.queue[0]
        elif self.learner is not None:
            arm = self.learner.choose(self._for_learner(shown), self.rng)
            if isinstance(self.learner, LogTS):
                logarithms, sd = self.learner.last
                return arm, self.cap * self._upper(self.learner.in_costs(logarithms), sd)
        else:
            assert self.arms is not None
            arm = self._safe_arm(self.arms)
        expected = self._expected(shown)
        return arm, None if expected is None else self.cap * expected

    def _expected(self, shown: np.ndarray) -> float | None:
        """What the best arm should cost here, an upper estimate; None before the first round."""
        if not len(self.history):
            return None
        if isinstance(self.learner, LogTS):
            return self._upper(*self.learner.predict(shown))
        return float(np.quantile(self.history.costs[-200:], 0.9))

    def _upper(self, expected: np.ndarray, sd: np.ndarray) -> float:
        """The least of the arms' costs, each one sd up."""
        learner = self.learner
        assert isinstance(learner, LogTS)
        noise = np.array([learner.noise(model) for model in range(len(learner.mean))])[learner.home]
        return float((expected * np.exp(np.sqrt(sd * sd + noise))).min())

    def _hear(self, arm: int, shown: np.ndarray, cost: float, heard: float, failed: bool) -> None:
        """Note a round; `heard` is what the learner is told, without what later rounds will profit from."""
        if self.queue and self.queue[0] == arm:
            self.queue.pop(0)
        if not len(self.history):
            self.reference = cost
        self.history.add(arm, cost, shown, failed)
        if self.learner is not None:
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
        if not np.isfinite(b).all():
            raise UsageError("the right-hand side holds NaN or infinite values")
        vector = self.names.vector(context)
        self.size = n
        return vector

    def _arms_for(self, matrix: Any) -> Arms:
        if self.arms is None:
            self.arms = arms_of(automatic_space(matrix, self._ready().matrices, self.safe))
        elif any("solver" not in parameters for parameters in self.arms.parameters):
            raise UsageError("solve() needs a space with 'solver', as in {'solver': 'ssor-cg', 'w': Real(1, 1.95)}")
        return self.arms

    def _safe_arm(self, arms: Arms) -> int:
        return arms.parameters.index(self.safe) if self.safe in arms.parameters else arms.middles()[0]

    def _begin(self, backstop: Backstop, arms: Arms, matrix: Any, attempt: Attempt, shown: np.ndarray) -> None:
        """After the first round: expectations for all arms, the learner, and the race."""
        prior = np.log(guesses(arms, backstop, matrix, attempt) / max(attempt.work, 1e-300))
        self.learner = self._make_learner(arms, shown.size, prior)
        first = self.history.arms[0]
        self.learner.update(first, self._for_learner(shown), self.history.costs[0])
        affordable = prior < np.log(4.0)
        self.queue = [arm for arm in arms.middles() if arm != first and affordable[arm]]

    def _make_learner(self, arms: Arms, contexts: int, prior: np.ndarray | None) -> Learner:
        return make_learner(self.policy, arms, contexts, prior, self.discount, self.context_range)

    def _price(self, info: Info) -> float:
        if callable(self.cost):
            return float(self.cost(info))
        return info.work if self.cost == "work" else info.seconds

    def _in_work(self, limit: float | None) -> float:
        """A limit on the cost as one on work."""
        if limit is None or callable(self.cost):
            return float("inf")
        return limit if self.cost == "work" else limit / self.rate

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
