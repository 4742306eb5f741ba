"""Steps of bilinear problems on a device: batches of rows and columns gathered there, nothing waits in between.

What the compiled kernels do, by torch, with the sets' own projections: arrays go to the device once for each stretch
between two full evaluations, all its steps are queued, and the results come back at its end. Batches (Algorithm 1) fill
a device when b times n is large; steps of one sample (Algorithm 2) are bound by the time of a launch whatever n is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from solverkit.kinds.inclusion.problem import Inclusion
from solverkit.operators.proximal import Simplex
from solverkit_halpern.sampling.alias import AliasTable
from solverkit_halpern.sampling.compiled import Charge, centred, squares

Array = np.ndarray


def movable(problem: Inclusion) -> bool:
    """Whether this problem's arithmetic is on a device, and its matrix dense and bilinear."""
    part = problem.bilinear
    if part is None or len(problem.sets) != 2 or issparse(part.matrix):
        return False
    return getattr(part, "device", "cpu") != "cpu"


class DeviceComponents:
    """See `base.Components`. Charges `ncomp` and `nprox` as the compiled ones do."""

    compiled = True

    def __init__(
        self,
        problem: Inclusion,
        charge: Charge,
        *,
        importance: bool = True,
        centre: bool = True,
        device: str | None = None,
    ) -> None:
        import torch

        part = problem.bilinear
        assert part is not None
        self._torch, self._charge, self._problem = torch, charge, problem
        self.count = problem.count
        matrix = np.asarray(part.matrix)
        if centre and all(type(each) is Simplex for each in problem.sets):
            matrix = centred(matrix.astype(float)).astype(matrix.dtype)
        self._p, self._q = matrix.shape
        self._place: dict[str, Any] = {
            "device": device or getattr(part, "device", "cpu"),
            "dtype": torch.float64 if matrix.dtype == np.float64 else torch.float32,
        }
        self._A = torch.as_tensor(matrix, **self._place)
        self._transposed = self._A.T.contiguous()
        rows, columns = squares(matrix.astype(float))
        weights = (rows, columns) if importance and rows.sum() > 0 else (np.ones(self._p), np.ones(self._q))
        self._tables = tuple(AliasTable.of(each) for each in weights)
        scales = [np.divide(w.sum(), w, out=np.zeros_like(w), where=w > 0) for w in weights]
        self._scales = [torch.as_tensor(scale, **self._place) for scale in scales]
        self.mean_lipschitz: float | None = float(np.sqrt(max((rows * scales[0]).max(), (columns * scales[1]).max())))

    def draw(self, rng: np.random.Generator, steps: int, batch: int) -> Array:
        """Pairs (steps, batch, 2)."""
        return np.stack([table.draw(rng, (steps, batch)) for table in self._tables], axis=-1)

    def _up(self, *arrays: Array) -> list[Any]:
        return [self._torch.as_tensor(array).to(**self._place) for array in arrays]

    def _pairs(self, samples: Array) -> Any:
        return self._torch.as_tensor(samples).to(self._place["device"])

    def _difference(self, u: Any, v: Any, pairs: Any) -> Any:
        """(1 / b) sum of differences over n q_i, (p + q,)."""
        p, (i, j) = self._p, pairs.unbind(-1)
        move = (u - v) / len(pairs)
        ahead = (self._scales[1][j] * move[p:][j]) @ self._transposed.index_select(0, j)
        back = (self._scales[0][i] * move[:p][i]) @ self._A.index_select(0, i)
        return self._torch.cat([ahead, -back])

    def _project(self, z: Any, step: float) -> Any:
        first, second = self._problem.sets
        return self._torch.cat([first.prox(z[: self._p], step), second.prox(z[self._p :], step)])

    def page(
        self, u: Array, previous: Array, estimate: Array, anchor: Array, step: float, anchoring: Array, samples: Array
    ) -> None:
        """Anchored steps with PAGE batches."""
        self._charge("ncomp", 2 * samples.shape[0] * samples.shape[1])
        self._charge("nprox", len(samples))
        at, old, g, start = self._up(u, previous, estimate, anchor)
        pairs = self._pairs(samples)
        for t, weight in enumerate(anchoring.tolist()):
            g = g + self._difference(at, old, pairs[t])
            old, at = at, self._project(weight * start + (1.0 - weight) * at - step * g, step)
        u[:], previous[:], estimate[:] = (part.cpu().numpy() for part in (at, old, g))

    def reflected(
        self,
        v: Array,
        w: Array,
        before: Array,
        base: Array,
        scale: float,
        pull: float,
        step: float,
        alpha: float,
        samples: Array,
    ) -> None:
        """Forward-reflected-backward steps."""
        self._charge("ncomp", 2 * len(samples))
        self._charge("nprox", len(samples))
        at, snapshot, old, constant = self._up(v, w, before, base)
        pairs = self._pairs(samples[:, :1])
        for t in range(len(samples)):
            change = scale * self._difference(at, old, pairs[t]) + pull * (at - old)
            at = self._project(alpha * at + (1.0 - alpha) * snapshot - step * (constant + change), step * scale)
            old = snapshot
        v[:] = at.cpu().numpy()

    def extragradient(
        self, v: Array, w: Array, base: Array, total: Array, step: float, alpha: float, samples: Array
    ) -> None:
        """Extragradient steps."""
        self._charge("ncomp", 2 * len(samples))
        self._charge("nprox", 2 * len(samples))
        at, snapshot, constant, halves = self._up(v, w, base, total)
        pairs = self._pairs(samples[:, :1])
        for t in range(len(samples)):
            middle = alpha * at + (1.0 - alpha) * snapshot
            half = self._project(middle - step * constant, step)
            at = self._project(middle - step * (constant + self._difference(half, snapshot, pairs[t])), step)
            halves = halves + half
        v[:], total[:] = at.cpu().numpy(), halves.cpu().numpy()
