"""Proximal maps against their own table: the slow, plain form of each line beside the one that certificates use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from solverkit.kinds import maps
from solverkit.kinds.base import PointStatus
from solverkit.kinds.composite import composite
from solverkit.kinds.composite.certificate import certify
from solverkit.kinds.composite.terms import Entropy, Euclidean
from solverkit.kinds.oracles import Discrepancy
from solverkit.operators.proximal import (
    L1,
    L2,
    Box,
    Conjugate,
    Free,
    GroupL2,
    LInf,
    ProximalMap,
    SecondOrderCone,
    Simplex,
    SquaredL2,
)

V = np.array([0.0, -3.0, 40.0])
SIZE = 1 + np.abs(V)


class Square(ProximalMap):
    """h(u) = ||u||^2, with every point at which its proximal map is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[np.ndarray, float]] = []

    def prox(self, v, step):
        self.asked.append((v, step))
        return self.shrunk(v, step)

    def shrunk(self, v, step):
        return v / (1 + 2 * step)

    def value(self, v):
        return v @ v

    def conjugate(self, v):
        return v @ v / 4

    def digest(self):
        return "square"


def plain(part: Square) -> dict[str, float]:
    """Each line of the table at what `part` was asked, by loops."""
    told = []
    for z, step in part.asked[::2]:
        p = part.shrunk(z, step)
        told.append((p, (z - p) / step, (np.abs(z) + np.abs(p)) / step))
    steps, monotone, value, conjugate = [0.0], [0.0], [0.0], [0.0]
    for (z, step), (asked, other) in zip(part.asked[::2], part.asked[1::2], strict=True):
        p, again = part.shrunk(z, step), part.shrunk(asked, other)
        steps.append(np.abs(again - p).max() / (1 + np.abs(p).max()))
    for p, g, size in told:
        for q, k, other in told:
            lengths = np.linalg.norm(p) + np.linalg.norm(q), np.linalg.norm(size) + np.linalg.norm(other)
            monotone.append(-(p - q) @ (g - k) / lengths[0] / lengths[1])
        for q in (*(q for q, _, _ in told), 0.5 * p, 1.5 * p):
            entering = abs(part.value(p)) + abs(part.value(q)) + size @ (np.abs(q) + np.abs(p))
            value.append((part.value(p) + g @ (q - p) - part.value(q)) / entering)
        for q, _, _ in told:
            apart = q @ g - part.value(q) - part.conjugate(g)
            apart = abs(apart) if np.array_equal(p, q) else apart
            conjugate.append(apart / (1 + abs(part.value(q)) + np.abs(q) @ np.abs(g)))
    lines = ("proximal map: its step", "proximal map: not monotone", "proximal map and value", "conjugate")
    return dict(zip(lines, map(max, (steps, monotone, value, conjugate)), strict=True))


class Forgets(Square):
    def shrunk(self, v, step):
        return v / 3


class Backwards(Square):
    """Subgradients that fall: (v - p) / s of p = 2 v is -v / s."""

    def shrunk(self, v, step):
        return v / (1 - 0.2 * step)


class Doubled(Square):
    def value(self, v):
        return 2 * v @ v


class Lifted(Square):
    def conjugate(self, v):
        return v @ v / 4 - 0.1


class Lowered(Square):
    def conjugate(self, v):
        return v @ v / 4 + 0.1


