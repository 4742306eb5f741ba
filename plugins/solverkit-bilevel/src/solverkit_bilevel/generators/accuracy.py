"""Shares of samples that an answer classifies rightly: for reports on data that no level has seen.

data = digits_split(seed=3, flip=0.3)
softmax_accuracy(result.point["W"], data["A_test"], data["label_test"])
"""

from __future__ import annotations

import numpy as np


def softmax_accuracy(W: np.ndarray, A: np.ndarray, label: np.ndarray) -> float:
    """W (features, classes), A (samples, features), label (samples,) from 0: the largest score wins."""
    return float(np.mean(np.argmax(A @ W, axis=1) == label))


def linear_accuracy(w: np.ndarray, b: float, A: np.ndarray, label: np.ndarray) -> float:
    """w (features,), label (samples,) in {-1, 1}: the sign of A w + b."""
    return float(np.mean(np.where(A @ w + b >= 0, 1.0, -1.0) == label))


def representation_accuracy(R: np.ndarray, W: np.ndarray, A: np.ndarray, label: np.ndarray) -> float:
    """One hidden layer R (features, width) with heads W (width, tasks), one a class: the largest score wins."""
    return softmax_accuracy(W, np.tanh(A @ R), label)
