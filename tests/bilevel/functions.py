"""Hand-written functions, so that these tests depend on no expression compiler."""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.sparse import csr_array

from solverkit.kinds.base import Block, Constraints
from solverkit.kinds.bilevel.local import Local
from solverkit.kinds.bilevel.problem import Bilevel
from solverkit.kinds.rows import Rows
from solverkit.operators.sets import Free


class Quadratic:
    """r_i(z) = 1/2 z'Q_i z + a_i'z + c_i."""

    device, dtype = "cpu", "float64"

    def __init__(self, Q, a, c):
        self.a = csr_array(np.atleast_2d(a)) if not isinstance(a, csr_array) else a
        self.outputs, self.inputs = self.a.shape
        self.c = np.atleast_1d(np.asarray(c, float))
        self.Q = [csr_array(q) if q is not None else None for q in (Q if isinstance(Q, list) else [Q])]
        self.degree = 2 if any(q is not None for q in self.Q) else 1
        self.at = csr_array(self.a.T)

    def value(self, z):
        bent = [0.5 * z @ (q @ z) if q is not None else 0.0 for q in self.Q]
        return np.asarray(bent) + self.a @ z + self.c

    def jacobian(self, z):
        if self.degree == 1:
            return self.a.copy()
        rows = [q @ z if q is not None else np.zeros(self.inputs) for q in self.Q]
        return csr_array(self.a + csr_array(np.array(rows)))

    def vjp(self, z, weights):
        return self.jacobian(z).T @ weights

    def jvp(self, z, direction):
        return self.jacobian(z) @ direction

    def gradient(self, z):
        linear = self.at @ np.ones(1)
        return linear + self.Q[0] @ z if self.Q[0] is not None else linear

    def hessian(self, z, weights):
        bent = [weight * q for weight, q in zip(weights, self.Q, strict=True) if q is not None]
        return csr_array(sum(bent[1:], bent[0])) if bent else csr_array((self.inputs, self.inputs))

    def hvp(self, z, weights, direction):
        return self.hessian(z, weights) @ direction

    def to(self, device, dtype):
        return self

    def digest(self):
        parts = [self.a.toarray().tobytes(), self.c.tobytes()]
        parts += [q.toarray().tobytes() if q is not None else b"-" for q in self.Q]
        return hashlib.sha256(b"|".join(parts)).hexdigest()


class Smooth:
    """A scalar function with hand-written value, gradient and Hessian (dense)."""

    device, dtype, degree, outputs = "cpu", "float64", None, 1

    def __init__(self, inputs, value, gradient, hessian, name="smooth", degree=None):
        self.inputs, self._value, self._gradient, self._hessian, self.name = inputs, value, gradient, hessian, name
        self.degree = degree

    def value(self, z):
        return np.array([self._value(z)], float)

    def gradient(self, z):
        return np.asarray(self._gradient(z), float)

    def vjp(self, z, weights):
        return weights[0] * self.gradient(z)

    def jvp(self, z, direction):
        return np.array([self.gradient(z) @ direction])

    def jacobian(self, z):
        return csr_array(self.gradient(z)[None, :])

    def hessian(self, z, weights):
        return csr_array(weights[0] * np.asarray(self._hessian(z), float))

    def hvp(self, z, weights, direction):
        return self.hessian(z, weights) @ direction

    def to(self, device, dtype):
        return self

    def digest(self):
        return hashlib.sha256(self.name.encode()).hexdigest()


def rows(function, inputs):
    """r(z) <= 0 for every output."""
    if function is None:
        return Rows.of(None, inputs)
    k = function.outputs
    names = tuple(f"g[{i}]" for i in range(k))
    return Rows.of(Constraints(function, np.full(k, -np.inf), np.zeros(k), names), inputs)


def equations(function, inputs):
    """r(z) = 0 for every output."""
    k = function.outputs
    return Rows.of(Constraints(function, np.zeros(k), np.zeros(k), tuple(f"h[{i}]" for i in range(k))), inputs)


def bilevel(n, m, F, f, G=None, g=None, X=None, Y=None, **more):
    """A problem with blocks x (n,) and y (m,)."""
    N = n + m
    upper = G if isinstance(G, Rows) else rows(G, N)
    lower = g if isinstance(g, Rows) else rows(g, N)
    blocks = (Block("x", (n,), np.zeros(n)),), (Block("y", (m,), np.zeros(m)),)
    return Bilevel("test", *blocks, F, f, upper, lower, upper_set=X or Free(), lower_set=Y or Free(), **more)


def point(x, y):
    return {"x": np.atleast_1d(np.asarray(x, float)), "y": np.atleast_1d(np.asarray(y, float))}


def coupled_toy(n):
    """Merely convex lower level with a coupling equality; y = (y1, y2). Solution x = -.3, y1 = .7, y2 = -.4."""
    from scipy.sparse import block_array, eye_array

    one, zero = eye_array(n), csr_array((n, n))
    F = Quadratic(
        block_array([[one, zero, -one], [zero, one, zero], [-one, zero, one]]),
        csr_array(np.concatenate([np.zeros(n), -np.ones(n), np.zeros(n)])[None, :]),
        0.5 * n,
    )
    f = Quadratic(
        block_array([[zero, -one, zero], [-one, one, zero], [zero, zero, zero]]),
        csr_array(np.concatenate([np.zeros(2 * n), np.ones(n)])[None, :]),
        0.0,
    )
    h = equations(Quadratic([None], csr_array(np.ones((1, 3 * n))), 0.0), 3 * n)
    return bilevel(n, 2 * n, F, f, g=h)


def quadratic(Q, a, c=0.0):
    """z'Qz / 2 + a'z + c."""
    return Quadratic(csr_array(np.asarray(Q, float)), np.asarray(a, float)[None, :], c)


def flat(n):
    """Zero."""
    return quadratic(np.zeros((n, n)), np.zeros(n))


def at(problem, *z, width=1e-4):
    """The problem seen from (x, y)."""
    return Local(problem, np.concatenate([np.atleast_1d(np.asarray(part, float)) for part in z]), width)


def of_y(m, value, slope, second, degree=None):
    """A function of y alone, by numbers of each entry."""
    return Smooth(
        1 + m,
        lambda z: value(z[1:]).sum(),
        lambda z: np.concatenate([[0.0], slope(z[1:])]),
        lambda z: np.diag(np.concatenate([[0.0], second(z[1:])])),
        degree=degree,
    )
