"""A GPU does what the CPU does: every method that names it, on every problem of the repository that it takes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import solverkit as sk
from solverkit.registry import registry

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("torch finds no GPU here", allow_module_level=True)

PROBLEMS = Path(__file__).parents[2] / "problems"
KINDS = ("bilevel", "inclusion")
STEPS = 6
SECONDS = 5.0  # of the CPU; a GPU may take longer over something so small
ROUNDING = 1e-6  # of a point after STEPS steps; a product's sums are in another order

PAIRS = [
    (spec.name, path.parent.relative_to(PROBLEMS).as_posix())
    for kind in KINDS
    for spec in registry.methods(kind)
    if "cuda" in spec.backends
    for path in sorted((PROBLEMS / kind).glob("*/problem.yaml"))
]
SINGLE = {"halpern"}
"""Its production mode has float32 copies of a matrix on the CPU, and double ones on a device: other steps."""


@cache
def load(name: str) -> Any:
    return sk.load(PROBLEMS / name / "problem.yaml")


def taken(method: str, name: str) -> Any:
    """The problem; the test is passed over where the method does not take it."""
    problem = load(name)
    if reasons := registry.fits(registry.method(method), problem, "cuda"):
        pytest.skip(reasons[0])
    return problem


@pytest.mark.parametrize(("method", "name"), PAIRS)
def test_the_first_steps_are_the_same(method: str, name: str) -> None:
    problem = taken(method, name)
    options = {"mode": "paper"} if method in SINGLE else None
    here, there = (sk.solve(problem, method, options, device=device, max_iter=STEPS) for device in ("cpu", "cuda"))
    assert there.device == "cuda"
    assert there.nit == here.nit
    for block, value in here.point.items():
        np.testing.assert_allclose(there.point[block], value, rtol=ROUNDING, atol=ROUNDING * (1 + np.abs(value).max()))


@pytest.mark.parametrize(("method", "name"), PAIRS)
def test_what_the_cpu_certifies_the_gpu_certifies(method: str, name: str) -> None:
    problem = taken(method, name)
    here = sk.solve(problem, method, max_time=SECONDS)
    if not here.success:
        pytest.skip(f"{here.certificate.status.name} on the CPU in {SECONDS:g} s")
    there = sk.solve(problem, method, device="cuda", max_time=20 * SECONDS)
    assert there.success, there.message
    assert there.fun == pytest.approx(here.fun, rel=1e-4, abs=1e-4, nan_ok=True)
