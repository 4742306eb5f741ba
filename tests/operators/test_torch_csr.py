"""CSR tensors are their matrices, and say nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array, random_array

from solverkit.operators.torch_csr import csr_tensor


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.float64])
def test_a_tensor_is_its_matrix(dtype):
    matrix = csr_array(random_array((7, 4), density=0.4, rng=np.random.default_rng(0)))
    tensor = csr_tensor(matrix, "cpu", dtype)
    assert tensor.dtype is (dtype or torch.float64)
    assert np.allclose(tensor.to_dense().numpy(), matrix.toarray(), rtol=1e-6)


def test_torchs_warning_is_not_the_users():
    script = (
        "import warnings; warnings.simplefilter('error')\n"
        "from scipy.sparse import eye_array\n"
        "from solverkit.operators.torch_csr import csr_tensor\n"
        "csr_tensor(eye_array(3).tocsr(), 'cpu')"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
