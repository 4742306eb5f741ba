"""Seeded data for the structured problem files: the same seed gives the same arrays on every machine.

| name in a file | function | used by |
|---|---|---|
| `poisson-control` | `poisson_control` | problems/nonlinear/poisson-control |
| `dense-constraints` | `dense_constraints` | problems/nonlinear/dense-constraints, dense-constraints-gram |
| `breast-cancer-logistic` | `breast_cancer_logistic` | problems/nonlinear/logistic-breast-cancer |
| | `parametric_batch` | batches in tests and figures |
| `sphere-logistic` | `sphere_logistic` | problems/nonlinear/logistic-w8a-shape |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array, kron

TOPICS = 40  # of `dense_constraints` with samples


def poisson_control(size: int = 150) -> dict[str, Any]:
    """Control of the discrete Poisson equation on (-1, 1)^2, `size` interior points a side.

    `laplacian` (size^2, size^2), the five-point stencil over h^2, h = 2 / (size + 1); `target` (size^2,), the state
    wanted: sin(4 + s (i - (size + 1)/2)) + cos(3 + s (j - (size + 1)/2)), s = 0.1/sqrt(15), j fastest.
    """
    line = diags_array([np.ones(size - 1), np.full(size, -2.0), np.ones(size - 1)], offsets=[-1, 0, 1])
    grid = kron(line, eye_array(size)) + kron(eye_array(size), line)
    place = 0.1 / np.sqrt(15.0) * (np.arange(1, size + 1) - (size + 1) / 2)
    target = np.add.outer(np.sin(4.0 + place), np.cos(3.0 + place)).ravel()
    return {"laplacian": csr_array(grid * ((size + 1) / 2) ** 2), "target": target}


def dense_constraints(
    size: int = 5000, rows: int = 300, seed: int = 0, samples: int = 0, features: int = 30, templates: int = 0
) -> dict[str, Any]:
    """Data of min 0.5 d'x^2 + c'x + sum log(1 + exp(x_i)) subject to G x = b, G dense.

    `G` (rows, size) and `c` (size,) standard normal, `d` (size,) uniform on [0.1, 1.1], `b` = G times a standard normal
    vector, so that the rows are consistent. With `samples` > 0 also `X` (samples, size), sparse: about `features`
    entries of 1/sqrt(features) in each row. Half of them are drawn from all columns with probabilities that fall like
    1/(1 + j/20), half from the 2 % of columns that belong to the row's topic, one of 40: as words in documents. With
    `templates` > 0 each row is one of so many fixed rows, the k-th as often as 1/(1 + k), with one column more, drawn
    from all alike: as lines of a log. Their columns repeat each other, which no scaling of columns mends.
    """
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((rows, size))
    data: dict[str, Any] = {
        "G": G,
        "b": G @ rng.standard_normal(size),
        "c": rng.standard_normal(size),
        "d": 0.1 + rng.random(size),
    }
    if samples:
        rows_of = (
            _repeated(samples, size, features, templates, rng) if templates else _topics(samples, size, features, rng)
        )
        data["X"] = rows_of / np.sqrt(features)
    return data


def sphere_logistic(
    samples: int = 49749, features: int = 300, nonzeros: float = 11.65, rows: int = 10, seed: int = 0
) -> dict[str, Any]:
    """Logistic regression on the unit sphere under random linear equations, in the shape of the LIBSVM sets.

    `X` (samples, features), sparse, 0/1, about `nonzeros` ones a row (0: dense, standard normal); `label` (samples,) in
    {-1, 1}, drawn from a logistic model, 3 in 100 of them positive for the sparse form as in w8a, half otherwise; `A`
    (rows, features) and `b` (rows,) standard normal, b scaled so that A w = b meets the unit sphere.
    """
    rng = np.random.default_rng(seed)
    if nonzeros > 0:
        X: Any = _words(samples, features, nonzeros, rng)
    else:
        X = rng.standard_normal((samples, features))
    margin = X @ rng.standard_normal(features)
    margin = margin + rng.logistic(size=samples)
    share = 0.97 if nonzeros > 0 else 0.5
    label = np.where(margin > np.quantile(margin, share), 1.0, -1.0)
    return {"X": X, "label": label, **sphere_rows(features, rows, rng)}


def breast_cancer_logistic(rows: int = 10, seed: int = 0) -> dict[str, Any]:
    """The same problem on scikit-learn's breast cancer data (569 x 30; UCI, CC BY 4.0), features standardized."""
    from sklearn.datasets import load_breast_cancer  # heavy, and absent from a light installation

    features, target = load_breast_cancer(return_X_y=True)
    X = (features - features.mean(axis=0)) / features.std(axis=0)
    return {"X": X, "label": 2.0 * target - 1.0, **sphere_rows(X.shape[1], rows, np.random.default_rng(seed))}


