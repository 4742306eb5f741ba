"""Options of `lv-hba`. The symbols are those of arXiv 2401.16164.

(V) is the value function v, as `solverkit_bilevel.envelope` states it; the iteration is in `paper_schedule`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options

PRODUCTION = {"gamma1": 10.0, "gamma2": 1e4, "c0": 1.0}
PAPER = {"gamma1": 10.0, "gamma2": 10.0, "c0": 0.025, "multiplier_bound": 1000.0}


class LVHBAOptions(Options):
    """`production` is the method made to converge; `paper` is its iteration to the letter."""

    schedule: Literal["production", "paper"] = Field(
        "production",
        description="production: line-searched projected steps, z set to the inner multiplier, c grown "
        "once x has settled. paper: one gradient step a block with constant alpha, beta, eta "
        "and c_k = c0 (k + 1)^power. With the constants of the authors' scripts the paper's "
        "iteration diverges on their own example at n = 100.",
    )
    inner: Literal["exact", "extragradient", "descent-ascent"] | None = Field(
        None,
        description="How (t, lambda), the saddle point of the proximal Lagrangian (V), is followed. "
        "exact: semismooth Newton on the envelope that is left when lambda is maximized out. "
        "extragradient, descent-ascent: first-order steps; in production repeated to "
        "inner_tol, in the paper's schedule one an iteration. Default: exact in production "
        "(extragradient where Y is curved), descent-ascent in paper.",
    )
    gamma1: float | None = Field(
        None,
        gt=0,
        description="gamma_1 of (V), weight 1/(2 gamma_1) of |t - y|^2. Larger: a steeper lower gap, a "
        "worse conditioned saddle. Below 1/(weak convexity modulus of f in y) where f is not "
        "convex. Default 10: the scripts of the paper.",
    )
    gamma2: float | None = Field(
        None,
        gt=0,
        description="gamma_2 of (V), weight 1/(2 gamma_2) of |lambda - z|^2. Larger: z settles in fewer "
        "steps; harmless with an exact saddle, slow with first-order ones. Default: 1e4 in "
        "production with exact, else 10 (the scripts).",
    )
    c0: float | None = Field(
        None,
        gt=0,
        description="First penalty c of psi_c = F/c + f - v. Production: 1, small enough for x to move "
        "freely. Paper: 0.025 (the scripts).",
    )
    normalize: bool | None = Field(
        None,
        description="Divide every lower row by the norm of its y part, so that the saddle operator has "
        "modulus of order 1 in each row. Default: true in production, false in paper.",
    )
    multiplier_bound: float | None = Field(
        None,
        gt=0,
        description="r of Z = [0, r]^p x [-r, r]^q; must exceed a multiplier of the solution. "
        "Default: 1000 in paper (the scripts), none in production, where the exact saddle "
        "keeps lambda bounded.",
    )
    block: int | None = Field(
        None,
        ge=1,
        description="Iterations in one step of the driver. Default 50 in production, 1000 in paper, where"
        " an iteration costs about as much as the driver.",
    )

    growth: float = Field(
        10.0,
        gt=1,
        description="Production: c is multiplied by this when x has settled. The bias of x is O(1/c), the"
        " lower gap O(1/c^2). 10 measured best on the coupled example; growing before x "
        "settles freezes x.",
    )
    settle: float = Field(
        0.1,
        gt=0,
        description="Production: x has settled at c when R_k <= settle (1 + |grad F|) / sqrt(c); R_k is "
        "the projected-gradient residual of F + c (f - v). Smaller: more accurate levels, which the "
        "prediction of the next one profits from little.",
    )
    predict: bool = Field(
        True,
        description="Production: start a level at w(c) + (w(c) - w(c/growth))/growth, projected: w(c) - "
        "w* is d/c + O(1/c^2).",
    )
    c_max: float = Field(
        1e8,
        gt=0,
        description="Production: c stops growing here. With F/c below the rounding of f, larger values only add noise.",
    )
    gap_tol: float | None = Field(
        None,
        gt=0,
        description="Production claims convergence when f - v <= gap_tol (1 + |f|), and x has settled. "
        "Default: the run's tol.",
    )
    settle_iterations: int = Field(
        2000,
        ge=1,
        description="Production: iterations after which a level is left although x has not settled; the log says so.",
    )
    handover: int = Field(
        200,
        ge=0,
        description="Production: iterations at one c after which, where x has not settled, the follower's exact answer "
        "takes over: projected L-BFGS steps on F(x, y*(x)), gradients by KKT sensitivity. Only where y* is unique "
        "and smooth at that x, X is a box, and neither G nor H is given; elsewhere nothing changes. 0: never.",
    )
    descent_iterations: int = Field(2000, ge=1, description="Most steps on F(x, y*(x)) after the handover.")
    armijo: float = Field(
        1e-4,
        gt=0,
        lt=0.5,
        description="Sufficient decrease psi(w + s d) <= max(last psi) + armijo s <grad psi, d> of the line search.",
    )
    memory: int = Field(
        10,
        ge=1,
        description="Values of psi in the nonmonotone line search (Grippo, Lampariello, Lucidi); 1 is "
        "Armijo's monotone one.",
    )
    inner_tol: float = Field(
        1e-10,
        gt=0,
        description="Production: accuracy of the saddle, relative to the size of its terms. The line "
        "search sees v only to this.",
    )
    inner_iterations: int = Field(
        20000,
        ge=1,
        description="Production: most first-order inner steps, or 1/200 of it Newton steps, for one saddle.",
    )
    polish: bool = Field(
        True,
        description="Finish by Newton steps on the lower KKT conditions with the identified active rows, "
        "accepted only where feasibility holds, and stationarity gets no worse or the lower gap was open. "
        "Removes the O(1/c) bias.",
    )
    polish_iterations: int = Field(
        200,
        ge=1,
        description="Most Newton steps of the polish, changes of the active set included. Besides, no more than "
        "50 plus a tenth of the iterations done; a tenth of a block where a limit cut the run short, as the "
        "polish then has the time of one step.",
    )

    alpha: float = Field(
        0.008,
        gt=0,
        description="Paper: step alpha of (x, y). 0.008: the authors' script for the coupled example.",
    )
    beta: float = Field(0.02, gt=0, description="Paper: step beta of z. 0.02: the same script.")
    eta: float | None = Field(
        None,
        gt=0,
        description="Step eta of t and lambda. Stable for eta <= rho_T/L_B^2 (saddle operator: "
        "strong monotonicity rho_T, modulus L_B); the script's 0.01, the default in paper, is"
        " not at n = 100. Production: a first guess, 1, "
        "halved until the steps contract.",
    )
    power: float = Field(
        0.3,
        gt=0,
        lt=0.5,
        description="Paper: p of c_k = c0 (k + 1)^p, in (0, 1/2). Infeasibility falls as K^-p. 0.3: the script.",
    )
    paper_tol: float | None = Field(
        None,
        gt=0,
        description="Paper: stop when the merit, residual plus root of the lower gap (both relative), is "
        "below this. Default: the run's tol.",
    )

    @model_validator(mode="after")
    def _levels(self) -> LVHBAOptions:
        if self.c0 is not None and self.schedule == "production" and self.c0 > self.c_max:
            raise ValueError(f"c0 = {self.c0:g} exceeds c_max = {self.c_max:g}")
        return self

    @property
    def paper(self) -> bool:
        """Whether the paper's iteration is asked for."""
        return self.schedule == "paper"
