"""Products with a matrix where the problem's own oracles are not the fastest way; each is counted by `charge`.

`SingleProducts`: a float32 copy of a dense matrix, half the memory traffic of a product that is nothing else. The
iteration tolerates errors of 1e-7 relative; its claims do not rest on them, since each is recomputed in double by the
problem's own oracles.

`DeviceProducts`: a dense or sparse matrix on a device, by torch. Vectors go there and back with each product: an
iteration waits for the device twice. Batches (`batch.solve_games`) do not wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

REACH = 1e-15  # of entries that float32 holds with room for those that are much smaller

Charge = Callable[[str, int], None]


class SingleProducts:
    """A y and A'x from a float32 copy of A, counted as products by `charge`."""

    def __init__(self, matrix: np.ndarray, charge: Charge) -> None:
        largest = max(float(matrix.max(initial=0.0)), -float(matrix.min(initial=0.0)))
        within = largest == 0 or REACH < largest < 1 / REACH
        self._unit = 1.0 if within else 2.0 ** float(np.floor(np.log2(largest)))
        self._matrix = np.asarray(matrix if within else matrix / self._unit, dtype=np.float32)
        self._charge = charge

    def forward(self, y: np.ndarray) -> np.ndarray:
        """A y, (p,), in float64."""
        self._charge("nmul", 1)
        return self._unit * (self._matrix @ y.astype(np.float32)).astype(float)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        """A'x, (q,), in float64."""
        self._charge("nmul", 1)
        return self._unit * (self._matrix.T @ x.astype(np.float32)).astype(float)


class DeviceProducts:
    """A y and A'x by torch on a device, float64."""

    def __init__(self, matrix: Any, device: str, charge: Charge) -> None:
        import torch

        self._torch, self._device, self._charge = torch, device, charge
        self._across = self._tensor(matrix)
        self._along = self._tensor(csr_array(matrix.T)) if issparse(matrix) else self._across.T

    def _tensor(self, matrix: Any) -> Any:
        torch = self._torch
        if not issparse(matrix):
            return torch.as_tensor(np.ascontiguousarray(matrix), dtype=torch.float64, device=self._device)
        from solverkit.operators.torch_csr import csr_tensor

        return csr_tensor(csr_array(matrix), self._device, torch.float64)

    def forward(self, y: np.ndarray) -> np.ndarray:
        """A y, (p,)."""
        return self._product(self._across, y)

    def adjoint(self, x: np.ndarray) -> np.ndarray:
        """A'x, (q,)."""
        return self._product(self._along, x)

    def _product(self, A: Any, v: np.ndarray) -> np.ndarray:
        self._charge("nmul", 1)
        return (A @ self._torch.as_tensor(v, device=self._device)).cpu().numpy()
