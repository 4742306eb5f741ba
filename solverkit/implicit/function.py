"""`implicit(solver, residual)`: a solver whose answers torch can differentiate.

    y(theta) = solver(theta) with F(y, theta) = 0:     dy/dtheta = -(dF/dy)^-1 dF/dtheta

The solver may do anything: it is not differentiated. One linear system gives a derivative, whatever the number of the
solver's steps, and its memory is that of one evaluation of F (Blondel et al., arXiv 2105.15183).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch.utils._pytree import tree_map

from solverkit.errors import UsageError
from solverkit.implicit import checks
from solverkit.implicit.calculus import LinearSolve, Solution
from solverkit.implicit.linear import METHODS, Product, Solved, Tensor, norm, solve
from solverkit.implicit.system import Shapes, System

TIGHT = {torch.float64: 1e-12, torch.float32: 1e-6}  # linear systems are not solved beyond these
LOOSE = 1e-6  # nor are they solved to less, whatever the solution's accuracy
SHARE = 0.1  # of the solution's relative residual: then the linear system adds little to the derivative's error


@dataclass(frozen=True)
class Implicit:
    """A differentiable solution map: call it with the solver's arguments. `implicit` makes it; see there."""

    solver: Callable[..., Any]
    residual: Callable[..., Any]
    symmetric: bool
    batched: bool
    linear: str
    tol: float | None
    max_iter: int | None
    accuracy: float
    inaccurate: str
    refine: int
    told: set[type] = field(default_factory=set, repr=False, compare=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The solver's answer, with derivatives by every floating-point tensor among the arguments."""
        call = Call(self, System(self.residual, (args, kwargs), self.symmetric))
        flat = Solution.apply(call, *call.thetas)
        return call.system.shapes.tree(flat)


def implicit(
    solver: Callable[..., Any],
    residual: Callable[..., Any],
    *,
    symmetric: bool | None = None,
    batched: bool = False,
    linear: Literal["auto", "dense", "cg", "gmres", "normal"] = "auto",
    tol: float | None = None,
    max_iter: int | None = None,
    accuracy: float = 1e-6,
    inaccurate: Literal["warn", "raise", "ignore"] = "warn",
    refine: int = 0,
) -> Implicit:
    """The function theta -> solver(theta), differentiable in torch.

    Parameters
    ----------
    solver : called as solver(*args, **kwargs) with detached tensors; returns y: a tensor, an array, or a dict, list or
        tuple of them. See `by_method` for the methods of this library
    residual : called as residual(y, *args, **kwargs) with torch tensors; returns F of the form of y, zero at the
        solution. See `conditions` for the usual ones
    symmetric : dF/dy is symmetric, so that conjugate gradients serve; by default what the residual says of itself
    batched : the first axis of y is a batch of independent problems; all of them share one Krylov iteration
    linear : how the linear system is solved; see `implicit.linear`. "auto": dense up to 96 unknowns, then cg or gmres
    tol : relative residual of the linear system; by default a tenth of the solution's own, within 1e-12 and 1e-6
    max_iter : products with dF/dy at most; by default 10 a row
    accuracy : of the solution, ||F|| / (1 + ||dF/dy y||), beyond which `inaccurate` says what happens
    inaccurate : "warn" with an estimate of the derivative's error, "raise" NotASolution, or "ignore"
    refine : Newton steps on F after the solver; each squares the error of y where F is smooth

    Arguments may be trees of tensors (dicts, lists, tuples); what is no floating-point tensor is passed through. First
    and higher derivatives, forward and reverse mode, `torch.func` transforms and `vmap` work. Warnings, each once:
    InaccurateSolution, NotDifferentiable (at a tie), SingularJacobian (the derivative is by least squares). Raises
    NotASolution where y is not finite.
    """
    if linear not in METHODS:
        raise UsageError(f"linear={linear!r} is none of {', '.join(METHODS)}")
    if inaccurate not in ("warn", "raise", "ignore"):
        raise UsageError(f"inaccurate={inaccurate!r} is none of warn, raise, ignore")
    if symmetric is None:
        symmetric = bool(getattr(residual, "symmetric", False))
    return Implicit(
        solver, residual, symmetric, batched, linear, tol, max_iter, float(accuracy), inaccurate, int(refine)
    )


class Call:
    """One call: its system, and what is known about its solution."""

    def __init__(self, owner: Implicit, system: System) -> None:
        self.owner, self.system = owner, system
        self.thetas = system.thetas
        system.forget()
        self.left = 0.0  # the solution's relative residual
        self.looked = False

    def solved(self, thetas: Sequence[Tensor]) -> Tensor:
        """y (B, n) by the solver, refined and judged."""
        args, kwargs = self.system.arguments(thetas)
        with torch.no_grad():
            answer = tree_map(lambda leaf: _tensor(leaf, thetas), self.owner.solver(*args, **kwargs))
        self.system.shapes = Shapes(answer, self.owner.batched)
        y = self.system.shapes.flat(answer)
        if not bool(torch.isfinite(y).all()):
            raise checks.NotASolution(f"the solver's answer is not finite{self._word()}")
        y = self._refined(y, thetas)
        self.left = float(checks.relative_residual(self.system, y, thetas).max()) if y.numel() else 0.0
        if self.left != self.left:
            raise checks.NotASolution(f"the residual is NaN at the solver's answer{self._word()}")
        if not self.left <= self.owner.accuracy and self.owner.inaccurate == "raise":
            raise checks.NotASolution(
                f"the solution's relative residual is {self.left:.2g}, above accuracy={self.owner.accuracy:g}; it is "
                f"about {float(norm(self._newton(y, thetas)).max()):.2g} away from a solution{self._word()}. "
                "Solve to a smaller tolerance, or give refine=1"
            )
        return y.clone()

    def _word(self) -> str:
        result = getattr(self.owner.solver, "result", None)
        return "" if result is None else f" ({result.method}: {result.point_status.name}, {result.termination.name})"

    def _newton(self, y: Tensor, thetas: Sequence[Tensor]) -> Tensor:
        """A^-1 F: how far y is from a solution, to first order."""
        return self._solve(y, thetas, self.system.value(y, *thetas), False).u

    def _refined(self, y: Tensor, thetas: Sequence[Tensor]) -> Tensor:
        for _ in range(self.owner.refine):
            new = y - self._newton(y, thetas)
            size, before = norm(self.system.value(new, *thetas)), norm(self.system.value(y, *thetas))
            y = torch.where(size < before, new, y)
        return y

    def _solve(self, y: Tensor, thetas: Sequence[Tensor], g: Tensor, transposed: bool) -> Solved:
        products = self.system.linearized(y, thetas)
        return self._run(products[transposed], products[not transposed], g)

    def _run(self, apply: Product, adjoint: Product, g: Tensor) -> Solved:
        tight = TIGHT.get(g.dtype, 1e-2)
        tol = self.owner.tol or min(max(SHARE * self.left, tight), max(LOOSE, tight))
        owner = self.owner
        return solve(
            apply, adjoint, g, symmetric=owner.symmetric, tol=tol, method=owner.linear, max_iter=owner.max_iter
        )

    def linear(
        self, apply: Product, adjoint: Product, g: Tensor, y: Tensor | None, thetas: Sequence[Tensor], transposed: bool
    ) -> Tensor:
        """A^-1 g or A^-T g for the derivative; y is None where a batch of systems has no one point to look at."""
        found = self._run(apply, adjoint, g)
        if not found.ok:
            self._tell_singular(found)
        if y is not None and y.numel() and not self.looked:
            self.looked = True
            self._look(y, thetas, g, found.u, transposed)
        return found.u

    def _look(self, y: Tensor, thetas: Sequence[Tensor], g: Tensor, u: Tensor, transposed: bool) -> None:
        if not self.left <= self.owner.accuracy and self.owner.inaccurate == "warn" and self._first(INACCURATE):
            self._tell_inaccurate(y, thetas, g, u, transposed)
        if checks.NotDifferentiable not in self.owner.told and checks.kinked(self.system, y, thetas):
            self._first(checks.NotDifferentiable)
            checks.warn(
                checks.NotDifferentiable,
                "the conditions have a kink at the solution (a bound that is active with multiplier 0, or a tie): the "
                "derivative given is that of one of the pieces that meet there",
            )

    def _first(self, kind: type) -> bool:
        new = kind not in self.owner.told
        self.owner.told.add(kind)
        return new

    def _tell_singular(self, found: Solved) -> None:
        if not self._first(checks.SingularJacobian):
            return
        what = "is singular" if found.singular else "could not be solved to more"
        checks.warn(
            checks.SingularJacobian,
            f"the linear system of the derivative {what}: {found.method} leaves {found.left:.2g} of the right-hand "
            "side. The derivative given is by least squares. Solutions that are not unique have none: regularize the "
            "problem, or take out dependent constraints",
        )

    def _tell_inaccurate(self, y: Tensor, thetas: Sequence[Tensor], g: Tensor, u: Tensor, transposed: bool) -> None:
        rows = y.shape[0]
        step = self._newton(y, thetas)
        flat = g.reshape(-1, rows, y.shape[-1])[0]
        one, two = u.reshape(-1, rows, y.shape[-1])[0], self._solve(y - step, thetas, flat, transposed).u
        parts, others = [one], [two]
        if transposed:
            parts, others = list(self.system.pull(y, thetas, one)), list(self.system.pull(y - step, thetas, two))
        size = max(_size(parts), 1e-300)
        change = _size([a - b for a, b in zip(parts, others, strict=True)])
        checks.warn(
            checks.InaccurateSolution,
            f"the solution's relative residual is {self.left:.2g}, above accuracy={self.owner.accuracy:g}"
            f"{self._word()}: it is about {float(norm(step).max()):.2g} away from a solution, and the derivative's "
            f"relative error is about {change / size:.2g}. Solve to a smaller tolerance, or give refine=1",
        )


INACCURATE = checks.InaccurateSolution


def _size(parts: Sequence[Tensor]) -> float:
    return float(sum(float((part**2).sum()) for part in parts)) ** 0.5


def _tensor(leaf: Any, thetas: Sequence[Tensor]) -> Any:
    """A leaf of the solver's answer as a tensor beside theta."""
    if isinstance(leaf, torch.Tensor):
        return leaf.detach()
    if isinstance(leaf, np.ndarray | np.number | float):
        first = thetas[0] if thetas else torch.zeros((), dtype=torch.float64)
        return torch.as_tensor(np.array(leaf), dtype=first.dtype, device=first.device)
    return leaf


def vjp(residual: Callable[..., Any], y: Any, args: tuple, cotangent: Any, **options: Any) -> tuple[Any, ...]:
    """cotangent' dy/dargs at a known solution y: a gradient for each of args, of its form, None for what is no tensor.

    options : those of `implicit`.
    """
    call, flat = _known(residual, y, args, options)
    u = LinearSolve.apply(call, True, (), flat, call.system.shapes.flat(cotangent), *call.thetas)
    parts = [-part for part in call.system.pull(flat, call.thetas, u)]
    return call.system.gradients(parts)


def jvp(residual: Callable[..., Any], y: Any, args: tuple, tangents: tuple, **options: Any) -> Any:
    """dy/dargs applied to a change of args (of their form; None where nothing changes), of the form of y."""
    call, flat = _known(residual, y, args, options)
    changes = call.system.tangents(tangents, call.thetas)
    moved = call.system.push(flat, call.thetas, changes)
    return call.system.shapes.tree(-LinearSolve.apply(call, False, (), flat, moved, *call.thetas))


def _known(residual: Callable[..., Any], y: Any, args: tuple, options: dict[str, Any]) -> tuple[Call, Tensor]:
    owner = implicit(lambda *_: y, residual, **options)
    call = Call(owner, System(residual, (args, {}), owner.symmetric))
    return call, call.solved([theta.detach() for theta in call.thetas])
