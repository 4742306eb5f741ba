"""Options of `bsvrb`. The symbols are those of arXiv 2305.18730."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options

PAPER = {"a": 0.1, "beta": 0.1, "eta": 0.01, "tau": 0.1, "tau_v": 0.1}


class BSVRBOptions(Options):
    """`production` is the method made to converge; `paper` is its iteration with constant parameters."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: steps from measured curvatures that decrease, all lower problems solved "
        "before the first step, and a finish with exact lower solutions. paper: constant steps, estimators "
        "and momentum.",
    )
    variant: Literal["auto", "v1", "v2"] = Field(
        "auto",
        description="v1: the Hessian of each block is tracked and inverted: v_i = H_i^-1 grad_y f_i, for "
        "blocks of few variables. v2: v_i by gradient steps on v'H_i v / 2 - v'grad_y f_i, one Hessian-vector "
        "product for each of the two iterates that the estimators compare. auto: v1 up to `small` variables a "
        "block, else v2.",
    )
    small: int = Field(
        6, ge=1, description="Most variables a block for v1 by auto: v1 takes as many Hessian-vector products a step."
    )
    sample: int = Field(
        16,
        ge=1,
        description="|I|, blocks a step, drawn without replacement. Larger: fewer and dearer steps; the "
        "complexity O(m / |I|) of the analysis makes their product constant, and a batch costs little more "
        "than a block.",
    )
    inner: int = Field(
        10,
        ge=1,
        description="Production, v2: conjugate gradient steps on each drawn block, for y_i and for v_i; no "
        "more than it has variables.",
    )
    a: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Weight of a fresh value in the MSVR estimator of a block's gradients and Hessian. Below "
        "1 the correction gamma = (m - |I|) / (|I| (1 - a)) + 1 - a follows what the block missed. Default: 1 "
        "in production, where a sampled block's gradient is exact and needs no memory; 0.1 in paper.",
    )
    beta: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Weight of a fresh gradient in the STORM momentum of x. Default: (1 + t |I| / m)^(-2/3) "
        "in production; 0.1 in paper.",
    )
    recursive: bool = Field(
        True,
        description="STORM: the momentum of x is corrected by the same blocks' gradient at the last iterate, "
        "which costs a second Hessian-vector product a step. false: a plain moving average, one product a "
        "step.",
    )
    eta: float | None = Field(
        None,
        gt=0,
        description="Step of x. Default in production: half the inverse of the curvature that successive "
        "gradients of the same blocks show, times (1 + t |I| / m)^(-1/3); 0.01 in paper.",
    )
    tau: float | None = Field(
        None,
        gt=0,
        description="Step of y_i, a gradient step. Default: 0.1 in paper; in production a Newton step "
        "instead, by conjugate gradients in v2.",
    )
    tau_v: float = Field(0.1, gt=0, description="Paper, v2: step of v_i.")
    radius: float = Field(
        100.0, gt=0, description="Paper, v2: v_i is kept in a ball of this radius, a bound on |H_i^-1 grad_y f_i|."
    )
    epochs: float = Field(
        3.0,
        gt=0,
        description="Production: passes over the blocks by sampled steps before the exact finish; without the "
        "finish the run ends after them. Larger: a better x to begin the finish with.",
    )
    finish: bool = Field(
        True,
        description="Production: then descend F(x, y*(x)) by L-BFGS with every lower problem solved and every "
        "v_i exact, which is what makes an answer that can be certified. It costs O(m) a step.",
    )
    block: int | None = Field(
        None, ge=1, description="Sampled steps a step of the driver. Default: 50, or an epoch where that is shorter."
    )

    @property
    def paper(self) -> bool:
        """Whether the paper's iteration is asked for."""
        return self.mode == "paper"
