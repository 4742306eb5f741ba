"""Options of `sketched-newton`. The symbols are those of arXiv 2305.18379 where the paper has them.

(L) is the exact augmented Lagrangian
L_eta(x, y) = f + y'c + eta1/2 |c|^2 + eta2/2 |grad f + J'y|^2; the iteration is in `newton`, the paper's in `paper`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from solverkit.engine.options import Options

PAPER_INNER = ("exact", "gaussian", "kaczmarz")


class SketchedNewtonOptions(Options):
    """`production` is the method made to converge on general problems; `paper` is the published iteration."""

    mode: Literal["production", "paper"] = Field(
        "production",
        description="production: inexact Newton with inertia correction, a barrier for inequalities and restoration. "
        "paper: the iteration of arXiv 2305.18379 to the letter, equality constraints only.",
    )
    inner: Literal[
        "auto",
        "dense",
        "sparse",
        "schur",
        "condensed",
        "nystrom",
        "krylov",
        "exact",
        "gaussian",
        "kaczmarz",
    ] = Field(
        "auto",
        description="How the Newton system is solved. Production: auto picks by structure; dense: Bunch-Kaufman; "
        "sparse: LDL' with a fill-reducing order; schur: Schur complement of a diagonal "
        "Hessian, sketched where it is large; condensed: conjugate gradients on the variables that the constraints "
        "leave; nystrom: conjugate gradients on products with the Hessian, preconditioned by its random sketch; "
        "krylov: conjugate gradients with the Hessian's diagonal as preconditioner. Paper: exact (the default there), "
        "or sketch-and-project with gaussian or kaczmarz sketches.",
    )
    eta1: float = Field(
        1.0,
        gt=0,
        description="First penalty eta1 of |c|^2 in (L). Larger: feasibility first. Grown by the descent test. "
        "Default: the authors' code.",
    )
    eta2: float = Field(
        0.1,
        gt=0,
        description="First weight eta2 of |grad L|^2 in (L). Shrunk by the descent test. "
        "Production takes 0 where a problem has no rows: f is a merit function itself. Default: the authors' code.",
    )
    nu: float = Field(
        1.5,
        gt=1,
        description="nu of the descent test: where the slope of (L) is not below -eta2/2 |(grad L, c)|^2, eta1 is "
        "multiplied by nu^2 and eta2 divided by nu. Default: the authors' code.",
    )
    armijo: float | None = Field(
        None,
        gt=0,
        lt=0.5,
        description="beta of the line search, L(z + a d) <= L(z) + a beta slope. "
        "Default: 1e-4 in production, 0.1 in paper (the authors' code).",
    )
    scaling: bool = Field(
        True,
        description="Production: divide f, and each row of c, whose gradient at the start exceeds 100, by the excess, "
        "as IPOPT does (Waechter and Biegler 2006, section 3.8); and multiply f whose gradient is below 1 up to that.",
    )
    mu: float = Field(
        0.1,
        gt=0,
        description="Production: first barrier parameter mu of f - mu sum log(distance to bounds). "
        "Waechter and Biegler 2006, section 2.1.",
    )
    mu_power: float = Field(
        1.5,
        gt=1,
        lt=2,
        description="Production: mu <- max(tol/10, min(mu_factor mu, mu^mu_power)) once the barrier problem is solved "
        "to 10 mu. Their equation (7).",
    )
    mu_factor: float = Field(0.2, gt=0, lt=1, description="Production: the linear decrease of mu in the same equation.")
    converge: float | None = Field(
        None,
        gt=0,
        description="Production: the scaled KKT error at which the method claims convergence. Default: the smaller of "
        "the run's tol and 1e-8. Paper: the 2-norm of (grad L, c); default 1e-4, as in the authors' code.",
    )
    dense_size: int = Field(
        250,
        ge=0,
        description="Production: with inner=auto, systems of at most this many rows are solved densely, which is "
        "faster there.",
    )
    forcing: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Production: largest relative residual of an iterative inner solver; it falls with the KKT error, "
        "min(forcing, error^(1/2)) (Eisenstat and Walker 1996), so that the local rate is superlinear.",
    )
    rank: int = Field(
        30,
        ge=0,
        description="Production: rank of the first Nystrom sketch of inner=nystrom; it doubles while solves stay slow. "
        "0: no sketch, the diagonal alone. Larger: fewer steps, more products for each preconditioner.",
    )
    restoration_steps: int = Field(
        500,
        ge=1,
        description="Production: most Levenberg-Marquardt steps of one restoration, which minimizes the violation of "
        "the constraints where the line search fails.",
    )

    delta: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Paper: first accuracy delta of the direction, theta delta |b| / (|K| Psi). Default: the authors' "
        "code, where its floor of 1e-6 binds from the first iteration.",
    )
    theta: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Paper: theta_k of the same test. Default: 1, as in the authors' code.",
    )
    sharpen: bool = Field(
        False,
        description="Paper: theta_k = theta / (k + 1), which makes the local rate superlinear.",
    )
    xi: float = Field(
        0.1,
        gt=0,
        description="Paper: xi_B. Where the Hessian on the null space of J has an eigenvalue below 1e-6, "
        "B = W + (xi_B + |W|_F) I. Default: the authors' code.",
    )
    inner_steps: int = Field(
        100_000,
        ge=1,
        description="Paper: most sketch-and-project steps for one direction. Default: the authors' code.",
    )

    @model_validator(mode="after")
    def _modes(self) -> SketchedNewtonOptions:
        if self.paper and self.inner not in ("auto", *PAPER_INNER):
            raise ValueError(f"inner={self.inner} belongs to mode=production; mode=paper has {', '.join(PAPER_INNER)}")
        if not self.paper and self.inner in PAPER_INNER:
            raise ValueError(f"inner={self.inner} belongs to mode=paper; set mode=paper with it")
        return self

    @property
    def paper(self) -> bool:
        """Whether the paper's iteration is asked for."""
        return self.mode == "paper"