class TestOfMaps:
    def test_where_it_looks(self):
        """Near v with three steps, and from each point back to it with another step."""
        moves = []
        for seed in range(40):
            part = Square()
            maps.proximal_map(part, V, seed)
            assert [step for _, step in part.asked] == [1.0, 0.1, 0.1, 1.0, 3.0, 1.0]
            for (z, step), (again, other) in zip(part.asked[::2], part.asked[1::2], strict=True):
                p = z / (1 + 2 * step)
                assert again == pytest.approx(p + other * (z - p) / step)
                moves.append((z - V) / SIZE)
        assert np.abs(moves).max() <= 1
        assert np.all(np.max(moves, axis=0) > 0.8)
        assert np.all(np.min(moves, axis=0) < -0.8)

    @pytest.mark.parametrize("made", [Square, Forgets, Backwards, Doubled, Lifted, Lowered])
    @pytest.mark.parametrize("unit", [1.0, 1e-4])
    def test_the_worst_line_and_by_how_much(self, made: Callable[[], Square], unit: float):
        part = made()
        found = maps.proximal_map(part, unit * V, 3)
        lines = plain(part)
        worst = max(lines, key=lambda line: lines[line])
        assert found.value == pytest.approx(lines[worst], rel=1e-9, abs=1e-15)
        if made is not Square:
            assert found.oracle == worst
            assert found.value > 1e-4

    @pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e6, 1e9])
    @pytest.mark.parametrize(
        "part",
        [
            L1(0.3),
            L2(0.7),
            LInf(2.0),
            SquaredL2(1.5, np.ones(4)),
            GroupL2([[0, 1], [2, 3]], 0.5),
            Box(-1, 2),
            Box(0, np.inf),
            Simplex(1.0),
            SecondOrderCone(),
            Free(),
            Conjugate(L1(0.3)),
        ],
        ids=lambda part: getattr(type(part), "__name__", ""),
    )
    def test_right_ones_raise_no_alarm(self, part: ProximalMap, size: float):
        for seed in range(5):
            v = size * np.random.default_rng(seed).standard_normal(4)
            assert maps.proximal_map(part, v, seed).value <= 1e-6

    def test_a_point_that_comes_back_elsewhere(self):
        """By 0.01 at every second call, beside points of size 1e-3 and of size 1."""
        for unit in (1e-4, 0.1):

            class Moved(Square):
                def prox(self, v, step):
                    return super().prox(v, step) + 0.01 * (len(self.asked) % 2 == 0)

            part = Moved()
            found = maps.proximal_map(part, unit * V, 0)
            points = [np.abs(part.shrunk(*asked)).max() for asked in part.asked[::2]]
            assert found.oracle == "proximal map: its step"
            assert found.value == pytest.approx(max(0.01 / (1 + point) for point in points))

    def test_rounding_alone_is_no_subgradient(self):
        """h = 0 has no other one than 0: v / 49 * 49 is v up to rounding."""

        class Rounded(Free):
            def prox(self, v, step=1.0):
                return v / 49 * 49

            def conjugate(self, v):
                return np.inf if np.any(v) else 0.0

        for seed in range(5):
            assert maps.proximal_map(Rounded(), 1e3 * V, seed).value < 1e-12

    def test_what_is_right_to_the_last_digit_has_no_worst(self):
        assert maps.proximal_map(Free(), V, 0) == Discrepancy(0.0, "")

    def test_a_map_without_a_conjugate(self):
        class Unknown(Square):
            conjugate = ProximalMap.conjugate

        assert maps.proximal_map(Unknown(), V, 0).value < 1e-12


