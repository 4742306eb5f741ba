"""Files on a disk that loses power, and archives that SolverKit did not write."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import zipfile

import numpy as np
import pytest

from solverkit.engine import files
from solverkit.engine.files import pack, replace_file, replace_files, unpack


@pytest.fixture
def calls(monkeypatch):
    """What the disk is asked for, in order: renames, and syncs of files and of folders."""
    seen = []
    sync, rename = os.fsync, os.replace

    def fsync(handle):
        state = os.fstat(handle)
        seen.append("folder" if stat.S_ISDIR(state.st_mode) else f"{state.st_size} bytes")
        sync(handle)

    def replace(source, target):
        seen.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen


def test_a_power_cut_finds_the_content_on_the_disk_before_its_name_and_then_the_name(tmp_path, calls):
    replace_file(tmp_path / "a", b"12345")
    assert calls == ["5 bytes", "rename", "folder"]
    calls.clear()
    replace_files(tmp_path, {"a": b"1", "b": b"22"})
    assert calls == ["1 bytes", "2 bytes", "rename", "rename", "folder"]


@pytest.mark.parametrize(("mask", "rights"), [(0o000, 0o666), (0o027, 0o640), (0o077, 0o600)])
def test_files_have_the_rights_that_the_user_gives_to_new_ones(tmp_path, mask, rights):
    former = os.umask(mask)
    try:
        replace_file(tmp_path / "a", b"")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == rights


@pytest.mark.parametrize("status", [None, "Name:\tpython\n", "Umask:\tunknown\n"])
def test_a_system_that_does_not_tell_the_umask_gets_the_usual_rights(tmp_path, monkeypatch, status):
    def told(*arguments, **keywords):
        if status is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return io.StringIO(status)

    monkeypatch.setattr(files, "open", told, raising=False)
    replace_file(tmp_path / "a", b"")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize(("number", "fails"), [(errno.EACCES, False), (errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_synced_is_no_error_but_a_failing_disk_is(tmp_path, monkeypatch, number, fails):
    real = os.open

    def refused(path, *arguments, **keywords):
        if os.path.isdir(path):
            raise OSError(number, os.strerror(number))
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(OSError, match="Input/output") if fails else contextlib.nullcontext():
        replace_file(tmp_path / "a", b"content")
    assert (tmp_path / "a").read_bytes() == b"content"


def test_when_the_first_rename_fails_the_former_files_stay_and_after_that_none_does(tmp_path, monkeypatch):
    rename, former = os.replace, {"a": b"1", "b": b"2", "c": b"3"}

    def failing(nth):
        done = []

        def replace(source, target):
            done.append(target)
            if len(done) == nth:
                raise OSError(errno.EIO, "Input/output error")
            rename(source, target)

        return replace

    for nth, left in ((1, former), (2, {"a": b"new"}), (3, {"a": b"new", "b": b"new"})):
        monkeypatch.undo()
        replace_files(tmp_path, former)
        monkeypatch.setattr(os, "replace", failing(nth))
        with pytest.raises(OSError, match="Input/output"):
            replace_files(tmp_path, dict.fromkeys(former, b"new"))
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == left


# -- archives


def archive(content: bytes, name: str = "x.npy", **forged: int) -> bytes:
    """A zip of one member, whose directory says of it what `forged` says."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(name, content)
        for field, value in forged.items():
            setattr(made.infolist()[0], field, value)
    return buffer.getvalue()


def npy(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version)
    return buffer.getvalue()


EIGHT = npy(np.arange(8.0))


def claiming(shape: bytes) -> bytes:
    """Eight numbers under a header that says `shape`."""
    room = b" " * (len(shape) - len(b"(8,)"))
    return EIGHT.replace(b"(8,), }" + room, shape + b", }")


def test_equal_arrays_give_equal_bytes_on_any_day():
    packed = pack({"x": np.arange(8.0)})
    assert unpack(packed)["x"].tolist() == list(range(8))
    assert zipfile.ZipFile(io.BytesIO(packed)).infolist()[0].date_time[0] == 1980


def test_objects_are_never_pickled():
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        pack({"x": np.array([{}], dtype=object)})


def test_an_array_beyond_the_sizes_of_the_first_zips(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)  # for 2 GiB
    assert unpack(pack({"x": np.arange(1000.0)}))["x"].tolist() == list(range(1000))


def test_an_archive_that_only_looks_like_ours_is_read():
    assert unpack(archive(EIGHT))["x"].tolist() == list(range(8))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive(EIGHT, compress_type=zipfile.ZIP_DEFLATED), "'x.npy' is compressed"),
        (archive(EIGHT, file_size=len(EIGHT) + 8), "'x.npy' is compressed"),
        (archive(EIGHT, file_size=len(EIGHT) - 8), "'x.npy' is compressed"),
        (archive(EIGHT, flag_bits=1), "RuntimeError"),  # encrypted
        (archive(EIGHT, CRC=0), "CRC"),
        (archive(EIGHT + b"\0"), "'x.npy' holds more than its array"),
        (archive(EIGHT[:-1]), "shorter than its header says"),
        (archive(claiming(b"(9,)")), "shorter than its header says"),
        (archive(claiming(b"(8, 10000000000)")), "shorter than its header says"),
        (archive(claiming(b"(0, 10000000000000000000)")), "Maximum allowed dimension"),
        (archive(claiming(b"(-1,)")), "header is not one"),
        (archive(claiming(b"(-2, -4)")), "header is not one"),
        (archive(EIGHT.replace(b"'<f8'", b"'<M8'")), "header is not one"),
        (archive(npy(np.arange(8.0), (2, 0))), r"version \(2, 0\)"),
        (archive(b"PK"), "magic string"),
        (archive(EIGHT, "x.txt"), "unexpected or repeated member 'x.txt'"),
        (b"", "not a readable archive"),
    ],
)
def test_archives_of_others_are_refused(content, words):
    with pytest.raises(ValueError, match=words):
        unpack(content)


def test_a_member_twice_is_refused():
    buffer = io.BytesIO(archive(EIGHT))
    with zipfile.ZipFile(buffer, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("x.npy", EIGHT)
    with pytest.raises(ValueError, match=r"unexpected or repeated member 'x\.npy'"):
        unpack(buffer.getvalue())
