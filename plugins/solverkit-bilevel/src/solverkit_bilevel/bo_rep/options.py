"""Options of `bo-rep`. The symbols are those of arXiv 2401.09587 (Hao, Gong, Liu, ICLR 2024)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options

PAPER = {"eta": 0.05, "gamma": 0.05, "nu": 0.01}
"""Steps of x, y and z in the authors' scripts for data hyper-cleaning."""


class BORepOptions(Options):
    """`production` is the method made to converge; `paper` has its structure and constant steps."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: steps from the curvature of f, decreasing, clipped near stationarity; full oracles at "
        "the end. paper: the published algorithm with constant steps (those of the authors' scripts), which "
        "ends in a ball of size eta around a stationary point. What the scripts leave out (refinement, averages, "
        "projection, fresh gradients) is done, as the paper has it.",
    )
    oracles: Literal["full", "samples"] | None = Field(
        None,
        description="samples: three minibatches a step (upper gradient, lower gradient, lower second derivatives), "
        "drawn separately. full: no noise. Default: samples where an objective is a mean over samples.",
    )
    batch: int = Field(
        64, ge=1, description="Size of each minibatch. The authors' scripts: 512 for data hyper-cleaning."
    )
    eta: float | None = Field(
        None,
        gt=0,
        description="eta: length of a step of x. Default in production 0.05 sqrt(n), first of eta_t; in paper 0.05.",
    )
    gamma: float | None = Field(
        None, gt=0, description="gamma: step of y, below 2/L. Default in production 1/L; in paper 0.05."
    )
    nu: float | None = Field(
        None,
        gt=0,
        description="nu: step of z on f_yy z = F_y. At 2/L or above z diverges: production then takes 1/L and says so, "
        "paper refuses. L is found by power iteration on Hessian-vector products. Default in production 1/L; in "
        "paper 0.01.",
    )
    beta: float = Field(0.9, ge=0, lt=1, description="beta: momentum of x. 0.9: the authors' scripts.")
    interval: int = Field(
        2, ge=1, description="I: y is updated every I steps of x. 2: the authors' scripts (3 in one)."
    )
    lower_steps: int | None = Field(
        None,
        ge=1,
        description="N: steps of y in an update. The authors' scripts: 10 for cleaning, 3 elsewhere. Default 10.",
    )
    radius: float | None = Field(
        None,
        gt=0,
        description="R: an update of y stays in the ball of this radius around where it begins. Default: four times "
        "the recent drift of y from update to update, at first the last radius of the refinement.",
    )
    average: bool | None = Field(
        None,
        description="y becomes the average of the N steps, not the last of them. Default: true in paper and with "
        "samples; without noise the average only lags.",
    )
    normalize: bool = Field(
        True,
        description="x moves by eta m/|m|. False: by eta m, plain momentum, which gradients without a Lipschitz bound "
        "throw out.",
    )
    clip: float | None = Field(
        None,
        gt=0,
        description="Production: below this |m| x moves by eta m/clip, so that steps shrink with the gradient. "
        "Default: eta_t times the curvature of F(x, y*(x)) seen along the last steps.",
    )
    decay: float = Field(
        100.0,
        gt=0,
        description="Production: T0 of eta_t = eta / (1 + t/T0)^(1/2). With samples gamma and nu decay alike.",
    )
    refine: bool = Field(True, description="Refine y at the first x by EpochSGD before x moves.")
    epochs: int = Field(
        5,
        ge=1,
        description="Epochs of the refinement. From one to the next the step is halved, the number of steps doubled, "
        "the radius divided by sqrt(2).",
    )
    epoch_steps: int = Field(20, ge=1, description="Steps of the first epoch.")
    epoch_step: float | None = Field(None, gt=0, description="Step of the first epoch. Default: gamma.")
    epoch_radius: float | None = Field(
        None,
        gt=0,
        description="Radius of the first epoch's ball around the start; y*(x0) should be in it. Default: twice the "
        "length of a Newton step at the start.",
    )
    handover: int = Field(
        400,
        ge=0,
        description="Production: steps of x after which full oracles take over: y by Newton's method, z by conjugate "
        "gradients, x by line-searched steps, without which no answer is exact. Earlier where the momentum no longer "
        "gets smaller. 0: never.",
    )
    patience: int = Field(
        100,
        ge=1,
        description="Production: the handover comes early where |m| averaged over so many steps of x is no smaller "
        "than over as many before.",
    )
    inner_tol: float = Field(
        1e-10,
        gt=0,
        description="Accuracy of y and z at the end, relative. 1e-8 is enough for the certificate where f_yy is well "
        "conditioned.",
    )
    products: int = Field(1000, ge=1, description="Most products of one conjugate gradient solve after the handover.")
    second_order: int = Field(
        12,
        ge=0,
        description="After the handover, X free or a box: Lanczos steps that look for negative curvature where the "
        "hypergradient vanishes, as for implicit-gradient. 0: none.",
    )
    block: int = Field(20, ge=1, description="Steps of x in one step of the driver.")
