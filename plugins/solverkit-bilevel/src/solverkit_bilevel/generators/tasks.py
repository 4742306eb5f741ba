"""Many small lower problems that share one upper variable."""

from __future__ import annotations

import numpy as np


def shrunk_tasks(tasks: int = 20, size: int = 10, seed: int = 0) -> dict[str, np.ndarray]:
    """Noisy estimates `c` (tasks, size) of `target` (tasks, size), and `precision` (tasks,) between 0.5 and 2.

    Task i shrinks its estimate, y_i = argmin precision_i |y - c_i|^2 / 2 + sum_j exp(x_j) y_j^2 / 2, by strengths x
    that all tasks share and that are judged by |y_i - target_i|^2 / 2. The size of the targets falls from 1 to 0.2
    along j; noise has deviation 0.6 / sqrt(precision). Nothing couples the coordinates: each x_j minimizes a function
    of one variable.
    """
    rng = np.random.default_rng(seed)
    precision = rng.uniform(0.5, 2.0, tasks)
    target = np.linspace(1.0, 0.2, size) * rng.normal(size=(tasks, size))
    noise = 0.6 / np.sqrt(precision)[:, None] * rng.normal(size=(tasks, size))
    return {"c": target + noise, "target": target, "precision": precision}
