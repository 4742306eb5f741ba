"""Rows from several functions against one dense matrix, and what of a simple set becomes a bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from solverkit.kinds.nonlinear import nonlinear
from solverkit.kinds.nonlinear.consistency import oracle_term
from solverkit.kinds.nonlinear.rows import Part, Stack, _bounds_out, box_and_rows, joined, refined
from solverkit.operators.quadratic import Linear, SquaredDistance
from solverkit.operators.sets import Box, Free, Product, Simplex
from tests.nonlinear.adversary import Wrong

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((3, 4)), RNG.standard_normal((2, 2))
X, D = RNG.standard_normal(4), RNG.standard_normal(4)
W = RNG.standard_normal(6)


class Cubes:
    """x_0^3 + x_1 and x_1^2, with a dense Jacobian and Hessian."""

    inputs, outputs, degree, device, dtype = 2, 2, None, "cpu", "float64"

    def value(self, z):
        return np.array([z[0] ** 3 + z[1], z[1] ** 2])

    def jacobian(self, z):
        return np.array([[3 * z[0] ** 2, 1.0], [0.0, 2 * z[1]]])

    def jvp(self, z, d):
        return self.jacobian(z) @ d

    def vjp(self, z, w):
        return self.jacobian(z).T @ w

    def hessian(self, z, w):
        return np.diag([6 * w[0] * z[0], 2 * w[1]])

    def hvp(self, z, w, d):
        return self.hessian(z, w) @ d

    def digest(self):
        return "cubes"


def stack() -> Stack:
    """A x, the cubes of (x_1, x_2), and x_3 + ... as one row."""
    return Stack(
        [(slice(0, 4), Linear(csr_array(A))), (slice(1, 3), Cubes()), (slice(3, 4), Linear(csr_array([[2.0]])))], 4
    )


def whole(z):
    return np.concatenate([A @ z, Cubes().value(z[1:3]), 2 * z[3:]])


def test_values_and_products_are_those_of_one_function():
    rows = stack()
    step = 1e-6
    J = np.array([(whole(X + step * e) - whole(X - step * e)) / (2 * step) for e in np.eye(4)]).T
    assert rows.outputs == 6
    assert rows.degree is None
    assert rows.value(X) == pytest.approx(whole(X))
    dense = rows.jacobian(X)
    dense = dense.toarray() if issparse(dense) else dense
    assert dense == pytest.approx(J, abs=1e-8)
    assert rows.jvp(X, D) == pytest.approx(J @ D, abs=1e-7)
    assert rows.vjp(X, W) == pytest.approx(J.T @ W, abs=1e-7)
    H = np.zeros((4, 4))
    H[1, 1], H[2, 2] = 6 * W[3] * X[1], 2 * W[4]
    assert csr_array(rows.hessian(X, W)).toarray() == pytest.approx(H)
    assert rows.hvp(X, W, D) == pytest.approx(H @ D)


@pytest.mark.parametrize("share", [0.0, 2.0])
def test_the_jacobian_is_dense_or_sparse_and_the_same(share, monkeypatch):
    monkeypatch.setattr("solverkit.kinds.nonlinear.rows.DENSE_SHARE", share)
    found = stack().jacobian(X)
    assert issparse(found) is (share > 1)
    other = csr_array(found).toarray()
    assert other[:3] == pytest.approx(A)
    assert other[3:5, 1:3] == pytest.approx(Cubes().jacobian(X[1:3]))
    assert not other[3:5, [0, 3]].any()
    assert other[5].tolist() == [0, 0, 0, 2]


def test_a_single_row_has_a_gradient():
    one = Stack([(slice(1, 3), Linear(csr_array([[5.0, -1.0]])))], 4)
    assert one.gradient(X).tolist() == [0, 5, -1, 0]
    assert one.degree == 1
    assert one.hvp(X, np.ones(1), D).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("at", [slice(0, 4), slice(0, 3), slice(1, 4), slice(1, 3)])
def test_parts_of_degree_two_stand_where_their_slice_is(at, monkeypatch):
    """2 w I of the slice's entries, beside an affine part that has none."""
    monkeypatch.setattr("solverkit.kinds.nonlinear.rows.DENSE_SHARE", 2.0)
    centre = np.arange(1.0, 1 + at.stop - at.start)
    rows = Stack([(slice(0, 4), Linear(csr_array(A))), (at, SquaredDistance(centre))], 4)
    assert rows.degree == 2
    w, inside = RNG.standard_normal(4), np.zeros(4)
    inside[at] = 1.0
    assert csr_array(rows.hessian(X, w)).toarray() == pytest.approx(2 * w[3] * np.diag(inside))
    assert rows.hvp(X, w, D) == pytest.approx(2 * w[3] * inside * D)
    last = np.zeros(4)
    last[at] = 2 * (X[at] - centre)
    assert csr_array(rows.jacobian(X)).toarray() == pytest.approx(np.vstack([A, last]))


def test_parts_move_to_a_device_together():
    class Moves(Cubes):
        def to(self, device, dtype):
            twin = Moves()
            twin.device, twin.dtype = device, dtype
            return twin

    stays = Linear(csr_array(A))
    moved = Stack([(slice(0, 4), stays), (slice(1, 3), Moves())], 4).to("cuda", "float32")
    assert (moved.device, moved.dtype, moved.inputs) == ("cuda", "float32", 4)
    assert moved.parts[0][1] is stays
    alone = Stack([(slice(0, 4), stays)], 4)
    assert alone.to("cuda", "float32") is alone


