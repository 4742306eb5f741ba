"""The numbers and the plot of `heat-flow.md`; half a minute on one core.

Heat flow with a moving source on an unstructured mesh, once with SciPy's CG and once with a SequenceTuner.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import cg

from solverkit_sor import SequenceTuner
from solverkit_sor.generators.mesh import mesh_heat

STEPS = 200
FIGURE = Path(__file__).with_name("heat-flow.svg")


def simulate(scene: dict, solve) -> np.ndarray:
    """Implicit Euler steps; `solve(t, A, b, u)` gives the next temperatures (n,)."""
    M, K, dt, source = scene["M"], scene["K"], scene["coefficients"][:, 1], scene["forcing"]
    u = np.zeros(M.shape[0])
    for t in range(len(dt)):
        u = solve(t, csr_array(M + dt[t] * K), M @ u + source[t], u)
    return u


def main() -> None:
    scene = mesh_heat(points=10_000, T=STEPS, dt=1e-6, growth=1e3, seed=0)
    plain, plain_iterations = np.zeros(STEPS), 0
    tuned, relaxations = np.zeros(STEPS), np.full(STEPS, np.nan)
    tuner = SequenceTuner(cost="cpu")

    def with_scipy(t: int, A: csr_array, b: np.ndarray, u: np.ndarray) -> np.ndarray:
        nonlocal plain_iterations
        began = time.process_time()
        x, info = cg(A, b, x0=u, rtol=1e-8, callback=count)
        plain[t] = time.process_time() - began
        assert info == 0
        return x

    def count(_: np.ndarray) -> None:
        nonlocal plain_iterations
        plain_iterations += 1

    def with_tuner(t: int, A: csr_array, b: np.ndarray, u: np.ndarray) -> np.ndarray:
        began = time.process_time()
        x, info = tuner.solve(A, b, x0=u, rtol=1e-8)
        tuned[t] = time.process_time() - began
        assert info == 0
        relaxations[t] = info.parameters.get("w", np.nan)
        return x

    SequenceTuner().solve(scene["M"], scene["forcing"][0])  # compiles the kernels, once on a machine
    first, second = simulate(scene, with_scipy), simulate(scene, with_tuner)
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, n = {len(first)}")
    print(f"SciPy's cg     {plain.sum():6.1f} s CPU, {plain_iterations} iterations")
    print(
        f"SequenceTuner  {tuned.sum():6.1f} s CPU, trials and learning included: "
        f"{plain.sum() / tuned.sum():.1f} times less"
    )
    print(f"the last temperatures differ by {np.linalg.norm(first - second) / np.linalg.norm(first):.0e}, relatively")
    print(tuner.report())
    draw(scene["coefficients"][:, 1], plain, tuned, relaxations)


def draw(dt: np.ndarray, plain: np.ndarray, tuned: np.ndarray, relaxations: np.ndarray) -> None:
    """Cost of each step, and the relaxation factor where SSOR-CG was chosen."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "solverkit"})
    from matplotlib import pyplot

    figure, (cost, choice) = pyplot.subplots(2, 1, figsize=(7, 5.5), sharex=True, layout="constrained")
    cost.semilogy(1e3 * plain, color="0.6", label="scipy.sparse.linalg.cg")
    cost.semilogy(1e3 * tuned, ".", markersize=3, color="C0", label="SequenceTuner")
    cost.set_ylabel("CPU time of a step, ms")
    cost.legend(frameon=False)
    choice.plot(relaxations, ".", markersize=4, color="C0", label="SSOR-CG")
    other = np.flatnonzero(np.isnan(relaxations))
    choice.plot(other, np.full(len(other), 0.95), "|", color="C3", label="another solver")
    choice.set_ylabel("relaxation factor w")
    choice.set_xlabel(f"step (its length grows from {dt[0]:.0e} to {dt[-1]:.0e})")
    choice.legend(frameon=False, loc="lower right")
    figure.savefig(FIGURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
