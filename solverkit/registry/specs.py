"""The static records that plugins hand to the registry. Reading them imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

API = 1
"""Version of what the core promises to plugins; a record made for another one is refused with a sentence."""


@dataclass(frozen=True)
class SolverSpec:
    """One method. `target` and `options` are "package.module:Name", imported when the method is used."""

    name: str
    kind: str
    summary: str
    target: str
    options: str
    requires: tuple[str, ...] = ()  # capabilities of the problem, see Problem.provides
    backends: tuple[str, ...] = ("cpu",)  # device families: cpu, cuda
    dtypes: tuple[str, ...] = ("float64",)
    packages: tuple[str, ...] = ()  # importable names the method needs; each missing one becomes a pip line
    paper: str = ""
    pays: str = ""  # one sentence: when to use it
    avoid: str = ""  # one sentence: when not to
    priority: int = 0  # among methods that fit, the highest is the default
    api: int = API


@dataclass(frozen=True)
class KindSpec:
    """One kind of problem. `target` names a subclass of `solverkit.kinds.base.Kind`."""

    name: str
    summary: str
    target: str
    api: int = API


@dataclass(frozen=True)
class SourceSpec:
    """A named generator for `data: {A: {generate: NAME, size: ...}}`.

    `target` is a function of keyword numbers and strings (with `seed`) that returns an array or a dict of arrays."""

    name: str
    summary: str
    target: str
    api: int = API


@dataclass(frozen=True)
class CommandSpec:
    """A click command added to `solverkit`."""

    name: str
    summary: str
    target: str
    api: int = API