class TestLines:
    """Each line on numbers."""

    def seen(self, *rows: tuple[float, float, float], unit: float = 1.0):
        return [(np.array([p * unit]), np.array([g * unit]), np.array([size * unit])) for p, g, size in rows]

    def test_rounding_is_no_subgradient(self):
        entering = np.array([1.0, 1.0, 2.0, 1.0, 1.0, 0.0])
        g = np.array([1e-12, 1.1e-12, 1.9e-12, -0.9e-12, -5e-12, 0.0])
        assert maps._known(g, entering).tolist() == [0.0, 1.1e-12, 0.0, 0.0, -5e-12, 0.0]

    def test_not_monotone(self):
        """(p - q)(g - k) = -2 over (1 + 0) (3 + 1)."""
        assert maps._backward(self.seen((1, -2, 3), (0, 0, 1))) == 0.5
        assert maps._backward(self.seen((0, 0, 1), (1, -2, 3))) == 0.5
        assert maps._backward(self.seen((1, 2, 3), (0, 0, 1))) == 0
        assert maps._backward(self.seen((0, 0, 0), (0, 0, 0))) == 0
        assert maps._backward(self.seen((1, -2, 3), (0, 0, 1), unit=1e-3)) == pytest.approx(0.5)

    def below(self, values: dict[float, float], *rows: tuple[float, float, float], strong: float = 0.0) -> float:
        return maps._below(lambda u: values[float(u[0])], self.seen(*rows), strong)

    def test_the_value(self):
        """From p = 2 with slope 1, h(2) = 4: at 1 and 3 h is to be 3 and 5 at least."""
        assert self.below({2: 4, 1: 3, 3: 5}, (2, 1, 3)) == 0
        assert self.below({2: 4, 1: 2.5, 3: 5}, (2, 1, 3)) == pytest.approx(0.5 / (4 + 2.5 + 3 * 3))
        assert self.below({2: 4, 1: 3, 3: 4.5}, (2, 1, 3)) == pytest.approx(0.5 / (4 + 4.5 + 3 * 5))
        assert self.below({2: 4, 1: 9, 3: 9}, (2, 1, 3)) == 0
        assert self.below({-2: -4, -1: -3.5, -3: -4}, (-2, 1, 3)) == pytest.approx(0.5 / (4 + 3.5 + 3 * 3))

    def test_strong_convexity_asks_for_more(self):
        """(3 / 2) (q - p)^2 on top: 4.5 and 6.5."""
        assert self.below({2: 4, 1: 4.5, 3: 6.5}, (2, 1, 3), strong=3.0) == 0
        assert self.below({2: 4, 1: 4.0, 3: 6.5}, (2, 1, 3), strong=3.0) == pytest.approx(0.5 / (4 + 4 + 3 * 3))

    def test_the_other_points_count(self):
        values = {2.0: 4, 1: 3, 3: 5, 10: 10, 5: 9, 15: 15}
        assert self.below(values, (2, 1, 3), (10, 1, 3)) == pytest.approx(2 / (4 + 10 + 3 * 12))

    def test_it_does_not_know_units(self):
        for unit in (1e-3, 1.0, 1e3):
            seen = self.seen((2, 1, 3), unit=unit)
            values = {2: 4, 1: 2.5, 3: 5}

            def value(u, unit=unit, values=values):
                return values[round(float(u[0]) / unit)] * unit**2

            assert maps._below(value, seen) == pytest.approx(0.5 / 15.5)
        assert self.below({0: 0}, (0, 0, 0)) == 0

    @pytest.mark.parametrize(("slope", "found"), [(1.0, np.inf), (-1999, np.inf), (2000, np.inf), (-2001, 0), (4e3, 0)])
    def test_outside_of_the_domain_only_by_rounding(self, slope, found):
        """h(1) infinite: rounding of z = p + g may do that where g is more than a thousand times 1 + |p|."""
        assert self.below({1: np.inf, 0.5: 0, 1.5: 0, 2: 0, 3: 0}, (2, 1, 1), (1, slope, 1)) == found

    class Told:
        def __init__(self, values: dict[float, float], dual: float) -> None:
            self.values, self.dual = values, dual

        def value(self, u):
            return self.values[float(u[0])]

        def conjugate(self, g):
            return self.dual

    def test_the_conjugate(self):
        """<p, g> = 6 and h(2) = 4: h*(3) is to be 2, and h(1) + 2 >= 3."""
        one, two = (2, 3, 1), (1, 3, 1)
        assert maps._conjugate(self.Told({2: 4}, 2.0), self.seen(one)) == 0
        for dual in (1.5, 2.5):
            assert maps._conjugate(self.Told({2: 4}, dual), self.seen(one)) == pytest.approx(0.5 / (1 + 4 + 6))
        below = self.Told({2: 4, 1: -1.0}, 2.0)  # h(1) + h*(3) is 2 short of 3, and of equality
        assert maps._conjugate(below, self.seen(one, two)) == pytest.approx(2 / (1 + 1 + 3))

    def test_elsewhere_the_conjugate_may_be_larger(self):
        """Only at its own p is it to be equal: h = |u| has h* = 0 on [-1, 1], and h(2) > 2 g."""
        seen = self.seen((0, 0.5, 1), (2, 1, 1))
        assert maps._conjugate(self.Told({0: 0, 2: 2}, 0.0), seen) == 0
        assert maps._conjugate(self.Told({0: 0, 2: 0.5}, 0.0), seen) == pytest.approx(1.5 / (1 + 0.5 + 2))

    @pytest.mark.parametrize(("p", "found"), [(1.0, np.inf), (1999.0, np.inf), (2000, np.inf), (-2001, 0), (5e3, 0)])
    def test_a_subgradient_is_in_the_domain_of_the_conjugate_beyond_rounding(self, p, found):
        assert maps._conjugate(self.Told({p: 0}, np.inf), self.seen((p, 2, 1))) == found


