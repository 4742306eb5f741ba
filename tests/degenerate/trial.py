"""One method on one problem of the table."""

from __future__ import annotations

import io
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.errors import SolverKitError
from solverkit.kinds.base import PointStatus
from tests.degenerate.table import INFEASIBLE, REFUSED, UNBOUNDED, Edge

SECONDS = 5.0
CLAIMS = {INFEASIBLE: Termination.INFEASIBLE, UNBOUNDED: Termination.UNBOUNDED}


def methods(edge: Edge) -> list[str]:
    """Those that take the problem; empty where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            problem = edge.load(Path(folder))
        except SolverKitError:
            return []
        return [fit.spec.name for fit in sk.methods(problem) if fit.fits]


def trial(edge: Edge, method: str, seconds: float = SECONDS) -> tuple[str, str]:
    """(what came out in a word, what is wrong with it or nothing)."""
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with redirect_stdout(said), redirect_stderr(said):
            try:
                result = sk.solve(edge.load(Path(folder)), method, max_time=seconds, max_iter=2000)
            except SolverKitError as error:
                return "refused", "" if str(error) else "refused without a word"
            except Exception as error:
                return "raised", f"{type(error).__name__}: {error}"
    numeric = [str(each.message) for each in warned if issubclass(each.category, RuntimeWarning)]
    if numeric:
        return result.point_status.name, f"warns: {numeric[0]}"
    if said.getvalue() and "NLP is overconstrained" not in said.getvalue():  # CasADi's own, with no switch
        return result.point_status.name, f"prints: {said.getvalue()[:80]!r}"
    word = result.point_status.name.lower()
    if result.point_status is PointStatus.CERTIFIED:
        return word, _certified(edge, result)
    if result.certificate.facts.get("proven"):
        word = f"proven {result.certificate.facts['proven']}"
        return word, "" if word == f"proven {edge.known}" else "it is not"
    if result.termination is Termination.SOLVER_FAILED:
        return "failed", f"fails: {result.message[-200:]}"
    return word, ""


def _certified(edge: Edge, result: sk.Result) -> str:
    if edge.known in (REFUSED, INFEASIBLE, UNBOUNDED):
        return f"certified, and it is {edge.known}"
    if isinstance(edge.known, float) and np.isfinite(result.fun):
        wrong = abs(result.fun - edge.known) > 1e-4 * (1 + abs(edge.known))
        return f"certified at {result.fun:g}, the value is {edge.known:g}" if wrong else ""
    return ""
