"""The primal-dual barrier iteration of a batch: one problem a row, every operation on all rows.

    [ W + S + delta_w   J'  ] [ dw ]      [ grad f + J'y - mu / (w - l) + mu / (u - w) ]
    [ J                 -d_c] [ dy ]  = - [ c(w)                                       ],     w = (x, slacks)

W the Hessian of the Lagrangian, S = z_l / (w - l) + z_u / (u - w), bounds on inequality rows by slacks (Waechter and
Biegler 2006, whose constants these are). delta_w grows row by row until W + S + delta_w + rho J'J has a Cholesky
factor, which proves positive curvature on the null space of J; the step comes from a batched LU with partial pivoting.

A step is accepted where phi_mu + nu |c|_1, nu above the multipliers, falls below the worst of the last MEMORY points
(Grippo, Lampariello, Lucidi 1986: narrow curved valleys are crossed, not crept along), after a second-order correction
where the first trial fails. mu falls row by row. Rows that have ended leave the batch every few steps; the host looks
at flags, never at single numbers.

| here | meaning |
|---|---|
| w, y, zl, zu | iterate and multipliers, (B, N), (B, m), (B, N), (B, N) |
| mu, shift, nu | barrier parameter, last delta_w, penalty, (B,) |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.errors import UsageError
from solverkit_sketched_newton.batch.functions import Batched, the_torch

if TYPE_CHECKING:
    import torch

FIRST_MU, MU_FACTOR, MU_POWER, KAPPA_EPS = 0.1, 0.2, 1.5, 10.0
TAU, PUSH = 0.99, 1e-2
SHIFT_FIRST, SHIFT_GROW, SHIFT_SHRINK, SHIFT_TRIES = 1e-4, 10.0, 1.0 / 3.0, 22
DELTA_C = 1e-9  # keeps dependent rows solvable; no more than rounding for others
ARMIJO, HALVINGS = 1e-4, 14
MEMORY = 6
STALLS = 4  # rejected steps in a row after which a row is given up
COMPACT = 5  # steps between two looks for rows that have ended
S_MAX = 100.0


@dataclass(frozen=True, eq=False)
class Bounds:
    """Bounds of c and x, and of w = (x, slacks of the inequality rows)."""

    lower: torch.Tensor  # (m,)
    upper: torch.Tensor  # (m,)
    lowest: torch.Tensor  # (n,)
    highest: torch.Tensor  # (n,)
    rows: torch.Tensor  # indices of inequality rows
    low: torch.Tensor  # (N,)
    high: torch.Tensor  # (N,)

    @classmethod
    def of(cls, n: int, m: int, lower: Any, upper: Any, lowest: Any, highest: Any, where: dict[str, Any]) -> Bounds:
        """From numbers or arrays; UsageError for shapes that do not fit and empty boxes."""
        torch = the_torch()
        made = []
        for name, value, length in (
            ("lower", lower, m),
            ("upper", upper, m),
            ("lowest", lowest, n),
            ("highest", highest, n),
        ):
            try:
                made.append(torch.as_tensor(np.broadcast_to(np.asarray(value, float), (length,)).copy(), **where))
            except ValueError:
                raise UsageError(f"{name} has shape {np.shape(value)}; needs a number or ({length},)") from None
        lower, upper, lowest, highest = made
        if bool((lower > upper).any()) or not bool((lowest < highest).all()):
            raise UsageError("bounds need lower <= upper and lowest < highest in every component")
        rows = (lower != upper).nonzero().ravel()
        low, high = torch.cat([lowest, lower[rows]]), torch.cat([highest, upper[rows]])
        return cls(lower, upper, lowest, highest, rows, low, high)


@dataclass(eq=False)
class Rows:
    """The state of the rows that are still running."""

    index: torch.Tensor  # (B,) row of the answer
    w: torch.Tensor
    y: torch.Tensor
    zl: torch.Tensor
    zu: torch.Tensor
    mu: torch.Tensor
    shift: torch.Tensor
    past: torch.Tensor  # (B, MEMORY) merits of the last points
    nu: torch.Tensor
    f: torch.Tensor
    c: torch.Tensor  # with slacks
    error: torch.Tensor
    stalls: torch.Tensor
    steps: torch.Tensor

    def kept(self, alive: torch.Tensor) -> Rows:
        """The rows where `alive` is true."""
        return Rows(**{item.name: getattr(self, item.name)[alive] for item in fields(self)})


class Barrier:
    """The iteration for one structure."""

    def __init__(self, functions: Batched, bounds: Bounds, tol: float) -> None:
        torch = the_torch()
        self.torch, self.functions, self.bounds, self.tol = torch, functions, bounds, tol
        self.n, self.m, self.N = functions.n, functions.m, len(bounds.low)
        self.below, self.above = torch.isfinite(bounds.low), torch.isfinite(bounds.high)
        self.low = torch.where(self.below, bounds.low, 0.0)
        self.high = torch.where(self.above, bounds.high, 0.0)
        self.target = torch.where(bounds.lower == bounds.upper, bounds.lower, 0.0)
        self.slack_jacobian = torch.zeros((self.m, self.N - self.n), device=self.low.device, dtype=self.low.dtype)
        self.slack_jacobian[bounds.rows, torch.arange(self.N - self.n, device=self.low.device)] = -1.0

    # -- evaluations

    def values(self, w: torch.Tensor, p: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """f, (B,), and c with slacks, (B, m)."""
        f, c = self.functions.values(w[:, : self.n], p)
        return f, c - self.target + w[:, self.n :] @ self.slack_jacobian.T

    def distances(self, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """w - l and u - w, 1 where a side is open."""
        torch = self.torch
        return torch.where(self.below, w - self.low, 1.0), torch.where(self.above, self.high - w, 1.0)

    def barrier(self, w: torch.Tensor, f: torch.Tensor, mu: torch.Tensor) -> torch.Tensor:
        """phi_mu, (B,); infinite off the interior and where f is not finite."""
        torch = self.torch
        dl, du = self.distances(w)
        inside = (dl > 0).all(1) & (du > 0).all(1) & torch.isfinite(f)
        logs = torch.log(torch.clamp(dl, min=1e-300)).sum(1) + torch.log(torch.clamp(du, min=1e-300)).sum(1)
        return torch.where(inside, f - mu * logs, torch.inf)

    def start(self, x0: torch.Tensor, p: Mapping[str, torch.Tensor]) -> Rows:
        """Inside the bounds, slacks at the values of their rows, multipliers of bounds 1."""
        torch = self.torch
        count = len(x0)
        full = torch.zeros((count, self.N), device=x0.device, dtype=x0.dtype)
        full[:, : self.n] = x0
        if len(self.bounds.rows):
            full[:, self.n :] = self.functions.values(self._inside(full)[:, : self.n], p)[1][:, self.bounds.rows]
        w = self._inside(full)
        f, c = self.values(w, p)
        one = torch.ones(count, device=x0.device, dtype=x0.dtype)
        whole = torch.zeros(count, device=x0.device, dtype=torch.int64)
        zl, zu = self.below.to(w) * torch.ones_like(w), self.above.to(w) * torch.ones_like(w)
        index = torch.arange(count, device=x0.device)
        y = torch.zeros((count, self.m), device=x0.device, dtype=x0.dtype)
        past = torch.full((count, MEMORY), -torch.inf, device=x0.device, dtype=x0.dtype)
        bounded = bool(self.below.any() or self.above.any())
        mu = one * (FIRST_MU if bounded else self.tol / 10)
        return Rows(index, w, y, zl, zu, mu, 0 * one, past, one, f, c, torch.inf * one, whole, whole.clone())

    def _inside(self, w: torch.Tensor) -> torch.Tensor:
        torch = self.torch
        width = self.bounds.high - self.bounds.low
        low = self.bounds.low + torch.minimum(PUSH * torch.clamp(self.low.abs(), min=1.0), PUSH * width)
        high = self.bounds.high - torch.minimum(PUSH * torch.clamp(self.high.abs(), min=1.0), PUSH * width)
        w = torch.where(self.below, torch.maximum(w, low), w)
        return torch.where(self.above, torch.minimum(w, high), w)

    # -- one step of all rows

    def step(self, rows: Rows, p: Mapping[str, torch.Tensor]) -> None:
        """Move every row by an accepted step, or note that it stalled. `error` is that of the point before."""
        torch = self.torch
        local = self.functions.local(rows.w[:, : self.n], p, rows.y)
        J = torch.cat([local.jacobian, self.slack_jacobian.expand(len(rows.w), -1, -1)], 2)
        g = torch.nn.functional.pad(local.gradient, (0, self.N - self.n))
        dl, du = self.distances(rows.w)
        lagrangian = g + (J.mT @ rows.y[:, :, None])[:, :, 0]
        rows.error = self._error(rows, lagrangian, dl, du, torch.zeros_like(rows.mu))
        for _ in range(2):  # a row whose barrier problem is solved goes on to the next
            solved = self._error(rows, lagrangian, dl, du, rows.mu) <= KAPPA_EPS * rows.mu
            rows.past = torch.where(solved[:, None], -torch.inf, rows.past)
            smaller = torch.clamp(torch.minimum(MU_FACTOR * rows.mu, rows.mu**MU_POWER), min=self.tol / 10)
            rows.mu = torch.where(solved, smaller, rows.mu)
        mu = rows.mu[:, None]
        below, above = self.below.to(mu), self.above.to(mu)
        top = lagrangian - below * mu / dl + above * mu / du
        A = torch.diag_embed(rows.zl / dl + rows.zu / du)
        A[:, : self.n, : self.n] += local.hessian
        solve = self._factored(rows, A, J)
        dw, dy = solve(-top, -rows.c)
        dzl = below * (mu / dl) - rows.zl - rows.zl / dl * dw
        dzu = above * (mu / du) - rows.zu + rows.zu / du * dw
        tau = torch.clamp(1 - rows.mu, min=TAU)
        descent = ((top - (J.mT @ rows.y[:, :, None])[:, :, 0]) * dw).sum(1)  # of phi_mu along dw
        longest = self._longest(dw, dl, du, tau)
        w, f, c, alpha, accepted = self._search(rows, p, dw, rows.y + dy, descent, longest, solve, tau, dl, du)
        self._accept(rows, (w, f, c, alpha, accepted), dy, dzl, dzu, tau)

    def _error(self, rows: Rows, lagrangian: Any, dl: Any, du: Any, mu: torch.Tensor) -> torch.Tensor:
        """E_mu of Waechter and Biegler, equation (5)."""
        torch = self.torch
        total = rows.zl.sum(1) + rows.zu.sum(1)
        count = max(int(self.below.sum() + self.above.sum()), 1)
        s_d = torch.clamp((rows.y.abs().sum(1) + total) / (self.m + count), min=S_MAX) / S_MAX
        s_c = torch.clamp(total / count, min=S_MAX) / S_MAX
        dual = _largest(lagrangian - rows.zl + rows.zu) / s_d
        gap_l = torch.where(self.below, dl * rows.zl - mu[:, None], 0.0)
        gap_u = torch.where(self.above, du * rows.zu - mu[:, None], 0.0)
        gap = torch.maximum(_largest(gap_l), _largest(gap_u)) / s_c
        error = torch.maximum(torch.maximum(dual, _largest(rows.c)), gap)
        return torch.where(torch.isfinite(error), error, torch.inf)

    def _factored(self, rows: Rows, A: torch.Tensor, J: torch.Tensor) -> Any:
        """Raise delta_w where the curvature is wrong, factor, and return (top, bottom) -> (dw, dy)."""
        torch = self.torch
        count, N, m = len(A), self.N, self.m
        size = A.diagonal(dim1=1, dim2=2).abs().amax(1).clamp(min=1.0)
        rho = 1e3 * size / (J**2).sum((1, 2)).clamp(min=1e-8) * max(m, 1)
        convex = A + rho[:, None, None] * (J.mT @ J)
        eye = torch.eye(N, device=A.device, dtype=A.dtype)
        delta = torch.zeros_like(rows.shift)
        _, info = torch.linalg.cholesky_ex(convex)
        failed = info > 0
        grow = torch.where(rows.shift > 0, SHIFT_SHRINK * rows.shift, SHIFT_FIRST).clamp(min=1e-12)
        for _ in range(SHIFT_TRIES):
            if not bool(failed.any()):
                break
            delta = torch.where(failed, grow, delta)
            grow = torch.where(failed, SHIFT_GROW * grow, grow)
            at = failed.nonzero().ravel()
            _, again = torch.linalg.cholesky_ex(convex[at] + delta[at, None, None] * eye)
            failed = failed.index_put((at,), again > 0)
        rows.shift = torch.where(info > 0, delta, rows.shift)
        K = torch.zeros((count, N + m, N + m), device=A.device, dtype=A.dtype)
        K[:, :N, :N] = A + delta[:, None, None] * eye
        K[:, :N, N:], K[:, N:, :N] = J.mT, J
        K[:, N:, N:] = -DELTA_C * torch.eye(m, device=A.device, dtype=A.dtype)
        factors, pivots, _ = torch.linalg.lu_factor_ex(K)

        def solve(top: Any, bottom: Any) -> tuple[Any, Any]:
            right = torch.cat([top, bottom], 1)[:, :, None]
            d = torch.linalg.lu_solve(factors, pivots, right)
            d = (d + torch.linalg.lu_solve(factors, pivots, right - K @ d))[:, :, 0]
            return d[:, :N], d[:, N:]

        return solve

    def _longest(self, dw: Any, dl: Any, du: Any, tau: Any) -> torch.Tensor:
        """Fraction to the boundary, (B,) at most 1."""
        low = self.torch.where(self.below & (dw < 0), -tau[:, None] * dl / dw, 1.0).amin(1)
        high = self.torch.where(self.above & (dw > 0), tau[:, None] * du / dw, 1.0).amin(1)
        return self.torch.minimum(low, high).clamp(max=1.0)

    def _search(
        self, rows: Rows, p: Any, dw: Any, y: Any, descent: Any, longest: Any, solve: Any, tau: Any, dl: Any, du: Any
    ) -> tuple[Any, ...]:
        """Halve row by row until phi_mu + nu |c|_1 has fallen enough."""
        torch = self.torch
        violation = rows.c.abs().sum(1)
        needed = 1.1 * _largest(y) + 1e-6
        higher = needed > rows.nu
        rows.nu = torch.where(higher, needed, rows.nu)
        present = self.barrier(rows.w, rows.f, rows.mu) + rows.nu * violation
        rows.past = torch.where(higher[:, None], -torch.inf, rows.past)  # another merit function
        rows.past = torch.cat([rows.past[:, 1:], present[:, None]], 1)
        merit = rows.past.amax(1)
        slope = torch.minimum(descent - rows.nu * violation, torch.zeros_like(descent))
        slack = 1e-13 * merit.abs().clamp(min=1.0)

        def tried(w: Any, alpha: Any) -> tuple[Any, Any, Any]:
            f, c = self.values(w, p)
            good = self.barrier(w, f, rows.mu) + rows.nu * c.abs().sum(1) <= merit + ARMIJO * alpha * slope + slack
            return f, c, good

        alpha = longest.clone()
        w = rows.w + alpha[:, None] * dw
        f, c, accepted = tried(w, alpha)
        if self.m and not bool(accepted.all()):  # second-order correction
            bent, _ = solve(torch.zeros_like(dw), -(c - (1 - alpha)[:, None] * rows.c))
            whole = alpha[:, None] * dw + torch.where(torch.isfinite(bent), bent, 0.0)
            short = self._longest(whole, dl, du, tau)
            corrected = rows.w + short[:, None] * whole
            f2, c2, good = tried(corrected, alpha)
            use = good & ~accepted
            w, f, c = _picked(use, (corrected, f2, c2), (w, f, c))
            accepted = accepted | use
        if bool(accepted.all()):
            return w, f, c, alpha, accepted
        # all halvings of the rows that are left, in one call
        at = (~accepted).nonzero().ravel()
        lengths = alpha[at, None] * 0.5 ** torch.arange(1, HALVINGS + 1, device=w.device, dtype=w.dtype)
        trial = rows.w[at, None] + lengths[:, :, None] * dw[at, None]
        some = {name: value[at].repeat_interleave(HALVINGS, 0) for name, value in p.items()}
        f2, c2 = self.values(trial.reshape(-1, self.N), some)
        f2, c2 = f2.reshape(len(at), HALVINGS), c2.reshape(len(at), HALVINGS, self.m)
        mu = rows.mu[at].repeat_interleave(HALVINGS)
        phi = self.barrier(trial.reshape(-1, self.N), f2.reshape(-1), mu).reshape(len(at), HALVINGS)
        bound = merit[at, None] + ARMIJO * lengths * slope[at, None] + slack[at, None]
        good = phi + rows.nu[at, None] * c2.abs().sum(2) <= bound
        first = good.to(torch.int64).argmax(1)
        each = torch.arange(len(at), device=w.device)
        for whole, part in ((w, trial), (f, f2), (c, c2), (alpha, lengths), (accepted, good)):
            whole[at] = part[each, first]
        return w, f, c, alpha, accepted

    def _accept(self, rows: Rows, found: tuple[Any, ...], dy: Any, dzl: Any, dzu: Any, tau: Any) -> None:
        """Move the accepted rows; a stalled one tries the next step with a greater shift and a fresh penalty."""
        torch = self.torch
        w, f, c, alpha, accepted = found
        accepted = accepted & torch.isfinite(w).all(1) & torch.isfinite(f) & torch.isfinite(c).all(1)
        rows.w, rows.f, rows.c = _picked(accepted, (w, f, c), (rows.w, rows.f, rows.c))
        rows.y = torch.where(accepted[:, None], rows.y + alpha[:, None] * dy, rows.y)
        near_l, near_u = self.distances(rows.w)
        mu = rows.mu[:, None]
        for name, change, distance, side in (("zl", dzl, near_l, self.below), ("zu", dzu, near_u, self.above)):
            z = getattr(rows, name)
            step = torch.where(change < 0, -tau[:, None] * z / change, 1.0).amin(1).clamp(max=1.0)
            moved = torch.where(accepted[:, None], z + step[:, None] * change, z)
            moved = torch.minimum(torch.maximum(moved, mu / (1e10 * distance)), 1e10 * mu / distance)
            setattr(rows, name, torch.where(side, moved, 0.0))
        rows.stalls = torch.where(accepted, 0, rows.stalls + 1)
        rows.nu = torch.where(accepted, rows.nu, 1.0)
        rows.shift = torch.where(accepted, rows.shift, 100 * rows.shift.clamp(min=SHIFT_FIRST))
        rows.steps = rows.steps + 1


def minimize(
    functions: Batched, p: Mapping[str, Any], x0: Any, bounds: Bounds, tol: float, max_iter: int
) -> dict[str, Any]:
    """All rows to their ends: the columns of `BatchResult` as tensors."""
    torch = the_torch()
    barrier = Barrier(functions, bounds, tol)
    rows = barrier.start(x0, p)
    count = len(x0)
    answer: dict[str, Any] = {}
    running = dict(p)
    for iteration in range(max_iter + 1):
        before = (rows.w, rows.y, rows.zl, rows.zu, rows.f, rows.c)
        barrier.step(rows, running)  # also measures the error of the point before
        done = rows.error <= tol
        rows.w, rows.y, rows.zl, rows.zu, rows.f, rows.c = _picked(
            done, before, (rows.w, rows.y, rows.zl, rows.zu, rows.f, rows.c)
        )
        rows.steps = torch.where(done, rows.steps - 1, rows.steps)  # that step was taken back
        stalled = ~done & (rows.stalls >= STALLS)
        last = iteration == max_iter
        if last or iteration % COMPACT == COMPACT - 1:
            ended = done | stalled
            if last or bool(ended.any()):
                leaving = torch.ones_like(ended) if last else ended
                _record(answer, rows.kept(leaving), barrier, done[leaving], stalled[leaving], count)
                if bool(leaving.all()):
                    break
                rows = rows.kept(~leaving)
                running = {name: value[~leaving] for name, value in running.items()}
    return answer


def _record(answer: dict[str, Any], rows: Rows, barrier: Barrier, done: Any, stalled: Any, count: int) -> None:
    torch = barrier.torch
    n = barrier.n
    status = torch.where(done, 0, torch.where(stalled, 2, 1))
    columns = {
        "x": torch.minimum(torch.maximum(rows.w[:, :n], barrier.bounds.lowest), barrier.bounds.highest),
        "multipliers": rows.y,
        "bound_multipliers": (rows.zu - rows.zl)[:, :n],
        "fun": rows.f,
        "error": rows.error,
        "violation": _largest(rows.c),
        "status": status,
        "iterations": rows.steps,
    }
    for name, value in columns.items():
        if name not in answer:
            answer[name] = torch.zeros((count, *value.shape[1:]), device=value.device, dtype=value.dtype)
        answer[name][rows.index] = value


def _largest(matrix: Any) -> Any:
    """Largest size in each row, (B,); 0 for no columns."""
    return matrix.abs().amax(1) if matrix.shape[1] else matrix.new_zeros(len(matrix))


def _picked(mask: Any, chosen: tuple[Any, ...], others: tuple[Any, ...]) -> tuple[Any, ...]:
    """Row by row `chosen` where the mask holds, `others` elsewhere."""
    torch = the_torch()
    return tuple(
        torch.where(mask if one.ndim == 1 else mask[:, None], one, other)
        for one, other in zip(chosen, others, strict=True)
    )
