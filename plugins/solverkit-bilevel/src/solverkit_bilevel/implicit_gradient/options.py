"""Options of `implicit-gradient`. AID-BiO, ITD-BiO and stocBiO: Ji, Yang and Liang 2021, arXiv 2010.07962."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options


class ImplicitGradientOptions(Options):
    """`production` searches its steps and ends at a certified point; `paper` takes constant steps for ever."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: line-searched quasi-Newton or spectral steps on F(x, y*(x)), accuracy tightened along "
        "the way; where samples are asked for, stochastic steps first. paper: constant steps, D inner steps and Q "
        "products each: AID-BiO (solver=cg), ITD-BiO (unroll), with oracles=samples stocBiO (neumann).",
    )
    solver: Literal["cg", "neumann", "unroll"] = Field(
        "cg",
        description="How f_yy z = F_y is solved. cg: conjugate gradients, warm started: the fewest products. neumann: "
        "a series in I - f_yy/L. unroll: reverse mode through the inner gradient steps. The last two need a number of "
        "products of the order of the condition number of f_yy.",
    )
    oracles: Literal["full", "samples"] = Field(
        "full",
        description="full: whole objectives. samples: stochastic steps on minibatches of both objectives, which must "
        "be given as means over samples; production then hands over to full oracles, see `handover`.",
    )
    direction: Literal["quasi-newton", "spectral"] = Field(
        "quasi-newton",
        description="Production: L-BFGS with two-metric projection where X is a box or free, or Barzilai-Borwein "
        "steps. Balls and simplices always have the latter.",
    )
    inner_tol: float = Field(
        1e-10,
        gt=0,
        description="Production: final accuracy of the lower level and of the adjoint system, relative. On the way it "
        "is 1e-3 of the relative projected hypergradient.",
    )
    inner_rounds: int = Field(100, ge=1, description="Most Newton steps of one lower problem.")
    products: int = Field(
        1000,
        ge=1,
        description="Most products of one conjugate gradient solve. Of the order of the root of the condition number "
        "of f_yy times 10 for full accuracy.",
    )
    terms: int = Field(
        32,
        ge=1,
        description="Production: first number of inner steps of unroll. Doubled where what they leave is too much.",
    )
    most_terms: int = Field(
        16384,
        ge=1,
        description="Production: most terms of neumann, most inner steps of unroll; where they do not suffice the run "
        "ends STALLED and says so.",
    )
    memory: Literal["checkpoint", "store"] = Field(
        "checkpoint",
        description="unroll with K inner steps. store: all K points are kept. checkpoint: 2 sqrt(K) points, for one "
        "lower gradient more an inner step.",
    )
    armijo: float = Field(1e-4, gt=0, lt=0.5, description="Sufficient decrease of the line search.")
    second_order: int = Field(
        12,
        ge=0,
        description="Production, X free or a box: where the hypergradient vanishes, so many Lanczos steps (two "
        "linear systems each) look for negative curvature of F(x, y*(x)), and the run goes on below a saddle point. 0: "
        "claim at once.",
    )
    nonmonotone: int | None = Field(
        None,
        ge=1,
        description="Values in the nonmonotone line search. Default: 1 for quasi-newton, 10 for spectral steps.",
    )

    upper_step: float = Field(
        0.1,
        gt=0,
        description="Stochastic and paper: step beta of x. Constant in paper; production: the first of beta_k.",
    )
    lower_step: float | None = Field(
        None, gt=0, description="Stochastic and paper: step alpha of y. Default 1/L by power iteration at the start."
    )
    inner_steps: int = Field(
        10, ge=1, description="Stochastic and paper: D, steps of y for one of x. 10: the paper's experiments."
    )
    adjoint_products: int = Field(
        10,
        ge=1,
        description="Stochastic and paper: Q, products of the adjoint system for one step of x. The bias of a Neumann "
        "series is (1 - mu/L)^Q / mu.",
    )
    batch: int = Field(64, ge=1, description="samples: size of each of the three minibatches.")
    decay: float = Field(
        200.0,
        gt=0,
        description="samples, production: T0 of beta_k = upper_step / (1 + k/T0)^(1/2), of alpha_k alike.",
    )
    stochastic_steps: int = Field(
        200, ge=0, description="samples, production: steps of x before the handover to full oracles; 0: none."
    )
    handover: bool = Field(
        True,
        description="samples, production: go on with full oracles after the stochastic steps, which a certificate "
        "needs. False: stochastic steps until a limit ends the run.",
    )
    block: int = Field(20, ge=1, description="Stochastic and paper: steps of x in one step of the driver.")

    @model_validator(mode="after")
    def _consistent(self) -> ImplicitGradientOptions:
        if self.terms > self.most_terms:
            raise ValueError(f"terms = {self.terms} exceeds most_terms = {self.most_terms}")
        if self.oracles == "samples" and self.solver == "unroll":
            raise ValueError(
                "solver=unroll needs oracles=full: its trajectory would be one of noise; use neumann or cg"
            )
        return self
