"""Distances between random places."""

import numpy as np


def distances(size: int = 10, seed: int = 0, radius: float = 6371.0) -> np.ndarray:
    """Great-circle distances, (size, size), in the unit of `radius`: kilometres on the earth by default.

    size : number of places, drawn uniformly on the sphere by `seed`
    """
    places = np.random.default_rng(seed).normal(size=(int(size), 3))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    chords = np.linalg.norm(places[:, None] - places[None], axis=2)  # exact for near places, where cosines are not
    return 2 * radius * np.arcsin(np.minimum(chords / 2, 1.0))
