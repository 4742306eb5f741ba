"""What a gradient of 64 samples costs beside a hand-written torch closure.

Hyper-cleaning: N = 200 weights x, softmax regression W (16, 5). The closures do the same work: rows gathered, loss,
autograd.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

N, D, K, BATCH, REPEATS = 200, 16, 5, 64, 600


def main() -> None:
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    data = {"A": rng.normal(size=(N, D)), "Y": np.eye(K)[rng.integers(0, K, N)]}
    z, samples = rng.normal(size=N + D * K), rng.integers(0, N, BATCH)
    expression, function = _problems(data)
    calls: dict[str, Callable[[], Any]] = {
        "closure over z, by hand": _closure(torch, data, z, samples),
        "closure over x and W, by hand": _blocks(torch, data, z, samples),
        "torch function": lambda: function.lower_batch_gradient(z, samples),
        "expression": lambda: expression.lower_batch_gradient(z, samples),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():  # in turns, so that a busy moment hits all
            begin = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begin)
    base = np.median(times["closure over z, by hand"])
    print(f"{'gradient of 64 samples':32} {'microseconds':>12} {'ratio':>6}")
    for name, found in times.items():
        print(f"{name:32} {1e6 * np.median(found):>12.0f} {np.median(found) / base:>6.2f}")


def _loss(torch: Any, x: Any, W: Any, A: Any, Y: Any) -> Any:
    scores = A @ W
    return (torch.sigmoid(x) * (torch.log(torch.exp(scores).sum(1)) - (Y * scores).sum(1))).mean() + 1e-3 * (W**2).sum()


def _problems(data: dict[str, np.ndarray]) -> tuple[Any, Any]:
    import torch

    from solverkit.kinds.bilevel.build import bilevel

    text = "mean(sigmoid(x)*(log(sum(exp(A @ W), 1)) - sum(Y*(A @ W), 1))) + 1e-3*normsq(W)"
    return tuple(  # type: ignore[return-value]
        bilevel(
            {"variables": {"x": {"shape": N}}, "minimize": "normsq(W)"},
            {"variables": {"W": {"shape": [D, K]}}, "minimize": lower, "samples": ["A", "Y", "x"]},
            data=data,
        )
        for lower in (text, lambda x, W, A, Y: _loss(torch, x, W, A, Y))
    )


def _closure(torch: Any, data: dict[str, np.ndarray], z: np.ndarray, samples: np.ndarray) -> Callable[[], Any]:
    A, Y = torch.tensor(data["A"]), torch.tensor(data["Y"])

    def call() -> np.ndarray:
        point, index = torch.tensor(z, requires_grad=True), torch.as_tensor(samples)
        value = _loss(torch, point[:N][index], point[N:].reshape(D, K), A[index], Y[index])
        return torch.autograd.grad(value, point)[0].numpy()

    return call


def _blocks(torch: Any, data: dict[str, np.ndarray], z: np.ndarray, samples: np.ndarray) -> Callable[[], Any]:
    A, Y = torch.tensor(data["A"]), torch.tensor(data["Y"])

    def call() -> np.ndarray:
        index = torch.as_tensor(samples)
        x, W = torch.tensor(z[:N][samples], requires_grad=True), torch.tensor(z[N:].reshape(D, K), requires_grad=True)
        dx, dW = torch.autograd.grad(_loss(torch, x, W, A[index], Y[index]), (x, W))
        gradient = np.zeros(len(z))
        np.add.at(gradient, samples, dx.numpy())
        gradient[N:] = dW.numpy().ravel()
        return gradient

    return call
