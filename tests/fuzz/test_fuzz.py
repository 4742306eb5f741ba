"""Short forms of R4, R5 and R6, and valid problem files of every kind."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import solverkit as sk
from solverkit.errors import SolverKitError
from solverkit.registry import registry
from tests.fuzz.misbehave import do_what_is_forbidden, nothing
from tests.fuzz.strategies import KINDS, files
from tests.fuzz.tries import REFUSED, tried
from tests.soak import guarded_files, prefixes, yaml_files


@pytest.mark.parametrize(
    ("bar", "cases"), [(yaml_files, 120), (guarded_files, 160), (prefixes, 300)], ids=["R4", "R5", "R6"]
)
def test_bars(bar, cases):
    tally = bar.run(cases, seed=4)
    assert tally.cases >= 0.8 * cases
    assert not tally.failures, tally.failures


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_valid_file_is_read_twice_alike_and_its_start_is_judged(kind, tmp_path):
    @settings(max_examples=8, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(files(kind))
    def holds(content):
        file = tmp_path / "problem.yaml"
        file.write_text(json.dumps(content))
        if kind == "dag" and any(len(set(column)) == 1 for column in zip(*content["data"]["X"], strict=True)):
            with pytest.raises(SolverKitError, match="constant columns"):
                sk.load(file)
            return
        problem = sk.load(file)
        assert sk.load(file).fingerprint() == problem.fingerprint()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certificate = registry.kind(kind).certify(problem, problem.start(np.random.default_rng(0)), 1e-6, 0)
        assert certificate.status.name in ("CERTIFIED", "FEASIBLE", "INFEASIBLE", "UNVERIFIED")

    holds()


def test_the_judge_sees_each_thing_that_a_reader_must_not_do(tmp_path):
    asked = ("write", "leave", "connect", "run", "execute", "die", "eat", "raise", "refuse")
    found = dict(tried([(what, tmp_path / "file", what.encode()) for what in asked], do_what_is_forbidden, nothing))
    assert "for writing" in found["write"]
    assert "open of /etc/hostname" in found["leave"]
    assert "socket" in found["connect"]
    assert "subprocess.Popen" in found["run"]
    assert "exec of <file>" in found["execute"]
    assert found["die"] == "kills the process: 3"
    assert "512 MB" in found["eat"]
    assert "KeyError" in found["raise"]
    assert found["refuse"] == REFUSED
