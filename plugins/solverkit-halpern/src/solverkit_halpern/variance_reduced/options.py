"""Options of `vr-halpern`. The symbols are those of arXiv 2310.02987."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options


class VRHalpernOptions(Options):
    """`production` chooses, samples by importance, restarts and watches; `paper` keeps the paper's parameters."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: importance sampling, double centring of games, an inner stop by the residual, moving "
        "anchors, and full evaluations where drawing components cannot pay. paper: Algorithms 1 and 2 with the "
        "schedules of the paper and of its published experiments.",
    )
    algorithm: Literal["auto", "page", "forb", "full"] = Field(
        "auto",
        description="page: Algorithm 1, PAGE estimates, for cocoercive operators. forb: Algorithm 2, inexact Halpern "
        "steps by variance-reduced forward-reflected-backward, for monotone ones. full: no components, Halpern steps "
        "or anchored extragradient. auto: page where the operator is known to be cocoercive, else forb; full where the "
        "stable rank says that components cannot pay (in production).",
    )
    guard: Literal["auto", "switch", "refuse", "off"] = Field(
        "auto",
        description="What follows when Algorithm 1 runs away, as it does on skew operators. switch: halve its step, "
        "then go on with Algorithm 2. refuse: stop, and say so. off: let it run. auto: switch in production, refuse in "
        "paper mode.",
    )
    step: float | None = Field(
        None,
        gt=0,
        description="eta. page: default 1 / (4 L_Q) in paper mode (Theorem 1); in production 1 / L where the operator "
        "is cocoercive, 1 / L_Q elsewhere, and the guard halves it. forb: sqrt(n) / L_Q (Theorem 2); larger: fewer and "
        "harder inner problems.",
    )
    batch: int | None = Field(
        None,
        ge=1,
        description="page: components in a batch (b). Larger: better estimates, fewer steps for the same work. "
        "Default: ceil(sqrt(n)), at least 16 in production, where a batch of rows is read at the speed of the cache.",
    )
    probability: float | None = Field(
        None,
        gt=0,
        le=1,
        description="page: p_k, the same in each step; 1 is the deterministic Halpern iteration. Default: the paper's "
        "schedule 4 / (k + 4) down to 4 / (sqrt(n) + 5). forb: p of a new snapshot; default 1 / n in paper mode, 2 / n "
        "in production.",
    )
    inner_step: float | None = Field(
        None,
        gt=0,
        description="forb: tau. Default: `inner_scale` sqrt(p (1 - p)) / (2 (eta L_Q + 1)) (Theorem 2).",
    )
    inner_scale: float | None = Field(
        None,
        gt=0,
        description="forb: multiple of the theory's tau. The published experiments use 10 on a game, tuned by hand. "
        "Default: 1 in paper mode; 3 in production, where it is halved when the inner residual does not fall.",
    )
    inner: float = Field(
        0.05,
        gt=0,
        description="forb, paper mode: M_k = inner n log(k + 2) inner steps (0.05 in the published experiments).",
    )
    accuracy: float = Field(
        0.5,
        gt=0,
        le=1,
        description="forb, production: an inner problem is left when its error bound is below accuracy / (k + 1) "
        "times the step that it makes. Smaller: more inner steps, truer Halpern steps.",
    )
    sampling: Literal["auto", "importance", "uniform"] = Field(
        "auto",
        description="How components of bilinear problems are drawn: by squared norms, which makes L_Q = ||A||_F, or "
        "uniformly. Others follow the problem's weights. auto: importance in production, uniform in paper mode.",
    )
    centre: bool | None = Field(
        None,
        description="Double-centre the matrix of a game on simplices for its components, which changes no answer and "
        "lowers L_Q. Default: in production.",
    )
    restart: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Production: the anchor moves to the current point when the merit has fallen to this fraction of "
        "its value at the last move. 0: never.",
    )
    rank: float | None = Field(
        None,
        gt=0,
        description="Production: components are drawn where the stable rank L_Q^2 / L^2 is at most rank n / cost^2; "
        "above, full evaluations are. Default: 0.1 for cocoercive operators, 0.0025 for others; both measured, see "
        "the page of the method.",
    )
    cost: float | Literal["measured"] | None = Field(
        None,
        description="Time of one component over 1 / n of the time of a full evaluation, for the rule above. It is "
        "squared there. measured: timed at the start, so that the run depends on the machine. Default: 1 for "
        "compiled kernels, 8 where each batch is a call of the problem.",
    )
    block: int | None = Field(
        None,
        ge=1,
        description="Iterations in one step of the driver. Default: 64 of page, 1 outer one of forb, 25 of full.",
    )

    @model_validator(mode="after")
    def _costs(self) -> VRHalpernOptions:
        if isinstance(self.cost, float) and not self.cost > 0:
            raise ValueError(f"cost = {self.cost:g} is not positive")
        return self

    @property
    def paper(self) -> bool:
        """Whether the paper's parameters hold."""
        return self.mode == "paper"

    @property
    def importance(self) -> bool:
        """Whether bilinear problems are sampled by importance."""
        return self.sampling == "importance" or (self.sampling == "auto" and not self.paper)

    @property
    def centring(self) -> bool:
        """Whether games are centred."""
        return self.centre if self.centre is not None else not self.paper

    @property
    def response(self) -> str:
        """What the guard does: switch, refuse or off."""
        return self.guard if self.guard != "auto" else "refuse" if self.paper else "switch"
