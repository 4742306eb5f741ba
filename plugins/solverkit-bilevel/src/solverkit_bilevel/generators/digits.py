"""Splits of scikit-learn's digits."""

from __future__ import annotations

import numpy as np

CLASSES = 10


def digits_split(
    seed: int = 0, train: int = 400, validation: int = 400, flip: float = 0.0, width: int = 8
) -> dict[str, np.ndarray]:
    """A seeded split of scikit-learn's digits (1,797 images of 8 x 8 pixels, UCI optical recognition, CC BY 4.0).

    Keys, with the suffixes "", "_validation" and "_test" (the rest): `A` (samples, 65), pixels between 0 and 1 and a
    constant 1; `label` (samples,), 0 to 9; `one_hot` (samples, 10), a one at the label; `sign` = 2 one_hot - 1.
    `flipped` (train,) is 1 where a training label was replaced, with probability `flip`, by one of the nine others,
    each as likely. `features` (64 + 1, width): a random start for a layer, normal with deviation 1/4.
    """
    from sklearn.datasets import load_digits  # heavy, and absent from a light installation

    images, target = load_digits(return_X_y=True)
    samples = len(target)
    if train < 2 or validation < 1 or train + validation > samples:
        raise ValueError(f"train = {train} and validation = {validation} do not fit in {samples} samples")
    rng = np.random.default_rng(seed)
    order = rng.permutation(samples)
    flipped = rng.random(train) < flip
    others = rng.integers(1, CLASSES, train)
    layer = rng.normal(scale=0.25, size=(images.shape[1] + 1, width))
    parts = {"": order[:train], "_validation": order[train : train + validation], "_test": order[train + validation :]}
    arrays = {"flipped": flipped.astype(float), "features": layer}
    for suffix, rows in parts.items():
        label = target[rows]
        if suffix == "":
            label = np.where(flipped, (label + others) % CLASSES, label)
        arrays["A" + suffix] = np.column_stack([images[rows] / 16, np.ones(len(rows))])
        arrays["label" + suffix] = label.astype(float)
        arrays["one_hot" + suffix] = np.eye(CLASSES)[label]
        arrays["sign" + suffix] = 2 * arrays["one_hot" + suffix] - 1
    return arrays
