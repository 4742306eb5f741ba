"""Short forms of the bars on runs and their files; `make soak` holds the long ones."""

from __future__ import annotations

import pytest

from tests.soak import damaged_checkpoints, failing_disk, kills


@pytest.mark.parametrize(("bar", "cases"), [(kills, 3), (damaged_checkpoints, 25), (failing_disk, 25)])
def test_a_bar_holds(bar, cases):
    tally = bar.run(cases, seed=1)
    assert tally.cases >= cases
    assert not tally.failures
