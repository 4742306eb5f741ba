"""f over two processes: the same answer as over one, and a round for each gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from sliding_cases import answer, fused

import solverkit as sk
from solverkit_sliding.parallel.processes import run


def solve_sharded(method: str, tol: float) -> dict[str, Any]:
    """One rank's part of a run."""
    from solverkit_sliding.parallel.rows import shard

    problem = shard(fused())
    result = sk.solve(problem, method=method, tol=tol, max_iter=400)
    return {
        "fun": result.fun,
        "x": result.x,
        "success": result.success,
        "gradients": result.counts["njev"],
        "rounds": problem.smooth.rounds,
    }


def test_two_processes_find_the_answer_of_one() -> None:
    found = run(solve_sharded, 2, "accelerated-gradient-sliding", 1e-4)
    value, x = answer("fused")
    assert found["success"]
    assert -1e-9 <= found["fun"] - value <= 1e-4 * (1 + value)
    assert np.linalg.norm(found["x"] - x) <= np.sqrt(2 * 30 * 1e-4 * (1 + value))
    assert found["rounds"] >= found["gradients"]
