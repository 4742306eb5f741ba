"""The same run in another process, with another hash seed: `python -m solverkit.testing.elsewhere FOLDER`.

The folder holds `job.pkl`, which the kit itself wrote, and where a run is to be resumed `run/checkpoint.npz`. The child
writes `answer.json`. One child answers what several checks ask, because a process costs more than they do.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solverkit.testing.subject import Subject

HEAVY = ("torch", "numpy", "scipy", "numba", "casadi", "cvxpy", "pyomo", "networkx", "pandas", "matplotlib")
"""Libraries that are not loaded for a method's options to be listed."""


@dataclass(frozen=True)
class Answer:
    """What the other process found."""

    heavy: tuple[str, ...] = ()  # libraries that came with the options module
    replay: str = ""  # digest of the short run
    resumed: str = ""  # digest of what came after the checkpoint, empty where there was none
    error: str = ""


def ask(subject: Subject, half: int) -> Answer:
    """Run `subject` in another process; resumed there too after `half` steps, unless `half` is 0."""
    job = {
        "method": subject.method,
        "options": dict(subject.options),
        "tol": subject.tol,
        "budget": asdict(subject.budget),
        "source": subject.portable(),
        "half": half,
    }
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder = Path(name)
        (folder / "job.pkl").write_bytes(pickle.dumps(job))
        if half:
            subject.solve(max_iter=half, out=folder / "run")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path),
            "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1",
        }
        command = [sys.executable, "-m", __name__, str(folder)]
        limit = 60 + 4 * subject.budget.max_time
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return Answer(error=f"it did not end within {limit:g} s")
        if done.returncode or not (folder / "answer.json").exists():
            return Answer(error=done.stderr.strip()[-600:] or f"it ended with code {done.returncode}")
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        return Answer(tuple(answer["heavy"]), answer["replay"], answer["resumed"])


def main(folder: Path) -> None:
    """The child's side. What is light comes first, so that it can be seen to be light."""
    from solverkit.registry import registry

    job = pickle.loads((folder / "job.pkl").read_bytes())
    registry.options(registry.method(job["method"]))
    heavy = [name for name in HEAVY if name in sys.modules]

    from solverkit.engine.checkpoint import Checkpoint
    from solverkit.testing.subject import Budget, Subject, trace_digest

    source = pickle.loads(job["source"])
    subject = Subject(job["method"], source, job["options"], job["tol"], Budget(**job["budget"]))
    answer = {"heavy": heavy, "replay": trace_digest(subject.solve(max_iter=subject.budget.steps)), "resumed": ""}
    half = job["half"]
    if (folder / "run" / "checkpoint.npz").exists():
        checkpoint = Checkpoint.load(folder / "run")
        result = subject.solve(max_iter=2 * half, out=folder / "run", resume_from=checkpoint)
        answer["resumed"] = trace_digest(result, after=half)
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
