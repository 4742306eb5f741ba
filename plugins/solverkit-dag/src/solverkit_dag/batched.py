"""Many orders, or many Gram matrices, at once: the closed forms of `kernels.neighbourhood` on tensors.

Every argument has a leading axis of restarts or bootstraps; arithmetic is in float64 on the device of the tensors. The
recursions over positions run as cumulative sums (insertions) or as d steps over whole (B, d, d) arrays (swaps). On CPUs
the compiled kernels are faster; a device pays for large batches and for d of several hundred.

`descend` takes the best insertion of every batch element in each round, and the best swap where no insertion improves,
until neither does anywhere: the same local optimality as `topological-swaps`, along another path.

| here | meaning |
|---|---|
| gram | (B, d, d) S of each |
| orders | (B, d) int64 |
| upper, inverse | (B, d, d) L' and L^{-1}, see `kernels.factor` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from solverkit.errors import UsageError
from solverkit_dag.search.base import SLACK

if TYPE_CHECKING:
    from torch import Tensor


def factor(gram: Tensor, orders: Tensor) -> tuple[Tensor, Tensor]:
    """(upper, inverse) of each order. UsageError where a Gram matrix is not positive definite."""
    d = gram.shape[-1]
    rows = torch.gather(gram, 1, orders[:, :, None].expand(-1, -1, d))
    permuted = torch.gather(rows, 2, orders[:, None, :].expand(-1, d, -1))
    lower, info = torch.linalg.cholesky_ex(permuted)
    if int(info.max()) > 0:
        raise UsageError(f"Gram matrix {int(info.argmax())} of the batch is not positive definite: add a ridge")
    identity = torch.eye(d, dtype=gram.dtype, device=gram.device).expand_as(gram)
    return lower.mT.contiguous(), torch.linalg.solve_triangular(lower, identity, upper=False)


def scores(upper: Tensor) -> Tensor:
    """(B,) half the sums of conditional variances."""
    return 0.5 * torch.diagonal(upper, dim1=1, dim2=2).square().sum(dim=1)


def insertions(upper: Tensor, inverse: Tensor) -> Tensor:
    """(B, d, d) changes of sum_t Var(t), [i, j]: the variable at position j moves to i. O(B d^2)."""
    square = torch.diagonal(upper, dim1=1, dim2=2).square()  # (B, d)
    entries = upper.square()
    R = _from_below(entries)
    off = torch.triu(torch.ones_like(entries[0]), 1)
    lost = _from_below(off * square[:, :, None] * entries / torch.where(off > 0, R, 1.0))
    left = off * (R - square[:, None, :] - lost)
    ratio = inverse.square() * square[:, None, :] * off.mT
    al = 1.0 + ratio.cumsum(dim=1)
    gained = (square[:, :, None] * ratio / (al - ratio)).cumsum(dim=1)
    return left + off.mT * (gained - square[:, None, :] * (1.0 - 1.0 / al))


def swaps(upper: Tensor) -> Tensor:
    """(B, d, d) changes of sum_t Var(t), [a, b] for a < b: the variables there trade places. O(B d^3 / 3)."""
    d = upper.shape[-1]
    R = _from_below(upper.square())
    left, lost, change = torch.triu(upper, 1), torch.zeros_like(upper), torch.zeros_like(upper)
    square = torch.diagonal(upper, dim1=1, dim2=2).square()
    gained, al = torch.zeros_like(square), torch.ones_like(square)
    for s in range(1, d):
        diagonal, moved = upper[:, s, s, None], left[:, :s, s]
        D = square[:, s, None] + moved.square()
        al[:, :s] *= D / square[:, s, None]
        grown = R[:, :s, s] - R[:, s, s, None] + gained[:, :s] - lost[:, :s, s]
        change[:, :s, s] = grown - square[:, :s] * (1.0 - 1.0 / al[:, :s])
        gained[:, :s] += moved.square()
        size = D.sqrt()
        c, t = (diagonal / size)[:, :, None], (moved / size)[:, :, None]
        entry, other = upper[:, s, None, s + 1 :], left[:, :s, s + 1 :]
        fresh = c * entry + t * other
        lost[:, :s, s + 1 :] += D[:, :, None] * fresh.square() / (R[:, s, None, s + 1 :] + other.square())
        left[:, :s, s + 1 :] = c * other - t * entry
    return change


def descend(gram: Tensor, orders: Tensor, rounds: int = 100_000) -> tuple[Tensor, Tensor]:
    """(orders, scores): a local optimum over swaps and insertions from each order, after at most so many rounds."""
    orders = orders.clone()
    for _ in range(rounds):
        upper, inverse = factor(gram, orders)
        least = 2 * SLACK * scores(upper)
        change, i, j = _best(insertions(upper, inverse))
        moving = change < -least
        if moving.any():
            orders = torch.where(moving[:, None], _inserted(orders, i, j), orders)
            continue
        change, i, j = _best(swaps(upper))
        moving = change < -least
        if not moving.any():
            break
        orders = torch.where(moving[:, None], _swapped(orders, i, j), orders)
    return orders, scores(factor(gram, orders)[0])


def _from_below(entries: Tensor) -> Tensor:
    """Sums over rows t, ..., d - 1."""
    return entries.flip(1).cumsum(dim=1).flip(1)


def _best(change: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    least, where = change.flatten(1).min(dim=1)
    d = change.shape[-1]
    return least, where // d, where % d


def _inserted(orders: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """Position j moved to i, each: sort by position, the moved one just before or after i."""
    place = torch.arange(orders.shape[1], device=orders.device, dtype=torch.float64).repeat(len(orders), 1)
    target = i + torch.where(i < j, -0.5, 0.5)
    place.scatter_(1, j[:, None], target[:, None].to(place.dtype))
    return torch.gather(orders, 1, place.argsort(dim=1))


def _swapped(orders: Tensor, a: Tensor, b: Tensor) -> Tensor:
    moved = orders.clone()
    moved.scatter_(1, a[:, None], torch.gather(orders, 1, b[:, None]))
    return moved.scatter_(1, b[:, None], torch.gather(orders, 1, a[:, None]))