def sphere_rows(features: int, rows: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """`A` (rows, features) and `b` (rows,), normal; b is shortened where the solution nearest to 0 of A w = b lies
    outside of the sphere of radius 0.9."""
    A, b = rng.standard_normal((rows, features)), rng.standard_normal(rows)
    nearest = float(np.linalg.norm(np.linalg.lstsq(A, b, rcond=None)[0])) if rows else 0.0
    return {"A": A, "b": b * min(1.0, 0.9 / nearest) if nearest > 0 else b}


def parametric_batch(count: int = 1000, size: int = 20, rows: int = 8, seed: int = 0) -> dict[str, np.ndarray]:
    """Random parametric problems, all with a feasible point inside the box |x_i| <= 1.5:

        min 0.5 |x - a|^2 + 0.05 sum x^4 + q'sin(2 x) + 0.2 x'Q x
        s.t. A x + 0.2 B x^2 = r,    C x + |x|^2 / 20 <= s

    Parameters `a` (count, size), `r` (count, equations) and `s` (count, inequalities), 3 inequalities in 8 rows; `A`,
    `B`, `C`, `Q`, `q` are common.
    """
    rng = np.random.default_rng(seed)
    inequalities = 3 * rows // 8
    A, B = rng.standard_normal((2, rows - inequalities, size))
    C, Q = rng.standard_normal((inequalities, size)), rng.standard_normal((size, size)) / np.sqrt(size)
    inside = rng.uniform(-1, 1, (count, size))
    slack = 0.5 * rng.random((count, inequalities))
    return {
        "a": 2 * rng.standard_normal((count, size)),
        "r": inside @ A.T + 0.2 * inside**2 @ B.T,
        "s": inside @ C.T + (inside**2).sum(axis=1, keepdims=True) / 20 + slack,
        "A": A,
        "B": B,
        "C": C,
        "Q": Q,
        "q": rng.standard_normal(size),
    }


def _words(samples: int, size: int, count: float, rng: np.random.Generator) -> csr_array:
    """0/1 rows with about `count` ones, column j drawn with probability proportional to 1/(1 + j/20)."""
    weight = 1.0 / (1.0 + np.arange(size) / 20.0)
    lengths = np.maximum(rng.poisson(count, samples), 1)
    columns = rng.choice(size, size=int(lengths.sum()), p=weight / weight.sum())
    rows = np.repeat(np.arange(samples), lengths)
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(samples, size))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _topics(samples: int, size: int, count: int, rng: np.random.Generator) -> csr_array:
    """Rows with count/2 words of all and count/2 of the row's topic."""
    common = _words(samples, size, count / 2, rng)
    width, half = max(size // 50, 1), max(count // 2, 1)
    topics = np.array([rng.choice(size, width, replace=False) for _ in range(TOPICS)])
    columns = topics[rng.integers(TOPICS, size=samples)[:, None], rng.integers(width, size=(samples, half))]
    rows = np.repeat(np.arange(samples), half)
    matrix = csr_array(common + csr_array((np.ones(len(rows)), (rows, columns.ravel())), shape=(samples, size)))
    matrix.data[:] = 1.0
    return matrix


def _repeated(samples: int, size: int, count: int, templates: int, rng: np.random.Generator) -> csr_array:
    """Rows from `templates` fixed ones of `count` words, and one more word each."""
    fixed = _words(templates, size, count, rng)
    weight = 1.0 / (1.0 + np.arange(templates))
    drawn = fixed[rng.choice(templates, size=samples, p=weight / weight.sum())]
    more = csr_array((np.ones(samples), (np.arange(samples), rng.integers(size, size=samples))), shape=(samples, size))
    matrix = csr_array(drawn + more)
    matrix.data[:] = 1.0
    return matrix
