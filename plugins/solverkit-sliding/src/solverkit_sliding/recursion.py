"""The outer recursion that both sliding methods share: gamma_k, A_k and their limits.

A_{k-1} is the weight of V(x_{k-1}, x*) in the potential, and gamma_k is the larger root of

    (1 + delta) (L g^2 + mu g) = (1 - g) A_{k-1} + mu g,   capped at 1,     A_k = gamma_k (L gamma_k + mu) (1 + delta)

so that A_k - mu gamma_k <= (1 - gamma_k) A_{k-1}: what the descent of the potential asks for. Its fixed point is

    gi = (-mu + sqrt(mu^2 + 4 L mu / (1 + delta))) / (2 L)  ~  sqrt(mu / ((1 + delta) L))

| here | derivation | meaning |
|---|---|---|
| gamma | gamma_k | weight of the new point in the average |
| curvature | L | Lipschitz constant of grad f |
| mu | mu | strong convexity of chi in its geometry |
| weight | A_{k-1} | weight of the distance in the potential |
| delta | delta_k | what the inner loop leaves over |

With mu = 0 the same recursion is Nesterov's: gamma_k ~ 2 / k.
"""

from __future__ import annotations

from math import sqrt


def fixed_point(curvature: float, mu: float, delta: float) -> float:
    """gi, the limit of gamma_k for a constant delta; 0 where mu = 0."""
    if mu <= 0:
        return 0.0
    return min(2 * mu / (1 + delta) / (mu + sqrt(mu * mu + 4 * curvature * mu / (1 + delta))), 1.0)


def next_gamma(curvature: float, mu: float, delta: float, weight: float) -> float:
    """gamma_k from A_{k-1}."""
    linear = weight + delta * mu
    root = sqrt(linear * linear + 4 * (1 + delta) * curvature * weight)
    return min(2 * weight / (linear + root), 1.0) if weight > 0 else 0.0


def shrink(mu: float, gi: float, k: int) -> float:
    """The k-th factor of schedules: r^k with r = 1 - gi / 2, half the outer rate, so that errors sum up without a log.

    Where mu = 0 there is no rate; then 1 / k^2, which matches the potential's own up to a logarithm.
    """
    return (1 - gi / 2) ** k if mu > 0 else 1.0 / k**2
