"""Files that are whole or not there: atomic writes, and `.npz` archives read as untrusted data."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np

UNABLE = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EISDIR, errno.EBADF}
"""How systems say that a folder cannot be synced: Windows has no handle on one, some network file systems refuse. The
rename itself has happened then."""
UMASK = 0o022
"""Where a system does not tell the umask."""
PART = ".part"
"""How the names of temporary files end."""


def replace_file(path: Path, content: bytes, previous: Path | None = None) -> None:
    """Put `content` at `path` in one step that a kill or a power cut cannot split. Raises OSError.

    A temporary file in the same folder is written and synced, then renamed. `previous` is where the former file is
    kept. It is linked there, so that `path` is whole at every moment; a file system without hard links renames it, and
    a kill between its two renames leaves `previous` alone, which readers fall back to.
    """
    staged = _stage(path, content)
    try:
        if previous is not None and path.exists():
            _keep(path, previous)
        os.replace(staged, path)
    except BaseException:
        _drop(staged)
        raise
    _sync_folder(path.parent)


def replace_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put several files into a folder: all are on the disk before the first takes its name. Raises OSError.

    So a full disk leaves the former ones as they were. Where a later rename fails, the former files that are still
    there go: new beside old is nothing whole. A kill between two renames leaves that, and readers refuse it.
    """
    staged: dict[str, str] = {}
    renamed = False
    try:
        for name, content in contents.items():
            staged[name] = _stage(folder / name, content)
        for name in contents:
            os.replace(staged[name], folder / name)
            renamed = True
            del staged[name]
    except BaseException:
        for name, left in staged.items():
            _drop(left)
            if renamed:
                _drop(str(folder / name))
        raise
    _sync_folder(folder)


def sweep(folder: Path) -> None:
    """Take away the temporary files that killed writers left. Raises OSError."""
    for left in folder.glob(f".*.????????{PART}"):
        left.unlink(missing_ok=True)


def _stage(path: Path, content: bytes) -> str:
    """A temporary file beside `path`, on the disk, with the rights of an ordinary one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
    except BaseException:
        _drop(name)
        raise
    return name


def _keep(path: Path, previous: Path) -> None:
    try:
        previous.unlink(missing_ok=True)
        os.link(path, previous)
    except OSError:
        os.replace(path, previous)


def _drop(name: str) -> None:
    with contextlib.suppress(OSError):  # what led here is the error to report
        os.unlink(name)


def _umask() -> int:
    """The umask of the process, read from the system where it says so: setting it to learn it is not thread-safe."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next((int(line.split()[1], 8) for line in status if line.startswith("Umask:")), UMASK)
    except (OSError, ValueError):
        return UMASK


def _sync_folder(folder: Path) -> None:
    """Wait until the renames are on the disk, where the system can say so. Raises OSError where the disk fails."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in UNABLE:
            raise


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of an uncompressed `.npz`: equal arrays give equal bytes. Object arrays raise ValueError."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # its date is 1980, not today
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()


def unpack(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of what `pack` wrote. Raises ValueError for anything else: nothing is executed, nothing inflated."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return _members(archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError) as error:
        raise ValueError(f"not a readable archive ({error})") from None
    except (KeyError, TypeError, SyntaxError, OverflowError, MemoryError, RecursionError, RuntimeError) as error:
        raise ValueError(f"not a readable archive ({type(error).__name__})") from None


def _members(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename or name in arrays:
            raise ValueError(f"unexpected or repeated member {entry.filename!r}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise ValueError(f"member {entry.filename!r} is compressed; SolverKit writes its archives plain")
        with archive.open(entry) as member:
            arrays[name] = _read_array(member)
            if member.read(1):
                raise ValueError(f"member {entry.filename!r} holds more than its array")
    return arrays


def _read_array(member: IO[bytes]) -> np.ndarray:
    """One `.npy` of version 1.0, the one that `pack` writes: other versions are for names that no plain dtype has."""
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"unknown .npy version {version}")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
    if dtype.kind not in "fiubc" or any(length < 0 for length in shape):
        raise ValueError("an array's header is not one that SolverKit writes")
    count = math.prod(shape)
    content = member.read(count * dtype.itemsize)
    if len(content) != count * dtype.itemsize:
        raise ValueError("an array is shorter than its header says")
    array = np.frombuffer(content, dtype=dtype, count=count).reshape(shape, order="F" if fortran else "C")
    return array.copy(order="K")
