"""Components on a device do what the compiled ones do: on the CPU by torch, and on a GPU where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from vr_cases import gaussian

import solverkit as sk
from solverkit_halpern.sampling.compiled import CompiledComponents
from solverkit_halpern.sampling.device import DeviceComponents

torch = pytest.importorskip("torch")
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("importance", [True, False])
def test_the_steps_are_those_of_the_kernels(device: str, importance: bool) -> None:
    problem = gaussian(9, 6, seed=4)
    charged: dict[str, dict[str, int]] = {}
    ends = []
    for name in ("kernels", "device"):
        counts = charged.setdefault(name, {})

        def charge(counter: str, amount: int, counts: dict[str, int] = counts) -> None:
            counts[counter] = counts.get(counter, 0) + amount

        parts = (
            CompiledComponents(problem, charge, importance=importance)
            if name == "kernels"
            else DeviceComponents(problem, charge, importance=importance, device=device)
        )
        rng = np.random.default_rng(5)
        pairs = np.stack([rng.integers(0, 9, (8, 3)), rng.integers(0, 6, (8, 3))], axis=-1)
        u = problem.flat(problem.start(rng))
        w, g = problem.resolvent(u + 0.1 * rng.standard_normal(15), 1.0), problem.operator(u)
        one, previous, estimate = w.copy(), u.copy(), g.copy()
        parts.page(one, previous, estimate, u, 0.05, np.full(8, 0.1), pairs)
        two, three, total = w.copy(), w.copy(), np.zeros(15)
        parts.reflected(two, u, w, g, 0.8, 1.0, 0.05, 0.9, pairs[:, :1])
        parts.extragradient(three, u, g, total, 0.05, 0.9, pairs[:, :1])
        ends.append(np.concatenate([one, previous, estimate, two, three, total]))
        assert parts.mean_lipschitz is not None
        ends[-1] = np.append(ends[-1], parts.mean_lipschitz)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-10, atol=1e-12)
    assert charged["kernels"] == charged["device"]


@pytest.mark.skipif(len(DEVICES) == 1, reason="no GPU here")
@pytest.mark.parametrize(
    ("method", "options"), [("vr-halpern", {"algorithm": "page"}), ("vr-extragradient", {}), ("extragradient", {})]
)
def test_a_gpu_certifies_what_the_cpu_certifies(method: str, options: dict) -> None:
    problem = gaussian(40, 30, seed=6)
    results = [sk.solve(problem, method=method, options=options, device=device, tol=5e-2) for device in DEVICES]
    assert all(result.success for result in results)
