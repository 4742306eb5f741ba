"""Kills of everything, at random moments; the long form is `python -m tests.soak many_writers`."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

import solverkit as sk
from solverkit.bench import store
from solverkit.bench.record import Outcome
from tests.soak import many_writers
from tests.soak._bench_commands import kill

MOMENTS = 4


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_same_command_after_kills_makes_the_same_set(tmp_path):
    tally = kill(tmp_path, MOMENTS, seeds=40 * MOMENTS)
    assert (tally.workers, tally.parents, tally.late) == (MOMENTS - MOMENTS // 2, MOMENTS // 2, 0)
    assert (tally.missing, tally.unsolved, tally.lost) == (0, 0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_sixteen_writers_of_which_four_are_killed():
    tally = many_writers.run(4, seed=0)
    assert (tally.cases, tally.failures) == (4, [])


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_dask_worker_is_killed_in_the_middle(write, tmp_path):
    distributed = pytest.importorskip("distributed", reason="pip install distributed")
    out, seeds = tmp_path / "out", list(range(60))
    path = write(methods="[{method: toy-quick, options: {seconds: 0.05}}]", seeds=str(seeds))
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    killed: list[int] = []

    def kill_one() -> None:
        while not killed:
            time.sleep(0.05)
            for file in out.glob("runs-*.jsonl") if out.exists() else ():
                pid = int(file.stem.split("-")[-2])
                if pid != os.getpid() and file.read_bytes().count(b'"outcome"') >= 3:
                    os.kill(pid, 9)
                    killed.append(pid)
                    return

    with cluster:
        thread = threading.Thread(target=kill_one, daemon=True)
        thread.start()
        table = sk.bench(path, out=out, dask=cluster.scheduler_address)
        thread.join(timeout=30)
    assert killed
    assert len(table) == len({record.run for record in table.records}) == 60
    assert {record.outcome for record in table.records} == {Outcome.SOLVED}
    runs = store.read(out)
    assert runs.superseded == 0, "no run was made twice"
    assert len({record.worker for record in runs.records}) >= 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_crashes_and_hangs_on_dask_are_recorded(write, tmp_path):
    distributed = pytest.importorskip("distributed", reason="pip install distributed")
    path = write(methods="[toy-quick, toy-dies, toy-hangs]", seeds="[0]", limits="{max_time: 1, kill_after: 4}")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster:
        table = sk.bench(path, out=tmp_path / "out", dask=cluster.scheduler_address)
    assert {record.label: record.outcome.name for record in table.records} == {
        "toy-quick": "SOLVED",
        "toy-dies": "CRASHED",
        "toy-hangs": "TIMEOUT",
    }


def test_a_scheduler_that_is_not_there_is_one_sentence(write, monkeypatch):
    pytest.importorskip("distributed", reason="pip install distributed")
    monkeypatch.setattr("solverkit.bench.dask.CONNECT", 1)
    with pytest.raises(sk.UsageError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1"):
        sk.bench(write(), dask="tcp://127.0.0.1:1")


def test_a_missing_distributed_is_a_pip_line(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(sk.MissingPackage, match="pip install distributed"):
        sk.bench(write(), dask="tcp://127.0.0.1:1")
