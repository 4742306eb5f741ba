"""Many zero-sum games of one shape, solved together on a CPU or a GPU from one source.

    min over x, max over y of x'A_b y on simplices, b = 1, ..., B

Each game runs its own r2HPDHG (`iteration.py`) and is done when its exact gap is; games that are done leave the batch
once half of it is. The device is waited for at every `LOOK` iterations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from solverkit.errors import UsageError
from solverkit_halpern.batch.iteration import adjoint, advance, begin, forward, look_at_faces
from solverkit_halpern.batch.state import BatchState

LOOK = 20  # iterations between looks at which games are done, and at the faces
CACHE = 8 << 20  # bytes of payoffs that one CPU chunk holds, so that products read a near cache


@dataclass(frozen=True)
class Games:
    """Answers of a batch. `gaps` are exact, recomputed in float64 from the strategies and the payoffs."""

    x: np.ndarray  # (B, p) strategies of the minimizing players
    y: np.ndarray  # (B, q) of the maximizing players
    values: np.ndarray  # (B,) x'A y
    gaps: np.ndarray  # (B,) max(A'x) - min(A y)
    iterations: np.ndarray  # (B,) two products each
    converged: np.ndarray  # (B,) whether the gap is at most tol


def solve_games(
    A: Any, tol: float = 1e-4, device: str = "cpu", *, max_iter: int = 100_000, chunk: int | None = None
) -> Games:
    """Strategies of B games of one shape, each to an exact duality gap of `tol`, in the units of its payoffs.

    A : (B, p, q) array or tensor, float64 arithmetic
    device : cpu, cuda, cuda:1, ...
    max_iter : iterations of a game at most; a game that is not done then is returned as it is, `converged` False
    chunk : games solved together. Default: on a CPU what fits its cache, on a GPU all

    UsageError for what is no batch of finite matrices, and for a device that is not there.
    """
    payoffs = _checked(A, tol, device)
    size = max(payoffs[0].numel() * payoffs.element_size(), 1)
    count = chunk or (max(CACHE // size, 1) if device == "cpu" else len(payoffs))
    parts = [
        _solve(payoffs[first : first + count].to(device), tol, max_iter) for first in range(0, len(payoffs), count)
    ]
    columns = [torch.cat(part).numpy() for part in zip(*parts, strict=True)]
    x, y, values, gaps, iterations = columns
    return Games(x, y, values, gaps, iterations.astype(int), gaps <= tol)


def _checked(A: Any, tol: float, device: str) -> Any:
    payoffs = torch.as_tensor(A, dtype=torch.float64)
    if payoffs.ndim != 3 or 0 in payoffs.shape:
        raise UsageError(f"payoffs are a (B, p, q) array with every length at least 1, not {tuple(payoffs.shape)}")
    if not bool(torch.isfinite(payoffs).all()):
        raise UsageError("payoffs are finite numbers; there are infinite ones or NaN")
    if not tol > 0:
        raise UsageError(f"tol is a positive gap; {tol!r} was given")
    family = device.partition(":")[0]
    if family not in ("cpu", "cuda"):
        raise UsageError(f"games are solved on cpu or cuda, not on {device!r}")
    if family == "cuda" and not torch.cuda.is_available():
        raise UsageError("no GPU was found: leave device out, or install a torch that finds it")
    return payoffs


def _solve(A: Any, tol: float, max_iter: int) -> tuple[Any, ...]:
    """One chunk: (x, y, values, gaps, iterations), on the host."""
    count = len(A)
    rows = torch.arange(count, device=A.device)  # of the games still in the batch
    state = begin(A, A.new_full((count,), tol))
    answers = [torch.empty_like(state.best_x), torch.empty_like(state.best_y), A.new_zeros(count)]
    for total in range(1, max_iter + 1):
        advance(state, total)
        if total % LOOK and total != max_iter:
            continue
        look_at_faces(state)
        active = state.upper - state.lower > state.target
        left = int(active.sum())
        if left == 0 or total == max_iter:
            break
        if 2 * left <= len(rows):
            _store(answers, rows, state)
            rows, state = rows[active], state.select(active)
    _store(answers, rows, state)
    x, y, iterations = answers
    ahead, back = forward(A, y), adjoint(A, x)
    values, gaps = (x * ahead).sum(1), back.amax(1) - ahead.amin(1)
    return tuple(part.cpu() for part in (x, y, values, gaps, iterations))


def _store(answers: list[Any], rows: Any, state: BatchState) -> None:
    for answer, part in zip(answers, (state.best_x, state.best_y, state.iterations), strict=True):
        answer[rows] = part
