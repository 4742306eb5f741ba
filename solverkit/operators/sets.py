"""Simple sets: closed, convex, with a cheap Euclidean projection.

| set | definition | projection |
|---|---|---|
| Free | R^n | identity |
| Box | lower <= v <= upper | clip |
| Ball | ||v - center||_2 <= radius | scale |
| Simplex | v >= 0, sum v = total | sort and threshold, O(n log n) |
| Affine | A v = b | one factorization, then two triangular solves |
| Polyhedron | lower <= A v <= upper | quadratic program, warm started |
| Product | one set a slice | one by one |

`Affine` and `Polyhedron` live in `polyhedra.py`; all of them can be imported from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from solverkit.operators.quadratic import Linear, SquaredDistance, Stacked, array_digest, shifted

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from solverkit.expressions.function import Function
    from solverkit.operators.polyhedra import Affine, Polyhedron

__all__ = ["Affine", "Ball", "Box", "Free", "Polyhedron", "Product", "SimpleSet", "Simplex"]


class SimpleSet(ABC):
    """A closed convex set in R^n."""

    @abstractmethod
    def project(self, v: np.ndarray) -> np.ndarray:
        """The nearest point of the set, (n,); a new array."""

    @abstractmethod
    def violation(self, v: np.ndarray) -> float:
        """How far v breaks the defining inequalities, in the infinity norm; 0 inside."""

    @abstractmethod
    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray] | None:
        """(A, lower, upper) with the set equal to { v in R^n : lower <= A v <= upper }; None for a curved set."""

    @abstractmethod
    def digest(self) -> str:
        """A text that is equal for equal sets: part of a problem's fingerprint."""

    def rows(self, n: int) -> tuple[Function, np.ndarray, np.ndarray]:
        """(r, lower, upper) with the set equal to { v in R^n : lower <= r(v) <= upper }, r smooth, curved sets too."""
        description = self.affine(n)
        if description is None:
            raise NotImplementedError(f"{type(self).__name__} is curved and must say its rows")
        matrix, lower, upper = description
        return Linear(matrix), lower, upper


class Free(SimpleSet):
    """All of R^n."""

    def project(self, v: np.ndarray) -> np.ndarray:
        return v.copy()

    def violation(self, v: np.ndarray) -> float:
        return 0.0

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        from scipy.sparse import csr_array

        return csr_array((0, n)), np.zeros(0), np.zeros(0)

    def digest(self) -> str:
        return "free"


class Box(SimpleSet):
    """lower <= v <= upper; numbers or arrays, infinite where a side is open. ValueError where the box is empty."""

    def __init__(self, lower: Any, upper: Any) -> None:
        self.lower = np.asarray(lower, dtype=float)
        self.upper = np.asarray(upper, dtype=float)
        if np.any(np.isnan(self.lower)) or np.any(np.isnan(self.upper)) or np.any(self.lower > self.upper):
            raise ValueError("a box needs lower <= upper in every coordinate")
        if np.any(self.lower == np.inf) or np.any(self.upper == -np.inf):
            raise ValueError("a box needs lower < inf and upper > -inf")

    def project(self, v: np.ndarray) -> np.ndarray:
        return np.clip(v, self.lower, self.upper)

    def violation(self, v: np.ndarray) -> float:
        excess = np.maximum(self.lower - v, v - self.upper)
        return float(np.maximum(excess, 0.0).max(initial=0.0)) if not np.isnan(excess).any() else float("nan")

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        from scipy.sparse import csr_array, eye_array

        lower, upper = np.broadcast_to(self.lower, n), np.broadcast_to(self.upper, n)
        bounded = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
        return csr_array(eye_array(n, format="csr")[bounded]), lower[bounded].copy(), upper[bounded].copy()

    def digest(self) -> str:
        return f"box {array_digest(self.lower, self.upper)}"


class Ball(SimpleSet):
    """||v - center||_2 <= radius, radius >= 0."""

    def __init__(self, center: Any, radius: float) -> None:
        self.center = np.asarray(center, dtype=float)
        self.radius = float(radius)
        if not (self.radius >= 0 and np.isfinite(self.radius) and np.all(np.isfinite(self.center))):
            raise ValueError(f"a ball needs a finite center and a radius >= 0, not {radius}")

    def project(self, v: np.ndarray) -> np.ndarray:
        offset = v - self.center
        length = float(np.linalg.norm(offset))
        if length <= self.radius:
            return v.copy()
        return self.center + offset * (self.radius / length)

    def violation(self, v: np.ndarray) -> float:
        length = float(np.linalg.norm(v - self.center))
        return max(length - self.radius, 0.0) if np.isfinite(length) else float("nan")

    def affine(self, n: int) -> None:
        return None

    def rows(self, n: int) -> tuple[Function, np.ndarray, np.ndarray]:
        """||v - center||^2 <= radius^2; v = center row by row for radius 0, where the gradient would vanish."""
        center = np.broadcast_to(self.center, n).copy()
        if self.radius == 0:
            from scipy.sparse import csr_array, eye_array

            return Linear(csr_array(eye_array(n))), center, center
        return SquaredDistance(center), np.array([-np.inf]), np.array([self.radius**2])

    def digest(self) -> str:
        return f"ball {array_digest(self.center, np.array([self.radius]))}"


