"""r2HPDHG (`pdhg.iteration`) on a batch of games: each game has its own step, weight, anchor and restarts, by masks.

One iteration is two batched products, two batched projections and arithmetic on (B,) scalars. Nothing in it waits for
the device: whether a game is done is written into tensors, and looked at by the caller now and then.

    T(z):  x+ = P(x - s / omega A y),   y+ = P(y + s omega A'(2 x+ - x))
"""

from __future__ import annotations

from typing import Any

import torch

from solverkit.operators.proximal import Simplex
from solverkit_halpern.batch.state import BatchState, Pairs
from solverkit_halpern.pdhg.weight import DECAY, LIMIT, ZERO

SAFE, MARGIN = 0.998, 1.05
POWERS, FACE_POWERS = 8, 2  # rounds of power iteration at the start, and at each look at the faces
FACE_SHARE = 0.95
SUFFICIENT, NECESSARY, LONGEST = 0.2**2, 0.5**2, 0.5  # of squared residuals; of all iterations
GROWTH = 3.0**2
CAUTION = 3
PROPORTIONAL, INTEGRAL = 0.99, 0.01
PROJECT = Simplex().project


def forward(A: Any, y: Any) -> Any:
    """A y of each game, (B, p): as y'A', which torch's CPU does six times faster than A y."""
    return torch.bmm(y.unsqueeze(1), A.transpose(1, 2)).squeeze(1)


def adjoint(A: Any, x: Any) -> Any:
    """A'x of each game, (B, q)."""
    return torch.bmm(x.unsqueeze(1), A).squeeze(1)


def begin(A: Any, target: Any) -> BatchState:
    """Uniform strategies and the norms of the centred games."""
    count, p, q = A.shape
    x, y = A.new_full((count, p), 1 / p), A.new_full((count, q), 1 / q)
    first = Pairs(x, y, adjoint(A, x), forward(A, y))
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(q, generator=generator, dtype=torch.float64).to(A).expand(count, q)
    everywhere = (torch.ones_like(x), torch.ones_like(y))
    norm, vector = face_norm(A, vector, *everywhere, POWERS)
    seen = torch.maximum(first.adjoint.abs().amax(1), first.forward.abs().amax(1))
    norm = torch.maximum(MARGIN * norm, 1e-10 * seen)
    norm = torch.where(norm > 0, norm, torch.ones_like(norm))
    zeros = torch.zeros_like(norm)
    state = BatchState(
        matrix=A,
        current=first,
        anchor=first,
        image=first,
        norm=norm,
        step=SAFE / norm,
        following=SAFE / norm,
        weight=torch.ones_like(norm),
        memory=zeros,
        vector=vector,
        inner=zeros,
        first=zeros,
        last=torch.full_like(norm, torch.inf),
        cautious=zeros,
        best_x=x,
        best_y=y,
        upper=first.adjoint.amax(1),
        lower=first.forward.amin(1),
        iterations=zeros,
        target=target,
    )
    return state


def face_norm(A: Any, v: Any, on_x: Any, on_y: Any, rounds: int) -> tuple[Any, Any]:
    """Norms of A between the tangents of faces, (B,), by power iteration from v (B, q); masks are 0 or 1."""

    def tangent(w: Any, on: Any) -> Any:
        w = w * on
        return (w - w.sum(1, keepdim=True) / on.sum(1, keepdim=True).clamp(min=1)) * on

    def unit(w: Any) -> tuple[Any, Any]:
        length = torch.linalg.vector_norm(w, dim=1, keepdim=True)
        return w / length.clamp(min=torch.finfo(w.dtype).tiny), length.squeeze(1)

    v, _ = unit(tangent(v, on_y))
    norm = A.new_zeros(len(A))
    for _ in range(rounds):
        u, norm = unit(tangent(forward(A, v), on_x))
        v, _ = unit(tangent(adjoint(A, u), on_y))
    return norm, v


