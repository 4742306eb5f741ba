"""One linear system for each row of a batch, by products with the matrix, all rows at once.

    find u with M u = g,    M (n, n) one for each leading index of g (..., n), known by u -> M u and w -> M'w

| method | for M | work a step |
|---|---|---|
| dense | any, n <= DENSE: the matrix is formed and inverted, so that its condition is known | - |
| cg | symmetric positive (semi)definite (Hestenes, Stiefel 1952) | one product |
| gmres | any (Saad, Schultz 1986), restarted | one product, orthogonalization |
| normal | any, also singular: conjugate gradients on M'M (CGLS; Paige, Saunders 1982) | a product each way |

Rows that have converged, or whose search broke down, stand still while others go on. Where cg or gmres does not reach
the tolerance `normal` takes over, from zero: on a singular system it tends to the least-squares solution of least norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

Tensor: TypeAlias = torch.Tensor
Product: TypeAlias = Callable[[Tensor], Tensor]

DENSE = 96
RESTART = 60
WAIT = 8  # steps between looks at a residual that is on a device
METHODS = ("auto", "dense", "cg", "gmres", "normal")


@dataclass(frozen=True)
class Solved:
    """u, and what is known about it."""

    u: Tensor  # (..., n)
    left: float  # largest ||M u - g|| / ||g|| over the rows
    singular: bool  # M looks singular in some row; u is the least-squares solution there
    ok: bool  # left <= tol
    method: str
    products: int


class Counted:
    """A product that counts its calls."""

    def __init__(self, product: Product) -> None:
        self.product, self.calls = product, 0

    def __call__(self, u: Tensor) -> Tensor:
        self.calls += 1
        return self.product(u)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner products row by row, (..., 1)."""
    return (a * b).sum(dim=-1, keepdim=True)


def norm(a: Tensor) -> Tensor:
    """Lengths row by row, (..., 1)."""
    return torch.linalg.vector_norm(a, dim=-1, keepdim=True)


def solve(
    apply: Product,
    adjoint: Product,
    g: Tensor,
    *,
    symmetric: bool,
    tol: float,
    method: str = "auto",
    max_iter: int | None = None,
) -> Solved:
    """u of M u = g, relative residual `tol` in every row. Never NaN for finite M and g."""
    forward, back = Counted(apply), Counted(adjoint)
    n = g.shape[-1]
    limit = max_iter or max(100, 10 * n)
    if g.numel() == 0:
        return Solved(g.clone(), 0.0, False, True, "none", 0)
    if method == "dense" or (method == "auto" and n <= DENSE):
        u, singular = dense(forward, g)
        return _judged(u, forward, g, tol, "dense", back, singular)
    if method == "auto":
        method = "cg" if symmetric else "gmres"
    if method in ("cg", "gmres"):
        u = (cg if method == "cg" else gmres)(forward, g, tol, limit)
        found = _judged(u, forward, g, tol, method, back)
        if found.ok:
            return found
    u, flat = normal(forward, back, g, tol, 2 * limit)
    return _judged(u, forward, g, tol, "normal", back, flat)


def _judged(
    u: Tensor, forward: Counted, g: Tensor, tol: float, method: str, back: Counted, singular: bool = False
) -> Solved:
    u = torch.where(torch.isfinite(u), u, 0.0)
    size = norm(g)
    left = float((norm(forward(u) - g) / torch.where(size > 0, size, 1.0)).max())
    allowed = max(10 * tol, 1e3 * torch.finfo(g.dtype).eps)
    return Solved(u, left, singular and not left <= allowed, left <= allowed, method, forward.calls + back.calls)


def dense(apply: Product, g: Tensor) -> tuple[Tensor, bool]:
    """u, and whether some M is singular to working precision; there u is the least-squares solution of least norm."""
    n = g.shape[-1]
    basis = torch.eye(n, dtype=g.dtype, device=g.device)
    columns = [apply(e.expand_as(g).contiguous()) for e in basis]
    matrix = torch.stack(columns, dim=-1)
    inverse, info = torch.linalg.inv_ex(matrix)
    condition = torch.linalg.matrix_norm(matrix, 1) * torch.linalg.matrix_norm(inverse, 1)
    limit = torch.finfo(g.dtype).eps ** -0.85
    if bool(torch.all((info == 0) & (condition <= limit))):
        u = (inverse @ g[..., None])[..., 0]
        return u + (inverse @ (g - (matrix @ u[..., None])[..., 0])[..., None])[..., 0], False
    if not bool(torch.isfinite(matrix).all()):
        return torch.full_like(g, torch.nan), True
    return (torch.linalg.pinv(matrix, rtol=1 / limit) @ g[..., None])[..., 0], True


def _done(left: Tensor, target: Tensor, iteration: int) -> bool:
    if left.device.type != "cpu" and iteration % WAIT:
        return False
    return bool(torch.all(left <= target))


