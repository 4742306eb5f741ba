"""The three oracles of a stochastic bilevel method, each with minibatches of its own.

| here | paper (arXiv 2401.09587) | draws |
|---|---|---|
| upper_gradient | grad F(.; xi) | xi |
| lower_gradient | grad G(.; zeta) | zeta |
| lower_products | second derivatives of G(.; zeta') | zeta' |

An objective without samples, or all of them where samples are not asked for, is used whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.operators.sampling import Sampler
from solverkit_bilevel.hypergradient.products import Product, lower_products


@dataclass
class Batches:
    """The samplers of the three oracles, part of a method's state; None for an oracle that is used whole."""

    upper: Sampler | None = None  # xi
    lower: Sampler | None = None  # zeta
    second: Sampler | None = None  # zeta'

    @classmethod
    def of(cls, problem: Bilevel, size: int, independent: bool = False) -> Batches:
        """Minibatches of `size` wherever the problem has samples."""
        sampler = [Sampler(count, size, independent) if count else None for count in _counts(problem)]
        return cls(*sampler)


@dataclass(frozen=True)
class Oracles:
    """One run's oracles: what to draw, and from where."""

    batches: Batches
    rng: np.random.Generator

    def upper_gradient(self, problem: Bilevel, z: np.ndarray) -> np.ndarray:
        """grad F at z, (n + m,)."""
        sampler = self.batches.upper
        return problem.upper_gradient(z) if sampler is None else problem.upper_batch_gradient(z, sampler.draw(self.rng))

    def lower_gradient(self, problem: Bilevel, z: np.ndarray) -> np.ndarray:
        """grad f at z, (n + m,)."""
        sampler = self.batches.lower
        return problem.lower_gradient(z) if sampler is None else problem.lower_batch_gradient(z, sampler.draw(self.rng))

    def lower_products(self, problem: Bilevel, z: np.ndarray) -> Product:
        """Both blocks of the Hessian of f at z, all products on one batch."""
        sampler = self.batches.second
        return lower_products(problem, z, None if sampler is None else sampler.draw(self.rng))


def _counts(problem: Bilevel) -> tuple[int, int, int]:
    return problem.upper_samples, problem.lower_samples, problem.lower_samples
