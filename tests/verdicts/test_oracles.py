"""Derivatives against differences, on functions of one and two variables whose quotients are worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from solverkit.kinds import oracles
from solverkit.kinds.composite import composite
from solverkit.kinds.composite.certificate import certify
from solverkit.kinds.oracles import Oracle, changed, consistency, discrepancy, transposed

STEP = np.finfo(float).eps ** (1 / 3)
ONE = np.ones(1)
WRONG = 0.1  # what these tests ask of a wrong derivative, at least; 2, 1/2 and 1 are the values of common errors
RIGHT = 1e-4


def of(value: Callable, slope: Callable) -> Oracle:
    """Entry by entry, with the derivative `slope`."""
    return Oracle("r", value, lambda z, d: slope(z) * d)


class Recorded:
    """z z, with every point at which it is asked."""

    def __init__(self) -> None:
        self.values: list[np.ndarray] = []
        self.slopes: list[tuple[np.ndarray, np.ndarray]] = []

    def value(self, z: np.ndarray) -> np.ndarray:
        self.values.append(z)
        return z * z

    def along(self, z: np.ndarray, d: np.ndarray) -> np.ndarray:
        self.slopes.append((z, d))
        return 2 * z * d

    @property
    def oracle(self) -> Oracle:
        return Oracle("square", self.value, self.along)


class TestWhereItLooks:
    z = np.array([0.0, -3.0, 40.0])
    size = 1 + np.abs(z)

    def test_three_directions_at_z_one_at_a_point_close_by_and_the_first_twice(self):
        """Every call may be a simulation: seven products, and six values for each direction, beside its centre."""
        seen = Recorded()
        assert consistency([seen.oracle], self.z, 0).value == 0
        assert len(seen.slopes) == 7
        assert len(seen.values) == 4 * 7
        (a, d), (b, _), (c, e), (again, f), *others, (near, _) = seen.slopes
        assert all(np.array_equal(point, self.z) for point in (a, b, again, *(point for point, _ in others)))
        assert all(np.array_equal(d, other) for other in (seen.slopes[1][1], e, f))
        assert np.abs(c - self.z) == pytest.approx(STEP * np.abs(d))
        assert not any(np.array_equal(d, other) for _, other in others)
        assert not np.array_equal(near, self.z)

    def test_directions_have_the_size_of_x_and_both_signs(self):
        at_z, close_by, moves = [], [], []
        for seed in range(40):
            seen = Recorded()
            consistency([seen.oracle], self.z, seed)
            directions = [d / self.size for _, d in seen.slopes]
            at_z, close_by = at_z + directions[:-1], close_by + directions[-1:]
            moves.append((seen.slopes[-1][0] - self.z) / (1e-2 * self.size))
        for drawn, least in ((np.array(at_z), 0.5), (np.array(close_by), 0.5), (np.array(moves), 0.0)):
            assert np.abs(drawn).max() <= 1
            assert np.abs(drawn).min() >= least
            assert np.all(drawn.max(axis=0) > 0.8)
            assert np.all(drawn.min(axis=0) < -0.8)

    def test_the_same_seed_looks_at_the_same_points(self):
        first, second = Recorded(), Recorded()
        consistency([first.oracle], self.z, 5)
        consistency([second.oracle], self.z, 5)
        assert all(np.array_equal(a, b) for a, b in zip(first.values, second.values, strict=True))

    def test_the_steps(self):
        """t = eps^(1/3) (2, 1, 1/2); a derivative that is wrong is asked again with each smaller step."""
        seen = Recorded()
        wrong = Oracle("r", seen.value, lambda z, d: 5.0 * d)
        assert discrepancy(wrong, ONE, ONE) == pytest.approx(3 / 5, rel=1e-3)
        told = np.array(seen.values)[:, 0] - 1
        for shrink in (1.0, 1e-2, 1e-4, 1e-6):
            for t in (2.0, 1.0, 0.5):
                for sign in (1, -1):
                    assert np.any(np.isclose(told, sign * t * STEP * shrink, rtol=1e-3, atol=0)), (shrink, t, sign)
        assert len(told) == 1 + 4 * 6


class TestQuotients:
    """r = z^3 at 1 along 1 with t = 0.2, 0.1, 0.05: the central quotients are 3 + t^2."""

    def found(self, value: Callable, one_sided: bool):
        oracle = Oracle("r", value, lambda z, d: d)
        center = value(ONE)
        return oracles._quotients(oracle, ONE, ONE, center, 0.1, one_sided)

    @pytest.mark.parametrize("one_sided", [False, True])
    def test_on_both_sides(self, one_sided):
        middle, low, high, spread, rounding = self.found(lambda z: z**3, one_sided)
        assert middle == pytest.approx([3.01])
        assert (low, high) == (pytest.approx([2.71]), pytest.approx([3.31]))  # (1 - 0.9^3) / 0.1, (1.1^3 - 1) / 0.1
        assert spread == pytest.approx([0.04 - 0.0025])
        assert rounding == pytest.approx([np.finfo(float).eps * (1.2**3 + 1) / 0.1])

    def test_ahead_alone(self):
        """(1 + t)^3 - 1 over t is 3 + 3 t + t^2."""

        def value(z):
            return np.where(z >= 1, z**3, np.nan)

        assert self.found(value, False) is None
        middle, low, high, spread, rounding = self.found(value, True)
        assert middle == low == high == pytest.approx([3.31])
        assert spread == pytest.approx([3.64 - 3.1525])
        assert rounding == pytest.approx([np.finfo(float).eps * (1.2**3 + 1) / 0.1])

    def test_behind_alone(self):
        def value(z):
            return np.where(z <= 1, z**3, np.inf)

        assert self.found(value, False) is None
        middle, low, high, spread, rounding = self.found(value, True)
        assert middle == low == high == pytest.approx([2.71])
        assert spread == pytest.approx([2.8525 - 2.44])
        assert rounding == pytest.approx([np.finfo(float).eps * (0.95**3 + 1) / 0.1])

    def test_on_neither_side(self):
        assert self.found(lambda z: np.where(z == 1, 1.0, np.nan), True) is None


class TestComparison:
    def compare(self, claimed, middle, low=None, high=None, spread=0.0, rounding=0.0):
        low, high = middle if low is None else low, middle if high is None else high
        return oracles._compare(*(np.array([float(v)]) for v in (claimed, middle, low, high, spread, rounding)))

    def test_of_a_smooth_function(self):
        assert self.compare(2.0, 2.0) == (0.0, 0.0)
        assert self.compare(-2.0, 2.0)[0] == 2.0  # a wrong sign
        assert self.compare(1.0, 2.0)[0] == 0.5  # a missing factor two
        assert self.compare(4.0, 2.0)[0] == 0.5
        assert self.compare(0.0, 2.0)[0] == 1.0
        assert self.compare(2.0, 0.0)[0] == 1.0

    def test_spread_and_rounding_are_allowed_for(self):
        assert self.compare(3.0, 2.0, spread=0.125)[0] == pytest.approx((1 - 4 * 0.125) / 3)
        assert self.compare(3.0, 2.0, rounding=0.05)[0] == pytest.approx((1 - 10 * 0.05) / 3)
        excess, doubt = self.compare(3.0, 4.0, spread=0.125, rounding=0.05)
        assert (excess, doubt) == (0.0, pytest.approx(1.0 / 4))

    @pytest.mark.parametrize(("claimed", "excess"), [(-1.0, 0), (0.3, 0), (1.0, 0), (1.5, 1 / 3), (-2.0, 1 / 2)])
    def test_every_subgradient_of_a_kink_passes(self, claimed, excess):
        """|z| at 0: the quotients are -1 and 1, their middle 0."""
        assert self.compare(claimed, 0.0, -1.0, 1.0)[0] == pytest.approx(excess)

    def test_one_per_cent_between_the_sides_is_no_kink(self):
        assert self.compare(99.2, 99.5, 99.0, 100.0)[0] == pytest.approx(0.3 / 99.5)
        assert self.compare(-99.2, -99.5, -100.0, -99.0)[0] == pytest.approx(0.3 / 99.5)
        assert self.compare(99.2, 99.5, 98.9, 100.0)[0] == 0

    def test_the_worst_row_counts(self):
        rows = np.array([[1.0, 2.0, 2.0], [1.0, 1.0, 4.0]])
        zero = np.zeros(3)
        assert oracles._compare(rows[0], *[rows[1]] * 3, zero, zero) == (0.5, 0.0)


class TestDiscrepancy:
    def test_no_rows(self):
        nothing = Oracle("none", lambda z: np.zeros(0), lambda z, d: np.zeros(0))
        assert discrepancy(nothing, ONE, ONE) == 0
        assert consistency([nothing], ONE, 0).value == 0

    @pytest.mark.parametrize(
        ("value", "along"),
        [([1.0, np.nan], [1.0, 1.0]), ([1.0, 1.0], [np.inf, 1.0]), ([1.0, 1.0], [1.0]), ([1.0, 1.0], [1.0, 1.0, 1.0])],
    )
    def test_what_cannot_be_compared_is_not_a_number(self, value, along):
        oracle = Oracle("r", lambda z: np.array(value), lambda z, d: np.array(along))
        assert np.isnan(discrepancy(oracle, ONE, ONE))

    @pytest.mark.parametrize(
        ("factor", "found"), [(-1.0, 2.0), (0.5, 0.5), (2.0, 0.5), (0.0, 1.0), (1.0005, 5e-4), (1.0002, 2e-4)]
    )
    def test_wrong_factors(self, factor, found):
        oracle = of(np.exp, lambda z: factor * np.exp(z))
        assert discrepancy(oracle, ONE, ONE) == pytest.approx(found, rel=0.05)

    def test_stiff_but_right(self):
        """Differences with the first step see nothing of what happens within 1e-7, those with smaller ones do."""
        for z in (1e-3, 0.3, 0.6):
            for value, slope in (
                (lambda z: np.exp(1e3 * z), lambda z: 1e3 * np.exp(1e3 * z)),
                (lambda z: np.sin(1e7 * z), lambda z: 1e7 * np.cos(1e7 * z)),
            ):
                assert discrepancy(of(value, slope), z * ONE, ONE) <= RIGHT
                assert discrepancy(of(value, lambda z, slope=slope: -slope(z)), z * ONE, ONE) > WRONG

    @pytest.mark.parametrize("offset", [1e6, 1e7, 1e8])
    def test_steps_so_small_that_only_rounding_is_left_excuse_nothing(self, offset):
        """offset + z with twice its derivative: 1/2, whatever smaller steps leave in doubt."""
        assert discrepancy(of(lambda z: offset + z, lambda z: 2 + 0 * z), ONE, ONE) > 0.4

    def test_a_kink_within_the_first_step(self):
        """|z| close to 0: its quotients see both sides, which the smaller steps do not."""
        for z in (1e-7, -1e-7):
            assert discrepancy(of(np.abs, np.sign), z * ONE, ONE) == 0
            assert discrepancy(of(np.abs, lambda z: 1.5 * np.sign(z)), z * ONE, ONE) > WRONG

    def test_the_edge_of_a_domain(self):
        """z^1.5 and sqrt(1 - z) end at the point: the one side that there is tells a wrong factor all the same."""
        with np.errstate(invalid="ignore"):
            for value, slope, z in (
                (lambda z: (1 + z) * np.sqrt(z) + z, lambda z: np.where(z > 0, 9.0, 1.0), 0.0),
                (lambda z: z + (1 - z) ** 1.5, lambda z: 1 - 1.5 * np.sqrt(1 - z), 1.0),
            ):
                if z == 1.0:
                    assert discrepancy(of(value, slope), z * ONE, ONE) <= RIGHT
                    assert discrepancy(of(value, lambda z, slope=slope: 2 * slope(z)), z * ONE, ONE) > WRONG
                else:
                    assert not np.isnan(discrepancy(of(value, slope), z * ONE, ONE))

    def test_close_to_an_edge_both_sides_of_a_smaller_step_are_taken(self):
        """sqrt(z) at 1e-7: quotients of one side with the first step differ so much that they excuse a factor two."""
        with np.errstate(invalid="ignore"):
            z = 1e-7 * ONE
            assert discrepancy(of(np.sqrt, lambda z: 0.5 / np.sqrt(z)), z, ONE) <= RIGHT
            assert discrepancy(of(np.sqrt, lambda z: 0.25 / np.sqrt(z)), z, ONE) > 0.4

    def test_a_single_point_is_no_domain(self):
        oracle = of(lambda z: np.where(z == 1, 0.0, np.nan), lambda z: 0 * z)
        assert np.isnan(discrepancy(oracle, ONE, ONE))


class TestAskedAgain:
    def told(self, *answers: list[float]) -> float:
        given = iter(answers)
        return changed(Oracle("r", lambda z: z, lambda z, d: np.array(next(given))), ONE, ONE)

    @pytest.mark.parametrize(
        ("first", "again", "found"),
        [
            ([1.0], [3.0], 2 / 3),
            ([3.0], [1.0], 2 / 3),
            ([1e-3, 2e-3], [1e-3, 4e-3], 0.5),
            ([-2.0], [-1.0], 0.5),
            ([0.0], [0.0], 0.0),
            ([0.0], [1e-9], 1.0),
        ],
    )
    def test_by_how_much(self, first, again, found):
        assert self.told(first, [7.0] * len(first), again) == pytest.approx(found)

    def test_the_value_of_the_call_before_is_seen(self):
        memory = [np.zeros(1)]

        def stale(z, d):
            memory.append(2 * z * d)
            return memory[-2]

        oracle = Oracle("square", lambda z: z * z, stale)
        stale(ONE, ONE)
        assert changed(oracle, ONE, ONE) == pytest.approx(STEP, rel=1e-3)


class TestConsistency:
    right = of(lambda z: z * z, lambda z: 2 * z)

    def test_right_oracles_have_no_worst(self):
        assert consistency([], ONE, 0) == consistency([self.right, self.right], ONE, 0)
        assert consistency([self.right], ONE, 0).oracle == ""

    def test_the_worst_is_named(self):
        bad, worse = (
            Oracle(name, lambda z: z * z, lambda z, d, f=f: f * z * d) for name, f in (("bad", 2.5), ("worse", 6.0))
        )
        for given in ([bad, worse, self.right], [worse, self.right, bad]):
            found = consistency(given, ONE, 0)
            assert found.oracle == "worse"
            assert found.value == pytest.approx(2 / 3, rel=1e-3)
        assert consistency([self.right, bad], ONE, 0).oracle == "bad"

    def test_what_is_no_number_at_the_point_is_no_answer(self):
        nothing = Oracle("nothing", lambda z: np.full(1, np.nan), lambda z, d: d)
        found = consistency([self.right, nothing, self.right], ONE, 0)
        assert np.isnan(found.value)
        assert found.oracle == "nothing"

    def test_a_second_point_outside_of_the_domain_is_left_out(self):
        def value(z):
            return np.where(np.abs(z - 1) < 1e-4, z * z, np.nan)

        assert consistency([of(value, lambda z: 2 * z)], ONE, 0).value == 0
        assert consistency([of(value, lambda z: -2 * z)], ONE, 0).value == pytest.approx(2, rel=1e-3)

    def test_a_gradient_flipped_where_it_vanishes_is_seen_from_close_by(self):
        assert consistency([of(lambda z: z * z, lambda z: -2 * z)], np.zeros(3), 0).value == pytest.approx(2, rel=1e-3)

    def test_noise_is_seen_where_values_agree(self):
        """A derivative that is random where r does not change at all."""
        rng = np.random.default_rng(0)
        oracle = Oracle("r", lambda z: 0 * z, lambda z, d: 1e-200 * rng.standard_normal(1))
        assert consistency([oracle], ONE, 0).value > WRONG


class TestTransposes:
    z = np.zeros(3)

    def apart(self, J: np.ndarray, T: np.ndarray, seed: int = 0) -> float:
        return transposed(lambda _, w: T @ w, lambda _, d: J @ d, np.zeros(J.shape[1]), len(J), seed)

    @pytest.mark.parametrize(("back", "found"), [(2.0, 0.0), (6.0, 0.5), (-2.0, 1.0), (0.0, 1.0)])
    def test_of_one_number(self, back, found):
        """J = 2 against its transpose: |2 - b| w d over (2 + |b|) w |d|."""
        assert self.apart(np.array([[2.0]]), np.array([[back]])) == pytest.approx(found)

    def test_of_matrices(self):
        J = np.random.default_rng(0).standard_normal((4, 3))
        assert self.apart(J, J.T) < 1e-15
        changed = J.copy()
        changed[1, 2] += 0.5
        assert all(self.apart(J, changed.T, seed) > 1e-3 for seed in range(20))
        assert self.apart(np.zeros((4, 3)), np.zeros((3, 4))) == 0

    def test_no_rows(self):
        assert transposed(lambda z, w: z, lambda z, d: z, np.ones(3), 0, 0) == 0

    def test_where_it_looks(self):
        weights, directions = [], []

        def back(z, w):
            weights.append(w)
            return np.zeros(3)

        def forward(z, d):
            directions.append(d)
            return np.zeros(4)

        for seed in range(40):
            transposed(back, forward, self.z, 4, seed)
        w, d = np.array(weights), np.array(directions)
        for drawn in (w, np.abs(d)):
            assert 0.5 <= drawn.min() < 0.55
            assert 0.95 < drawn.max() <= 1
        assert np.all(d.max(axis=0) > 0)
        assert np.all(d.min(axis=0) < 0)


class TestInCertificates:
    """min ||x - q||^2 / 2 + 0.3 ||x||_1 with f as code, whose gradient is off by a factor."""

    @pytest.mark.parametrize(("off", "ok"), [(0.0, True), (3e-5, True), (2e-4, False), (-2e-4, False), (1.0, False)])
    def test_two_ten_thousandths_of_a_gradient_are_seen(self, off, ok):
        q = np.array([1.0, -2.0, 0.1])

        def value(x):
            return 0.5 * (x - q) @ (x - q)

        problem = composite(
            variables={"x": {"shape": 3}},
            smooth=(value, lambda x: (1 + off) * (x - q)),
            simple="0.3*norm1(x)",
            lipschitz=1.0,
        )
        term = certify(problem, {"x": np.array([0.7, -1.7, 0.0])})["oracles"]
        assert term.ok is ok
        assert (term.note == "worst: f") is (off > 0 or not ok)
