"""A device does what the CPU does: the oracles of every problem of the repository, and the verdicts of every method.

Where there is a GPU every method meets every problem that it takes; where one is played, each method its small problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import solverkit as sk
from solverkit.engine.status import Termination
from solverkit.errors import Unsuitable, UsageError
from solverkit.registry import registry
from tests.methods.subjects import chosen

torch = pytest.importorskip("torch")
GPU = torch.cuda.is_available()

PROBLEMS = Path(__file__).parents[2] / "problems"
KINDS = ("bilevel", "inclusion")
NAMES = [
    path.parent.relative_to(PROBLEMS).as_posix()
    for kind in KINDS
    for path in sorted((PROBLEMS / kind).glob("*/problem.yaml"))
]
METHODS = [spec.name for kind in KINDS for spec in registry.methods(kind) if "cuda" in spec.backends]
PAIRS = (
    [(method, name) for method in METHODS for name in NAMES]
    if GPU
    else [
        (each.method, each.path.parent.relative_to(PROBLEMS).as_posix()) for each in chosen() if each.method in METHODS
    ]
)
SECONDS = 2.0  # of the CPU; a GPU may take longer over something so small
ROUNDING = 1e-10  # of numbers whose sums are in another order


@cache
def load(name: str) -> Any:
    return sk.load(PROBLEMS / name / "problem.yaml")


def moved(name: str) -> Any:
    """The problem on the device; the test is passed over where its kind says that it cannot go there."""
    try:
        return load(name).to("cuda", "float64")
    except UsageError as error:
        pytest.skip(str(error))


def numbers(problem: Any, u: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What the problem's functions give at a flat point, by name."""
    rng = np.random.default_rng(1)
    if problem.kind == "inclusion":
        yield "F", problem.operator(u)
        if problem.count > 1:
            yield "some components", problem.components(u, rng.integers(0, problem.count, 5))
        return
    direction = rng.standard_normal(len(u))
    parts = {
        "F": problem.upper_function,
        "f": problem.lower_function,
        "G": problem.upper_constraints.function,
        "g": problem.lower_constraints.function,
    }
    for name, function in parts.items():
        if function is None:
            continue
        weights = rng.standard_normal(function.outputs)
        yield f"{name}", function.value(u)
        yield f"J'w of {name}", function.vjp(u, weights)
        yield f"J d of {name}", function.jvp(u, direction)
        yield f"H d of {name}", function.hvp(u, weights, direction)
        if len(u) <= 500:
            yield f"J of {name}", function.jacobian(u).toarray()
            yield f"H of {name}", function.hessian(u, weights).toarray()
    for level in ("upper", "lower"):
        if f"{level}-samples" in problem.provides:
            summands = getattr(problem, f"{level}_summands")
            samples = rng.integers(0, summands.count, 7)
            yield f"batch of {level}", summands.gradient(u, samples)


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_the_same(name: str, device: str) -> None:
    here, there = load(name), moved(name)
    start = here.flat(here.start(np.random.default_rng(0)))
    u = start + 0.01 * np.random.default_rng(2).random(len(start))
    for (what, one), (_, other) in zip(numbers(here, u), numbers(there, u), strict=True):
        scale = np.abs(one).max(initial=1.0)
        assert np.abs(other - one).max(initial=0.0) <= ROUNDING * scale, what


@pytest.mark.parametrize(("method", "name"), PAIRS)
def test_what_the_cpu_certifies_the_device_certifies(method: str, name: str, device: str) -> None:
    moved(name)
    problem = load(name)
    if reasons := registry.fits(registry.method(method), problem, device):
        pytest.skip(reasons[0])
    try:
        here = sk.solve(problem, method, max_time=SECONDS)
        if not here.success:
            pytest.skip(f"{here.certificate.status.name} on the CPU in {SECONDS:g} s")
        there = sk.solve(problem, method, device=device, max_time=15 * SECONDS)
    except Unsuitable as error:
        pytest.skip(str(error))
    if there.termination is Termination.MAX_TIME:
        pytest.skip("the time is over")
    assert there.device == device
    assert there.success, there.message
    assert there.fun == pytest.approx(here.fun, rel=1e-4, abs=1e-4, nan_ok=True)
