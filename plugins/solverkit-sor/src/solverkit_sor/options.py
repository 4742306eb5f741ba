"""Options of `sor-tuner`. The symbols are those of arXiv 2310.02246."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options

SolverName = Literal["auto", "sor", "ssor-cg", "grid-sor", "cg", "amg", "ilu", "direct", "gmres"]
Policy = Literal["auto", "log-ts", "tsallis-inf", "tsallis-inf-rv", "binned", "chebcb", "closed-form", "fixed"]


class SorTunerOptions(Options):
    """`production` tunes solver and parameters together, with a cap on trials; `paper` is the paper's bandit."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: SequenceTuner chooses among solvers and their parameters, unless `solver` or "
        "`policy` says more. paper: SOR (or the `solver` given) with 20 relaxation factors, Tsallis-INF, cost in "
        "iterations.",
    )
    solver: SolverName = Field(
        "auto",
        description="The solver whose parameter is tuned. auto: in production every solver that fits the matrices; "
        "in paper mode sor. grid-sor (red-black stencil sweeps) needs a problem that names its grid.",
    )
    policy: Policy = Field(
        "auto",
        description="How the arm of the next system is chosen. auto: SequenceTuner in production, tsallis-inf in "
        "paper mode. log-ts: Thompson sampling on the log-cost with the context. tsallis-inf: no context, safe "
        "against any sequence; -rv with the reduced-variance estimator. binned: one Tsallis-INF for each bin of "
        "the context. chebcb: Chebyshev series in the context. closed-form: the classical formula for w. fixed: "
        "`value` throughout.",
    )
    arms: tuple[float, ...] | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="Values of the tuned parameter: w of sor, ssor-cg and grid-sor, drop of ilu, restart of gmres. "
        "Default: the paper's 20 values 1, 1.05, ..., 1.95 for w; 1e-4 to 0.3 for drop; 10 to 100 for restart.",
    )
    value: float | None = Field(
        None,
        description="The parameter's value with policy=fixed. Default: 1.5 for w, the solver's own otherwise.",
    )
    cost: Literal["work", "iterations", "time"] | None = Field(
        None,
        description="What is to be small. work: multiply-adds by a model, the same in every run. iterations: the "
        "paper's. time: processor time, which differs from run to run. Default: work in production, iterations in "
        "paper mode.",
    )
    cap: int = Field(
        10_000,
        ge=1,
        description="Most iterations of one trial (the paper's 10,000). Beyond it the safe solver takes over.",
    )
    safe: Literal["auto", "cg", "gmres", "direct"] = Field(
        "auto",
        description="The solver that finishes what a trial did not, from where it stood; both are charged. auto: cg "
        "for symmetric matrices with a positive diagonal, direct for others.",
    )
    start: Literal["auto", "zero", "previous", "extrapolated"] = Field(
        "auto",
        description="Where each solve begins. previous: x_{t-1}. extrapolated: 2 x_{t-1} - x_{t-2}. auto: the best "
        "of the three by residual in production; in paper mode previous where b_t depends on x_{t-1}, else zero.",
    )
    context: str | None = Field(
        None,
        description="Name of the context entry that binned and chebcb look at. Default: the first one.",
    )
    low: float | None = Field(
        None,
        description="Least value of that context (a of [a, b]). Default: found in the sequence where it is recorded.",
    )
    high: float | None = Field(
        None,
        description="Largest value of that context (b of [a, b]).",
    )
    bins: int = Field(
        6,
        ge=1,
        le=1000,
        description="Bins of binned (m). The paper has 5 for shifts, 6 for heat.",
    )
    features: int = Field(
        6,
        ge=1,
        le=32,
        description="Chebyshev polynomials of chebcb (m). The paper's 6.",
    )
    discount: float = Field(
        0.998,
        gt=0,
        le=1,
        description="Thompson sampling: weight that old rounds keep at each new one. 1 for sequences that do not "
        "drift; 0.99 forgets within a hundred systems. A jump is noticed at any value.",
    )
    block: int | None = Field(
        None,
        ge=1,
        description="Systems in one step of the driver. Default: what takes about twenty milliseconds.",
    )

    @model_validator(mode="after")
    def _together(self) -> SorTunerOptions:
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low = {self.low:g} is not below high = {self.high:g}")
        if self.policy in ("closed-form",) and self.solver not in ("auto", "sor", "ssor-cg", "grid-sor"):
            raise ValueError(f"policy closed-form gives a relaxation w, which solver {self.solver} has not")
        return self

    @property
    def paper(self) -> bool:
        """Whether the paper's experiment is asked for."""
        return self.mode == "paper"
