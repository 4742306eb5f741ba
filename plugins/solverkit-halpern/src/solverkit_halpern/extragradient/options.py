"""Options of `extragradient`, `forb` and `vr-extragradient`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options


class ExtragradientOptions(Options):
    """`production` searches the step; `paper` keeps 0.9 / L."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: the step is searched, so that no L is needed, and the anchor moves when the merit "
        "has halved. paper: a fixed step, a fixed anchor.",
    )
    anchored: bool = Field(
        False,
        description="Pull each step towards an anchor with weight 1 / (k + 2): EAG (Yoon and Ryu 2021), whose last "
        "iterate has a residual of order 1 / k. Off: Korpelevich's method.",
    )
    step: float | None = Field(
        None,
        gt=0,
        description="eta, fixed. Larger: faster, until it diverges beyond 1 / L. Default: searched in production; "
        "0.9 / L in paper mode, with the operator's L or one that is found at the start, at a cost that is counted.",
    )
    average: bool = Field(
        False,
        description="Return the average of the half steps, which has the classical 1 / k gap, in place of the last "
        "iterate. One more evaluation of F a block.",
    )
    block: int = Field(25, ge=1, description="Iterations in one step of the driver.")

    @property
    def paper(self) -> bool:
        """Whether step and anchor are fixed."""
        return self.mode == "paper"


class ForbOptions(Options):
    """`production` searches the step; `paper` keeps 0.9 / (2 L)."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: the step is searched, so that no L is needed. paper: a fixed step.",
    )
    step: float | None = Field(
        None,
        gt=0,
        description="eta, fixed. Larger: faster, until it diverges beyond 1 / (2 L). Default: searched in production; "
        "0.9 / (2 L) in paper mode.",
    )
    block: int = Field(50, ge=1, description="Iterations in one step of the driver; each evaluates F once.")

    @property
    def paper(self) -> bool:
        """Whether the step is fixed."""
        return self.mode == "paper"


class VRExtragradientOptions(Options):
    """`production` draws by importance, centres games and watches the step; `paper` is the theory's."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: importance sampling, double centring of games, and a step that is halved where the "
        "merit grows. paper: uniform components, the step fixed.",
    )
    method: Literal["extragradient", "forb"] = Field(
        "extragradient",
        description="extragradient: two resolvents a step (Alacaoglu and Malitsky 2022, Algorithm 1). forb: the "
        "reflected step, one resolvent, half the step length.",
    )
    step: float | None = Field(
        None,
        gt=0,
        description="tau, fixed at first. Default: scale 0.99 sqrt(p) / L_Q, for forb scale sqrt(p (1 - p)) / (2 L_Q).",
    )
    scale: float = Field(
        1.0,
        gt=0,
        description="Multiple of the theory's step. The experiments of arXiv 2310.02987 use 3 on one game, tuned by "
        "hand; above 1 nothing is promised.",
    )
    probability: float | None = Field(
        None,
        gt=0,
        le=1,
        description="p, with which the snapshot moves after a step. Larger: more full evaluations, longer steps. "
        "Default: 2 / n in production, which spends as much on them as on components; 1 / n in paper mode.",
    )
    sampling: Literal["auto", "importance", "uniform"] = Field(
        "auto",
        description="How components of bilinear problems are drawn: by squared norms, or uniformly. Others follow the "
        "problem's weights. auto: importance in production, uniform in paper mode.",
    )
    centre: bool | None = Field(
        None,
        description="Double-centre the matrix of a game on simplices, which changes no answer and lowers L_Q. "
        "Default: in production.",
    )
    average: bool = Field(False, description="Return the average of the half steps in place of the last snapshot.")
    block: int = Field(1, ge=1, description="Snapshots in one step of the driver, about n component steps each.")

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
