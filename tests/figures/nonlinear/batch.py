"""1,000 random parametric problems (n = 20, m = 8) as one batch, against a loop over IPOPT built once."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import casadi as ca
import numpy as np

from solverkit_sketched_newton.batch import solve_batch
from solverkit_sketched_newton.generators import parametric_batch

COUNT, N, M, RUNS = 1000, 20, 8, 3
OBJECTIVE = "0.5*normsq(x - a) + 0.05*sum(x**4) + dot(q, sin(2*x)) + 0.2*dot(Q @ x, x)"
ROWS = ["A @ x + 0.2*(B @ x**2) - r", "C @ x + normsq(x)/20 - s"]


def batched(data: dict[str, Any], device: str = "cpu") -> tuple[float, Any]:
    """Seconds and the result."""
    data = dict(data)
    parameters = {name: data.pop(name) for name in ("a", "r", "s")}
    inequalities = parameters["s"].shape[1]
    lower = np.concatenate([np.zeros(M - inequalities), np.full(inequalities, -np.inf)])
    begin = time.perf_counter()
    found = solve_batch(OBJECTIVE, parameters, np.zeros(N), ROWS, lower, 0.0, -1.5, 1.5, data, device=device)
    return time.perf_counter() - begin, found


def looped(data: dict[str, Any]) -> tuple[float, np.ndarray, int]:
    """Seconds, values and the number of IPOPT's successes; the solver is built before the clock starts."""
    equations, inequalities = data["r"].shape[1], data["s"].shape[1]
    x, p = ca.MX.sym("x", N), ca.MX.sym("p", N + equations + inequalities)
    a, r, s = ca.vertsplit(p, [0, N, N + equations, N + equations + inequalities])
    A, B, C, Q, q = (ca.DM(data[name]) for name in "ABCQq")
    f = 0.5 * ca.sumsqr(x - a) + 0.05 * ca.sum1(x**4) + ca.dot(q, ca.sin(2 * x)) + 0.2 * ca.dot(Q @ x, x)
    g = ca.vertcat(A @ x + 0.2 * (B @ x**2) - r, C @ x + ca.repmat(ca.sumsqr(x) / 20, inequalities, 1) - s)
    options = {"print_time": False, "ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-8}
    solver = ca.nlpsol("solver", "ipopt", {"x": x, "p": p, "f": f, "g": g}, options)
    lower = np.concatenate([np.zeros(equations), np.full(inequalities, -np.inf)])
    values, solved = np.zeros(len(data["a"])), 0
    begin = time.perf_counter()
    for row in range(len(values)):
        parameter = np.concatenate([data["a"][row], data["r"][row], data["s"][row]])
        found = solver(x0=np.zeros(N), p=parameter, lbx=-1.5, ubx=1.5, lbg=lower, ubg=0.0)
        values[row] = float(found["f"])
        solved += solver.stats()["success"]
    return time.perf_counter() - begin, values, solved


def main() -> None:
    import torch

    data = parametric_batch(COUNT, N, M)
    loops = [looped(data) for _ in range(RUNS)]
    batched(data)
    batches = [batched(data) for _ in range(RUNS)]
    loop, batch = median(run[0] for run in loops), median(run[0] for run in batches)
    found = batches[0][1]
    same = np.abs(found.fun - loops[0][1]) <= 1e-6 * (1 + np.abs(loops[0][1]))
    better = np.sum(~same & (found.fun < loops[0][1]))
    print(f"IPOPT loop: {loop:.2f} s, {loops[0][2]} solved; {torch.get_num_threads()} threads of torch")
    print(
        f"batch: {batch:.2f} s, {int(np.sum(found.success))} converged to 1e-8, median {np.median(found.iterations):g} "
        f"steps, most {found.iterations.max()}; ratio of times {batch / loop:.2f}"
    )
    print(f"objectives: {np.sum(same)} the same, {better} lower by the batch, {np.sum(~same) - better} by IPOPT")
    if torch.cuda.is_available():
        batched(data, "cuda")
        print(f"on a GPU: {median(batched(data, 'cuda')[0] for _ in range(RUNS)):.2f} s")
