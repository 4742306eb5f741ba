"""Checkpoints: resume bit for bit, refuse what does not belong, survive damage and kills."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_toys import Descent, DescentOptions, Quadratic, Toy, descend
from test_driver import trace_of

from solverkit import api
from solverkit.engine import files
from solverkit.engine.checkpoint import NAME, PREVIOUS, Checkpoint, Checkpointer
from solverkit.engine.limits import Limits
from solverkit.engine.points import Best
from solverkit.engine.status import Termination
from solverkit.engine.trace import read_lines
from solverkit.engine.tree import Reader, Writer
from solverkit.errors import CheckpointError

NOISY = {"noise": 0.1}
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def begin(folder, n=10, **how):
    return descend(limits=Limits(n), out=folder, **{"options": NOISY, "seed": 7, **how})


def go_on(folder, n=20, **how):
    return begin(folder, n, resume_from=Checkpoint.load(folder), **how)


def child(code: str, *arguments: str, wait: bool = True) -> Any:
    paths = os.pathsep.join([str(ROOT), str(HERE)])
    environment = os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, stderr=subprocess.PIPE)
    if wait:
        assert process.wait(60) == 0, process.stderr.read().decode()
        process.stderr.close()
    return process


RESUME = """
import sys
from pathlib import Path
from engine_toys import descend
from solverkit.engine.checkpoint import Checkpoint
from solverkit.engine.limits import Limits
folder = Path(sys.argv[1])
result = descend(limits=Limits(20), out=folder, options={"noise": 0.1}, seed=7, resume_from=Checkpoint.load(folder))
result.save(folder)
"""


def lines(folder):
    return [{k: v for k, v in line.items() if k != "time"} for line in read_lines(folder / "trace.jsonl")]


def test_ten_and_ten_in_another_process_are_twenty(tmp_path):
    from solverkit.engine.result import Result

    whole = begin(tmp_path / "whole", 20)
    begin(tmp_path / "parts", 10)
    child(RESUME, str(tmp_path / "parts"))
    parts = Result.load(tmp_path / "parts")
    assert parts.point["x"].tobytes() == whole.x.tobytes()
    assert (parts.nit, parts.counts, parts.oracles) == (20, whole.counts, whole.oracles)
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    assert trace_of(parts) == trace_of(whole)


def test_resume_after_a_warm_start_and_with_the_best_point_behind(tmp_path):
    start = {"x": np.full(5, 0.7)}
    whole = begin(tmp_path / "whole", 20, start=start, options={"noise": 2.0})
    begin(tmp_path / "parts", 10, start=start, options={"noise": 2.0})
    saved = Checkpoint.load(tmp_path / "parts")
    assert saved.start()["x"].tolist() == start["x"].tolist()
    parts = go_on(tmp_path / "parts", start=saved.start(), options={"noise": 2.0})
    assert parts.x.tobytes() == whole.x.tobytes()


def test_limits_bound_the_whole_run(tmp_path):
    begin(tmp_path, 10, options={"sleep": 0.01})
    result = go_on(tmp_path, 10, options={"sleep": 0.01})
    assert (result.nit, result.njev) == (10, 10)
    assert result.timing["solve"] >= 0.1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"problem": Quadratic(b=np.zeros(5))}, "another problem"),
        ({"options": {"noise": 0.2}}, "noise: 0.1, not 0.2"),
        ({"seed": 8}, "seed=7"),
        ({"tol": 1e-3}, "tol=1e-06"),
        ({"start": {"x": np.zeros(5)}}, "another start"),
    ],
)
def test_what_does_not_belong_is_refused(tmp_path, how, words):
    begin(tmp_path)
    with pytest.raises(CheckpointError, match=words):
        go_on(tmp_path, **how)


def test_options_that_only_one_of_two_versions_has_are_named(tmp_path):
    begin(tmp_path)
    saved = Checkpoint.load(tmp_path)
    ours = saved.header["identity"]
    saved.check(ours)
    for theirs, words in (
        ({**ours["options"], "old": 1}, "its options differ (old: 1, not None); resume"),
        (
            {k: v for k, v in ours["options"].items() if k != "noise"},
            "its options differ (noise: None, not 0.1); resume",
        ),
        (None, "noise: None, not 0.1"),
    ):
        other = replace(saved, header=saved.header | {"identity": ours | {"options": theirs}})
        with pytest.raises(CheckpointError, match=re.escape(words)):
            other.check(ours)


def test_another_method_is_refused(tmp_path):
    from engine_toys import SPEC

    from solverkit.engine.driver import run

    begin(tmp_path)
    other = replace(SPEC, name="other")
    saved, solver = Checkpoint.load(tmp_path), Descent(DescentOptions(**NOISY))
    with pytest.raises(CheckpointError, match="method 'descent', not 'other'"):
        run(Quadratic(), other, solver, Toy(), seed=7, resume_from=saved)


def test_a_run_is_complete_once_its_result_is_saved(tmp_path):
    """A kill, or a full disk, between the last step and the saved result costs no step."""
    first = begin(tmp_path, 10, options={"claim_at": 5})
    again = go_on(tmp_path, 10, options={"claim_at": 5})
    assert (again.nit, again.counts, again.termination) == (5, first.counts, Termination.CONVERGED)
    assert again.x.tobytes() == first.x.tobytes()
    api._save(again, tmp_path)
    with pytest.raises(CheckpointError, match="the run is complete"):
        Checkpoint.load(tmp_path)


def test_an_answer_that_cannot_be_saved_is_said_and_can_be_saved_later(tmp_path, monkeypatch):
    result = begin(tmp_path, 10, options={"claim_at": 5})

    def full(*arguments):
        raise OSError(28, "No space left on device")

    result.status = 0
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        api._save(result, tmp_path)
    assert result.status == 1
    assert result.notes[0] == f"the result could not be saved in {tmp_path}: No space left on device"
    assert {path.name for path in tmp_path.iterdir()} == {NAME, PREVIOUS, "trace.jsonl"}
    api._save(go_on(tmp_path, 10, options={"claim_at": 5}), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"point.npz", "result.json", "trace.jsonl"}


def test_a_failed_run_leaves_the_last_one(tmp_path):
    def fault(name, call, value):
        return value if call < 15 else float("nan") * value

    result = begin(tmp_path, 20, problem=Quadratic(fault=fault), checkpoint=0.0)
    assert result.termination is Termination.NOT_FINITE
    assert go_on(tmp_path).x.tobytes() == begin(tmp_path / "whole", 20).x.tobytes()


# -- damage


def test_every_damage_is_seen(tmp_path):
    begin(tmp_path)
    path = tmp_path / NAME
    content = path.read_bytes()
    (tmp_path / PREVIOUS).unlink()
    places = random.Random(0).sample(range(len(content)), 250)
    damaged = [content[:k] + bytes([content[k] ^ (1 << k % 8)]) + content[k + 1 :] for k in places]
    damaged += [content[:k] for k in places[:100]] + [content + b"x", b""]
    for version in damaged:
        path.write_bytes(version)
        with pytest.raises(CheckpointError, match="damaged"):
            Checkpoint.load(tmp_path)


def test_a_forged_checksum_still_meets_careful_readers(tmp_path):
    from solverkit.engine.checkpoint import _crc

    begin(tmp_path)
    path = tmp_path / NAME
    content = path.read_bytes()[:-8]
    (tmp_path / PREVIOUS).unlink()
    for k in random.Random(1).sample(range(len(content)), 250):
        version = content[:k] + bytes([content[k] ^ (1 << k % 8)]) + content[k + 1 :]
        path.write_bytes(version + _crc(version))
        try:
            result = go_on(tmp_path, 11)
        except CheckpointError:
            continue
        assert result.termination is not Termination.SOLVER_FAILED, f"byte {k}: {result.error}"


def test_the_previous_one_stands_in(tmp_path):
    begin(tmp_path, checkpoint=0.0)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-20])
    result = go_on(tmp_path)
    assert "damaged" in result.notes[0]
    assert result.x.tobytes() == begin(tmp_path / "whole", 20).x.tobytes()
    begin(tmp_path, checkpoint=0.0)
    path.unlink()  # a kill between two renames, where there are no hard links
    assert Checkpoint.load(tmp_path).header["nit"] > 0


def test_a_damaged_one_never_takes_the_place_of_the_previous(tmp_path, monkeypatch):
    """The first checkpoint of a run that goes on from the previous one is cut short."""
    begin(tmp_path, checkpoint=0.0)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-20])
    nit = Checkpoint.load(tmp_path).header["nit"]

    class Killed(BaseException):
        pass

    def kill(*arguments):
        raise Killed

    writer = Checkpointer(tmp_path, 0.0, Checkpoint.load(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda source, target: kill() if Path(target) == path else None)
        with pytest.raises(Killed):
            writer.write({}, 0, Best({}), None, 0.0)
    assert Checkpoint.load(tmp_path).header["nit"] == nit
    assert go_on(tmp_path).x.tobytes() == begin(tmp_path / "whole", 20).x.tobytes()


def test_two_damaged_ones_are_refused_for_the_newest(tmp_path):
    begin(tmp_path, checkpoint=0.0)
    for name in (NAME, PREVIOUS):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.load(tmp_path)
    assert str(caught.value) == f"{tmp_path / NAME} is damaged: its checksum does not match its content"


def test_what_cannot_be_opened_is_not_called_a_run_that_is_complete(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot be read: Not a directory"):
        Checkpoint.load(tmp_path / "file" / NAME)


def test_zero_seconds_between_checkpoints_is_after_each_step_even_if_the_clock_stands(tmp_path):
    writer = Checkpointer(tmp_path, 0.0)
    assert writer.due(0.0)
    assert not Checkpointer(tmp_path, 0.1).due(0.0)


def test_the_time_to_the_next_checkpoint_counts_from_the_one_before(tmp_path):
    writer = Checkpointer(tmp_path, 10.0)
    assert writer.due(12.0)
    writer.write({}, 0, Best({}), None, 12.0)
    assert not writer.due(21.9)
    assert writer.due(22.0)


def test_other_tools_find_a_whole_archive(tmp_path):
    begin(tmp_path)
    content = (tmp_path / NAME).read_bytes()
    with zipfile.ZipFile(tmp_path / NAME) as archive:
        assert archive.comment == content[-8:]
    assert int.from_bytes(content[-10:-8], "little") == 8  # the length of the comment, which `ZipFile` does not check
    assert json.loads(np.load(tmp_path / NAME)["header"].tobytes())["nit"] == 10


def test_without_hard_links_the_former_is_renamed(tmp_path, monkeypatch):
    def unable(*arguments):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unable)
    begin(tmp_path, checkpoint=0.0)
    assert Checkpoint.load(tmp_path / NAME).header["nit"] == 10
    assert Checkpoint.load(tmp_path / PREVIOUS).header["nit"] == 10


def test_what_killed_writers_left_is_taken_away(tmp_path):
    begin(tmp_path)
    for name in (".checkpoint.npz.abcd_123.part", ".graph.graphml.00000000.part"):
        (tmp_path / name).touch()
    (tmp_path / ".checkpoint.npz.mine-not-a-temporary").touch()
    go_on(tmp_path)
    assert [path.name for path in tmp_path.glob(".*")] == [".checkpoint.npz.mine-not-a-temporary"]


def test_a_trace_that_was_changed_is_said_and_mended(tmp_path):
    begin(tmp_path)
    path = tmp_path / "trace.jsonl"
    whole = path.read_bytes()
    rows = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*rows[:3], rows[3].replace(b'"nit": 3', b'"nit": 5'), *rows[4:]]))
    assert "is not what it was at the checkpoint: 11 of its lines" in go_on(tmp_path).notes[0]
    begin(tmp_path)
    path.write_bytes(path.read_bytes() + b'{"nit": 11, "ti')
    assert go_on(tmp_path).notes == []
    assert [line["nit"] for line in read_lines(path)] == list(range(21))
    begin(tmp_path)
    path.unlink()
    assert "0 of its lines are kept" in go_on(tmp_path).notes[0]


def test_finish_has_the_same_room_after_a_resume(tmp_path):
    """What the greatest step cost bounds `finish` after a limit on calls; it may lie before the checkpoint."""
    begin(tmp_path, options={"inner": 4})
    assert Checkpoint.load(tmp_path).header["greatest"][1] == 5
    result = go_on(tmp_path, 10, options={"inner": 4})
    assert result.nit == 10
    assert Checkpoint.load(tmp_path).header["greatest"][1] == 5


def test_a_header_of_another_version(tmp_path):
    begin(tmp_path)
    saved = Checkpoint.load(tmp_path)
    for change in ({"format": 2}, {"new": 1}):
        header = np.frombuffer(json.dumps(saved.header | change).encode(), dtype=np.uint8)
        from solverkit.engine.checkpoint import _seal

        (tmp_path / NAME).write_bytes(_seal(files.pack({"header": header, **saved.arrays})))
        (tmp_path / PREVIOUS).unlink(missing_ok=True)
        with pytest.raises(CheckpointError, match="another version"):
            Checkpoint.load(tmp_path)


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_full_disk_ends_the_files_and_not_the_run(tmp_path, monkeypatch, name, nth):
    real, calls = getattr(os, name), []

    def full(*arguments, **keywords):
        calls.append(1)
        if len(calls) >= nth:
            raise OSError(28, "No space left on device")
        return real(*arguments, **keywords)

    monkeypatch.setattr(os, name, full)
    result = begin(tmp_path, checkpoint=0.0)
    monkeypatch.undo()
    assert (result.termination, result.nit) == (Termination.MAX_ITER, 10)
    if len(calls) >= nth:
        assert "No space left" in " ".join(result.notes)
    if (tmp_path / NAME).exists() or (tmp_path / PREVIOUS).exists():
        assert Checkpoint.load(tmp_path).header["nit"] <= 10
    assert not list(tmp_path.glob(".checkpoint*"))


KILLED = """
import sys
from pathlib import Path
from engine_toys import descend
from solverkit.engine.limits import Limits
options = {"noise": 0.1, "sleep": 0.002}
descend(limits=Limits(400), out=Path(sys.argv[1]), options=options, seed=7, checkpoint=0.003)
"""


def test_kill_at_random_moments_loses_nothing(tmp_path):
    options = {"noise": 0.1, "sleep": 0.002}
    whole = descend(limits=Limits(400), out=tmp_path / "whole", options=options, seed=7, checkpoint=None)
    moments = random.Random(2)
    for k in range(6):
        folder = tmp_path / str(k)
        process = child(KILLED, str(folder), wait=False)
        while not (folder / NAME).exists():
            time.sleep(0.01)
            assert process.poll() is None, process.stderr.read().decode()
        time.sleep(moments.uniform(0.0, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        result = descend(
            limits=Limits(400),
            out=folder,
            options=options,
            seed=7,
            resume_from=Checkpoint.load(folder),
            checkpoint=None,
        )
        assert result.x.tobytes() == whole.x.tobytes()
        assert trace_of(result) == trace_of(whole)
        assert lines(folder) == lines(tmp_path / "whole")


# -- states


@dataclass
class Part:
    """Nested, frozen ones too."""

    values: tuple[int, ...]
    table: dict[Any, Any] = field(default_factory=dict)


def test_states_come_back_as_they_were():
    shared = np.arange(6.0).reshape(2, 3)
    tree = [
        shared,
        shared,
        np.asfortranarray(shared),
        np.array(3, dtype=np.int32),
        np.float32(0.1),
        np.bool_(True),
        0.1,
        float("inf"),
        -0.0,
        10**30,
        None,
        "text",
        (1, [2]),
        {"a": 1, 2: shared.T},
        Part((1, 2), {"x": None}),
        np.zeros((0, 4)),
        np.array([1 + 2j]),
    ]
    writer = Writer()
    skeleton = json.loads(json.dumps(writer.write(tree), allow_nan=False))
    arrays = files.unpack(files.pack(writer.arrays))
    back = Reader(arrays, {__name__.partition(".")[0]}).read(skeleton)
    assert back[0] is back[1]
    assert back[2].flags.f_contiguous
    assert back[14] == tree[14]
    assert repr(back) == repr(tree)
    assert [type(value) for value in back] == [type(value) for value in tree]


def test_tensors_come_back():
    torch = pytest.importorskip("torch")
    writer, shared = Writer(), torch.arange(3.0)
    skeleton = writer.write([shared, shared, torch.ones(2)])
    back = Reader(files.unpack(files.pack(writer.arrays)), set()).read(skeleton)
    assert torch.equal(back[0], torch.arange(3.0))
    assert back[1] is back[0]
    assert torch.equal(back[2], torch.ones(2))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({1, 2}, r"state is a set"),
        ([lambda: 0], r"state\[0\] is a function"),
        ({"a": np.array(["x"])}, "dtype <U1"),
        ({1.5: 0}, "the key 1.5"),
    ],
)
def test_what_cannot_be_saved_is_named(value, words):
    with pytest.raises(TypeError, match=words):
        Writer().write(value)


def test_a_class_within_a_function_cannot_be_saved():
    @dataclass
    class Inner:
        x: float

    with pytest.raises(
        TypeError, match=r"state\[0\] is of class .*Inner, which must be defined at the top of its module"
    ):
        Writer().write([Inner(0.0)])


def test_a_state_that_cannot_be_saved_is_a_note(tmp_path):
    class Secret(Descent):
        def init(self, problem, start, ctx):
            state = super().init(problem, start, ctx)
            state.extra = {"kernel": open}
            return state

    from engine_toys import SPEC

    from solverkit.engine.driver import run

    result = run(Quadratic(), SPEC, Secret(DescentOptions()), Toy(), out=tmp_path, limits=Limits(3))
    assert result.nit == 3
    assert "state.extra['kernel']" in result.notes[0]


@pytest.mark.parametrize(
    ("skeleton", "words"),
    [
        ([1.0], "header is not one that SolverKit writes"),
        ({"set": [1]}, "unknown entry 'set'"),
        ({}, "unknown entry ''"),
        ({"array": "a1"}, "KeyError: 'a1'"),
        ({"dict": [1]}, "TypeError"),
        ({"dataclass": f"{__name__}:Descent", "fields": {}}, "no state class"),
        ({"dataclass": f"{__name__}:Part", "fields": {"values": 1, "new": 2}}, r"other fields .*\['new', 'table'\]"),
    ],
)
def test_skeletons_of_others_are_refused(skeleton, words):
    with pytest.raises(CheckpointError, match=words):
        Reader({}, {__name__.partition(".")[0]}).read(skeleton)


def test_classes_of_other_packages_are_not_made():
    for reference in ("os:stat_result", "subprocess:Popen", "engine_toys:Quadratic", "nowhere:X"):
        with pytest.raises(CheckpointError):
            Reader({}, {"engine"}).read({"dataclass": reference, "fields": {}})
