"""What the generated method of each kind is: the words of its record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """One template. `extra` is the core's extra that its problem file needs."""

    summary: str
    pays: str
    avoid: str
    requires: tuple[str, ...] = ()
    extra: str = ""


METHODS = {
    "bilevel": Method(
        "Hypergradient descent with conjugate gradients.",
        "Small, smooth problems whose lower level is strongly convex and free.",
        "Upper constraints, or a lower level that is not strongly convex.",
        ("hvp", "unconstrained-lower", "no-upper-rows"),
        "[casadi]",
    ),
    "composite": Method(
        "The primal-dual method of Condat and Vu.",
        "Cheap gradients and a nonsmooth term g(K x) with a simple g.",
        "Gradients that are dear beside products with K.",
        ("structured", "lipschitz"),
        "[casadi]",
    ),
    "dag": Method(
        "Orders of variables by single moves, for least squares.",
        "Up to some twenty variables with noise of equal variance.",
        "Many variables: a step fits d**3 regressions.",
        ("gram",),
    ),
    "inclusion": Method(
        "Extragradient steps that adapt to the operator.",
        "Small monotone problems without further structure.",
        "Matrix games and linear programs of size, for which exact structure is worth much.",
    ),
    "linear-sequence": Method(
        "Conjugate gradients on each system, begun at the answer before.",
        "Symmetric positive definite systems that change little.",
        "Systems that are not symmetric.",
        ("symmetric", "positive-diagonal"),
    ),
    "nonlinear": Method(
        "Newton's method on the KKT conditions.",
        "Small problems with equations alone and a good start.",
        "Inequalities, bounds, or a start far away.",
        ("hessian", "equalities-only", "no-bounds"),
        "[casadi]",
    ),
}
