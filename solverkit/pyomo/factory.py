"""SolverKit as a Pyomo solver: `pyo.SolverFactory("solverkit")`, once `solverkit.pyomo` is imported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solverkit.errors import MissingPackage, UsageError
from solverkit.pyomo.model import NeverHolds, write
from solverkit.pyomo.model import load as load_on_model

try:
    from pyomo.common.collections import Bunch
    from pyomo.opt import SolverFactory, SolverResults, SolverStatus
except ImportError:
    raise MissingPackage('Pyomo models need Pyomo; pip install "solverkit[pyomo]"') from None

if TYPE_CHECKING:
    from solverkit.engine.result import Result

SHARED = ("tol", "max_time", "max_iter", "max_calls", "seed", "device", "dtype")
"""Options that mean the same for every method; all others are the method's own."""

_log = logging.getLogger("pyomo.solverkit")


@SolverFactory.register("solverkit", doc="Optimization solvers whose answers are checked by a certificate")
class SolverKit:
    """A solver in Pyomo's sense.

    `options` holds tol, max_time, max_iter, max_calls, seed, device and dtype, and the options of the method. `result`
    is SolverKit's own result of the last solve, with its certificate.
    """

    def __init__(self, method: str | None = None, options: Mapping[str, Any] | None = None, **_: Any) -> None:
        self.method = method
        self.options = Bunch(**(options or {}))
        self.result: Result | None = None

    def available(self, exception_flag: bool = True) -> bool:
        """Whether there is a method for nonlinear problems."""
        from solverkit.registry import registry

        found = bool(registry.methods("nonlinear"))
        if exception_flag and not found:
            raise UsageError("no method for nonlinear problems is installed; see `solverkit plugins`")
        return found

    def license_is_valid(self) -> bool:
        """There is none to check."""
        return True

    def version(self) -> tuple[int, ...]:
        """Of SolverKit."""
        from solverkit import __version__

        return tuple(int(part) for part in __version__.split(".")[:3])

    def solve(
        self,
        model: Any,
        *,
        method: str | None = None,
        options: Mapping[str, Any] | None = None,
        tee: bool = False,
        load_solutions: bool = True,
        timelimit: float | None = None,
        warmstart: bool = True,
        callback: Callable[..., Any] | None = None,
    ) -> SolverResults:
        """Solve a model.

        method : of this solve; that of the solver, or the registry's choice, where it is not given
        options : of this solve, over those of the solver
        tee : show the progress on stderr, one line a second
        load_solutions : put values and imported suffixes on the model; otherwise `model.solutions.load_from(results)`
        timelimit : seconds; short for options["max_time"]
        warmstart : begin at the values of the model, as nonlinear solvers do; False begins at 0

        Raises UsageError, InvalidProblem, MissingPackage before any work, and ValueError where a run failed and its
        point would be loaded.
        """
        from solverkit import api
        from solverkit.pyomo import results

        chosen = {**self.options, **(options or {})}
        if timelimit is not None:
            chosen["max_time"] = timelimit
        shared = {name: chosen.pop(name) for name in SHARED if name in chosen}
        try:
            written = write(model)
        except NeverHolds as error:
            self.result = None
            return results.infeasible(model.name, str(error))
        self.result = api.solve(
            written.problem,
            method or self.method,
            chosen,
            callback=callback,
            progress="log" if tee else False,
            start=None if warmstart else [0.0] * written.problem.n,
            **shared,
        )
        found = results.as_results(written, self.result)
        if not load_solutions:
            results.add_solution(found, written, self.result)
            return found
        if found.solver.status == SolverStatus.error:
            raise ValueError(
                f"cannot load the solution of '{written.problem.name}': {self.result.message}; "
                "load_solutions=False returns the results"
            )
        if not self.result.success:
            name, condition = written.problem.name, found.solver.termination_condition
            _log.warning(
                "model '%s': loading a point that is not certified (%s): %s", name, condition, self.result.message
            )
        load_on_model(written, self.result)
        return found

    def __enter__(self) -> SolverKit:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""
