"""1,000 wrong points of each form, of which none may be certified: `python -m tests.composite.wrong_points`."""

from __future__ import annotations

import numpy as np

from solverkit.kinds.base import PointStatus
from solverkit.kinds.composite.certificate import certify
from tests.composite.cases import FORMS
from tests.composite.test_certificate import nearby

TOL = 1e-4


def main(count: int = 1000) -> None:
    """Prints a row for each form: points, certified ones, and the least ratio of the certified to the true gap."""
    for form in FORMS:
        wrong, least, tried = 0, np.inf, 0
        for seed in range(1000, 1020):
            case, rng = form(seed), np.random.default_rng(seed)
            for _ in range(20 * count // 20):
                if tried >= count * (seed - 999) / 20:
                    break
                x = nearby(case, rng, 10.0 ** rng.uniform(-2.5, 1.5))
                true = case.psi(x) - case.value
                if true > TOL * (1 + abs(case.psi(x))):
                    verdict = certify(case.problem, case.problem.blocks(x), TOL)
                    wrong += verdict.status is PointStatus.CERTIFIED
                    least, tried = min(least, verdict["gap"].value / true), tried + 1
        print(
            f"{form.__name__:10} {tried:5} wrong points, {wrong} certified, gap / true gap >= {least:.9f}", flush=True
        )


if __name__ == "__main__":
    main()