def test_what_each_part_is_the_stack_is():
    class Products(Cubes):
        products_only = True
        second_by_differences = True
        device, dtype = "cuda", "float32"

    plain, special = stack(), Stack([(slice(0, 4), Linear(csr_array(A))), (slice(0, 2), Products())], 4)
    assert (plain.products_only, plain.second_by_differences, plain.device, plain.dtype) == (
        False,
        False,
        "cpu",
        "float64",
    )
    assert (special.products_only, special.second_by_differences) == (True, True)
    assert (special.device, special.dtype) == ("cuda", "float32")
    assert plain.digest() == stack().digest()
    assert plain.digest() != Stack(plain.parts[:2], 4).digest()
    assert plain.digest() != Stack([(slice(0, 2), Cubes()), *plain.parts[1:]], 4).digest()


def test_a_stack_that_nothing_changes_is_itself():
    class Finer(Cubes):
        def refined(self):
            return Cubes()

    plain = stack()
    assert plain.refined() is plain
    rough = Stack([(slice(0, 4), Linear(csr_array(A))), (slice(0, 2), Finer())], 4)
    found = refined(rough)
    assert found is not rough
    assert type(found.parts[1][1]) is Cubes
    assert found.parts[0][1] is rough.parts[0][1]


def test_parts_that_are_joined():
    one, two = Linear(csr_array(A)), Linear(csr_array(B))
    lower, upper = np.zeros(3), np.ones(3)
    assert joined([], 4)[0] is None
    assert [len(each) for each in joined([], 4)[1:]] == [0, 0, 0]
    for at in (None, slice(0, 4)):
        assert joined([Part(one, lower, upper, ("a", "b", "c"), at)], 4)[0] is one
    part = Part(two, np.array([-1.0, -2]), np.array([1.0, 2]), ("d", "e"), slice(2, 4))
    alone, low, high, names = joined([part], 4)
    assert isinstance(alone, Stack)
    assert alone.value(X) == pytest.approx(B @ X[2:])
    assert (low.tolist(), high.tolist(), names) == ([-1, -2], [1, 2], ("d", "e"))
    both, low, high, names = joined([Part(one, lower, upper, ("a", "b", "c")), part], 4)
    assert both.value(X) == pytest.approx(np.r_[A @ X, B @ X[2:]])
    assert (low.tolist(), high.tolist()) == ([0, 0, 0, -1, -2], [1, 1, 1, 1, 2])
    assert names == ("a", "b", "c", "d", "e")


def test_rows_of_one_entry_become_bounds():
    """-2 x_1 in [-6, 4] is x_1 in [-2, 3]; the tightest counts; a stored 0 is no entry."""
    M = csr_array(np.array([[0, -2.0, 0], [1, 1, 0], [0, 0, 4.0], [0, 1.0, 0]]))
    M = csr_array((np.r_[M.data, 0.0], np.r_[M.indices, 2], np.r_[M.indptr[:-1], len(M.data) + 1]), shape=(4, 3))
    lowest, highest = np.array([-9.0, -9, 1]), np.array([9.0, 9, 9])
    lower, upper = np.array([-6.0, 0, -np.inf, -1]), np.array([4.0, 1, 8, 7])
    rest, low, high = _bounds_out(M, lower, upper, lowest, highest)
    assert lowest.tolist() == [-9, -1, 1]
    assert highest.tolist() == [9, 3, 2]
    assert rest.value(np.array([5.0, 7, 1])).tolist() == [12]
    assert (low.tolist(), high.tolist()) == ([0], [1])
    none, low, high = _bounds_out(csr_array(np.eye(3)), np.zeros(3), np.ones(3), lowest, highest)
    assert none is None
    assert (len(low), len(high)) == (0, 0)


def test_boxes_and_rows_of_a_product_of_sets():
    sets = Product([(slice(0, 2), Box(-1.0, 2.0)), (slice(2, 3), Free()), (slice(3, 6), Simplex(2.0, 3))])
    lowest, highest, rows = box_and_rows(sets, 6)
    assert lowest.tolist() == [-1, -1, -np.inf, 0, 0, 0]
    assert highest[:3].tolist() == [2, 2, np.inf]
    (row,) = rows
    assert row.at == slice(3, 6)
    assert (row.lower.tolist(), row.upper.tolist(), row.names) == ([2], [2], ("set[0]",))
    assert row.function.value(np.array([1.0, 2, 4])).tolist() == [7]
    lowest, highest, rows = box_and_rows(Box(0.0, 1.0), 2)
    assert (lowest.tolist(), highest.tolist(), rows) == ([0, 0], [1, 1], [])
    lowest, highest, rows = box_and_rows(Simplex(2.0, 1), 1)  # x = 2 and x >= 0
    assert (lowest.tolist(), highest.tolist(), rows) == ([2], [2], [])


@pytest.mark.parametrize(("off", "ok"), [(0.0, True), (1e-10, True), (8e-9, False), (1e-6, False)])
def test_products_with_the_transpose_are_exact(off, ok):
    """Both are of one matrix: half of 8e-9 apart is more than rounding."""
    problem = nonlinear({"x": {"shape": 2}}, "x[0]", {"a": "x[0]**2 + x[1] == 2", "b": "x[0]*x[1] <= 2"})
    function = Wrong(problem.constraint_function, "vjp", lambda value: (1 + off) * value)
    term = oracle_term(replace(problem, constraint_function=function), np.ones(2), 0)
    assert term.ok is ok
    assert ("vjp of c" in term.note) is not ok
