"""Monotone inclusions: equilibria, saddle points, variational inequalities, games and linear programs in one form.

    find u with 0 in F(u) + G(u),   F = (1 / n) sum_i F_i monotone,   G maximally monotone with a cheap resolvent

u stacks the named blocks in the order of the file, each ravelled in C order. There is no objective in general; games,
saddle problems and linear programs have a value. Where F is bilinear, F(x, y) = (c + A y, b - A'x), the first block
is x and the second y, and `bilinear` holds A, b and c.

| here | paper (arXiv 2310.02987) | meaning |
|---|---|---|
| operator | F | the single-valued part |
| components | F_i | its terms, sampled |
| resolvent | J_{eta G} | the set-valued part |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from solverkit.errors import UsageError
from solverkit.kinds.base import Block, Point, Problem, Weighted, flat_vector, named_blocks
from solverkit.kinds.inclusion.operator import Bilinear, is_bilinear

if TYPE_CHECKING:
    from solverkit.kinds.inclusion.operator import Operator
    from solverkit.kinds.inclusion.structure import Structure
    from solverkit.operators.proximal import ProximalMap


def _batch(u: np.ndarray, samples: np.ndarray) -> int:
    return len(samples)


@dataclass(frozen=True, eq=False)
class Inclusion(Problem):
    """An immutable monotone inclusion; see the module for the form."""

    kind: ClassVar[str] = "inclusion"
    oracles: ClassVar[Mapping[str, str | Weighted]] = {
        "operator": "nop",
        "components": Weighted("ncomp", _batch),
        "resolvent": "nprox",
        "forward": "nmul",
        "adjoint": "nmul",
    }

    name: str
    variables: tuple[Block, ...]
    part: Operator  # F
    sets: tuple[ProximalMap, ...]  # G, block by block: normal cones of simple sets, or subdifferentials
    form: str = "operator"  # game, sequence-form, linear-program, saddle, finite-sum or operator
    structure: Structure | None = None  # what a game or a linear program is beyond F and G: value, exact gap
    monotone: bool = True  # what the author says of F; probed where it is not proven
    expect: Mapping[str, Any] = field(default_factory=dict)

    # -- sizes and blocks

    @property
    def size(self) -> int:
        """Length of u."""
        return self.part.size

    @property
    def count(self) -> int:
        """n, how many components F has; 1 where it is not a sum. One call of `operator` does the work of n of them."""
        return self.part.count

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each block lies in u."""
        ends = accumulate((block.size for block in self.variables), initial=0)
        return tuple(slice(start, end) for start, end in pairwise(ends))

    def flat(self, point: Point) -> np.ndarray:
        """u of a point, float64. KeyError names a missing block, ValueError one of a wrong shape."""
        return flat_vector(self.variables, point, self.name)

    def blocks(self, u: np.ndarray) -> Point:
        """Named blocks of u: the inverse of `flat`, copies."""
        return named_blocks(self.variables, u)

    @cached_property
    def bilinear(self) -> Bilinear | None:
        """F where it is bilinear; None elsewhere."""
        return self.part if is_bilinear(self.part) else None

    # -- oracles

    def operator(self, u: np.ndarray) -> np.ndarray:
        """F(u), (N,)."""
        return self.part.value(u)

    def components(self, u: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """An unbiased estimate of F(u) from some components, drawn by `part.weights`; see `Operator.components`."""
        return self.part.components(u, samples)

    def resolvent(self, u: np.ndarray, step: float | np.ndarray) -> np.ndarray:
        """J_{step G}(u), (N,); `step` a number, or one for each block (as many as `sets`)."""
        steps = np.broadcast_to(step, len(self.sets))
        return np.concatenate(
            [part.prox(u[place], float(s)) for part, place, s in zip(self.sets, self.slices, steps, strict=True)]
        )

    def forward(self, y: np.ndarray) -> np.ndarray:
        """A y, (p,)."""
        return self._matrix @ y

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        """A'x, (q,)."""
        return self._matrix.T @ x

    @property
    def _matrix(self) -> Any:
        if self.bilinear is None:
            raise UsageError(f"the operator of {self.name!r} is not bilinear")
        return self.bilinear.matrix

    # -- the common protocol

    @cached_property
    def provides(self) -> frozenset[str]:
        """`resolvent` always; `bilinear`, `finite-sum`, `cocoercive`, `lipschitz`, `monotone`, `game` (on simplices),
        `sequence-form`, `linear-program`."""
        flags = {
            "resolvent": True,
            "bilinear": self.bilinear is not None,
            "finite-sum": self.count > 1,
            "cocoercive": self.part.cocoercive,
            "lipschitz": self.part.lipschitz is not None,
            "monotone": self.monotone,
            "game": self.form == "game",
            "sequence-form": self.form == "sequence-form",
            "linear-program": self.form == "linear-program",
        }
        return frozenset(name for name, holds in flags.items() if holds)

    def start(self, rng: np.random.Generator) -> Point:
        """The start of the file, whatever the seed."""
        return {block.name: block.start.copy() for block in self.variables}

    def objective(self, point: Point) -> float:
        """The value of a game, a saddle problem or a linear program at a point; NaN for other forms."""
        if self.structure is not None:
            return self.structure.value(self.flat(point))
        payoff = getattr(self.part, "payoff", None)
        return float("nan") if payoff is None else float(payoff(self.flat(point)))

    @property
    def oracle_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """All but those of the products with A."""
        return dict.fromkeys(("operator", "components", "resolvent"), (self.size,))

    @property
    def expected(self) -> Mapping[str, Any]:
        """The file's `expect:` section."""
        return self.expect

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(f"inclusion 1 {self.form}".encode())
        for block, part in zip(self.variables, self.sets, strict=True):
            digest.update(repr((block.name, block.shape, part.digest())).encode())
            digest.update(np.ascontiguousarray(block.start, dtype=float).tobytes())
        digest.update(self.part.digest().encode())
        if self.structure is not None:
            digest.update(self.structure.digest().encode())
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """Hex sha256 of blocks, operator and sets."""
        return self._fingerprint

    def to(self, device: str, dtype: str) -> Inclusion:
        """The operator on another device or in another precision; sets take what they are given."""
        part = self.part.to(device, dtype)
        return self if part is self.part else replace(self, part=part)
