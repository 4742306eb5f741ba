"""bsvrb: cost of a step against m, and block evaluations to a hypergradient against |I|, beside full-batch descent."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from solverkit.engine.solver import Context
from solverkit.kinds.bilevel.build import bilevel
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit_bilevel.blocks.exact import read
from solverkit_bilevel.blocks.layout import Layout
from solverkit_bilevel.blocks.method import BSVRB
from solverkit_bilevel.blocks.options import BSVRBOptions
from solverkit_bilevel.penalty.exact import Exact
from solverkit_bilevel.penalty.projected import Domain, Walk

WIDTH, SAMPLES = 4, 6
TARGET = 0.2  # of the first hypergradient


def lower(c, u, y, A, b):  # type: ignore[no-untyped-def]
    """Ridge regressions with a shared centre c and shared log weights u."""
    fit = 0.5 * ((torch.einsum("mrk,mk->mr", A, y) - b) ** 2).mean()
    return fit + 0.5 * (torch.exp(u) * (y - c) ** 2).sum(1).mean()


def upper(c, u, y, A2, b2):  # type: ignore[no-untyped-def]
    """Their misfit on other samples."""
    fit = 0.5 * ((torch.einsum("mrk,mk->mr", A2, y) - b2) ** 2).mean()
    return fit + 0.005 * (c**2).sum() + 0.005 * (u**2).sum()


def tasks(m: int, seed: int = 0) -> Bilevel:
    """m tasks of WIDTH variables."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal(WIDTH) + 0.3 * rng.standard_normal((m, WIDTH))
    data = {}
    for name, label in (("A", "b"), ("A2", "b2")):
        data[name] = rng.standard_normal((m, SAMPLES, WIDTH))
        data[label] = np.einsum("mrk,mk->mr", data[name], weights) + 0.5 * rng.standard_normal((m, SAMPLES))
    return bilevel(
        upper={
            "variables": {"c": {"shape": WIDTH}, "u": {"shape": WIDTH, "start": -1, "lower": -6, "upper": 6}},
            "minimize": upper,
            "samples": ["y", "A2", "b2"],
        },
        lower={
            "variables": {"y": {"shape": (m, WIDTH)}},
            "minimize": lower,
            "samples": ["y", "A", "b"],
            "convex": True,
        },
        data=data,
    )


def quiet(seed: int = 0) -> Context:
    """A context without a driver."""
    return Context(np.random.default_rng(seed), 1e-6, "cpu", "float64", lambda text: None, lambda counter, amount: None)


def exact(problem: Bilevel, x: np.ndarray, y: np.ndarray) -> Exact:
    """F(x, y*(x)) and its gradient."""
    Y, start = Domain(problem.lower_set, problem.m), Walk(y.copy(), np.nan, np.zeros(problem.m))
    found = read(problem, Layout(problem), Y, x.copy(), start, np.zeros(problem.m), 1e-9, 1e-11)
    assert found is not None
    return found


def step_cost(m: int) -> tuple[float, float]:
    """Microseconds of one step of v2 as in the paper, and of one full-batch hypergradient, medians."""
    problem = tasks(m)
    solver, ctx = (
        BSVRB(BSVRBOptions(mode="paper", variant="v2", sample=16, block=1, eta=1e-4, tau=1e-3, tau_v=1e-3)),
        quiet(),
    )
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    seconds, z = [], state.z.copy()
    direction = np.concatenate([np.zeros(problem.n), np.ones(problem.m)])
    whole = []
    for k in range(60):
        begin = time.process_time()
        state = solver.step(problem, state, ctx)
        seconds.append(time.process_time() - begin)
        if k < 7:
            begin = time.process_time()
            problem.upper_gradient(z), problem.lower_gradient(z), problem.lower_hvp(z, direction)
            whole.append(time.process_time() - begin)
    return 1e6 * statistics.median(seconds), 1e6 * statistics.median(whole)


def evaluations(m: int, sample: int, seed: int) -> float:
    """Steps until the exact hypergradient at x has fallen to TARGET of its first size, looked at 5 times an epoch."""
    problem = tasks(m)
    solver, ctx = BSVRB(BSVRBOptions(sample=sample, finish=False, epochs=1e9, block=1)), quiet(seed)
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    n = problem.n
    first = exact(problem, state.z[:n], state.z[n:]).gradient
    every = max(1, m // sample // 5)
    for k in range(1, 200 * (m // sample)):
        solver._sampled.step(problem, state, ctx.rng)
        if k % every == 0:
            gradient = exact(problem, state.z[:n], state.z[n:]).gradient
            if np.linalg.norm(gradient) <= TARGET * np.linalg.norm(first):
                return float(k)
    return float("nan")


def descent(m: int) -> float:
    """Full-batch hypergradient steps to the same, with the first step that bsvrb would take of a fresh batch."""
    problem = tasks(m)
    solver, ctx = BSVRB(BSVRBOptions(sample=m)), quiet()
    state = solver.init(problem, problem.start(ctx.rng), ctx)
    x, y = state.z[: problem.n].copy(), state.z[problem.n :]
    found = exact(problem, x, y)
    first, size = float(np.linalg.norm(found.gradient)), 1 / (2 * state.curvature)
    for k in range(1, 2000):
        x = problem.upper_set.project(x - size * found.gradient)
        found = exact(problem, x, found.walk.v)
        if np.linalg.norm(found.gradient) <= TARGET * first:
            return float(k)
    return float("nan")


def main() -> None:
    print("CPU of one sampled step (v2 of the paper, |I| = 16) and of one full-batch evaluation of the same oracles\n")
    print(f"{'m':>8} {'step, us':>10} {'full, us':>12}")
    for m in (100, 1000, 10_000, 100_000):
        step, whole = step_cost(m)
        print(f"{m:>8} {step:>10.0f} {whole:>12.0f}")
    print(f"\nsteps, and passes over the blocks, to {TARGET:g} of the first hypergradient; median of 3 seeds\n")
    print(f"{'m':>6} {'|I|':>5} {'steps':>8} {'passes':>8}")
    for m in (64, 256):
        for sample in (4, 16, 64):
            steps = statistics.median(evaluations(m, sample, seed) for seed in range(3))
            print(f"{m:>6} {sample:>5} {steps:>8.0f} {steps * sample / m:>8.1f}")
        whole = descent(m)
        print(f"{m:>6} {'full':>5} {whole:>8.0f} {whole:>8.1f}")
