"""Ten thousand wrong answers against the certificate, judged by refits of all subsets from the samples.

Wrong: three times what the certificate tolerates at 1e-6 could be gained, or the graph is broken. Right: less than a
third of it. Points between are counted as neither. Where columns depend on each other, bic has no right points.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from solverkit.kinds.dag.certificate import certify
from tests.dag.adversary import RIGHT, TOL, WRONG, trials

WANTED = {"least-squares": 5000, "bic": 4000, "lasso": 500, "logistic": 500}


def main() -> None:
    print("| score | data | wrong | of them CERTIFIED | right | of them refused | between |")
    print("|---|---|---|---|---|---|---|")
    told, total = [], 0
    for score, wanted in WANTED.items():
        rng, counts = np.random.default_rng(7), defaultdict[str, Counter[str]](Counter)
        while sum(count["wrong"] for count in counts.values()) < wanted:
            for _, data, name, problem, judge, point in trials(rng, (score,)):
                certificate = certify(problem, point, tol=TOL)
                certified, defect = certificate.status.name == "CERTIFIED", judge.defect(point)
                kind = "right" if defect < RIGHT else "between" if defect <= WRONG else "wrong"
                counts[data][kind] += 1
                counts[data][f"{kind} {certified}"] += 1
                if (certified, kind) in ((True, "wrong"), (False, "right")):
                    values = ", ".join(f"{term.name} {term.value:.2g}" for term in certificate.terms)
                    told.append(f"{score}, {data}: {name}, {kind}, defect {defect:.2g}; {values}")
        for data, count in counts.items():
            print(
                f"| {score} | {data} | {count['wrong']} | {count['wrong True']} | {count['right']} "
                f"| {count['right False']} | {count['between']} |",
                flush=True,
            )
        total += sum(count["wrong"] for count in counts.values())
    print(f"\n{total} wrong points")
    print("\n".join(["", *told]))


if __name__ == "__main__":
    main()
