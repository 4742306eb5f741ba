"""What went wrong with a file, said so that two files can be compared: the numbers and places in it do not count."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solverkit.errors import InvalidProblem, SolverKitError

_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|[-+]?\d[\d.,eE+-]*")
"""Quoted names, lists in parentheses and numbers: what differs between a file and a smaller one with the same fault."""


@dataclass(frozen=True)
class Question:
    """What is done with a file to see it fail."""

    method: str = ""  # solve with it too; empty: only load, and compare derivatives
    options: Mapping[str, Any] = field(default_factory=dict)
    tol: float = 1e-6
    max_iter: int | None = None
    seed: int = 0
    allow_python: bool = False
    limit: float = 10.0  # seconds for one try; a try that takes longer `hangs`


@dataclass(frozen=True)
class Failure:
    """One way to fail. Equal failures are the same failure."""

    what: str  # refused, crashes, derivatives, ends, dies, hangs
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.what, "; ".join(self.details)]))


def failure(file: Path, question: Question) -> Failure | None:
    """How the file fails; None where all is well."""
    from solverkit.formats import load

    try:
        problem = load(file, allow_python=question.allow_python)
    except InvalidProblem as error:
        return Failure("refused", tuple(sorted({_skeleton(defect.message) for defect in error.defects})))
    except SolverKitError as error:
        return Failure("refused", (_skeleton(str(error)),))
    except Exception as error:  # the fault that is looked for
        return Failure("crashes", _place(error))
    try:
        return _derivatives(problem, question) or _solve(problem, question)
    except SolverKitError as error:
        return Failure("refused", (_skeleton(str(error)),))
    except Exception as error:
        return Failure("crashes", _place(error))


def _derivatives(problem: Any, question: Question) -> Failure | None:
    """Those oracles that disagree with differences at the start."""
    import numpy as np

    from solverkit.derivatives import derivatives

    start = problem.start(np.random.default_rng(question.seed))
    wrong = tuple(term.name for term in derivatives(problem, start, question.seed) or [] if not term.ok)
    return Failure("derivatives", wrong) if wrong else None


def _solve(problem: Any, question: Question) -> Failure | None:
    """How a run ends that ends without a certificate."""
    if not question.method:
        return None
    from solverkit import api

    result = api.solve(
        problem,
        question.method,
        dict(question.options),
        tol=question.tol,
        max_iter=question.max_iter,
        seed=question.seed,
        allow_python=question.allow_python,
    )
    if result.success:
        return None
    violated = [f"{term.name} violated" for term in result.certificate.terms if not term.ok]
    raised = _skeleton(result.error.strip().splitlines()[-1]) if result.error else ""
    return Failure("ends", tuple(filter(None, [result.termination.name, result.point_status.name, *violated, raised])))


def _skeleton(message: str) -> str:
    return _VARIES.sub("_", " ".join(message.split()))


def _place(error: BaseException) -> tuple[str, str]:
    """The error's type, and the innermost of our functions that it passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "solverkit" in frame.filename]
    last = (ours or frames)[-1]
    return type(error).__name__, f"in {Path(last.filename).stem}.{last.name}"
