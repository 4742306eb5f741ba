"""Options of `penalty`. The symbols are those of arXiv 2309.01753, with s for its sigma."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options

Finish = Literal["auto", "extrapolate", "extrapolate-answer", "implicit", "none"]


class PenaltyOptions(Options):
    """`production` is the method made to converge; `paper` is its iterations to the letter."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: y_s and y_0 solved to an accuracy tied to s, L-BFGS or spectral projected "
        "steps with a line search on psi_s, s lowered as the measured bias asks, then `finish`. paper: "
        "constant numbers of gradient steps and schedules of powers of k, from samples where the problem has "
        "them.",
    )
    finish: Finish = Field(
        "auto",
        description="Production: how the O(s) bias is removed. implicit: descend F(x, y*(x)), its gradient by "
        "conjugate gradients on Hessian-vector products; it needs a lower level that is strongly convex near "
        "the answer and a box for Y, and is replaced by extrapolate where curvature is missing. extrapolate: "
        "descend the Richardson combination of psi_s, psi_{s/2} and psi_{s/4}, gradients alone. "
        "extrapolate-answer: solve at s, q s, q^2 s, ... with q = shrink and return (x_{qs} - q x_s) / (1 - "
        "q) once it has come to rest; for kinks of y*. auto: implicit where it can be had, else extrapolate; "
        "then extrapolate-answer where that stalls. none: x_s for the last s.",
    )
    order: Literal[2, 3] = Field(
        3,
        description="Production: how many values of s the Richardson combination takes: error O(s^order). 3 "
        "costs one more minimization over y for each x than 2.",
    )
    s0: float | None = Field(
        None,
        gt=0,
        description="First s of h_s = s F + f. Larger: better conditioned and more biased. Default in "
        "production: 0.1 times the ratio of the curvatures of f and F over y, seen along one random direction "
        "at the start. Default in paper: 1 (F2SA).",
    )
    shrink: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="Production: s is multiplied by this while its bias is too large. 1/4: two halvings, "
        "which the extrapolation has measured already.",
    )
    s_min: float = Field(
        1e-5,
        gt=0,
        description="Production: least s, relative to the first. The gradient of psi_s carries rounding of "
        "order 1e-16 / s, and its condition grows as 1/s.",
    )
    settle: float = Field(
        1e-2,
        gt=0,
        description="Production: x has settled at one s when the projected gradient of psi_s is below settle "
        "(1 + |grad F|). Smaller: more steps on biased functions.",
    )
    inner_accuracy: float = Field(
        1e-3,
        gt=0,
        lt=1,
        description="Production: eta of the inner residual eta s |grad F|, the relative error of y in what "
        "1/s amplifies. It is tightened as x settles, and tenfold where a line search fails.",
    )
    starts: int = Field(
        8,
        ge=0,
        description="Production: random starts of the minimization over y, at the first x and wherever s "
        "changes, where Y is a bounded box or has few variables, and f is neither declared convex nor proven "
        "quadratic. 0: none.",
    )
    inner_iterations: int = Field(
        500, ge=1, description="Production: most iterations of one minimization over y (T_k is what the accuracy asks)."
    )
    memory: int = Field(10, ge=1, description="Production: pairs of L-BFGS, for x and for each minimization over y.")
    block: int | None = Field(
        None, ge=1, description="Iterations a step of the driver. Default: 1 in production, 100 in paper."
    )

    loop: Literal["double", "single"] = Field(
        "double",
        description="Paper: double: `inner` steps of y and z for each step of x. single: one step of each, "
        "along recursive momenta (STORM), one for y, one for z, one for x.",
    )
    inner: int = Field(10, ge=1, description="Paper, double loop: T, steps of y and z for each step of x. 10: F2SA.")
    alpha: float = Field(
        0.01, gt=0, description="Paper: first step of x; alpha_k = alpha (k + 1)^-step_power. 0.01: F2SA's benchmark."
    )
    gamma: float = Field(
        0.01, gt=0, description="Paper: first step of y and z; gamma_k = gamma (k + 1)^-step_power. 0.01: the same."
    )
    step_power: float = Field(
        4 / 7, ge=0, lt=1, description="Paper: how steps decrease. 4/7: F2SA (its 5/7 for y is 4/7 in units of h_s)."
    )
    s_power: float = Field(
        1 / 7, ge=0, lt=1, description="Paper: s_k = s0 (k + 1)^-s_power; the bias is O(s_k). 1/7: F2SA, noisy oracles."
    )
    momentum_power: float = Field(
        4 / 7,
        ge=0,
        le=1,
        description="Paper, single loop: eta_k = (k + 1)^-momentum_power, the weight of a fresh gradient "
        "against the corrected momentum. 0: no memory.",
    )
    rho: float | None = Field(
        None,
        gt=0,
        description="Paper: proximal parameter: |y - y_k|^2 / (2 rho) is added to h_s within the inner loop "
        "of step k, for lower levels that are not strongly convex. Default: no such term.",
    )
    batch: int = Field(
        64,
        ge=1,
        description="Paper: samples of a gradient where an objective is a mean over samples, drawn "
        "independently; y and z share those of f in the difference that is divided by s. 64: F2SA's "
        "benchmark.",
    )

    @property
    def paper(self) -> bool:
        """Whether the paper's iteration is asked for."""
        return self.mode == "paper"
