"""Seeded data of composite problems: the same seed gives the same arrays on every machine.

| name in a file | function |
|---|---|
| `fused-lasso` | `fused_lasso` |
| `graph-features` | `graph_features` |
| `outlier-regression` | `outlier_regression` |
| `partial-dct` | `partial_dct` |
| `scenario-returns` | `scenario_returns` |
| `step-image` | `step_image` |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import dia_array


def fused_lasso(
    size: int = 100, rows: int = 60, pieces: int = 8, noise: float = 0.1, norm: float = 1.0, seed: int = 0
) -> dict[str, Any]:
    """A (rows, size) standard normal, scaled to ||A||_2 = norm, and b = A x + noise of a signal of constant pieces.

    norm : 0 leaves A as it is. Keys: `A`, `b`, `x`.
    """
    rng = np.random.default_rng(seed)
    x = _pieces(size, pieces, rng)
    A = rng.standard_normal((rows, size))
    if norm > 0:
        A *= norm / np.linalg.norm(A, 2)
    return {"A": A, "b": A @ x + noise * rng.standard_normal(rows), "x": x}


def _pieces(size: int, pieces: int, rng: np.random.Generator) -> np.ndarray:
    cuts = np.sort(rng.choice(np.arange(1, size), pieces - 1, replace=False))
    return np.repeat(rng.integers(-2, 3, pieces).astype(float), np.diff([0, *cuts, size]))


def graph_features(
    nodes: int = 200, samples: int = 500, neighbours: int = 4, regions: int = 5, seed: int = 0
) -> dict[str, Any]:
    """Samples with a feature at each of some random points in the unit square, and labels of a logistic model.

    The model's weights are equal within each of a few regions, the cells of random centres; edges join each node to
    its nearest neighbours. Keys: `X` (samples, nodes), `label` -1 and 1, `edges` (m, 2), `weights` (nodes,).
    """
    rng = np.random.default_rng(seed)
    places, centres = rng.random((nodes, 2)), rng.random((regions, 2))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    near = np.argsort(apart, axis=1)[:, 1 : neighbours + 1]
    pairs = np.stack([np.repeat(np.arange(nodes), neighbours), near.ravel()], axis=1)
    edges = np.unique(np.sort(pairs, axis=1), axis=0)
    cell = np.linalg.norm(places[:, None] - centres[None], axis=2).argmin(axis=1)
    weights = rng.standard_normal(regions)[cell] / np.sqrt(nodes / 10)
    X = rng.standard_normal((samples, nodes))
    label = np.where(rng.random(samples) < 1 / (1 + np.exp(-X @ weights)), 1.0, -1.0)
    return {"X": X, "label": label, "edges": edges.astype(float), "weights": weights}


def outlier_regression(
    size: int = 50, samples: int = 2000, trusted: int = 100, spoilt: float = 0.2, seed: int = 0
) -> dict[str, Any]:
    """Rows of A (samples, size) with b = A x + small noise, a part of them with noise from a Cauchy distribution.

    `trusted` more rows, C and d, are never spoilt. Keys: `A`, `b`, `C`, `d`, `x`.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(size)
    A, C = rng.standard_normal((samples, size)), rng.standard_normal((trusted, size))
    noise = 0.1 * rng.standard_normal(samples)
    bad = rng.random(samples) < spoilt
    noise[bad] += 10 * np.clip(rng.standard_cauchy(int(bad.sum())), -100, 100)
    return {"A": A, "b": A @ x + noise, "C": C, "d": C @ x + 0.3 * rng.standard_normal(trusted), "x": x}


def step_image(size: int = 64, shapes: int = 12, noise: float = 0.15, seed: int = 0) -> dict[str, Any]:
    """Rectangles and discs of constant grey on each other, (size, size), seen with noise that differs from pixel to
    pixel.

    Keys: `clean`, `noisy`, `weight` (size^2, size^2) diagonal and sparse, with 1 / (relative size of the noise), and
    `seen`, weight times the noisy pixels, (size^2,).
    """
    rng = np.random.default_rng(seed)
    clean = _shapes(size, shapes, rng)
    spread = rng.uniform(0.5, 2.0, (size, size))
    noisy = clean + noise * spread * rng.standard_normal((size, size))
    weight = 1 / spread.ravel()
    diagonal = dia_array((weight[None], [0]), shape=(size**2, size**2)).tocsr()
    return {"clean": clean, "noisy": noisy, "weight": diagonal, "seen": weight * noisy.ravel()}


def _shapes(size: int, shapes: int, rng: np.random.Generator) -> np.ndarray:
    image = np.full((size, size), 0.2)
    row, column = np.mgrid[:size, :size] / size
    for k in range(shapes):
        y, x, height, width, grey = rng.uniform([0, 0, 0.1, 0.1, 0], [1, 1, 0.4, 0.4, 1])
        if k % 2:
            image[(np.abs(row - y) < height / 2) & (np.abs(column - x) < width / 2)] = grey
        else:
            image[(row - y) ** 2 + (column - x) ** 2 < (height / 2) ** 2] = grey
    return image


def partial_dct(
    size: int = 64, share: float = 0.5, noise: float = 0.01, shapes: int = 12, seed: int = 0
) -> dict[str, Any]:
    """A share of the coefficients of the orthonormal two-dimensional cosine transform, C X C', of such an image.

    Keys: `C` (size, size), `mask` (size, size) of zeros and ones, `seen` = mask * (C X C' + noise), `clean`.
    """
    rng = np.random.default_rng(seed)
    clean = _shapes(size, shapes, rng)
    k, i = np.mgrid[:size, :size]
    C = np.sqrt(2 / size) * np.cos(np.pi * k * (2 * i + 1) / (2 * size))
    C[0] /= np.sqrt(2)
    mask = (rng.random((size, size)) < share).astype(float)
    mask[0, 0] = 1.0  # the mean, without which no level is known
    seen = mask * (C @ clean @ C.T + noise * rng.standard_normal((size, size)))
    return {"C": C, "mask": mask, "seen": seen, "clean": clean}


def scenario_returns(assets: int = 500, scenarios: int = 250, factors: int = 5, seed: int = 0) -> dict[str, Any]:
    """Daily returns in percent of a factor model with heavy tails.

    Keys: `R` (scenarios, assets) without their means, `mean` (assets,), `held` (assets,) a portfolio held now.
    """
    rng = np.random.default_rng(seed)
    loads = rng.standard_normal((factors, assets)) * np.linspace(1.0, 0.2, factors)[:, None]
    own = rng.uniform(0.5, 2.0, assets) * rng.standard_t(5, (scenarios, assets))
    mean = 0.05 * rng.standard_normal(assets) + 0.03
    returns = mean + rng.standard_t(5, (scenarios, factors)) @ loads + own
    observed = returns.mean(axis=0)
    held = np.zeros(assets)
    held[rng.choice(assets, assets // 10, replace=False)] = 1 / (assets // 10)
    return {"R": returns - observed, "mean": observed, "held": held}
