"""Bayesian linear regression in small dimensions, compiled: the arithmetic of `log_ts`.

    th ~ N(0, I / precision),  y = x . th + N(0, noise):   th | data ~ N(m, (C C')^-1),  C C' = precision I + sum x x'
    / noise

Rows x are products B(z_i) x phi(c) of a row of `basis` (k, p1) with context features phi (p2,); p = p1 p2.
"""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from solverkit.kernels import njit
from solverkit_sor.learners.contexts import pairs


@njit(cache=True)
def posterior(
    gram: np.ndarray, moment: np.ndarray, precision: np.ndarray, noise: float, factor: np.ndarray, mean: np.ndarray
) -> None:
    """C and m from gram = sum x x' (p, p) and moment = sum x y (p,), written to `factor` and `mean`. O(p^3 / 6)."""
    p = moment.size
    for i in range(p):
        for j in range(i + 1):
            total = gram[i, j] / noise
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                # gram / noise is positive semidefinite: a pivot below its precision is rounding.
                factor[i, i] = np.sqrt(max(total + precision[i], precision[i]))
            else:
                factor[i, j] = total / factor[j, j]
        total = moment[i] / noise
        for k in range(i):
            total -= factor[i, k] * mean[k]
        mean[i] = total / factor[i, i]
    backward(factor, mean)


@njit(cache=True)
def backward(factor: np.ndarray, x: np.ndarray) -> None:
    """x <- C'^-1 x, in place. O(p^2 / 2)."""
    for i in range(x.size - 1, -1, -1):
        x[i] /= factor[i, i]
        for k in range(i):
            x[k] -= factor[i, k] * x[i]


@njit(cache=True)
def deviation(factor: np.ndarray, x: np.ndarray) -> float:
    """sqrt(x' (C C')^-1 x), the posterior sd of x . th. O(p^2 / 2)."""
    y = np.empty(x.size)
    squares = 0.0
    for i in range(x.size):
        total = x[i]
        for k in range(i):
            total -= factor[i, k] * y[k]
        y[i] = total / factor[i, i]
        squares += y[i] * y[i]
    return np.sqrt(squares)


