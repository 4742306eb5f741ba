"""Options of the methods for composite problems. Symbols are those of the pages gradient-sliding and
accelerated-gradient-sliding.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options


class OuterOptions(Options):
    """What both sliding methods share."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="paper: the derivation to the letter, schedules that know no gap. production: the same iteration "
        "with schedules tied to the certified gap, and backtracking where L is not known.",
    )
    lipschitz: float | None = Field(
        None,
        gt=0,
        description="L of grad f. Smaller: fewer gradients, until f(xb) <= l_f + L gamma^2 V breaks. Default: "
        "the problem's own; where it has none, found by backtracking.",
    )
    backtracking: bool | None = Field(
        None,
        description="Try each step's L by f(xb) <= l_f + L gamma^2 V, doubling it and repeating the step where that "
        "fails, relaxing it by a twentieth where it holds; one value of f a step. Default: only where L is not known.",
    )
    verify: bool = Field(
        False,
        description="Assert the inequality of the potential at every step, at the start's block `reference` where "
        "there is one, at the start otherwise; a step that breaks it ends the run. One value of f a step. For tests.",
    )
    answer: Literal["average", "last"] = Field(
        "average",
        description="Which iterate is the answer: the average xb_k, which the theory bounds, or the last x_k, often "
        "sparser on kinks; its gap is looser, as f(x_k) is bounded from the gradient at xu_k.",
    )
    restart: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Production: begin anew at the answer, with gamma = 1, where the certified gap has fallen by this "
        "factor since the last time; 0: never. It adapts to growth of Psi that mu does not show.",
    )
    batch: int = Field(
        0,
        ge=0,
        description="Terms of f in the first gradient, of an f that is a mean over samples; 0: all. The batch grows "
        "like r^{-k}, so that its variance keeps pace with the gap; bounds begin once it has all terms.",
    )


class SlidingOptions(OuterOptions):
    """Options of `gradient-sliding`."""

    inner: int = Field(
        10,
        ge=2,
        description="T_0 of T_k = max(2, ceil(T_0 r^-k)), subgradients a step, r = 1 - gi / 2. Larger: fewer gradients "
        "to an accuracy, more subgradients. Default: the derivation's.",
    )
    initial_gap: float | None = Field(
        None,
        gt=0,
        description="Delta_0 >= Psi(x_0) - min Psi. Where given, with `bound`, T_0 = 8 (M^2 + sigma^2) / ((L gi + mu) "
        "Delta_0) in place of `inner`.",
    )
    bound: float | None = Field(
        None,
        gt=0,
        description="M with |h(x) - h(y) - <h'(y), x - y>| <= M ||x - y||: twice a bound of the subgradients. Used by "
        "`initial_gap` and `verify`. Default: from the problem, where it knows one.",
    )
    noise: float = Field(
        0.0, ge=0, description="sigma of sampled subgradients, for the schedule by `initial_gap`. Default: none."
    )
    samples: int = Field(
        0,
        ge=0,
        description="Terms of an h that is a mean in each subgradient; 0: all. The bound on Psi then averages noise, "
        "and the answer is certified from the cuts alone.",
    )
    delta: float = Field(
        0.2, gt=0, le=1, description="d in gi. Larger: fewer inner steps at the start, more gradients. Derivation: 0.2."
    )
    cuts: int = Field(
        64,
        ge=1,
        description="Points of the last inner loop that the answer carries for its certificate, where h is known by "
        "subgradients alone. More: a tighter bound, at one subgradient each.",
    )


class AcceleratedOptions(OuterOptions):
    """Options of `accelerated-gradient-sliding`."""

    smoothing: float | None = Field(
        None,
        gt=0,
        description="eta_0 of h_eta. Larger: fewer K-products at the start, more gradients. Default: Delta_0 / D_Y, "
        "Delta_0 the gap certified at the start.",
    )
    share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Production: eta falls where the smoothing error at the answer, h - h_eta, is more than this share "
        "of the certified gap. Smaller: more K-products a step, fewer steps.",
    )
    delta: float | None = Field(
        None,
        gt=0,
        le=1,
        description="What the inner loop leaves over, at most. Smaller: more K-products, fewer gradients. Default: 1/2 "
        "in paper (the derivation), 1/10 in production.",
    )


class SmoothedOptions(Options):
    """Options of `smoothed-fista`."""

    smoothing: float | None = Field(
        None,
        gt=0,
        description="eta of h_eta. Smaller: an answer closer to Psi's, slower. Default: tol (1 + |Psi|) / (2 D_Y), "
        "half of what is asked for, with the current Psi once that is smaller.",
    )
    decreasing: bool = Field(
        False,
        description="eta_k = Delta_0 / (D_Y k) until it is `smoothing`, instead of one eta throughout: faster at loose "
        "accuracies.",
    )
    lipschitz: float | None = Field(None, gt=0, description="L of grad f. Default: the problem's own.")
    block: int = Field(20, ge=1, description="Iterations in one step of the driver.")


class CondatOptions(Options):
    """Options of `condat-vu`."""

    relaxation: float = Field(
        1.8,
        gt=0,
        lt=2,
        description="rho of the over-relaxation, cut to 2 - L / (2 (1/tau - sigma ||K||^2)) where that is smaller; 1 "
        "in the entropy. Default: Condat 2013 recommends values near 1.9.",
    )
    ratio: float | None = Field(
        None,
        gt=0,
        description="sigma / tau at the start. Larger: the dual moves faster. Default: from the sizes of x and y, 1 "
        "where they are not known.",
    )
    adaptive: bool = Field(
        True,
        description="Balance the primal and dual residuals by moving the ratio, by less each time (Goldstein, Li, Yuan "
        "2015).",
    )
    slack: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Share of 1/tau that is left to f where it is the larger part: 1/tau = L / (2 slack) at least.",
    )
    lipschitz: float | None = Field(
        None, gt=0, description="L of grad f. Default: the problem's own, or learnt on the way where it has none."
    )
    block: int = Field(10, ge=1, description="Iterations in one step of the driver; the gap is looked at after each.")


class RestartedOptions(Options):
    """Options of `restarted-sliding`."""

    initial_gap: float | None = Field(
        None, gt=0, description="Delta_0 >= Psi(x_0) - min Psi. Default: the gap certified at the start."
    )
    bound: float | None = Field(
        None, gt=0, description="M as in `gradient-sliding`. Default: from the problem, where it knows one."
    )
    lipschitz: float | None = Field(None, gt=0, description="L of grad f. Default: the problem's own.")
    verify: bool = Field(False, description="Assert Lan's bound of each phase against the start's block `reference`.")


class AutoOptions(Options):
    """Options of `composite-auto`."""

    break_even: float = Field(
        10.0,
        gt=0,
        description="Cost of a gradient of f in pairs of products with K and K' above which sliding is taken. Default: "
        "measured, see the page accelerated-gradient-sliding.",
    )
    method: Literal["measure", "accelerated-gradient-sliding", "gradient-sliding", "condat-vu"] = Field(
        "measure", description="measure: decide by the costs. A name: take that one, without measuring."
    )
