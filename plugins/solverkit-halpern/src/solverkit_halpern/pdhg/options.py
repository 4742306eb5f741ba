"""Options of `halpern`. The symbols are those of arXiv 2407.16144 (reflected restarted Halpern PDHG)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solverkit.engine.options import Options


class HalpernOptions(Options):
    """`production` steps as far as the current faces allow; `paper` is r2HPDHG with the defaults of cuPDLPx."""

    mode: Literal["production", "paper", "plain"] = Field(
        "production",
        description="production: norms on the simplices' tangents and on the current faces, checks at each iteration "
        "where they are free. paper: r2HPDHG with the defaults of cuPDLPx (arXiv 2407.16144, 2507.14051): no "
        "centring, fixed step, checks every 200 iterations. plain: one anchor throughout, no reflection, no weight; "
        "for operators that are not bilinear, Halpern's iteration as in its papers.",
    )
    iteration: Literal["auto", "pdhg", "anchored"] = Field(
        "auto",
        description="pdhg: primal-dual hybrid gradient, for bilinear problems of two blocks. anchored: "
        "forward-backward where F is cocoercive, extra-anchored gradient elsewhere. auto: pdhg where it fits.",
    )
    block: int = Field(
        40, ge=1, le=100_000, description="Iterations in one step of the driver. Fewer: limits are kept more closely."
    )
    check: int | None = Field(
        None,
        ge=1,
        description="Iterations between tests of restart and convergence. Default: 1 in games, where both are free; 40 "
        "in linear programs and 10 elsewhere; 200 in paper mode, as cuPDLPx.",
    )
    reflection: float | None = Field(
        None, ge=0, le=1, description="rho: 1 takes 2 T(z) - z, 0 takes T(z). Default: 1; 0 in plain mode."
    )
    restart: bool | None = Field(
        None, description="Whether the anchor moves to T(z) when the restart test says so. Default: not in plain mode."
    )
    sufficient: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="Restart when the residual fell to this share of its value at the anchor (cuPDLPx).",
    )
    necessary: float = Field(
        0.5, gt=0, lt=1, description="Restart when it fell to this share and has begun to grow (cuPDLPx)."
    )
    longest: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Restart when the iterations since the anchor reach this share of all. Default: 0.5 in games, "
        "measured on Gaussian ones; 0.36 elsewhere, as cuPDLPx.",
    )
    step: float | None = Field(
        None, gt=0, description="sqrt(tau sigma). Default: 0.998 over the norm found by Golub-Kahan bidiagonalization."
    )
    faces: bool | None = Field(
        None,
        description="In games, step by the norm of A on the faces that the strategies lie in, found anew at restarts "
        "(its products are counted). About a quarter fewer products in dense games. Default: in production.",
    )
    centring: bool | None = Field(
        None,
        description="In games, take the norm on the tangents of the simplices: steps as of the double-centred matrix. "
        "Default: yes, but in paper mode.",
    )
    weight: float | None = Field(
        None, gt=0, description="omega at the start: tau = step / omega, sigma = step * omega. Default: 1."
    )
    proportional: float = Field(
        0.99, ge=0, le=2, description="kp of the control of log omega (cuPDLPx: 0.99). 0 keeps omega."
    )
    integral: float = Field(0.01, ge=0, le=1, description="ki of the control of log omega (cuPDLPx: 0.01).")
    ruiz: int = Field(
        10,
        ge=0,
        le=100,
        description="Rounds of Ruiz equilibration of a linear program or a saddle point over boxes (cuPDLPx: 10). 0: "
        "none, and games stay in their own coordinates, whatever their units.",
    )
    pock_chambolle: bool = Field(
        True, description="One Pock-Chambolle scaling (alpha = 1) after Ruiz's, in linear programs."
    )
    rescale: bool = Field(
        True, description="Scale bounds and objective of a linear program to about unit norm (cuPDLPx)."
    )
    precision: Literal["auto", "double", "mixed"] = Field(
        "auto",
        description="mixed: products with a single precision copy of a dense matrix, which halves the memory traffic; "
        "each claim is checked in double. auto: mixed in games of 250,000 entries or more, for tolerances that it can "
        "reach.",
    )
    lipschitz: float | None = Field(
        None, gt=0, description="L of F for anchored iterations. Default: the problem's, else found by backtracking."
    )
