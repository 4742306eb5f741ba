"""What a step of bo-rep costs beside a torch loop written by hand: oracles, driver, both; batches of 64."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from solverkit.engine.counting import Ledger, counted
from solverkit.engine.driver import run
from solverkit.kinds.base import Certificate, Point
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.registry import registry
from solverkit_bilevel.bo_rep.method import BORep
from solverkit_bilevel.bo_rep.options import BORepOptions
from tests.figures.bilevel._tail import quiet

SAMPLES, FEATURES, BATCH, INNER, BLOCK, BLOCKS, REPEATS = 2000, 200, 64, 3, 20, 10, 5
STEPS = {"eta": 1e-3, "gamma": 0.1, "nu": 0.1}


def arrays() -> dict[str, np.ndarray]:
    """Two halves of a logistic regression."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=FEATURES) / np.sqrt(FEATURES)
    A, V = rng.normal(size=(2, SAMPLES, FEATURES))
    return {"A": A, "s": np.sign(A @ truth), "V": V, "t": np.sign(V @ truth)}


def problem(data: dict[str, np.ndarray]) -> Bilevel:
    """One logarithmic ridge weight a feature, in torch functions."""

    def upper(x, y, V, t):
        return torch.nn.functional.softplus(-t * (V @ y)).mean() + 1e-3 * (x**2).sum()

    def lower(x, y, A, s):
        return torch.nn.functional.softplus(-s * (A @ y)).mean() + 0.5 * (torch.exp(x) * y**2).sum()

    return bilevel(
        upper={"variables": {"x": {"shape": FEATURES, "start": -3.0}}, "minimize": upper, "samples": ["V", "t"]},
        lower={"variables": {"y": {"shape": FEATURES}}, "minimize": lower, "samples": ["A", "s"]},
        data=data,
    )


def by_hand(data: dict[str, np.ndarray], steps: int) -> float:
    """Milliseconds a step of x of the same algorithm, tensors throughout."""
    A, s, V, t = (torch.from_numpy(data[name]) for name in ("A", "s", "V", "t"))
    x, y = torch.full((FEATURES,), -3.0, dtype=torch.float64), torch.zeros(FEATURES, dtype=torch.float64)
    z, m, rng = torch.zeros_like(y), torch.zeros_like(x), np.random.default_rng(0)

    def rows() -> torch.Tensor:
        return torch.from_numpy(rng.integers(SAMPLES, size=BATCH))

    def lower(x: torch.Tensor, y: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.softplus(-s[at] * (A[at] @ y)).mean() + 0.5 * (torch.exp(x) * y**2).sum()

    begin = time.perf_counter()
    for k in range(steps):
        old = y
        if k and k % 2 == 0:
            center, total = y, torch.zeros_like(y)
            for _ in range(INNER):
                v = y.detach().requires_grad_()
                offset = v.detach() - STEPS["gamma"] * torch.autograd.grad(lower(x, v, rows()), v)[0] - center
                length = offset.norm()
                y = center + offset * torch.clamp(1.0 / length, max=1.0)
                total = total + y
            y = total / INNER
        u, v, at = x.detach().requires_grad_(), old.detach().requires_grad_(), rows()
        value = torch.nn.functional.softplus(-t[at] * (V[at] @ v)).mean() + 1e-3 * (u**2).sum()
        fx, fy = torch.autograd.grad(value, (u, v))
        gy = torch.autograd.grad(lower(u, v, rows()), v, create_graph=True)[0]
        across, bent = torch.autograd.grad(gy, (u, v), grad_outputs=z)
        m = 0.9 * m + 0.1 * (fx - across)
        z = z - STEPS["nu"] * (bent - fy)
        x = x - STEPS["eta"] * m / (m.norm() + 1e-10)
    return 1e3 * (time.perf_counter() - begin) / steps


def options() -> dict[str, object]:
    """The same algorithm."""
    same = {"mode": "paper", "interval": 2, "lower_steps": INNER, "batch": BATCH, "radius": 1.0, "refine": False}
    return {**same, **STEPS, "block": BLOCK}


def bare(given: Bilevel) -> float:
    """Milliseconds a step of x, counted oracles, without the driver."""
    solver, ctx, proxy = BORep(BORepOptions(**options())), quiet(), counted(given, Ledger())
    state, marks = solver.init(proxy, given.start(ctx.rng), ctx), []
    for _ in range(BLOCKS):
        begin = time.perf_counter()
        state = solver.step(proxy, state, ctx)
        marks.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(marks) / BLOCK


class Unjudged:
    """In the place of the kind: certificates are not what is timed."""

    def certify(self, problem: Bilevel, point: Point, tol: float, seed: int) -> Certificate:
        """No verdict."""
        return Certificate((), unverified="not asked for")


def driven(given: Bilevel) -> float:
    """Milliseconds a step of x, from one step's end to the next under the driver."""
    marks: list[float] = []

    def mark(intermediate_result: object) -> None:
        marks.append(time.perf_counter())
        if len(marks) == BLOCKS:
            raise StopIteration

    run(given, registry.method("bo-rep"), BORep(BORepOptions(**options())), Unjudged(), callback=mark)
    return 1e3 * statistics.median(np.diff(marks)) / BLOCK


def main() -> None:
    data = arrays()
    given = problem(data)
    rows = [(by_hand(data, BLOCK * BLOCKS), bare(given), driven(given)) for _ in range(REPEATS)]
    hand, loop, driver = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{SAMPLES} samples, {FEATURES} features, batch {BATCH}, I = 2, N = {INNER}; ms a step of x, medians")
    print(f"torch by hand {hand:.3f}; bo-rep without driver {loop:.3f} ({loop / hand - 1:+.0%})", end="; ")
    print(f"with driver {driver:.3f} ({driver / loop - 1:+.1%} more)")
