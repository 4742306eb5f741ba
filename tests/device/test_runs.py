"""Runs on a GPU: a seed is a run, a stop loses nothing, threads do not meet, and a failure of the device is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import solverkit as sk
from solverkit.errors import Unsuitable, UsageError
from solverkit.registry import registry
from solverkit.testing.subject import difference, trace_digest
from tests.methods.subjects import Chosen, chosen

torch = pytest.importorskip("torch")
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")

ON_DEVICE = [each for each in chosen() if "cuda" in registry.method(each.method).backends]
STEPS = 12
PROBLEMS = Path(__file__).parents[2] / "problems"

methods = pytest.mark.parametrize("each", ON_DEVICE, ids=str)


@methods
def test_a_seed_is_a_run(each: Chosen) -> None:
    one, two = (sk.solve(each.load(), each.method, device="cuda", max_iter=STEPS, seed=7) for _ in range(2))
    assert trace_digest(one) == trace_digest(two), difference(one, two)


@methods
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(each: Chosen, tmp_path: Path) -> None:
    whole = sk.solve(each.load(), each.method, device="cuda", max_iter=STEPS)
    sk.solve(each.load(), each.method, device="cuda", max_iter=STEPS // 2, out=tmp_path / "run", checkpoint=0.0)
    if not (tmp_path / "run" / "checkpoint.npz").exists():
        pytest.skip("the run was over by then")
    rest = sk.resume(tmp_path / "run", problem=each.load(), max_iter=STEPS)
    assert trace_digest(rest) == trace_digest(whole), difference(rest, whole)


@on_a_gpu
@methods
def test_threads_that_share_a_problem_and_the_device(each: Chosen) -> None:
    problem = each.load()

    def run(seed: int) -> str:
        return trace_digest(sk.solve(problem, each.method, device="cuda", max_iter=STEPS, seed=seed))

    alone = [run(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == alone


@on_a_gpu
def test_a_device_that_is_not_there() -> None:
    problem = sk.load(PROBLEMS / "bilevel/bard-1988-ex1/problem.yaml")
    with pytest.raises(UsageError, match="device 'cuda:99' is not available"):
        sk.solve(problem, "lv-hba", device="cuda:99")


def test_a_problem_that_is_too_large_there() -> None:
    """Derivatives are dense on a device: what the CPU has sparse may be more than a matrix can hold."""
    problem = sk.load(PROBLEMS / "bilevel/coupled-merely-convex-10000/problem.yaml")
    with pytest.raises(Unsuitable, match=r"'lv-hba' needs 'hessian'.* not on 'cuda' in 'float64': run it there"):
        sk.solve(problem, "lv-hba", device="cuda")


@on_a_gpu
def test_a_device_without_memory() -> None:
    """The whole matrix does not fit: the error says what and where, and the process goes on."""
    done = _python(
        """
        import numpy as np, torch, solverkit as sk
        from solverkit.kinds.inclusion import game
        torch.cuda.set_per_process_memory_fraction(1e-4)
        try:
            result = sk.solve(game(np.random.default_rng(0).standard_normal((4000, 4000))), "halpern", device="cuda")
            print("RESULT", result.termination.name, result.message)
        except sk.SolverKitError as error:
            print("ERROR", error)
        """
    )
    assert done.returncode == 0, done.stderr
    assert "memory" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@on_a_gpu
def test_a_checkpoint_of_a_device_where_there_is_none(tmp_path: Path) -> None:
    file = PROBLEMS / "bilevel/bard-1988-ex1/problem.yaml"
    sk.solve(file, "lv-hba", device="cuda", max_iter=5, out=tmp_path / "run", checkpoint=0.0)
    done = _python(
        f"import sys; from solverkit.cli.run import run; sys.exit(run(['resume', {str(tmp_path / 'run')!r}]))",
        CUDA_VISIBLE_DEVICES="",
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "device 'cuda' is not available" in done.stderr
    assert "Traceback" not in done.stderr


@on_a_gpu
def test_ctrl_c_saves_the_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "payoff.npy", rng.standard_normal((2000, 2000)))
    code = f"""
        import numpy as np, solverkit as sk
        from solverkit.kinds.inclusion import game
        problem = game(np.load({str(tmp_path / "payoff.npy")!r}))
        print("begun", flush=True)
        result = sk.solve(problem, "halpern", device="cuda", tol=1e-15, out={str(tmp_path / "run")!r})
        print(result.termination.name)
        """
    with _start(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(5)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert said.strip() == "INTERRUPTED"
    saved = json.loads((tmp_path / "run" / "result.json").read_text())
    assert saved["nit"] > 0
    assert saved["device"] == "cuda"


def _start(code: str, **environment: str) -> subprocess.Popen[str]:
    lines = [line.removeprefix(" " * 8) for line in code.splitlines()]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    with _start(code, **environment) as process:
        said, complained = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)
