"""Published linear Gaussian networks of gene expression, to draw samples from.

| name | variables, edges | from |
|---|---|---|
| ecoli70 | 46, 70 | Schaefer and Strimmer (2005): stress response of Escherichia coli |
| arth150 | 107, 150 | Opgen-Rhein and Strimmer (2007): starch metabolism of Arabidopsis thaliana |

Each table has a row for each variable: its name, the variance of its noise, and its parents with their weights, as the
networks are distributed with pgmpy (MIT) after the bnlearn repository. Intercepts are left out: samples are centred.
"""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np

NETWORKS = ("arth150", "ecoli70")


def network(name: str) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """(names, W, variance): weights (d, d), variances of the noise (d,). ValueError for a name that is not there."""
    if name not in NETWORKS:
        raise ValueError(f"no network {name!r} (networks here: {', '.join(NETWORKS)})")
    rows = list(csv.DictReader(files(__name__).joinpath(f"{name}.csv").read_text().splitlines()))
    names = tuple(row["variable"] for row in rows)
    index = {each: k for k, each in enumerate(names)}
    W = np.zeros((len(names), len(names)))
    for row in rows:
        for parent in row["parents"].split():
            tail, _, weight = parent.rpartition(":")
            W[index[tail], index[row["variable"]]] = float(weight)
    return names, W, np.array([float(row["variance"]) for row in rows])
