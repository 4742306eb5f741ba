"""Short forms of R15, R16 and R17: a seed is a run, in threads and other processes too, and memory stays flat."""

from __future__ import annotations

from tests.soak import determinism, memory, threads

FEW = ("sketched-newton", "halpern", "composite-auto", "topological-swaps", "bo-rep")


def test_a_seed_is_a_run_in_every_process():
    tally = determinism.run(len(FEW), seed=11, methods=FEW)
    assert tally.cases == len(FEW)
    assert not tally.failures, tally.failures


def test_threads_and_forks_give_what_single_runs_give():
    tally = threads.run(10, seed=5, methods=FEW)
    assert not tally.failures, tally.failures


def test_tools_in_many_threads_leave_stdout_and_warnings_as_they_were():
    tally = threads.run(24, seed=7, methods=("highs-simplex", "highs-ipm", "trust-constr"))
    assert not tally.failures, tally.failures


def test_memory_stays_flat():
    tally = memory.run(60, seed=0)
    assert not tally.failures, tally.failures
