"""The exact augmented Lagrangian of the barrier problem, as merit function in (w, y).

    L_eta(w, y) = phi_mu(w) + y'c + eta1/2 |c|^2 + eta2/2 |D g_L|^2,       g_L = grad phi_mu + J'y

| here | paper | meaning |
|---|---|---|
| eta1, eta2 | eta_1, eta_2 | penalty of infeasibility, weight of stationarity |
| weight | | D = diag(min(1, distance to the bounds)), the identity where there are none |
| base, penalty, pull | | the slope along d is  base + eta1 penalty + eta2 pull |

Without bounds this is equation (2) of arXiv 2305.18379, and the slope its grad L_eta' d with W, the Hessian of the
Lagrangian. (The authors' code takes the Hessian of f there, which is not the gradient of L_eta.) A value needs no
second derivatives, and L_eta is bounded below by the part without |g_L|^2: a trial point whose part is too large is
refused before its derivatives are computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ETA1_MOST, ETA2_LEAST = 1e12, 1e-12


@dataclass(frozen=True)
class Slope:
    """Derivative of L_eta along a step, as a function of eta."""

    base: float
    penalty: float
    pull: float
    infeasibility: float  # |c|^2
    stationarity: float  # |D g_L|^2

    def at(self, eta1: float, eta2: float) -> float:
        """grad L_eta' d."""
        return self.base + eta1 * self.penalty + eta2 * self.pull

    def descends(self, eta1: float, eta2: float) -> bool:
        """The paper's test: grad L_eta' d <= -eta2/2 |(g_L, c)|^2."""
        return self.at(eta1, eta2) <= -0.5 * eta2 * (self.infeasibility + self.stationarity)

    def weights(self, eta1: float, eta2: float, nu: float) -> tuple[float, float] | None:
        """The first eta1 nu^2k, eta2 / nu^k that pass the test; None where none does within their limits."""
        while not self.descends(eta1, eta2):
            eta1, eta2 = eta1 * nu * nu, eta2 / nu
            if eta1 > ETA1_MOST or eta2 < ETA2_LEAST:
                return None
        return eta1, eta2


def slope_along(
    dx: np.ndarray,
    dy: np.ndarray,
    lagrangian: np.ndarray,  # g_L
    turned: np.ndarray,  # derivative of g_L along (dx, dy)
    c: np.ndarray,
    moved: np.ndarray,  # J dx
    weight: np.ndarray | None,
    sign: np.ndarray | None,
) -> Slope:
    """The parts of grad L_eta' d."""
    if weight is None or sign is None:
        weighted, change = lagrangian, turned
    else:
        weighted, change = weight * lagrangian, weight * turned + sign * dx * lagrangian
    return Slope(
        base=float(lagrangian @ dx + c @ dy),
        penalty=float(c @ moved),
        pull=float(weighted @ change),
        infeasibility=float(c @ c),
        stationarity=float(weighted @ weighted),
    )


def lower_part(phi: float, y: np.ndarray, c: np.ndarray, eta1: float) -> float:
    """L_eta without its last term, which is never negative."""
    return phi + float(y @ c) + 0.5 * eta1 * float(c @ c)


def upper_part(lagrangian: np.ndarray, weight: np.ndarray | None, eta2: float) -> float:
    """The last term of L_eta."""
    weighted = lagrangian if weight is None else weight * lagrangian
    return 0.5 * eta2 * float(weighted @ weighted)