def cg(apply: Product, g: Tensor, tol: float, limit: int) -> Tensor:
    """Conjugate gradients from 0. A row whose M shows a direction without curvature stops there."""
    u, r = torch.zeros_like(g), g.clone()
    p, square = r.clone(), dot(r, r)
    target = (tol * norm(g)) ** 2
    for iteration in range(limit):
        if _done(square, target, iteration):
            break
        image = apply(p)
        curvature = dot(p, image)
        moving = (curvature > 0) & (square > target)
        length = torch.where(moving, square / torch.where(moving, curvature, 1.0), 0.0)
        u, r = u + length * p, r - length * image
        new = torch.where(moving, dot(r, r), square)
        if not bool(torch.any(moving)):
            break
        p = torch.where(moving, r + (new / torch.where(square > 0, square, 1.0)) * p, p)
        square = new
    return u


def normal(apply: Product, adjoint: Product, g: Tensor, tol: float, limit: int) -> tuple[Tensor, bool]:
    """CGLS from 0, and whether it ended with M'(M u - g) = 0 but M u - g not: then M is singular."""
    u, r = torch.zeros_like(g), g.clone()
    s = adjoint(r)
    p, square = s.clone(), dot(s, s)
    size, first = norm(g), square.clone()
    eps = torch.finfo(g.dtype).eps
    for iteration in range(limit):
        # ||M'r|| <= tol ||M|| ||r||, with ||M'g|| / ||g|| for ||M||
        flat = square <= (tol**2) * first * dot(r, r) / torch.where(size > 0, size, 1.0) ** 2
        settled = (norm(r) <= tol * size) | flat | (square <= (eps**2) * first)
        if _done(torch.where(settled, 0.0, 1.0), torch.zeros_like(size), iteration):
            break
        image = apply(p)
        curvature = dot(image, image)
        moving = (curvature > 0) & ~settled
        length = torch.where(moving, square / torch.where(moving, curvature, 1.0), 0.0)
        u, r = u + length * p, r - length * image
        s = adjoint(r)
        new = torch.where(moving, dot(s, s), square)
        if not bool(torch.any(moving)):
            break
        p = torch.where(moving, s + (new / torch.where(square > 0, square, 1.0)) * p, p)
        square = new
    stuck = norm(r) > 10 * tol * size
    flat = dot(adjoint(r), adjoint(r)) <= 1e-6 * first * dot(r, r) / torch.where(size > 0, size, 1.0) ** 2
    return u, bool(torch.any(stuck & flat))


def gmres(apply: Product, g: Tensor, tol: float, limit: int) -> Tensor:
    """Restarted GMRES from 0, Arnoldi with Gram-Schmidt done twice; the small problems by a batched least squares."""
    u = torch.zeros_like(g)
    restart = min(RESTART, g.shape[-1], limit)
    target = tol * norm(g)
    done, previous = 0, None
    while done < limit:
        r = g - apply(u)
        left = norm(r)
        if bool(torch.all(left <= target)) or (previous is not None and bool(torch.all(left > 0.999 * previous))):
            break
        previous = left
        change, used = _cycle(apply, r, left, target, restart)
        u, done = u + change, done + used
    return u


def _cycle(apply: Product, r: Tensor, size: Tensor, target: Tensor, restart: int) -> tuple[Tensor, int]:
    """The best change of u in a Krylov space of at most `restart` dimensions, and their number."""
    basis = [r / torch.where(size > 0, size, 1.0)]
    hessenberg = r.new_zeros((*r.shape[:-1], restart + 1, restart))
    first = r.new_zeros((*r.shape[:-1], restart + 1))
    first[..., 0] = size[..., 0]
    for k in range(restart):
        w = apply(basis[k])
        scale = norm(w)
        for _ in range(2):
            for i, v in enumerate(basis):
                overlap = dot(v, w)
                hessenberg[..., i, k] += overlap[..., 0]
                w = w - overlap * v
        length = norm(w)
        alive = length > 1e-14 * scale
        hessenberg[..., k + 1, k] = torch.where(alive, length, 0.0)[..., 0]
        basis.append(torch.where(alive, w / torch.where(alive, length, 1.0), 0.0))
        y, left = _small(hessenberg[..., : k + 2, : k + 1], first[..., : k + 2])
        if k == restart - 1 or not bool(torch.any(alive)) or _done(left, target, k):
            break
    space = torch.stack(basis[: k + 1], dim=-1)
    return (space @ y[..., None])[..., 0], k + 1


def _small(hessenberg: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
    """argmin ||first - H y|| and its value, rows by rows; directions that H does not move are left out."""
    y = (torch.linalg.pinv(hessenberg, rtol=1e-14) @ first[..., None])[..., 0]
    return y, norm(first - (hessenberg @ y[..., None])[..., 0])
