"""Batches of indices: each sample once an epoch, and the same ones after a restore."""

from __future__ import annotations

import numpy as np
import pytest

from solverkit.engine.tree import Reader, Writer
from solverkit.operators.sampling import Sampler


@pytest.mark.parametrize(("count", "size"), [(10, 3), (10, 10), (10, 25), (7, 1), (1, 1)])
def test_each_sample_once_an_epoch(count, size):
    rng, sampler = np.random.default_rng(0), Sampler(count, size)
    stream = np.concatenate([sampler.draw(rng) for _ in range(8 * count)])
    for epoch in range(len(stream) // count):
        assert np.array_equal(np.sort(stream[epoch * count : (epoch + 1) * count]), np.arange(count))
    assert len(stream) == 8 * count * min(count, size)


def test_epochs_differ():
    rng, sampler = np.random.default_rng(0), Sampler(30, 30)
    assert not np.array_equal(sampler.draw(rng), sampler.draw(rng))


def test_independent_draws_are_uniform():
    rng, sampler = np.random.default_rng(0), Sampler(5, 4, independent=True)
    counts = np.bincount(np.concatenate([sampler.draw(rng) for _ in range(5000)]), minlength=5)
    assert np.abs(counts - 4000).max() < 5 * np.sqrt(4000 * 0.8)  # 20,000 draws, 5 standard deviations
    assert np.diff(counts).any()  # epochs would make them equal


@pytest.mark.parametrize("independent", [False, True])
def test_a_restored_sampler_goes_on_mid_epoch(independent):
    rng, sampler = np.random.default_rng(3), Sampler(11, 4, independent)
    for _ in range(4):
        sampler.draw(rng)
    writer = Writer()
    skeleton, state = writer.write(sampler), rng.bit_generator.state
    restored = Reader({name: array.copy() for name, array in writer.arrays.items()}, {"solverkit"}).read(skeleton)
    other = np.random.default_rng()
    other.bit_generator.state = state
    for _ in range(9):
        assert np.array_equal(sampler.draw(rng), restored.draw(other))


def test_a_batch_is_the_callers_own():
    rng, sampler = np.random.default_rng(0), Sampler(6, 2)
    sampler.draw(rng)[:] = -1
    assert np.array_equal(np.sort(sampler.order), np.arange(6))


@pytest.mark.parametrize(("count", "size"), [(0, 1), (3, 0), (3, -2)])
def test_nothing_to_draw_is_refused(count, size):
    with pytest.raises(ValueError, match="from 1 on"):
        Sampler(count, size)
