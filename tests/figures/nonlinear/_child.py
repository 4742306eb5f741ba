"""One solve in a process of its own: seconds, the peak of its memory, and what came out.

`python -m tests.figures.nonlinear._child` reads a request from standard input and prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PROBLEMS = ROOT / "problems" / "nonlinear"
HEADER = (
    f"{'problem':<34}{'method':<22}{'status':<11}{'iterations':>11}{'solve s':>9}{'cpu s':>8}{'certificate s':>15}"
    f"{'memory MB':>11}{'objective':>17}"
)


def measured(
    problem: str,
    parameters: dict[str, float],
    method: str,
    options: dict[str, Any] | None = None,
    limit: float = 100.0,
    label: str = "",
    build: str = "file",
) -> dict[str, Any]:
    """Run and print one line; the seconds of the method and of the certificate apart. Memory includes the problem."""
    request = {
        "problem": problem,
        "parameters": parameters,
        "method": method,
        "options": options or {},
        "limit": limit,
        "build": build,
    }
    name = f"{problem} {' '.join(f'{key}={value:g}' for key, value in parameters.items())}"
    shown = label or method
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.figures.nonlinear._child"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=limit + 60,
            check=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")},
        )
    except subprocess.TimeoutExpired:
        print(f"{name:<34}{shown:<22}no answer in {limit + 60:.0f} s", flush=True)
        return {"seconds": limit + 60, "memory": float("nan"), "status": "TIMEOUT", "nhvp": 0}
    except subprocess.CalledProcessError as error:
        print(f"{name:<34}{shown:<22}failed: {error.stderr.strip().splitlines()[-1][:90]}", flush=True)
        return {"seconds": float("inf"), "memory": float("nan"), "status": "FAILED", "nhvp": 0}
    row = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"{name:<34}{shown:<22}{row['status']:<11}{row['iterations']:>11}{row['seconds']:>9.2f}{row['cpu']:>8.2f}"
        f"{row['certificate']:>15.2f}{row['memory']:>11.0f}{row['objective']:>17.8g}",
        flush=True,
    )
    return row


def _run(request: dict[str, Any]) -> dict[str, Any]:
    import solverkit as sk

    if request["build"] == "file":
        problem = sk.load(PROBLEMS / request["problem"] / "problem.yaml", parameters=request["parameters"])
    else:
        problem = _dense_from_python(**request["parameters"])
    cpu = time.process_time()
    result = sk.solve(problem, method=request["method"], options=request["options"], max_time=request["limit"])
    cpu = time.process_time() - cpu
    return {
        "status": result.point_status.name,
        "iterations": int(result.nit),
        "seconds": result.timing["solve"],
        "cpu": cpu,
        "certificate": result.timing["certificate"],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "objective": float(result.fun),
        "nhvp": int(result.counts.get("nhvp", 0)),
    }


def _dense_from_python(n: float, m: float) -> Any:
    """The dense-constraints problem with one copy of its matrix."""
    import numpy as np
    from scipy.optimize import LinearConstraint

    from solverkit.kinds.nonlinear.build import nonlinear
    from solverkit_sketched_newton.generators import dense_constraints

    data = dense_constraints(int(n), int(m))
    rows = LinearConstraint(np.zeros((int(m), 0)), data["b"], data["b"])
    rows.A = data.pop("G")  # the constructor would copy it
    return nonlinear(
        {"x": {"shape": int(n), "start": 0}},
        "0.5*dot(d, x**2) + dot(c, x) + sum(logistic(x))",
        {"equations": rows},
        {"d": data["d"], "c": data["c"]},
    )


if __name__ == "__main__":
    print(json.dumps(_run(json.loads(sys.stdin.read()))))