def advance(s: BatchState, total: int) -> None:
    """One iteration of every game; `total` counts them, from 1."""
    z, w = s.current, s.weight.unsqueeze(1)
    step = s.step.unsqueeze(1)
    x = PROJECT(z.x - step / w * z.forward)
    back = adjoint(s.matrix, x)
    y = PROJECT(z.y + step * w * (2 * back - z.adjoint))
    s.image = Pairs(x, y, back, forward(s.matrix, y))
    _keep_best(s, total)
    square = _square(s)
    s.first = torch.where(s.inner == 0, square, s.first)
    long = (s.step * s.norm > 1.001 * SAFE) & (s.inner > 0) & ((square < 0) | (square > GROWTH * s.first))
    due = (s.inner > 0) & (
        (square <= SUFFICIENT * s.first)
        | ((square <= NECESSARY * s.first) & (square > s.last))
        | (s.inner >= LONGEST * total)
    )
    s.cautious = torch.where(long, torch.full_like(s.cautious, CAUTION + 1), s.cautious)
    _continue(s, due | long, square)


def look_at_faces(s: BatchState) -> None:
    """Steps by the norms on the faces that the strategies lie in, for the epochs to come."""
    norm, s.vector = face_norm(
        s.matrix, s.vector, (s.image.x > 0).to(s.matrix), (s.image.y > 0).to(s.matrix), FACE_POWERS
    )
    bounded = torch.minimum(norm / FACE_SHARE, s.norm)
    s.following = SAFE / torch.where(norm > 0, bounded, s.norm)


def _keep_best(s: BatchState, total: int) -> None:
    upper, lower = s.image.adjoint.amax(1), s.image.forward.amin(1)
    was = s.upper - s.lower > s.target
    better = (upper < s.upper) & was
    s.best_x = torch.where(better.unsqueeze(1), s.image.x, s.best_x)
    s.upper = torch.where(better, upper, s.upper)
    better = (lower > s.lower) & was
    s.best_y = torch.where(better.unsqueeze(1), s.image.y, s.best_y)
    s.lower = torch.where(better, lower, s.lower)
    s.iterations = torch.where(was, torch.full_like(s.iterations, total), s.iterations)


def _square(s: BatchState) -> Any:
    """||z - T(z)||_P^2, (B,)."""
    z, image = s.current, s.image
    dx, dy = image.x - z.x, image.y - z.y
    across = (dy * (image.adjoint - z.adjoint)).sum(1)
    return s.weight * (dx * dx).sum(1) + (dy * dy).sum(1) / s.weight - 2 * s.step * across


def _continue(s: BatchState, restart: Any, square: Any) -> None:
    """Halpern's combination, or T(z) as point and anchor where a game restarts."""
    weight, memory = _controlled(s)
    s.weight, s.memory = torch.where(restart, weight, s.weight), torch.where(restart, memory, s.memory)
    share = ((s.inner + 1) / (s.inner + 2)).unsqueeze(1)
    rows = restart.unsqueeze(1)
    z, image, anchor = s.current, s.image, s.anchor
    mixed = image.map(lambda h, a, b: torch.where(rows, h, share * (2 * h - a) + (1 - share) * b), z, anchor)
    s.current, s.anchor = mixed, image.map(lambda h, a: torch.where(rows, h, a), anchor)
    s.inner = torch.where(restart, torch.zeros_like(s.inner), s.inner + 1)
    s.last = torch.where(restart, torch.full_like(s.last, torch.inf), square)
    s.cautious = torch.where(restart, (s.cautious - 1).clamp(min=0), s.cautious)
    following = torch.where(s.cautious > 0, SAFE / s.norm, s.following)
    s.step = torch.where(restart, following, s.step)


def _controlled(s: BatchState) -> tuple[Any, Any]:
    """omega and its memory after a restart; see `pdhg.weight`."""
    dx = torch.linalg.vector_norm(s.image.x - s.anchor.x, dim=1)
    dy = torch.linalg.vector_norm(s.image.y - s.anchor.y, dim=1)
    largest = torch.maximum(dx, dy)
    known = largest > 0
    ratio = torch.maximum(dy, ZERO * largest) / torch.maximum(dx, ZERO * largest)
    error = (torch.log(torch.where(known, ratio, s.weight)) - torch.log(s.weight)).clamp(-LIMIT, LIMIT)
    memory = torch.where(known, DECAY * s.memory + error, s.memory)
    moved = torch.log(s.weight) + PROPORTIONAL * error + INTEGRAL * memory
    return torch.where(known, torch.exp(moved), s.weight), memory
