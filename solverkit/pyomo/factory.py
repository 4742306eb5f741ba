"""SolverKit as a Pyomo solver: `pyo.SolverFactory("solverkit")`, once `solverkit.pyomo` is imported."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from solverkit.errors import MissingPackage, UsageError
from solverkit.pyomo.arguments import check, parsed
from solverkit.pyomo.model import KINDS, NeverHolds, Written, method_kind, write
from solverkit.pyomo.model import load as load_on_model

try:
    from pyomo.common.collections import Bunch
    from pyomo.opt import SolverFactory, SolverResults, SolverStatus
except ImportError:
    raise MissingPackage('Pyomo models need Pyomo; pip install "solverkit[pyomo]"') from None

if TYPE_CHECKING:
    from solverkit.engine.result import Result

SHARED = ("tol", "max_time", "max_iter", "max_calls", "seed", "device", "dtype", "out", "target")
"""Options that mean the same for every method; all others are the method's own."""

_log = logging.getLogger("pyomo.solverkit")


@SolverFactory.register("solverkit", doc="Optimization solvers whose answers are checked by a certificate")
class SolverKit:
    """A solver in Pyomo's sense.

    `options` holds what SHARED names, and the options of the method. `result`
    is SolverKit's own result of the last solve, with its certificate.
    """

    name = "solverkit"

    def __init__(self, method: str | None = None, options: Mapping[str, Any] | None = None, **given: Any) -> None:
        self.method = method
        self.options = Bunch(**(options or {}))
        self.result: Result | None = None
        self._given = given  # refused by solve: Pyomo hides what a constructor raises

    def set_options(self, text: str) -> None:
        """Options as `name=value name=value`; `solver` is the method, as in SolverFactory("solverkit:ipopt")."""
        found = parsed(text)
        if "solver" in found:
            self.method = str(found.pop("solver"))
            self._given.pop("solver", None)
        self.options.update(found)

    def set_instance(self, *_: Any, **__: Any) -> None:
        """Refused: every solve reads the model as it is, so there is nothing to keep up to date."""
        raise UsageError("solverkit is no persistent solver: call solve(model) again, which takes the model as it is")

    def available(self, exception_flag: bool = True) -> bool:
        """Whether there is a method for what models can be. Raises UsageError where not and `exception_flag`."""
        from solverkit.registry import registry

        found = any(registry.methods(kind) for kind in KINDS)
        if exception_flag and not found:
            raise UsageError(f"no method for {' or '.join(KINDS)} is installed; see `solverkit plugins`")
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
        logfile: str | None = None,
        report_timing: bool = False,
        **given: Any,
    ) -> SolverResults:
        """Solve a model.

        method : of this solve; that of the solver, or the registry's choice, where it is not given. One for
            `inclusion` takes linear models, one for `nonlinear` all
        options : of this solve, over those of the solver
        tee : show the progress on stderr, one line a second
        load_solutions : put values and imported suffixes on the model; otherwise `model.solutions.load_from(results)`
        timelimit : seconds; short for options["max_time"]
        warmstart : begin at the values of the model, as nonlinear solvers do; False begins at 0
        logfile : path of a file that gets the progress and the result
        report_timing : print seconds: write, solve, certificate, load
        **given : other arguments of Pyomo's, see `solverkit.pyomo.arguments`: most are refused by name

        Raises UsageError, InvalidProblem, MissingPackage before any work, and ValueError where a run failed and its
        point would be loaded.
        """
        from solverkit import api
        from solverkit.pyomo import results

        check({**self._given, **given})
        begin = perf_counter()
        chosen = {**self.options, **(options or {})}
        if timelimit is not None:
            chosen["max_time"] = timelimit
        shared = {name: chosen.pop(name) for name in SHARED if name in chosen}
        method = method or self.method
        try:
            written = write(model, method_kind(method))
        except NeverHolds as error:
            self.result = None
            return results.infeasible(model.name, str(error))
        wrote = perf_counter()
        shared |= {"callback": callback, "start": None if warmstart else written.origin()}
        if logfile is None:
            self.result = api.solve(written.problem, method, chosen, progress="log" if tee else False, **shared)
        else:
            with Path(logfile).open("w") as file, redirect_stderr(_Both(file, sys.stderr) if tee else file):
                self.result = api.solve(written.problem, method, chosen, progress="log", **shared)
                file.write(f"{self.result.table()}\n")
        solved = perf_counter()
        found = results.as_results(written, self.result)
        self._put(written, found, load_solutions)
        if report_timing:
            certificate = self.result.timing["certificate"]
            parts = {"write": wrote - begin, "solve": solved - wrote - certificate, "certificate": certificate}
            for label, seconds in (parts | {"load": perf_counter() - solved}).items():
                print(f"{seconds:10.3f} seconds to {label}")
        return found

    def _put(self, written: Written, found: SolverResults, load_solutions: bool) -> None:
        """The answer on the model, or in the results where it is not to be loaded."""
        from solverkit.pyomo import results

        assert self.result is not None
        name, condition = written.problem.name, found.solver.termination_condition
        if not load_solutions:
            results.add_solution(found, written, self.result)
            return
        if found.solver.status == SolverStatus.error:
            raise ValueError(
                f"cannot load the solution of '{name}': {self.result.message}; load_solutions=False returns the results"
            )
        if not self.result.success:
            _log.warning(
                "model '%s': loading a point that is not certified (%s): %s", name, condition, self.result.message
            )
        load_on_model(written, self.result)

    def __enter__(self) -> SolverKit:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""


class _Both:
    """Two streams as one."""

    def __init__(self, *streams: Any) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()

    def isatty(self) -> bool:
        return False