class Chi:
    """chi(u) = (3 / 2) ||u||^2 + <c, u>, with every step that is asked for."""

    geometry, strong, c = "euclidean", 3.0, np.array([1.0, -2.0, 0.5])

    def __init__(self, least: float = 0.0, more: float = 0.0) -> None:
        self.asked: list[tuple[np.ndarray, np.ndarray, float]] = []
        self.least, self.more = least, more

    def step(self, g, centre, weight):
        self.asked.append((g, centre, weight))
        return (weight * centre - self.c - g) / (weight + 3)

    def value(self, u):
        return 1.5 * u @ u + self.c @ u

    def lowest(self, g):
        return -(g + self.c) @ (g + self.c) / 6 + self.least


class TestOfChi:
    def test_where_it_looks(self):
        moves = []
        for seed in range(40):
            chi = Chi()
            assert maps.simple(chi, V, seed).value < 1e-12
            assert [weight for _, _, weight in chi.asked] == [1.0, 0.1, 3.0]
            moves += [(centre - V) / SIZE for _, centre, _ in chi.asked]
        assert np.abs(moves).max() <= 1
        assert np.all(np.max(moves, axis=0) > 0.8)
        assert np.all(np.min(moves, axis=0) < -0.8)

    @pytest.mark.parametrize("least", [0.5, 1e-3, -0.5])
    def test_a_lowest_value_that_is_too_high(self, least):
        """One that is too low is a bound all the same: looser, not wrong."""
        chi = Chi(least)
        found = maps.simple(chi, V, 0)
        told = [chi.step(*asked) for asked in list(chi.asked)]
        worst = 0.0
        for p in told:
            s = 3 * p + chi.c  # grad chi
            for u in told:
                short = chi.lowest(-s) + s @ u - chi.value(u)
                worst = max(worst, short / (1 + abs(chi.value(u)) + abs(s @ u) + abs(chi.lowest(-s))))
        assert found.value == pytest.approx(worst, rel=1e-6, abs=1e-15)
        assert found.oracle == ("chi: its lowest value" if least > 0 else found.oracle)

    @pytest.mark.parametrize(("strong", "seen"), [(3.0, False), (2.0, False), (6.0, True)])
    def test_more_strong_convexity_than_there_is(self, strong, seen):
        chi = Chi()
        chi.strong = strong
        found = maps.simple(chi, V, 0)
        assert (found.value > 1e-3) is seen
        assert found.oracle == ("chi: its step and value" if seen else found.oracle)

    def test_a_step_of_another_weight(self):
        class Other(Chi):
            def step(self, g, centre, weight):
                return super().step(g, centre, 2 * weight)

        found = maps.simple(Other(), V, 0)
        assert found.value > 1e-3

    def test_no_bound_and_no_value_are_passed_over(self):
        """Rounding may put a slope outside of the domain of chi*, or a point outside of X: the others are looked at."""

        class Open(Chi):
            geometry = "entropy"  # so that values are asked for here alone

            def __init__(self, least: float, shut: int) -> None:
                super().__init__(least)
                self.shut, self.bounds, self.values = shut, 0, 0

            def lowest(self, g):
                self.bounds += 1
                return -np.inf if self.bounds == self.shut else super().lowest(g)

            def value(self, u):
                self.values += 1
                return np.inf if self.values == self.shut else super().value(u)

        assert maps.simple(Open(0.0, 1), V, 0).value < 1e-12
        assert maps.simple(Open(0.5, 1), V, 0).value > 1e-4
        assert maps.simple(Open(0.5, 2), V, 0).value > 1e-4

    def test_of_zero_only_the_slope_zero_has_a_lowest_value(self):
        """-slope - weight (u - centre) is 0 up to rounding: what `lowest` says there is looked at."""

        class Zero(Chi):
            strong = 0.0

            def step(self, g, centre, weight):
                return centre - g / weight

            def value(self, u):
                return 0.0

            def lowest(self, g):
                return -np.inf if np.any(g) else self.least

        assert maps.simple(Zero(0.0), V, 0).value < 1e-12
        for seed in range(5):
            assert maps.simple(Zero(0.5), V, seed).value == pytest.approx(0.5 / 1.5)

    @pytest.mark.parametrize("least", [np.inf, np.nan])
    def test_a_lowest_value_that_is_no_number(self, least):
        assert not maps.simple(Chi(least), V, 0).value <= 1e-6

    @pytest.mark.parametrize("size", [0.0, 1.0, 1e6])
    def test_right_ones_raise_no_alarm(self, size):
        for seed in range(5):
            v = size * np.random.default_rng(seed).standard_normal(4)
            for rest in (L1(0.3), Box(-1, 2), L2(0.7), Free()):
                for strong in (0.0, 2.0):
                    assert maps.simple(Euclidean(4, rest, strong, np.arange(4.0)), v, seed).value <= 1e-6
            assert maps.simple(Entropy(4, 0.5), v, seed).value <= 1e-6

    def test_on_the_simplex_centres_are_of_it(self):
        asked = []

        class Told(Entropy):
            def step(self, g, centre, weight):
                asked.append(centre)
                return super().step(g, centre, weight)

        maps.simple(Told(3, 0.5), V, 0)
        assert len(asked) == 3
        for centre in asked:
            assert centre.min() >= 0
            assert centre.sum() == pytest.approx(1)


