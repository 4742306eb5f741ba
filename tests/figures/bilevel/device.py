"""An iteration of bilevel methods on the CPU and on a GPU: where the functions are large enough for a device.

The functions and their derivatives run on the device; vectors, projections and linear algebra of rows stay on the CPU,
and go there and back at each call. Milliseconds an iteration, the first two left out; the CPU with one thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import solverkit as sk
from solverkit.kinds.bilevel.build import bilevel

CASES = (
    ("lv-hba", "svm-breast-cancer", 10),
    ("bo-rep", "digits-representation", 40),
    ("bsvrb", "multi-task-blocks-500", 20),
    ("implicit-gradient", "digits-cleaning-50", 6),
    ("bo-rep", "made", 10),
)
SIZES = {"N": 20_000, "D": 500, "K": 10}


def made() -> Any:
    """Hyper-cleaning of 20,000 rows with 500 columns and ten classes."""
    rng = np.random.default_rng(0)
    n, d, k = SIZES["N"], SIZES["D"], SIZES["K"]
    A = rng.standard_normal((n, d)) / np.sqrt(d)
    Y = np.eye(k)[rng.integers(0, k, n)]
    loss = "mean(sigmoid(x)*(log(sum(exp(A @ W), 1)) - sum(Y*(A @ W), 1))) + 1e-3*normsq(W)"
    clean = "mean(log(sum(exp(B @ W), 1)) - sum(Z*(B @ W), 1))"
    return bilevel(
        {"variables": {"x": {"shape": n}}, "minimize": clean, "samples": ["B", "Z"]},
        {"variables": {"W": {"shape": [d, k]}}, "minimize": loss, "samples": ["A", "Y", "x"]},
        data={"A": A, "Y": Y, "B": A[: n // 4], "Z": Y[: n // 4]},
    )


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print("| problem | method | " + " | ".join(f"{device}, ms" for device in devices) + " |")
    print("|---|---|" + "---|" * len(devices))
    for method, name, steps in CASES:
        problem = made() if name == "made" else sk.load(f"problems/bilevel/{name}/problem.yaml")
        cells = [f"{1e3 * _seconds(problem, method, device, steps):.1f}" for device in devices]
        print(f"| {name} | {method} | " + " | ".join(cells) + " |", flush=True)


def _seconds(problem: Any, method: str, device: str, steps: int) -> float:
    """Of one iteration: the difference of two runs, after one that warms up."""
    _, few, many = (sk.solve(problem, method, device=device, max_iter=count) for count in (2, 2, 2 + steps))
    return (many.timing["solve"] - few.timing["solve"]) / (many.nit - few.nit)
