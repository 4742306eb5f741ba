"""Short runs of many steps, one of each kind, that bars kill, damage and starve."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import solverkit as sk

PROBLEMS = Path(__file__).parents[2] / "problems"


@dataclass(frozen=True)
class Subject:
    """A problem, a method, and how long it goes on."""

    folder: str
    method: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    max_iter: int | None = None

    @property
    def file(self) -> Path:
        """The problem's file."""
        return PROBLEMS / self.folder / "problem.yaml"

    @cached_property
    def problem(self) -> sk.Problem:
        """The problem, loaded once."""
        return sk.load(self.file)

    def solve(self, out: Path | None = None, **how: Any) -> sk.Result:
        """From the start."""
        given = {"max_iter": self.max_iter, "out": out, **how}
        return sk.solve(self.problem, self.method, dict(self.options), seed=3, **given)


SUBJECTS = (
    Subject("nonlinear/elec", "sketched-newton"),
    Subject("bilevel/exponential-tail", "bo-rep"),
    Subject("inclusion/sparse-game", "vr-halpern", max_iter=40),
    Subject("composite/tv-denoising", "condat-vu"),
    Subject("dag/sachs", "topological-swaps"),
    Subject("linear-sequence/karate-diffusion", "sor-tuner", {"block": 2}),
)


def subjects(cases: int, each: int) -> tuple[Subject, ...]:
    """One of each kind, or as few as have `each` cases to themselves: what a short form leaves out it need not load."""
    return SUBJECTS[: max(1, cases // each)]


def digest(result: sk.Result) -> str:
    """Hash of all that a run says but for seconds and notes: trace, point, verdict, counts."""
    known = result.to_json(large=0)
    for name in ("timing", "notes", "versions", "source"):
        del known[name]
    known["trace"] = [{key: value for key, value in record.items() if key != "time"} for record in result.trace]
    content = hashlib.sha256(json.dumps(known, sort_keys=True, default=repr).encode())
    for name, block in sorted(result.point.items()):
        content.update(f"{name} {block.dtype} {block.shape}".encode() + block.tobytes())
    return content.hexdigest()
