"""One system, by one choice of solver, under a cap and with a safe solver behind it.

    try the choice, at most `cap` work -> solved?
        no: the best choice known so far goes on from the better of the last iterate and x0; all of it is charged
        still no: the safe solver, and a direct one behind it

An answer is solved when its true residual, recomputed from it, is within the tolerance. What happened is said in
`message`."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from solverkit.errors import UsageError
from solverkit_sor.gap import Gap
from solverkit_sor.learners.closed_form import sor_relaxation, ssor_relaxation
from solverkit_sor.solvers.base import Arm, Matrices, Solved
from solverkit_sor.solvers.catalogue import make_arm
from solverkit_sor.tuner.space import Parameters

KEEPING = ("amg", "direct", "ilu")
"""Solvers that keep what they built for an earlier matrix: one for all arms that would build the same."""

FEWEST = 10
"""No cap below this many iterations: an estimate from few rounds is no ground for less."""

LIFETIME = 10.0
"""Systems that a kept preconditioner serves, before any has been seen to change."""


@dataclass
class Attempt:
    """What came of one system."""

    x: np.ndarray
    converged: bool
    iterations: int  # of all solvers that took part
    work: float  # likewise
    seconds: float  # wall time
    cpu: float  # processor time of all threads
    built: bool  # the choice built something that later systems will use
    failed: bool  # the choice itself did not finish
    message: str = ""


class Backstop:
    """Solvers by name, ready for the next system."""

    def __init__(self, safe: Parameters) -> None:
        self.matrices = Matrices()
        self.gap = Gap()
        self.safe = safe
        self._solvers: dict[str, Arm] = {}
        self._ready: dict[int, tuple[Parameters, Arm]] = {}  # the same by the choices themselves, which are held
        self._served: dict[str, tuple[int, int]] = {}  # builds and systems of each solver that keeps something
        self.lasting = LIFETIME  # systems until the matrices have changed much; set from outside
        self.constant = False  # the last few matrices were the same; set from outside
        self._make(safe)

    def attempt(
        self, matrix: csr_array, b: np.ndarray, x0: np.ndarray | None, rtol: float, most: int,
        parameters: Parameters, cap: float, proven: Callable[[], Parameters | None] = lambda: None,
    ) -> Attempt:  # fmt: skip
        """Solve with `parameters`, spending about `cap` work on it before the choice that `proven` names takes over.

        `most` bounds the iterations of the last solver asked. Raises UsageError for systems that nobody can solve:
        NaN, an empty row, shapes."""
        solver = self._make(parameters)
        started, busy = time.perf_counter(), time.process_time()
        options, extra = self._options(matrix, parameters)
        x, work, iterations, message = x0, extra, 0, ""
        built = False
        solved = None
        if parameters == self.safe and proven() is None:
            cap = np.inf  # nobody would go on where it stopped
        try:
            solved = solver.solve(matrix, b, x0, rtol, min(most, self._most(solver, matrix, cap)), options)
        except UsageError as error:
            if not np.isfinite(matrix.data).all() or not np.isfinite(b).all():
                raise
            message = f"{parameters['solver']}: {error}"
        if solved is not None:
            work += solved.work
            iterations += solved.iterations
            built = self._account(parameters, solver)
            if not solved.converged:
                message = f"{parameters['solver']}: {solved.outcome.value}"
                x = self._better(matrix, b, x0, solved)
        failed = solved is None or not solved.converged
        if failed:
            chain = [each for each in (proven(), self.safe, {"solver": "direct"}) if each and each != parameters]
            solved, extra, more, said = self._rescue(matrix, b, x, rtol, most, chain)
            work, iterations, message = work + extra, iterations + more, message + said
        assert solved is not None  # a rescue ends in an answer or an error
        seconds, cpu = time.perf_counter() - started, time.process_time() - busy
        return Attempt(solved.x, solved.converged, iterations, work, seconds, cpu, built, failed, message)

    def predicted(self, parameters: Parameters, n: int, nnz: int, iterations: int) -> float:
        """Work of a system by the solvers' model, what lasts spread over its lifetime."""
        solver = self._make(parameters)
        whole = solver.work(n, nnz, iterations)
        if not self.keeps(parameters):
            return whole
        setup = solver.work(n, nnz, 0)
        return whole - setup + setup / self.lifetime(parameters)

    def setup(self, parameters: Parameters, n: int, nnz: int) -> float:
        """Work of what this choice builds before its first solve, by the solvers' model."""
        return self._make(parameters).work(n, nnz, 0)

    def lasts(self, parameters: Parameters) -> bool:
        """Whether what it builds serves other matrices than its own."""
        return self.keeps(parameters) and (parameters.get("refresh") == "lazy" or self.constant)

    def lifetime(self, parameters: Parameters) -> float:
        """Systems that a build of this choice serves: as counted, beside one build beforehand that serves `lasting`, or
        one system where each new matrix asks for a new build."""
        builds, systems = self._served.get(_key(parameters), (0, 0))
        served = self.lasting if parameters.get("refresh") == "lazy" or self.constant else 1.0
        return (systems + served) / (builds + 1.0)

    def _rescue(
        self, matrix: csr_array, b: np.ndarray, x: np.ndarray | None, rtol: float, most: int, chain: list[Parameters]
    ) -> tuple[Solved, float, int, str]:
        """The solvers of `chain`, each from where the last one came; (the last answer, work, iterations, what to
        say)."""
        work, iterations, message = 0.0, 0, ""
        solved = None
        for parameters in chain:
            options, extra = self._options(matrix, parameters)
            work += extra
            try:
                solved = self._make(parameters).solve(matrix, b, x, rtol, most, options)
            except UsageError as error:
                message += f"; {parameters['solver']}: {error}"
                continue
            work += solved.work
            iterations += solved.iterations
            message += f"; {parameters['solver']} went on: {solved.outcome.value}"
            if solved.converged:
                break
            x = self._better(matrix, b, x, solved)
        if solved is None:
            raise UsageError(f"no solver took this system{message}")
        return solved, work, iterations, message

    def _better(self, matrix: csr_array, b: np.ndarray, x0: np.ndarray | None, solved: Solved) -> np.ndarray | None:
        """The last iterate where it improved on x0."""
        first = np.linalg.norm(b if x0 is None else b - matrix @ x0)
        return solved.x if solved.residual < first else x0

    def _options(self, matrix: csr_array, parameters: Parameters) -> tuple[Parameters, float]:
        """What the solver is given, and the work of finding it: a `formula` becomes w."""
        options = {name: value for name, value in parameters.items() if name != "solver"}
        if "formula" not in options:
            return options, 0.0
        formula = sor_relaxation if parameters["solver"] == "sor" else ssor_relaxation
        before = self.gap.work
        distance = 2.0 - formula(max(self.gap.of(matrix), 0.0))
        options["w"] = max(2.0 - options.pop("formula") * distance, 1.0)
        return options, self.gap.work - before + 2.0 * matrix.nnz

    def _most(self, solver: Arm, matrix: csr_array, cap: float) -> int:
        """Iterations that `cap` work pays for, setup left out: it is spent before anything can be stopped."""
        if cap == np.inf:
            return 10_000
        n, nnz = matrix.shape[0], matrix.nnz
        each = solver.work(n, nnz, 2) - solver.work(n, nnz, 1)
        return int(max(FEWEST, cap / each))

    def _account(self, parameters: Parameters, solver: Any) -> bool:
        """Count a system served; whether something was built for it that lasts."""
        if not self.keeps(parameters):
            return False
        built = solver.lag.count == 1
        builds, systems = self._served.get(_key(parameters), (0, 0))
        self._served[_key(parameters)] = builds + built, systems + 1
        return built

    def keeps(self, parameters: Parameters) -> bool:
        """Whether this choice uses what it built for an earlier system."""
        return parameters["solver"] in KEEPING and parameters.get("refresh") != "always"

    def _make(self, parameters: Parameters) -> Arm:
        """The solver of this choice; at first use also run on a tiny system, so that no round is charged for
        compiling."""
        known = self._ready.get(id(parameters))
        if known is not None and known[0] is parameters:
            return known[1]
        name = str(parameters["solver"])
        kept = {key: value for key, value in parameters.items() if key != "refresh"}
        key = _key(kept) if name in KEEPING else name
        if key not in self._solvers:
            tiny = csr_array(diags_array([-1.0, 2.5, -1.0], offsets=[-1, 0, 1], shape=(8, 8)))
            make_arm(name).solve(tiny, np.ones(8), np.zeros(8))
            self._solvers[key] = make_arm(name, self.matrices)
        self._ready[id(parameters)] = parameters, self._solvers[key]
        return self._solvers[key]

    # -- what solvers keep

    def keeping(self) -> dict[str, Arm]:
        """The solvers that keep what they build, by the key of their choice."""
        return {key: solver for key, solver in self._solvers.items() if solver.name in KEEPING}

    def keeper(self, key: str, choices: list[Parameters]) -> tuple[Arm, Parameters]:
        """The solver with that key and its parameters, made where it is not there yet."""
        for parameters in (*choices, self.safe, {"solver": "direct"}):
            if _key(parameters) == key:
                return self._make(parameters), {name: value for name, value in parameters.items() if name != "solver"}
        raise UsageError(f"the saved tuner is damaged: it kept something for {key}, which is not in its space")

    # -- saving

    def state(self) -> dict[str, Any]:
        """Counts of builds, and the vector of the gap. What the solvers keep is built anew after a restart."""
        vector = self.gap.vector
        return {
            "lasting": self.lasting,
            "constant": self.constant,
            "served": {key: list(counts) for key, counts in self._served.items()},
            "vector": None if vector is None else base64.b64encode(vector.astype("<f8").tobytes()).decode(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Raises UsageError where `state` is damaged."""
        try:
            self.lasting, self.constant = float(state["lasting"]), bool(state["constant"])
            self._served = {str(key): (int(builds), int(systems)) for key, (builds, systems) in state["served"].items()}
            saved = state["vector"]
            vector = None if saved is None else np.frombuffer(base64.b64decode(saved, validate=True), "<f8").copy()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError("the saved tuner is damaged: its builds or its vector cannot be read") from error
        if vector is not None and not (vector.size and np.isfinite(vector).all()):
            raise UsageError("the saved tuner is damaged: its vector is empty or not finite")
        self.gap.vector = vector


def _key(parameters: Parameters) -> str:
    return repr(sorted(parameters.items()))
