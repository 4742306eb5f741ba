"""The state of a method as a JSON skeleton and a list of arrays, and back, with no code from its author.

A state is a dataclass of arrays, numbers, strings, None, and lists, tuples, dicts or dataclasses of those. Two fields
that hold the same array hold the same one after a restore. Classes are never imported by name: the one in the file must
already be loaded, by the method's own package or by SolverKit.
"""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

import numpy as np

from solverkit.errors import CheckpointError


class Writer:
    """Turns values into skeletons; `arrays` collects what they refer to."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._seen: dict[int, tuple[str, Any]] = {}  # the value is held so that its id stays its own

    def write(self, value: Any, path: str = "state") -> Any:
        """The skeleton of a value. TypeError names the field that cannot be saved."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if isfinite(value) else {"float": repr(value)}
        if type(value) is np.ndarray:
            return {"array": self._array(value, value, path)}
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value), value, path)}
        if type(value) in (list, tuple):
            entries = [self.write(entry, f"{path}[{i}]") for i, entry in enumerate(value)]
            return {"list" if type(value) is list else "tuple": entries}
        if type(value) is dict:
            return {"dict": [[self._key(k, path), self.write(v, f"{path}[{k!r}]")] for k, v in value.items()]}
        if is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value, path)
        if type(value).__module__ == "torch" and hasattr(value, "detach"):
            return {"tensor": self._array(value.detach().cpu().numpy(), value, path)}
        raise TypeError(
            f"{path} is a {type(value).__name__}, which a checkpoint cannot hold: keep arrays, numbers, strings, None, "
            "lists, dicts and dataclasses in the state, and rebuild the rest on demand"
        )

    def _array(self, array: np.ndarray, owner: Any, path: str) -> str:
        if array.dtype.kind not in "fiubc":
            raise TypeError(f"{path} is an array of dtype {array.dtype}, which a checkpoint cannot hold")
        name, _ = self._seen.get(id(owner), (f"a{len(self.arrays)}", None))
        self._seen[id(owner)] = (name, owner)
        self.arrays[name] = array
        return name

    def _dataclass(self, value: Any, path: str) -> dict[str, Any]:
        kind = type(value)
        if _lookup(kind.__module__, kind.__qualname__) is not kind:
            raise TypeError(f"{path} is of class {kind.__qualname__}, which must be defined at the top of its module")
        entries = {f.name: self.write(getattr(value, f.name), f"{path}.{f.name}") for f in fields(value)}
        return {"dataclass": f"{kind.__module__}:{kind.__qualname__}", "fields": entries}

    @staticmethod
    def _key(key: Any, path: str) -> Any:
        if type(key) not in (str, int, bool):
            raise TypeError(f"{path} has the key {key!r}; a checkpoint holds dicts whose keys are strings or integers")
        return key


class Reader:
    """Turns skeletons back into values. CheckpointError for anything that no `Writer` wrote."""

    def __init__(self, arrays: dict[str, np.ndarray], packages: set[str], device: str = "cpu") -> None:
        self._arrays = arrays
        self._packages = packages
        self._device = device
        self._tensors: dict[str, Any] = {}

    def read(self, skeleton: Any) -> Any:
        """The value of a skeleton."""
        if skeleton is None or isinstance(skeleton, (bool, int, float, str)):
            return skeleton
        if not isinstance(skeleton, dict):
            raise CheckpointError("the checkpoint's header is not one that SolverKit writes")
        tag = next(iter(skeleton), "")
        content = skeleton.get(tag)
        try:
            return self._tagged(tag, content, skeleton)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise CheckpointError(
                f"the checkpoint does not fit this method ({type(error).__name__}: {error})"
            ) from None

    def _tagged(self, tag: str, content: Any, skeleton: dict[str, Any]) -> Any:
        match tag:
            case "float":
                return float(content)
            case "array":
                return self._arrays[content]
            case "scalar":
                return self._arrays[content][()]
            case "tensor":
                return self._tensor(content)
            case "list":
                return [self.read(entry) for entry in content]
            case "tuple":
                return tuple(self.read(entry) for entry in content)
            case "dict":
                return {key: self.read(value) for key, value in content}
            case "dataclass":
                return self._dataclass(content, skeleton["fields"])
        raise ValueError(f"unknown entry {tag!r}")

    def _tensor(self, name: str) -> Any:
        if name not in self._tensors:
            import torch

            self._tensors[name] = torch.from_numpy(self._arrays[name]).to(self._device)
        return self._tensors[name]

    def _dataclass(self, reference: str, entries: dict[str, Any]) -> Any:
        module, _, name = reference.partition(":")
        kind = _lookup(module, name) if module.partition(".")[0] in self._packages else None
        if not (isinstance(kind, type) and is_dataclass(kind)):
            raise ValueError(f"no state class {reference!r} in this method")
        names = {f.name for f in fields(kind)}
        if names != set(entries):
            raise ValueError(f"{name} has other fields than the checkpoint: {sorted(names ^ set(entries))}")
        value = object.__new__(kind)
        for field, entry in entries.items():
            object.__setattr__(value, field, self.read(entry))
        return value


def _lookup(module: str, qualname: str) -> Any:
    """A class of a loaded module by its name there; None where it is not."""
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found
