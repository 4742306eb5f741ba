"""Records as a suite would leave them, from a seed: methods of different speed, and every way to fail."""

from __future__ import annotations

import math
import random

from solverkit.bench.record import Outcome, Record

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=http://evil.example/x onerror=alert(1)>',
    "</style><link rel=stylesheet href=//evil.example>",
    "</title></svg><svg onload=alert(1)>",
    '=HYPERLINK("http://evil.example")',
    "&lt;b&gt; &#60;i&#62;",
    "\x1b[31mred\x1b]0;owned\x07",
    "\u202egnp.exe\u2066",
    "long" * 300,
    "宽" * 60,
    "';--",
    "javascript:alert(1)",
    "{{7*7}} ${7*7}",
    "new\nline\r\ttab\x00nul",
]

ENVIRONMENTS = {
    "a1b2": {
        "python": "3.11.9",
        "platform": "Linux-6.1-x86_64",
        "cpu": "Example CPU at 2.4 GHz",
        "cores": 16,
        "threads": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        "versions": {"solverkit": "0.1.0", "numpy": "2.4.6", "scipy": "1.17.1", "casadi": "3.8.2"},
    }
}

SUITE = {"name": "bilevel-small", "description": "Small bilevel problems with a known answer.", "tol": 1e-6}

REASONS = {
    Outcome.UNSOLVED: "lower value gap 3.1e-4 > 1e-6",
    Outcome.SKIPPED: "needs 'hvp'; the problem provides gradient, jacobian",
    Outcome.FAILED: "ZeroDivisionError: division by zero in oracle 'lower.gradient', call 17",
    Outcome.TIMEOUT: "60 s",
    Outcome.CRASHED: "signal 11",
}


def records(problems=6, labels=4, seeds=2, repetitions=3, rows=60, kind="bilevel", seed=0, name=str):
    """`problems * labels * seeds * repetitions` records; `name` makes the texts, of `problem-3` and the like."""
    draw = random.Random(seed)
    speeds = [2.0**index for index in range(labels)]
    found = []
    for p in range(problems):
        variables = draw.choice([2, 4, 10, 50, 200])
        effort = variables * draw.lognormvariate(3, 1)
        best = draw.uniform(-3, 20)
        for index, speed in enumerate(speeds):
            bad = _fate(draw, p, index, problems)
            for s in range(seeds):
                calls = max(int(effort * speed * draw.lognormvariate(0, 0.4)), 3)
                for r in range(repetitions):
                    time = calls * 2e-5 * draw.lognormvariate(0, 0.1) * (1 + variables / 100)
                    outcome = bad or (Outcome.UNSOLVED if draw.random() < 0.03 * index else Outcome.SOLVED)
                    ran = outcome in (Outcome.SOLVED, Outcome.UNSOLVED)
                    found.append(
                        Record(
                            run=f"{kind}-{p}-{index}-{s}-{r}-{seed}",
                            suite="bilevel-small",
                            problem=name(f"problem-{p}"),
                            kind=kind,
                            method=f"method-{index}",
                            label=name(f"method-{index}"),
                            seed=s,
                            repetition=r,
                            outcome=outcome,
                            reason=name(REASONS.get(outcome, "")),
                            termination="converged" if ran else "",
                            point_status="certified" if outcome is Outcome.SOLVED else "",
                            objective=best + draw.gauss(0, 1e-7) + (1.0 if (p, index) == (1, 2) else 0.0),
                            expected=best,
                            counts={"nfev": calls - calls // 3, "njev": calls // 3},
                            calls=calls if outcome is not Outcome.SKIPPED else 0,
                            iterations=calls // 4,
                            time=time if outcome is not Outcome.SKIPPED else 0.0,
                            certificate_time=0.002,
                            sizes={"x": variables // 2, "y": variables - variables // 2},
                            trace=trace(draw, calls, time, rows, outcome) if outcome is not Outcome.SKIPPED else [],
                            started=1_780_000_000.0 + len(found),
                            worker="host:1",
                            environment="a1b2",
                        )
                    )
    draw.shuffle(found)
    return found


def _fate(draw, problem, label, problems):
    """One problem that nobody solves, one that a label is skipped on, and a few that fail."""
    if problem == problems - 1:
        return draw.choice([Outcome.TIMEOUT, Outcome.UNSOLVED])
    if label == 3 and problem % 3 == 0:
        return Outcome.SKIPPED
    if label and draw.random() < 0.12:
        return draw.choice([Outcome.FAILED, Outcome.TIMEOUT, Outcome.CRASHED])
    return None


def trace(draw, calls, time, rows, outcome):
    """A merit that falls geometrically, with noise, to 1e-8 where the run was solved."""
    low = -8 if outcome is Outcome.SOLVED else -2
    found = []
    for row in range(rows):
        share = (row + 1) / rows
        merit = 10 ** (2 + (low - 2) * share**0.8 + draw.gauss(0, 0.2))
        found.append((time * share, int(calls * share), math.inf if row == 3 else merit))
    return found
