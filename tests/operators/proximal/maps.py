"""One of every map on R^9, for the tests beside it."""

from __future__ import annotations

import numpy as np

from solverkit.operators import proximal as pm
from solverkit.operators import sets

N = 9
RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, N))
DEPENDENT = np.vstack([A, A[0] - 2 * A[1], np.zeros(N)])
INSIDE = RNG.normal(size=N)

PROJECTIONS: dict[str, pm.Projection] = {
    "free": pm.Free(),
    "box": pm.Box(-0.5, np.linspace(0.1, 1, N)),
    "half-open box": pm.Box(np.full(N, -np.inf), 0.25),
    "point box": pm.Box(np.ones(N), np.ones(N)),
    "nonnegative": pm.NonNegative(),
    "linf ball": pm.LInfBall(0.7, np.linspace(-1, 1, N)),
    "simplex": pm.Simplex(2.0),
    "empty simplex": pm.Simplex(0.0),
    "l1 ball": pm.L1Ball(1.5, np.linspace(-1, 1, N)),
    "l1 point": pm.L1Ball(0.0, 0.3),
    "l2 ball": pm.L2Ball(1.5, np.linspace(-1, 1, N)),
    "l2 point": pm.L2Ball(0.0, 0.3),
    "second-order cone": pm.SecondOrderCone(),
    "psd cone": pm.PSDCone(),
    "affine": pm.Affine(A, A @ INSIDE),
    "dependent rows": pm.Affine(DEPENDENT, DEPENDENT @ INSIDE),
    "no rows": pm.Affine(np.zeros((0, N)), np.zeros(0)),
    "halfspace": pm.Halfspace(A[0], -0.5),
    "slab": pm.Halfspace(A[1], 0.2, -0.1),
}
MAPS: dict[str, pm.ProximalMap] = {
    **PROJECTIONS,
    "l1": pm.L1(0.4),
    "weighted l1": pm.L1(np.linspace(0, 1, N)),
    "l2": pm.L2(0.8),
    "linf": pm.LInf(0.8),
    "no norm": pm.LInf(0.0),
    "groups": pm.GroupL2([[0, 4, 2], slice(5, 7), [1]], [0.3, 1.0, 0.5]),
    "one group": pm.GroupL2([slice(0, N)], 0.8),
    "squared l2": pm.SquaredL2(np.linspace(0, 2, N), 0.5),
    "product": pm.Product([(slice(5, 9), pm.PSDCone()), (slice(0, 2), pm.L1(0.3))]),
    "product of projections": pm.of_set(
        sets.Product([(slice(3, 6), sets.Ball(np.zeros(3), 1)), (slice(0, 3), sets.Simplex(1.0, 3))])
    ),
    "translated": pm.Translated(pm.L2(0.5), INSIDE),
    "scaled": pm.Scaled(pm.L1(0.4), 2.0, -1.5),
    "scaled simplex": pm.Scaled(pm.Simplex(1.0), 3.0, 2.0),
    "tilted": pm.Tilted(pm.Box(-1, 1), np.linspace(-1, 1, N)),
    "conjugate of a norm": pm.Conjugate(pm.L1(0.4)),
    "conjugate of a simplex": pm.Conjugate(pm.Simplex(2.0)),
    "polyhedron": pm.of_set(sets.Polyhedron(A, A @ INSIDE - 0.3, A @ INSIDE + 0.1)),
}
EACH = ("free", "box", "nonnegative", "l1", "weighted l1", "squared l2", "scaled", "tilted", "conjugate of a norm")
