"""What CVXPY made of a model, solved by Clarabel or SCS so that limits on time and Ctrl-C end it.

Clarabel asks after each of its iterations whether to go on. Where one of them may be long it runs in a process of its
own, as SCS always does, which cannot be asked: starting the process and handing over the data take about 0.4 s. Where
CVXPY's own way to the solver takes seconds it is gone in such a process too: above LARGE variables, for linear programs
above SMALL nonzeros.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from solverkit.engine.child import ChildEnded, in_child
from solverkit.engine.solver import Stop
from solverkit.engine.status import Termination
from solverkit_baselines.silence import SILENCE

SMALL = 100_000  # nonzeros with which an iteration of Clarabel takes a few hundredths of a second
LARGE = 50_000
ENDS = {"infeasible": Termination.INFEASIBLE, "unbounded": Termination.UNBOUNDED}


Look = Callable[[], None]


def solve(model: Any, solver: str, settings: dict[str, Any], look: Look | None) -> None:
    """Solve a CVXPY problem in place, as `model.solve(solver=solver, **settings)` does.

    look : leaves where a limit is reached; None in a process that its parent ends

    Raises Stop where there is no answer, with the solver's claim.
    """
    import cvxpy

    data, chain, inverse = model.get_problem_data(solver, solver_opts=settings)
    dims = data["dims"]
    cones = (int(dims.zero), int(dims.nonneg), [int(rows) for rows in dims.soc], int(dims.exp))  # all that models need
    parts = (data.get("P"), data["c"], data["A"], data["b"])
    try:
        answer = _SOLVERS[solver](parts, cones, settings, look)
        with SILENCE:  # CVXPY warns of inaccurate answers, which is for the certificate to say
            model.unpack_results(answer, chain, inverse)
    except cvxpy.error.SolverError as error:
        raise Stop(Termination.STALLED, f"CVXPY says: {error}") from None
    if any(variable.value is None for variable in model.variables()):
        raise Stop(ENDS.get(model.status, Termination.STALLED), f"CVXPY says: {model.status}")


def elsewhere(work: Callable[..., Any], *arguments: Any, look: Look) -> Any:
    """`in_child`, whose end is a Stop."""
    try:
        return in_child(work, *arguments, look=look)
    except ChildEnded as ended:
        raise Stop(Termination.STALLED, f"the solver's process ended without an answer, {ended}") from None


def _clarabel(parts: tuple, cones: tuple, settings: dict[str, Any], look: Look | None) -> SimpleNamespace:
    if look is None or parts[2].nnz <= SMALL:
        return clarabel(parts, cones, settings, look)
    return elsewhere(clarabel, parts, cones, settings, look=look)


def _scs(parts: tuple, cones: tuple, settings: dict[str, Any], look: Look | None) -> dict[str, Any]:
    try:
        return scs(parts, cones, settings) if look is None else elsewhere(scs, parts, cones, settings, look=look)
    except RuntimeError as error:  # such as a model that is not convex, where SCS cannot factor its matrix
        raise Stop(Termination.STALLED, f"SCS says: {error}") from None


_SOLVERS = {"CLARABEL": _clarabel, "SCS": _scs}


def clarabel(parts: tuple, cones: tuple, settings: dict[str, Any], look: Look | None = None) -> SimpleNamespace:
    """Clarabel's answer as plain values; what `look` raises between two iterations is raised.

    parts : P or None, c, A, b of min x'Px / 2 + c'x, b - A x in the cones
    cones : rows of zeros, rows of nonnegatives, rows of each second-order cone, number of exponential cones
    """
    import clarabel as library
    from scipy.sparse import csc_array, triu

    P, c, A, b = parts
    zero, nonneg, second, exponential = cones
    kinds = [library.ZeroConeT(zero)] * (zero > 0) + [library.NonnegativeConeT(nonneg)] * (nonneg > 0)
    kinds += [library.SecondOrderConeT(rows) for rows in second] + [library.ExponentialConeT()] * exponential
    chosen = library.DefaultSettings()
    for name, value in {"verbose": False, **settings}.items():
        setattr(chosen, name, value)
    upper = triu(csc_array((len(c), len(c))) if P is None else P).tocsc()
    solver = library.DefaultSolver(upper, c, A, b, kinds, chosen)
    left: list[BaseException] = []

    def ends(_: Any) -> bool:
        try:
            if look is not None:
                look()
        except BaseException as error:  # the library would print it and go on
            left.append(error)
        return bool(left)

    solver.set_termination_callback(ends)
    found = solver.solve()
    if left:
        raise left[0]
    return SimpleNamespace(
        status=str(found.status),
        x=np.array(found.x),
        z=np.array(found.z),
        obj_val=found.obj_val,
        solve_time=found.solve_time,
        iterations=found.iterations,
    )


def scs(parts: tuple, cones: tuple, settings: dict[str, Any]) -> dict[str, Any]:
    """SCS's answer; see `clarabel` for the arguments."""
    import scs as library

    zero, nonneg, second, exponential = cones
    data = {name: part for name, part in zip("PcAb", parts, strict=True) if part is not None}
    kinds = {"z": zero, "l": nonneg, "q": second, "ep": exponential}
    return library.solve(data, kinds, verbose=False, **settings)
