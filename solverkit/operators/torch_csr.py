"""Sparse matrices as torch's CSR tensors, without the warning that torch gives once a process: that they are new."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

with warnings.catch_warnings():  # as this module is imported, once, before any thread has use for such a tensor
    warnings.simplefilter("ignore", UserWarning)
    torch.sparse_csr_tensor(torch.tensor([0]), torch.tensor([], dtype=torch.int64), torch.tensor([]), size=(0, 0))


def csr_tensor(matrix: Any, device: str, dtype: torch.dtype | None = None) -> torch.Tensor:
    """A SciPy CSR matrix as a tensor on `device`; `dtype` None keeps that of its values."""
    rows, columns = (torch.as_tensor(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    values = torch.as_tensor(matrix.data, dtype=dtype)
    return torch.sparse_csr_tensor(rows, columns, values, size=matrix.shape, device=device)
