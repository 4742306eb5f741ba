"""Logistic regression on the sphere under equations, generated in the shape of w8a and on real data, against peers."""

from __future__ import annotations

from tests.figures.nonlinear._child import HEADER, measured


def main() -> None:
    print(HEADER)
    for problem in ("logistic-w8a-shape", "logistic-breast-cancer"):
        rows = {method: measured(problem, {}, method) for method in ("sketched-newton", "trust-constr", "ipopt")}
        ours = rows.pop("sketched-newton")
        ratios = ", ".join(f"{ours['seconds'] / row['seconds']:.3f} of {method}" for method, row in rows.items())
        whole = ours["seconds"] + ours.get("certificate", float("nan"))
        print(f"{problem}: solve and certificate {whole:.2f} s; time of the solve {ratios}", flush=True)
