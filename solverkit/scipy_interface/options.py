"""What SciPy's names of methods and options become here, and which have no counterpart.

The tables are those of docs/how-to/minimize.md, which a test holds against them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from solverkit.errors import UsageError
from solverkit.kinds.nonlinear.arguments import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN = ("max_iter", "max_time", "max_calls", "seed", "device", "dtype", "out", "checkpoint", "target", "progress")
"""Entries of `options` that belong to the run and not to the method: those of `sk.solve`."""

TAKEN = {
    "maxiter": "steps of the method at most, `max_iter`",
    "disp": "true shows progress",
    "verbose": "1 and more show progress",
    "iprint": "2 and more show progress, unless `disp` is false",
    "finite_diff_rel_step": "relative step of the differences of `fun` and of dict constraints",
}
"""SciPy's options that every method takes, and what they become."""

_TOL = "`tol` is the tolerance of the certificate, for every method"
_FEWER = "`max_calls` limits all oracle calls together"
_LIMIT = f"it counts one function only; {_FEWER}"
_REFUSED = {
    _TOL: "ftol gtol xtol xrtol fatol xatol catol feasibility_tol final_tr_radius barrier_tol accuracy",
    "give it as the argument `tol`": "tol",
    _LIMIT: "maxfev maxfun minfev",
    "it is a step in x itself; `finite_diff_rel_step` is relative": "eps",
    "a callback that raises StopIteration ends the run at a value": "f_target",
    "a Jacobian is sparse where `jac` returns a sparse matrix": "sparse_jacobian",
    "a callback sees every iterate": "return_all",
    "`sk.solve_many` runs problems side by side": "workers",
    "`solverkit describe METHOD` lists what a method has": "factorization_method initial_constr_penalty "
    "initial_tr_radius initial_barrier_parameter initial_barrier_tolerance rhobeg scale maxcor maxls norm offset "
    "rescale stepmx eta maxCGit mesg_num c1 c2 hess_inv0 adaptive initial_simplex direc initial_trust_radius "
    "max_trust_radius inexact subproblem subproblem_maxiter",
}
REFUSED = {name: instead for instead, names in _REFUSED.items() for name in names.split()}
"""SciPy's options without a counterpart, and what to do instead. A method that has an option of the name takes it."""

PLAIN = (
    *("Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "COBYQA"),
    *("dogleg", "trust-ncg", "trust-exact", "trust-krylov"),
)
"""SciPy's methods that are none here; SLSQP and trust-constr are methods of solverkit-baselines."""


@dataclass
class Divided:
    """`options` by who takes them."""

    own: dict[str, Any]  # the method's
    run: dict[str, Any] = field(default_factory=dict)  # those of sk.solve
    rel_step: Any = None


def method_name(given: Any) -> str | None:
    """The method of ours that is asked for; SciPy's names in any case of letters. Raises InvalidArgument."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise InvalidArgument(
            f"method is the name of a method, not {type(given).__name__}; a callable belongs to scipy.optimize.minimize"
        )
    if given.lower() in (name.lower() for name in PLAIN):
        raise InvalidArgument(
            f"method {given!r} is SciPy's own and none of SolverKit: leave method out for the one that fits, or see "
            "`solverkit methods --kind nonlinear`"
        )
    return given.lower() if given.lower() in ("slsqp", "trust-constr") else given


def divided(options: Mapping[str, Any], fields: frozenset[str]) -> Divided:
    """The options by who takes them.

    fields : names of the options that the method has; empty where it is not chosen yet

    Raises InvalidArgument for a name of SciPy's that has no counterpart, and for two names of one thing.
    """
    found = Divided(dict(options))
    own, run = found.own, found.run
    run.update({name: own.pop(name) for name in RUN if name in own})
    if "maxiter" in own:
        if "max_iter" in run:
            raise InvalidArgument("options: maxiter and max_iter are the same; give one")
        run["max_iter"] = own.pop("maxiter")
    loud = _loud(own)
    if loud is not None:
        run.setdefault("progress", loud)
    found.rel_step = own.pop("finite_diff_rel_step", None)
    for name, instead in REFUSED.items():
        if name in own and name not in fields:
            raise InvalidArgument(f"options: {name} has no counterpart here; {instead}")
    return found


def _loud(own: dict[str, Any]) -> bool | None:
    """What disp, verbose and iprint ask for together; None where nothing is asked."""
    given = {name: own.pop(name) for name in ("disp", "verbose", "iprint") if own.get(name) is not None}
    own_names = ("disp", "verbose", "iprint")
    for name in own_names:
        own.pop(name, None)
    if not given:
        return None
    if "disp" in given and not given["disp"]:
        return False
    least = {"disp": 1, "verbose": 1, "iprint": 2}
    return any(int(value) >= least[name] for name, value in given.items())


def fields(method: str | None) -> frozenset[str]:
    """Names of the options of a method. Raises UsageError where there is none of this name."""
    if method is None:
        return frozenset()
    from solverkit.registry import registry

    spec = registry.method(method)
    if spec.kind != "nonlinear":
        raise UsageError(
            f"method '{method}' is for problems of the kind '{spec.kind}'; minimize poses 'nonlinear' ones"
        )
    return frozenset(registry.resolve(spec)[1].model_fields)
