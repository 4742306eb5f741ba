"""Ways from shell to shell, with places that are told outright."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.kinds.ways import Place, ways_down


def way(*places, size=10.0, noise=1e-9, sudden=3.0, longer=1.0):
    """`places`: (u, fall) in shells of 0.1, 0.01 and 0.001 of the size; what is asked of each is kept too.

    longer : what moves with u moves so many times as far"""
    asked, told = [], iter(places)

    def least(d, width):
        asked.append((d, width))
        place = next(told)
        if place is None:
            return None
        u, fall = np.array(place[0]), place[1]
        return Place(u * width, longer * float(np.abs(u).max()) * width, fall)

    found = ways_down(least, [np.array([1.0, 0.0])], size, noise, sudden)
    return found, asked


def test_each_shell_begins_where_the_one_before_ended():
    found, asked = way(([0.6, 0.4], 1e-3), ([0.8, -0.1], 1e-4), ([1.0, 0.0], 1e-5))
    assert [width for _, width in asked] == pytest.approx([1.0, 0.1, 0.01])
    assert np.array([d for d, _ in asked]) == pytest.approx(np.array([[1, 0], [0.6, 0.4], [0.8, -0.1]]))
    assert found.told == 1


def test_the_fastest_fall_is_beyond_the_noise():
    """5e-3 over 0.1 in the second shell."""
    found, _ = way(([1.0, 0.0], 1e-3), ([1.0, 0.0], 5e-3), ([1.0, 0.0], 0.0), noise=1e-5)
    assert found.fastest == pytest.approx((5e-3 - 1e-5) / 0.1)


def test_the_distance_is_that_of_all_that_moves():
    found, _ = way(([1.0, 0.0], 1e-3), ([1.0, 0.0], 0.0), ([1.0, 0.0], 0.0), longer=1000.0)
    assert found.fastest == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize(("sudden", "largest"), [(9.9, 1e-2), (10.1, 1e-4), (31.0, 0.0)])
def test_ever_faster(sudden, largest):
    """1e-2 over 1, 1e-4 over 0.1 and a thirtieth of 1e-5 over 0.01: ten and thirty times as fast as within."""
    falls = ([1.0, 0.0], 1e-2), ([1.0, 0.0], 1e-4), ([1.0, 0.0], 1e-5 / 30)
    assert way(*falls, sudden=sudden)[0].sudden == pytest.approx(largest)


def test_what_noise_hides_within_is_not_counted_as_slow():
    """A fall of 0 in the second shell may be one of 1e-4, which is 1e-3 per distance: 1e-3 over 1 is no faster."""
    assert way(([1.0, 0.0], 1e-3), ([1.0, 0.0], 0.0), ([1.0, 0.0], 0.0), noise=1e-4)[0].sudden == 0
    assert way(([1.0, 0.0], 1e-3), ([1.0, 0.0], 0.0), ([1.0, 0.0], 0.0), noise=1e-5)[0].sudden == 1e-3


@pytest.mark.parametrize(
    "places",
    [
        [([1.0, 0.0], 1e-10)],  # no fall beyond the noise
        [([1.0, 0.0], float("nan"))],
        [None],
        [([0.2, 0.0], 1e-2)],  # too near, and too far
        [([5.0, 0.0], 1e-2)],
        [([1.0, 0.0], 1e-2), ([1.0, 0.0], -1e-8)],  # a barrier
        [([1.0, 0.0], 1e-2), None],
        [([0.5, 0.8], 1e-2), ([0.5, 0.1], 0.0)],  # the second coordinate is lost
        [([1.0, 0.0], 1e-2), ([1.0, 0.0], 1e-4), ([1.0, 0.0], -1e-8)],
    ],
)
def test_what_is_no_way_tells_nothing(places):
    found, asked = way(*places)
    assert (found.fastest, found.sudden, found.told) == (0, 0, 0)
    assert len(asked) == len(places)


@pytest.mark.parametrize("second", [([0.5, 0.25], -1e-10), ([0.3, 0.0], 0.0), ([3.9, 0.3], 1e-3), ([0.9, 0.21], 0.0)])
def test_what_is_still_one(second):
    first = ([0.5, 0.8] if second[0][1] > 0.2 else [1.0, 0.0], 1e-2)
    assert way(first, second, ([1.0, 0.3], 0.0))[0].told == 1