class TestInCertificates:
    """min ||x - q||^2 / 2 + 0.3 ||x||_1 with K the identity: x = q shrunk by 0.3."""

    q = np.array([1.0, -2.0, 0.1])
    problem = composite(
        variables={"x": {"shape": 3}}, data={"q": q}, smooth="0.5*sum((x - q)**2)", simple="0.3*norm1(x)"
    )
    x = np.array([0.7, -1.7, 0.0])

    def verdict(self, factor: float, lowest: float = 0.0):
        right = self.problem.simple

        class Changed(type(right)):
            def step(self, g, centre, weight):
                return factor * super().step(g, centre, weight)

            def lowest(self, g):
                return super().lowest(g) + lowest

        changed = object.__new__(Changed)
        changed.__dict__.update(right.__dict__)
        return certify(replace(self.problem, simple=changed), {"x": self.x})

    def test_the_right_one_is_certified(self):
        assert self.verdict(1.0).status is PointStatus.CERTIFIED

    @pytest.mark.parametrize(("factor", "lowest"), [(0.9, 0), (1.1, 0), (1.0, 0.1), (1.0, 2e-5), (1.0, 6e-6)])
    def test_wrong_ones_are_named(self, factor, lowest):
        verdict = self.verdict(factor, lowest)
        assert verdict.status is not PointStatus.CERTIFIED
        assert "chi" in verdict["oracles"].note
