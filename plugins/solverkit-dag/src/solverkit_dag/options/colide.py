"""Options of `colide`. Symbols and values of Saboksayr, Mateos and Tepper (ICLR 2024) and their scripts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options


class ColideOptions(Options):
    """Concomitant estimation of weights and noise scales."""

    noise: Literal["equal", "unequal"] = Field(
        "unequal", description="equal: one sigma (CoLiDE-EV). unequal: one for each variable (CoLiDE-NV)."
    )
    lambda1: float = Field(
        0.05,
        ge=0,
        description="Weight of sum |W|, free of the noise level. 0.05: the authors' scripts. Theory: of the order of "
        "sqrt(log d / n).",
    )
    s: tuple[float, ...] = Field(
        (1.0, 0.9, 0.8, 0.7), description="s of the log-det measure in each stage. The authors' scripts."
    )
    mu_factor: float = Field(0.1, gt=0, lt=1, description="mu is 1 and is multiplied by this after each stage.")
    warm_iterations: int = Field(20_000, ge=1, description="Adam iterations of every stage but the last.")
    last_iterations: int = Field(70_000, ge=1, description="Adam iterations of the last stage.")
    checkpoint: int = Field(
        1000,
        ge=1,
        description="Iterations in one step; a stage ends early where the objective changes by less than rtol.",
    )
    rtol: float = Field(1e-6, ge=0, description="Relative change of the objective over a step that ends a stage.")
    learning_rate: float = Field(3e-4, gt=0, description="Of Adam. Halved where sI - W * W stops being an M-matrix.")
    w_threshold: float = Field(
        0.3, ge=0, description="|W| below this is dropped; then the least edges on cycles, until there are none."
    )
    refit: bool = Field(False, description="Refit the weights on the edges that are left.")

    @model_validator(mode="after")
    def _stages(self) -> ColideOptions:
        if not self.s or min(self.s) <= 0:
            raise ValueError(f"s = {self.s} must be positive numbers, one a stage")
        return self
