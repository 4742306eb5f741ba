"""Wrong oracles are caught, right ones raise no alarm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from solverkit.kinds.base import PointStatus
from solverkit.kinds.bilevel.certificate import certify
from solverkit.kinds.oracles import TOLERANCE, Oracle, consistency, transposed

from .functions import Quadratic, Smooth, bilevel, point, rows


class Wrong:
    """A function with one method replaced."""

    def __init__(self, function, method, change):
        self._function, self._method, self._change, self._last = function, method, change, {}

    def to(self, device, dtype):
        return self

    def __getattr__(self, name):
        value = getattr(self._function, name)
        if name != self._method:
            return value

        def changed(*arguments):
            right = value(*arguments)
            return self._change(right, self._last) if callable(right) is False else right

        return changed


def stale(right, memory):
    """The answer of the call before."""
    answer = memory.get("last", right)
    memory["last"] = right
    return answer


def swapped(right, memory):
    """The parts of x and y exchanged."""
    return right[::-1] if isinstance(right, np.ndarray) else csr_array(right.toarray()[:, ::-1])


MUTANTS = {
    "sign": lambda right, _: -1 * right,
    "factor": lambda right, _: 0.5 * right,
    "zero": lambda right, _: 0 * right,
    "swapped": swapped,
    "stale": stale,
    "one entry": lambda right, _: right + 0.3 * np.eye(1, 2).ravel() if isinstance(right, np.ndarray) else 1.3 * right,
}


def functions():
    """F, f, G and g of a small problem with its optimum at x = y = 1 (G and g active, nothing vanishes by symmetry)."""
    F = Quadratic(csr_array([[2.0, 0.5], [0.5, 3.0]]), np.array([[-4.0, -5.0]]), 0.0)
    f = Quadratic(csr_array([[0.7, -1.0], [-1.0, 1.5]]), np.array([[0.3, -1.0]]), 0.0)
    G = Quadratic([csr_array(np.diag([1.0, 0.2]))], np.array([[1.0, 0.3]]), -(0.5 + 0.1 + 1.3))
    g = Quadratic([csr_array(np.diag([0.0, 1.0]))], np.array([[-0.2, 1.0]]), -(0.5 + 0.8))
    return {"F": F, "f": f, "G": G, "g": g}


def problem(parts):
    return bilevel(1, 1, parts["F"], parts["f"], G=parts["G"], g=rows(parts["g"], 2))


def test_right_oracles_pass():
    certificate = certify(problem(functions()), point(1, 1), 1e-6, 0)
    assert certificate.status is PointStatus.CERTIFIED, [term for term in certificate.terms if not term.ok]


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("name", "FfGg")
def test_wrong_oracles_are_caught(name, mutant):
    methods = {"F": ["gradient", "hvp", "hessian"], "f": ["gradient", "hvp", "hessian"]}
    for method in methods.get(name, ["jacobian", "vjp", "hessian"]):
        parts = functions()
        if mutant == "stale" and method == "hessian":
            continue  # constant here: the answer of the call before is right
        if mutant == "stale" and method == "hvp":
            continue
        parts[name] = Wrong(parts[name], method, MUTANTS[mutant])
        certificate = certify(problem(parts), point(1, 1), 1e-6, 0)
        assert certificate.status is not PointStatus.CERTIFIED, (method, certificate)
        if not certificate.unverified:
            assert not certificate["oracles"].ok, (method, certificate["oracles"])


def test_a_gradient_flipped_where_it_vanishes_is_seen_from_nearby():
    oracle = Oracle("square", lambda z: np.array([z @ z]), lambda z, d: np.array([-2 * z @ d]))
    assert consistency([oracle], np.zeros(3), 0).value > 1


STIFF = {
    "exp(1000 z)": (lambda z: np.exp(1000 * z), lambda z, d: 1000 * np.exp(1000 * z) * d),
    "1e8 z**2 - 1e8": (lambda z: 1e8 * z**2 - 1e8, lambda z, d: 2e8 * z * d),
    "sin(1e3 z)": (lambda z: np.sin(1e3 * z), lambda z, d: 1e3 * np.cos(1e3 * z) * d),
    "1e-9 z**3": (lambda z: 1e-9 * z**3, lambda z, d: 3e-9 * z**2 * d),
    "1e12 + z": (lambda z: 1e12 + z, lambda z, d: d),
    "constant": (lambda z: 0 * z + 3, lambda z, d: 0 * d),
    "|z|": (np.abs, lambda z, d: np.sign(z) * d),
    "log z": (np.log, lambda z, d: d / z),
}


@pytest.mark.parametrize("name", STIFF)
def test_stiff_but_right(name):
    value, along = STIFF[name]
    with np.errstate(all="ignore"):
        for z in ([1e-3], [0.3], [1e-7], [0.6]):
            assert consistency([Oracle(name, value, along)], np.array(z), 1).value <= TOLERANCE


def test_the_edge_of_a_domain():
    """z**1.5 ends at 0: one side is all there is; a wrong factor is still seen at 0.1."""
    right = Oracle("z**1.5", lambda z: z**1.5, lambda z, d: 1.5 * np.sqrt(z) * d)
    wrong = Oracle("z**1.5", lambda z: z**1.5, lambda z, d: 1.4 * np.sqrt(z) * d)
    with np.errstate(invalid="ignore"):
        assert consistency([right], np.array([1e-12]), 0).value <= TOLERANCE
        assert consistency([wrong], np.array([0.1]), 0).value > TOLERANCE
        assert np.isnan(consistency([right], np.array([-1.0]), 0).value)


def test_transposed():
    J = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert transposed(lambda z, w: J.T @ w, lambda z, d: J @ d, np.ones(2), 2, 0) < 1e-14
    assert transposed(lambda z, w: J @ w, lambda z, d: J @ d, np.ones(2), 2, 0) > 1e-3


def test_wrong_gradient_of_both_value_orders_is_caught_by_the_value():
    """A gradient and a Hessian that agree with each other, but not with the value (the reliability spec's trap)."""
    F = Smooth(2, lambda z: (z[0] - 1) ** 2 + z[1] ** 2, lambda z: [0.0, 0.0], lambda z: np.zeros((2, 2)))
    f = Quadratic(csr_array([[0.0, -1.0], [-1.0, 1.0]]), np.zeros((1, 2)), 0.0)
    certificate = certify(bilevel(1, 1, F, f), point(5, 5), 1e-6, 0)
    assert certificate["upper_stationarity"].ok
    assert certificate.status is PointStatus.FEASIBLE
