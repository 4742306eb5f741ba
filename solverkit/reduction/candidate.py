"""A problem file in memory, with its data and all that it names, ready to be changed and written down."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from solverkit.formats import yaml
from solverkit.formats.document import FileData

Keys = tuple[str | int, ...]

INLINE = 20
"""Numbers of an array that is written into the problem file itself."""


@dataclass(frozen=True)
class Candidate:
    """`arrays` are those of `data:` that came from files or were written out: each float64, dense or csr."""

    tree: dict[str, Any]
    arrays: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)  # whatever else the tree names, by its name there

    def at(self, path: Keys) -> Any:
        """The value at a path of the tree."""
        value: Any = self.tree
        for key in path:
            value = value[key]
        return value

    def put(self, path: Keys, value: Any) -> Candidate:
        """The same with another value at a path of the tree."""
        if not path:
            return replace(self, tree=value)
        tree = copy.deepcopy(self.tree)
        holder: Any = tree
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
        return replace(self, tree=tree)

    def walk(self) -> Iterator[tuple[Keys, Any]]:
        """Every value with its path, parents first."""
        waiting: list[tuple[Keys, Any]] = [((), self.tree)]
        for path, value in waiting:
            yield path, value
            items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            waiting += [((*path, key), item) for key, item in items]

    def write(self, folder: Path) -> Path:
        """The problem file in `folder`, with its data beside it."""
        tree = copy.deepcopy(self.tree)
        entries = tree.get("data")
        entries = entries if isinstance(entries, dict) else {}
        for name in entries:
            if name in self.arrays:
                entries[name] = _placed(name, self.arrays[name], folder)
        for name in self._named():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.files[name])
        file = folder / "problem.yaml"
        file.write_text(dump(tree))
        return file

    def _named(self) -> list[str]:
        words = {value for _, value in self.walk() if isinstance(value, str)}
        return [name for name in self.files if name in words or any(word.startswith(f"{name}:") for word in words)]


def read(file: Path) -> Candidate:
    """The candidate of a file that is YAML; data that cannot be read stay bytes."""
    tree = yaml.load(file).value
    entries = tree.get("data")
    arrays: dict[str, Any] = {}
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        array = _array(entry, file)
        if array is not None:
            arrays[name] = array
    words = {value for _, value in Candidate(tree).walk() if isinstance(value, str)}
    names = {word.rpartition(":")[0] if ".py:" in word else word for word in words}
    files = {name: (file.parent / name).read_bytes() for name in names if _is_below(file.parent / name, file.parent)}
    return Candidate(tree, arrays, files)


def _is_below(place: Path, folder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return place.is_file() and place.resolve().is_relative_to(folder.resolve())
    return False


def _array(entry: Any, file: Path) -> Any:
    """What an entry of `data:` holds; None where it is made by a generator, or cannot be read."""
    from solverkit.formats.data import read_data
    from solverkit.formats.source import FileSource

    if isinstance(entry, dict):
        if "file" not in entry:
            return None
        try:
            entry = FileData.model_validate(entry)
        except ValueError:
            return None
    source = FileSource(yaml.Document(str(file), {}), file.parent)
    read_data({"array": entry}, source)
    return source.data.get("array") if not source.defects else None


def _placed(name: str, array: Any, folder: Path) -> Any:
    """The entry of an array: its numbers where they are few, else a file that is written here."""
    if hasattr(array, "tocsr"):
        from scipy.sparse import save_npz

        save_npz(folder / f"{name}.npz", array)
        return {"file": f"{name}.npz"}
    if 0 < array.size <= INLINE:
        return array.tolist()
    np.save(folder / f"{name}.npy", array)
    return {"file": f"{name}.npy"}


def dump(tree: dict[str, Any]) -> str:
    """The tree as YAML of version 1.2, one key a line."""
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = None
    writer.width = 120
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    writer.dump(tree, stream)
    return stream.getvalue()
