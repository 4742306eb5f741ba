"""The inner loop of accelerated sliding: accelerated steps on a smoothed h, with f frozen at its linearization.

    min_u <G, u> + (1/g) h_eta((1 - g) xb + g u) + chi(u) + beta V(v, u),     m = beta + mu,  L_S = g ||K||^2 / eta

al_1 = 1, B_1 = L_S + m; for t >= 2 al is the root of L_S al^2 = (1 - al) B_{t-1}, B_t = L_S al^2 + m al, Gam *= 1 - al:

    w  = (1 - al) ut + al u
    y  = argmax_y <(1 - g) K xb + g K w, y> - g*(y) - eta ||y - y_0||^2 / 2
    u  = argmin_u <G + K'y, u> + chi(u) + beta V(v, u) + L_S al V(u, .)
    ut = (1 - al) ut + al u

until delta = Gam L_S / m is small enough: B_T = m + Gam L_S. The factor 1/g keeps L_S at g ||K||^2 / eta; smoothing
h(u) itself would cost (L / mu)^(1/4) more products.

| here | derivation | meaning |
|---|---|---|
| share | gamma_k | weight of the inner point in the average |
| eta | eta_k | smoothing, W(y_0, y) = ||y - y_0||^2 / 2 |
| stiffness | L_S | Lipschitz constant of the smoothed part in u |
| pull, dual | | averages of K'y and y with the weights of ut: a model of h for the lower bound |
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from solverkit.kinds.composite.problem import Composite

LONGEST = 1_000_000
"""Inner steps of one outer step, at most."""


@dataclass
class Inner:
    """Where the loop ended."""

    u: np.ndarray  # (n,) u_T
    image: np.ndarray  # (m,) K u_T
    average: np.ndarray  # (n,) ut_T
    product: np.ndarray  # (m,) K ut_T
    pull: np.ndarray  # (n,)
    dual: np.ndarray  # (m,)
    delta: float
    steps: int


def argmax(problem: Composite, z: np.ndarray, eta: float, centre: np.ndarray | None = None) -> np.ndarray:
    """argmax_y <z, y> - g*(y) - eta ||y - y_0||^2 / 2, y_0 the centre or 0."""
    return problem.dual_prox(z / eta if centre is None else centre + z / eta, 1 / eta)


def smoothed_value(problem: Composite, z: np.ndarray, eta: float, centre: np.ndarray) -> float:
    """h_eta at K x = z: the Moreau envelope of g at z + eta y_0, less eta ||y_0||^2 / 2."""
    assert problem.structured is not None
    y = argmax(problem, z, eta, centre)
    p = z + eta * (centre - y)  # prox_{eta g}(z + eta y_0)
    return float(problem.structured.outer.value(p)) + 0.5 * eta * float(y @ y - centre @ centre)


def inner_loop(
    problem: Composite,
    *,
    slope: np.ndarray,  # G
    centre: np.ndarray,  # v = x_{k-1}
    product: np.ndarray,  # K v
    fixed: np.ndarray,  # (1 - g) K xb
    origin: np.ndarray,  # y_0
    share: float,
    beta: float,
    mu: float,
    eta: float,
    stiffness: float,
    delta: float,
) -> Inner:
    """Run it until Gam L_S / m <= delta."""
    between, step = problem.simple.between, problem.simple_step
    m = beta + mu
    u, image = centre, product
    average, average_image = u, image
    pull = dual = np.zeros(0)
    weight, left, steps = stiffness + m, 1.0, 0
    while True:
        steps += 1
        al = 1.0 if steps == 1 else 2 * weight / (weight + sqrt(weight * weight + 4 * stiffness * weight))
        y = argmax(problem, fixed + share * ((1 - al) * average_image + al * image), eta, origin)
        gradient = problem.adjoint(y)
        pulled = stiffness * al
        u = step(slope + gradient, between(centre, beta, u, pulled) if beta > 0 else u, beta + pulled)
        image = problem.forward(u)
        if steps == 1:
            average, average_image, pull, dual = u, image, gradient, y
        else:
            average = average + al * (u - average)
            average_image = average_image + al * (image - average_image)
            pull = pull + al * (gradient - pull)
            dual = dual + al * (y - dual)
            weight, left = pulled * al + m * al, left * (1 - al)
        if not left * stiffness > delta * m or steps == LONGEST:  # NaN ends it too
            return Inner(u, image, average, average_image, pull, dual, left * stiffness / m, steps)
