"""Splits of scikit-learn's breast cancer data."""

from __future__ import annotations

import numpy as np


def breast_cancer_split(
    seed: int = 0, train: int = 250, validation: int = 150, flip: float = 0.0
) -> dict[str, np.ndarray]:
    """A seeded split of scikit-learn's breast cancer data (569 samples, 30 features; UCI, CC BY 4.0).

    Keys: `A` (train, 30) and `label` (train,) in {-1, 1}; `A_validation`, `label_validation`; `A_test`, `label_test`
    (the rest); `flipped` (train,), 1 where a training label was multiplied by -1, with probability `flip`.
    Features are standardized by the mean and deviation of the training part, then rounded to single precision.
    """
    from sklearn.datasets import load_breast_cancer  # heavy, and absent from a light installation

    features, target = load_breast_cancer(return_X_y=True)
    samples = len(target)
    if train < 2 or validation < 1 or train + validation > samples:
        raise ValueError(f"train = {train} and validation = {validation} do not fit in {samples} samples")
    rng = np.random.default_rng(seed)
    order = rng.permutation(samples)
    flipped = rng.random(train) < flip
    parts = {
        "": order[:train],
        "_validation": order[train : train + validation],
        "_test": order[train + validation :],
    }
    mean, deviation = features[parts[""]].mean(axis=0), features[parts[""]].std(axis=0)
    arrays = {}
    for suffix, rows in parts.items():
        arrays["A" + suffix] = ((features[rows] - mean) / deviation).astype(np.float32).astype(float)
        arrays["label" + suffix] = 2.0 * target[rows] - 1.0
    arrays["label"] = np.where(flipped, -arrays["label"], arrays["label"])
    arrays["flipped"] = flipped.astype(float)
    return arrays
