"""Options of `topological-swaps`. The symbols are those of arXiv 2305.17277."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options

Init = Literal["start", "variance", "top-down"]


class TopologicalSwapsOptions(Options):
    """`candidates: all` is the whole neighbourhood; `paper` is the candidate sets of the paper."""

    candidates: Literal["all", "paper"] = Field(
        "all",
        description="all: every variable to its best place, then every swap, until neither improves. paper: the small "
        "and large candidate sets of the paper by quantiles of grad h(|W|), swaps alone, least squares alone.",
    )
    init: Init = Field(
        "start",
        description="First order. start: that of the starting point (random unless given; of a given W its topological "
        "order, so that any method's answer can be refined). variance: increasing variance. top-down: least "
        "conditional variance next. All other restarts are random.",
    )
    restarts: int | None = Field(
        None,
        ge=1,
        description="Orders searched side by side; the best answer is kept. More: better local optima, in "
        "proportionally more time. Orders after the first are random. Default: 4 for least squares and bic "
        "(one order in twenty, and one in two, ends above the true graph's score), else 1, and 1 in paper.",
    )
    kicks: int | None = Field(
        None,
        ge=0,
        description="Once the restarts have settled: how many times a random block of the best order is shuffled and "
        "searched anew; kept where better. Cheaper than a restart. Default: 10 for bic, else 0.",
    )
    kick_size: int = Field(
        12, ge=2, description="Positions of the shuffled block. Larger: farther away, longer to come back."
    )
    workers: int = Field(
        1, ge=1, description="Threads for restarts. The answer does not depend on it; the kernels hold no lock."
    )
    ridge: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Added to each variance, as a fraction of it. Default: 0, or the least power of ten from 1e-9 that "
        "makes the Gram matrix safely positive definite; the log says so. 0: refuse dependent columns.",
    )
    s_small: int | None = Field(
        None,
        ge=1,
        description="Paper: wanted size of the small candidate set. Default: the repository's, min(1.5 d, K), "
        "K = min(sqrt(d) (d - 1) log10 d, d (d - 1) / 2).",
    )
    s_large: int | None = Field(
        None,
        ge=1,
        description="Paper: wanted size of the large candidate set. Default: the repository's, max(1.5 d, K).",
    )
    no_large: int | None = Field(
        None,
        ge=0,
        description="Paper: large searches that may pay before the loop ends where the small set has no improvement. "
        "Default: the repository's, min(d // 10, 1).",
    )
    version: Literal["2022", "2024"] = Field(
        "2024",
        description="Paper: how tau is chosen. 2024: the s-th smallest entry of grad h. 2022: from a grid of "
        "32 values.",
    )
    exhaustive: int = Field(
        45,
        ge=0,
        description="Scores without closed forms (l1, logistic, forbidden edges that are no tiers): up to so many "
        "variables every swap and insertion is refitted before the search ends; above, insertions and the swaps that "
        "the closed form for least squares finds most promising.",
    )
    tried: int = Field(
        30,
        ge=1,
        description="Score mlp: swaps that are retrained in one step, most promising first, before the search ends.",
    )

    @model_validator(mode="after")
    def _paper_sizes(self) -> TopologicalSwapsOptions:
        if self.s_small is not None and self.s_large is not None and self.s_small > self.s_large:
            raise ValueError(f"s_small = {self.s_small} exceeds s_large = {self.s_large}")
        return self