class Simplex(SimpleSet):
    """v >= 0, sum v = total, total >= 0, in R^n.

    Projection: v - theta clipped at 0, theta from the sorted v (Held, Wolfe, Crowder 1974).
    """

    def __init__(self, total: float, n: int) -> None:
        self.total, self.n = float(total), int(n)
        if not (self.total >= 0 and np.isfinite(self.total)) or self.n < 1:
            raise ValueError(f"a simplex needs total >= 0 and n >= 1, not total {total}, n {n}")

    def project(self, v: np.ndarray) -> np.ndarray:
        if self.total == 0:
            return np.zeros_like(v)
        top = v.max()
        offset = v - top  # the projection does not change under v + c, and large v would lose the total
        ordered = np.sort(offset)[::-1]
        theta = (np.cumsum(ordered) - self.total) / np.arange(1, len(v) + 1)
        last = np.flatnonzero(ordered > theta)[-1]
        return np.maximum(offset - theta[last], 0.0)

    def violation(self, v: np.ndarray) -> float:
        return float(np.max([0.0, -v.min(), abs(v.sum() - self.total)])) if np.isfinite(v).all() else float("nan")

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray]:
        from scipy.sparse import csr_array, eye_array, vstack

        if n != self.n:
            raise ValueError(f"a simplex in R^{self.n} cannot hold vectors of length {n}")
        matrix = csr_array(vstack([eye_array(n), csr_array(np.ones((1, n)))]))
        lower = np.append(np.zeros(n), self.total)
        return matrix, lower, np.append(np.full(n, np.inf), self.total)

    def digest(self) -> str:
        return f"simplex {array_digest(np.array([self.total, self.n]))}"


class Product(SimpleSet):
    """One set a slice: v[slice_i] in set_i. Slices are disjoint `slice(start, stop)`; the rest of v is free."""

    def __init__(self, parts: Sequence[tuple[slice, SimpleSet]]) -> None:
        self.parts = tuple(sorted(parts, key=lambda part: part[0].start))
        for at, _ in self.parts:
            if at.start is None or at.stop is None or at.step not in (None, 1) or not 0 <= at.start <= at.stop:
                raise ValueError(f"a product needs slices with 0 <= start <= stop and no step, not {at}")
        for (one, _), (two, _) in zip(self.parts, self.parts[1:], strict=False):
            if two.start < one.stop:
                raise ValueError(f"the slices {one} and {two} overlap")

    def project(self, v: np.ndarray) -> np.ndarray:
        out = v.copy()
        for at, part in self.parts:
            out[at] = part.project(v[at])
        return out

    def violation(self, v: np.ndarray) -> float:
        return float(np.max([0.0, *(part.violation(v[at]) for at, part in self.parts)]))

    def affine(self, n: int) -> tuple[csr_array, np.ndarray, np.ndarray] | None:
        from scipy.sparse import csr_array, vstack

        matrices, lowers, uppers = [csr_array((0, n))], [np.zeros(0)], [np.zeros(0)]
        for at, part in self.parts:
            description = part.affine(at.stop - at.start)
            if description is None:
                return None
            matrices.append(shifted(description[0], at.start, n))
            lowers.append(description[1])
            uppers.append(description[2])
        return csr_array(vstack(matrices)), np.concatenate(lowers), np.concatenate(uppers)

    def rows(self, n: int) -> tuple[Function, np.ndarray, np.ndarray]:
        """The rows of the parts, one part after the other."""
        parts, lowers, uppers = [], [np.zeros(0)], [np.zeros(0)]
        for at, part in self.parts:
            function, lower, upper = part.rows(at.stop - at.start)
            parts.append((at, function))
            lowers.append(lower)
            uppers.append(upper)
        return Stacked(parts, n), np.concatenate(lowers), np.concatenate(uppers)

    def digest(self) -> str:
        return "product " + ";".join(f"{at.start}:{at.stop} {part.digest()}" for at, part in self.parts)


def __getattr__(name: str) -> Any:
    # The two that need a factorization or a solver are loaded when they are asked for.
    if name in ("Affine", "Polyhedron"):
        from solverkit.operators import polyhedra

        return getattr(polyhedra, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
