"""What this project's own distributions bring, for those who have not installed them."""

from __future__ import annotations

METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "solverkit-baselines": {
        "bilevel": ("kkt-ipopt", "nested"),
        "composite": ("cvxpy-clarabel", "cvxpy-scs"),
        "dag": ("boss", "dagma", "ges"),
        "inclusion": ("cvxpy", "highs-ipm", "highs-pdlp", "highs-simplex"),
        "linear-sequence": ("pyamg", "scipy-cg", "superlu"),
        "nonlinear": ("ipopt", "slsqp", "trust-constr"),
    },
    "solverkit-bilevel": {"bilevel": ("bo-rep", "bsvrb", "implicit-gradient", "lv-hba", "penalty")},
    "solverkit-dag": {"dag": ("colide", "notears", "sort-and-regress", "top-down", "topological-swaps")},
    "solverkit-halpern": {"inclusion": ("extragradient", "forb", "halpern", "vr-extragradient", "vr-halpern")},
    "solverkit-sketched-newton": {"nonlinear": ("sketched-newton",)},
    "solverkit-sliding": {
        "composite": (
            "accelerated-gradient-sliding", "composite-auto", "condat-vu", "gradient-sliding", "restarted-sliding",
            "smoothed-fista",
        )
    },
    "solverkit-sor": {"linear-sequence": ("sor-tuner",)},
}  # fmt: skip
"""Distribution -> kind -> its methods. Held against the distributions themselves by a test."""

DISTRIBUTIONS = frozenset({"solverkit", *METHODS})
"""Distributions of this project, by name. A name is no signature: it marks, it does not vouch."""


def with_method(name: str) -> str:
    """The distribution that has the method; empty where none of ours has."""
    return next((where for where, kinds in METHODS.items() if any(name in names for names in kinds.values())), "")


def with_kind(kind: str) -> list[str]:
    """The distributions with methods for a kind, the peers last."""
    found = [where for where, kinds in METHODS.items() if kind in kinds]
    return sorted(found, key=lambda where: (where == "solverkit-baselines", where))
