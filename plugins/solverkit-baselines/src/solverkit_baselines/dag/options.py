"""Options of the peers for structure learning."""

from __future__ import annotations

from pydantic import Field

from solverkit.engine.options import Options


class DagmaOptions(Options):
    """What DAGMA is given besides the samples; defaults of dagma 1.1 where none is named."""

    lambda1: float = Field(
        0.05,
        ge=0,
        description="Weight of sum |W|. Larger: fewer edges, weights biased towards 0. 0.05: the scripts of the "
        "authors' later comparisons; the package's own is 0.03.",
    )
    w_threshold: float = Field(0.3, ge=0, description="|W| below this is dropped at the end. The package's value.")
    stages: int = Field(5, ge=1, description="T: stages of the central path. The package's value.")
    warm_iterations: int = Field(30_000, ge=1, description="Adam iterations of every stage but the last, at most.")
    last_iterations: int = Field(60_000, ge=1, description="Adam iterations of the last stage, at most.")
    learning_rate: float = Field(3e-4, gt=0, description="Of Adam. The package's value.")
    refit: bool = Field(
        True,
        description="Whether weights are fitted anew on the edges that are left, without the penalty. The package does "
        "not, and the score of its thresholded W says little.",
    )


class CausalLearnOptions(Options):
    """What BOSS and GES of causal-learn are given besides the data."""

    edge_cost: float | None = Field(
        None,
        ge=0,
        description="Price of an edge in units of (log n) / 2. Default: the problem's, 1 where it has none. Larger: "
        "fewer edges.",
    )
