"""What a problem file offers to the kind that builds a problem from it: see `solverkit.kinds.base.Source`."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solverkit.errors import Defect
from solverkit.formats.files import Refused, matrix_files, read, resolve
from solverkit.kinds.source import NamedSource, dotted, reserved

if TYPE_CHECKING:
    from solverkit.formats.yaml import Document

MAX_CODE_BYTES = 10_000_000
FLAGS = "--allow-python on the command line, allow_python=True in Python"


class FileSource(NamedSource):
    """Names, data and expressions of one file, whose defects know line and column."""

    def __init__(self, document: Document, folder: Path, allow_python: bool = False) -> None:
        super().__init__("")
        self.document = document
        self.folder = folder
        self.allow_python = allow_python
        self.settled: set[tuple[str | int, ...]] = set()  # paths that are known to be wrong: no more is said of them
        self._modules: dict[Path, Any] = {}
        self._made: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` returns, called once for a key: a file that two entries name is opened once."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def add(self, path: Sequence[str | int], defect: Defect) -> None:
        """Record a defect whose place is in another file; `path` is what it spoils here."""
        self._note(path)
        self.defects.append(defect)

    def inline(self, value: Any, path: tuple[str | int, ...]) -> Any:
        """Numbers written out in the file, of any shape."""
        return self._evaluated(value, path)

    def defect(self, path: Sequence[str | int], message: str, offset: int | None = None, key: bool = False) -> None:
        """Record what is wrong at `path`, unless something there is known to be wrong already."""
        if any(tuple(path[: length + 1]) in self.settled for length in range(len(path))):
            self._note(path)
        else:
            super().defect(path, message, offset, key)

    def check(self) -> None:
        """Raise `InvalidProblem` where anything was recorded, in the order of the file."""
        self.defects.sort(key=lambda found: (found.file != self.document.file, found.file, found.line, found.column))
        super().check()

    def locate(self, path: tuple[str | int, ...], message: str, offset: int | None, key: bool) -> Defect:
        """The defect with its line and column."""
        return Defect(self.document.file, *self.document.place(path, offset, key), dotted(path), message)

    def read_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Work out `parameters:` in the order of the file; each may use those before it."""
        for name, value in parameters.items():
            path = ("parameters", name)
            if problem := reserved(name):
                self.defect(path, problem, key=True)
                continue
            before = len(self.defects)
            number = self.number(value, path)
            if len(self.defects) == before and abs(number) == float("inf"):
                self.defect(path, "a parameter is finite")
            elif len(self.defects) == before:
                self.parameters[name] = number

    def python(self, reference: Any, path: Sequence[str | int]) -> Any:
        """The object that `file.py:name` names. Runs the file: a defect unless the user allowed it."""
        if not self.allow_python:
            self.defect(path, f"'{reference}' is Python code, which is not run unless you allow it: {FLAGS}")
            return None
        file, _, name = reference.rpartition(":")
        try:
            module = self._module(resolve(self.folder, file))
        except Refused as refused:
            self.defect(path, refused.message)
            return None
        except Exception as error:  # the user's own code may raise anything
            self.defect(path, f"'{file}' cannot be run: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
            return None
        if not hasattr(module, name):
            self.defect(path, f"'{file}' has no '{name}'")
            return None
        return getattr(module, name)

    def matrices(self, folder: str, path: Sequence[str | int]) -> Mapping[str, Callable[[], Any]] | None:
        """The MatrixMarket files of a folder in the problem's folder, by name in ascending order."""
        from solverkit.formats.data import read_matrix

        try:
            names = matrix_files(self.folder, folder)
        except Refused as refused:
            self.defect(path, refused.message)
            return None
        return {name: partial(read_matrix, f"{folder.rstrip('/')}/{name}", self, tuple(path)) for name in names}

    def _module(self, path: Path) -> Any:
        """The module of a file, run once a load; nothing is written beside it."""
        if path not in self._modules:
            content = read(path, MAX_CODE_BYTES, "a Python file")
            name = f"solverkit_problem_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None  # the name ends in .py
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module  # pickling of its functions looks there
            try:
                exec(compile(content, str(path), "exec"), module.__dict__)
            except BaseException:
                del sys.modules[name]
                raise
            self._modules[path] = module
        return self._modules[path]