@njit(cache=True)
def features(row: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """(p1 p2,) the product row x phi."""
    x = np.empty(row.size * phi.size)
    for i in range(row.size):
        for j in range(phi.size):
            x[i * phi.size + j] = row[i] * phi[j]
    return x


@njit(cache=True)
def scores(
    basis: np.ndarray, home: np.ndarray, phi: np.ndarray, factor: np.ndarray, mean: np.ndarray, normal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each arm (k,): x . th with th drawn from the posterior by `normal`, x . m, and the sd of x . th.

    home : (k,) the model of each arm; factor : (g, p, p), mean, normal : (g, p), one model a row. O(k p^2 / 2 + g p^2
    / 2).
    """
    drawn, expected, sd = np.empty(len(basis)), np.empty(len(basis)), np.empty(len(basis))
    theta = normal.copy()
    for g in range(len(mean)):
        backward(factor[g], theta[g])
    for a in range(len(basis)):
        g = home[a]
        x = features(basis[a], phi)
        expected[a], drawn[a] = 0.0, 0.0
        for i in range(x.size):
            expected[a] += x[i] * mean[g, i]
            drawn[a] += x[i] * theta[g, i]
        drawn[a] += expected[a]
        sd[a] = deviation(factor[g], x)
    return drawn, expected, sd


@njit(cache=True)
def outlook(
    phi: np.ndarray,
    basis: np.ndarray,
    home: np.ndarray,
    factor: np.ndarray,
    mean: np.ndarray,
    normal: np.ndarray,
    shift: np.ndarray,
    fresh: np.ndarray,
    prior_sd: float,
    last: np.ndarray,
) -> tuple[int, np.ndarray]:
    """Sets last (2, k) to the mean and sd of each arm's log-cost; the arm of the least mean, and the draws (k,).

    Arms of groups that no round has touched, `fresh` (k,), are expected to cost exp(shift) times the best of the
    others, whatever the context, give or take `prior_sd`."""
    drawn, expected, sd = scores(basis, home, phi, factor, mean, normal)
    level, best = np.inf, 0
    for a in range(sd.size):
        if not fresh[a] and expected[a] + shift[a] < level:
            level, best = expected[a] + shift[a], a
    if level == np.inf:
        level = 0.0
    for a in range(sd.size):
        if fresh[a]:
            expected[a], sd[a] = level, prior_sd
            drawn[a] = level + prior_sd * normal[home[a], 0]
        last[0, a], last[1, a] = expected[a] + shift[a], sd[a]
        drawn[a] += shift[a]
        if last[0, a] < last[0, best]:
            best = a
    return best, drawn


@njit(cache=True)
def half_variances(home: np.ndarray, spread: np.ndarray, models: int, drawn: float) -> np.ndarray:
    """(k,) v / 2: half of each arm's mean square, drawn towards that of its model by `drawn` rounds of it.

    spread : (2, k) rounds of each arm, and their squared residuals."""
    rounds, squares = spread
    total, common = np.zeros(models), np.zeros(models)
    for a in range(home.size):
        total[home[a]] += rounds[a]
        common[home[a]] += squares[a]
    result = np.empty(home.size)
    for a in range(home.size):
        g = home[a]
        mean = common[g] / total[g] if total[g] > 0.0 else 0.0
        result[a] = 0.5 * (squares[a] + drawn * mean) / (rounds[a] + drawn)
    return result


@njit(cache=True)
def surprise(row: np.ndarray, phi: np.ndarray, factor: np.ndarray, mean: np.ndarray, y: float, noise: float) -> float:
    """How far y is from what was expected, in units of its predictive sd."""
    x = features(row, phi)
    residual = y
    for i in range(x.size):
        residual -= x[i] * mean[i]
    return residual / np.sqrt(noise + deviation(factor, x) ** 2)


@njit(cache=True)
def absorb(
    row: np.ndarray,
    phi: np.ndarray,
    y: float,
    gram: np.ndarray,
    moment: np.ndarray,
    precision: np.ndarray,
    noise: float,
    factor: np.ndarray,
    mean: np.ndarray,
) -> float:
    """Add the round (x, y) to all of it, in place; returns y - x . m with the new m."""
    x = features(row, phi)
    for i in range(x.size):
        moment[i] += y * x[i]
        for j in range(x.size):
            gram[i, j] += x[i] * x[j]
    posterior(gram, moment, precision, noise, factor, mean)
    for i in range(x.size):
        y -= x[i] * mean[i]
    return y


@njit(cache=True)
def gain_and_price(gap: float, sd: float, entry: float) -> tuple[float, float]:
    """What trying an arm is expected to bring and to cost, in units of the best arm's cost.

    Its cost is exp(gap + sd z), z ~ N(0, 1), times that of the best. If it turns out less, every later system saves

        E (1 - exp(gap + sd z))_+  =  P(-gap / sd) - exp(gap + sd^2 / 2) P(-gap / sd - sd),     P = cdf of N(0, 1)

    The trial costs (exp(gap + sd^2 / 2) - 1)_+ more than the best arm, and `entry` for what must be built first.
    """
    mean = np.exp(min(gap + 0.5 * sd * sd, 50.0))
    place = -gap / max(sd, 1e-12)
    below, shifted = 0.5 * erfc(-place / sqrt(2.0)), 0.5 * erfc(-(place - sd) / sqrt(2.0))
    return below - mean * shifted, max(mean - 1.0, 0.0) + entry


@njit(cache=True)
def decide(
    context: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    basis: np.ndarray,
    home: np.ndarray,
    factor: np.ndarray,
    mean: np.ndarray,
    normal: np.ndarray,
    shift: np.ndarray,
    fresh: np.ndarray,
    prior_sd: float,
    room: float,
    entry: np.ndarray,
    horizon: float,
    last: np.ndarray,
) -> tuple[int, int]:
    """The arm of the least draw among those worth a trial, and the arm of the least mean.

    Worth one is what has a lower bound within `room` of the least mean, and a gain over `horizon` systems above its
    price (`gain_and_price`, `entry` in units of exp(cost)). Sets last (2, k) to means and sds.
    """
    phi = pairs(context, low, high)
    best, drawn = outlook(phi, basis, home, factor, mean, normal, shift, fresh, prior_sd, last)
    least, chosen = last[0, best], best
    for a in range(drawn.size):
        if drawn[a] < drawn[chosen] and last[0, a] - 2.0 * last[1, a] <= least + room:
            gain, price = gain_and_price(last[0, a] - least, last[1, a], entry[a] * np.exp(-least))
            if horizon * gain >= price:
                chosen = a
    return chosen, best


@njit(cache=True)
def level(model: int, weight: np.ndarray, squares: np.ndarray, noise: float, rounds: float) -> float:
    """Noise variance of a model: `rounds` rounds of `noise`, and those behind (weight, squares)."""
    return (rounds * noise + squares[model]) / (rounds + weight[model])


@njit(cache=True)
def learn(
    arm: int,
    y: float,
    context: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    basis: np.ndarray,
    home: np.ndarray,
    gram: np.ndarray,
    moment: np.ndarray,
    precision: np.ndarray,
    factor: np.ndarray,
    mean: np.ndarray,
    weight: np.ndarray,
    squares: np.ndarray,
    cusum: np.ndarray,
    spread: np.ndarray,
    shift: np.ndarray,
    prior: np.ndarray,
    noise: float,
    noise_rounds: float,
    spread_rounds: float,
    learn_noise: bool,
    allowance: float,
    alarm: float,
    kept: float,
    kept_on_alarm: float,
) -> bool:
    """A round (arm, y, context) into everything, in place; whether the CUSUM of the arm's model raised its alarm.

    `kept`: what older rounds count from now on; `kept_on_alarm`: the same after an alarm.
    """
    g, phi = home[arm], pairs(context, low, high)
    before = level(g, weight, squares, noise, noise_rounds)
    standard = surprise(basis[arm], phi, factor[g], mean[g], y, before)
    size = min(max(standard, -4.0), 4.0)
    cusum[g, 0] = max(cusum[g, 0] + size - allowance, 0.0)
    cusum[g, 1] = max(cusum[g, 1] - size - allowance, 0.0)
    alarmed = max(cusum[g, 0], cusum[g, 1]) > alarm
    if alarmed:
        kept = kept_on_alarm
        cusum[g, :] = 0.0
    if kept < 1.0:
        gram *= kept
        moment *= kept
        weight *= kept
        squares *= kept
        spread *= kept
        for other in range(len(mean)):
            sigma = level(other, weight, squares, noise, noise_rounds)
            posterior(gram[other], moment[other], precision[other], sigma, factor[other], mean[other])
    if learn_noise:
        squares[g] += standard * standard * before
        weight[g] += 1.0
    after = level(g, weight, squares, noise, noise_rounds)
    left = absorb(basis[arm], phi, y, gram[g], moment[g], precision[g], after, factor[g], mean[g])
    spread[0, arm] += 1.0
    spread[1, arm] += left * left
    shift[:] = prior + half_variances(home, spread, len(mean), spread_rounds)
    return alarmed
