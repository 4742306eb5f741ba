"""Which installed distributions offer a plugin, found without importing `importlib.metadata`.

That module costs a quarter of the start of the command line, and the folders on `sys.path` say the same. It is still
asked wherever they would not: zipped packages, `.egg-info`, importers that bring finders of their own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder

from solverkit.registry.names import normalized

GROUP = "solverkit"


@dataclass(frozen=True)
class EntryPoint:
    """One entry point of the group, and what its distribution says of itself."""

    name: str
    value: str  # "package.module" or "package.module:object"
    distribution: str
    version: str
    requires: tuple[str, ...]  # lines of Requires-Dist
    folder: str  # where the distribution lies


def entry_points() -> list[EntryPoint]:
    """The entry points of the group on `sys.path`, by distribution; the first of two equal distributions counts."""
    try:
        found = list(_on_path())
    except _NotPlain:
        found = list(_by_metadata())
    return sorted(found, key=lambda entry: (normalized(entry.distribution), entry.name))


class _NotPlain(Exception):
    """Something on the path that a look into folders does not answer."""


def _on_path() -> Iterator[EntryPoint]:
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        raise _NotPlain
    for folder, entry_file in _distributions():
        entries = list(_entries(_read(entry_file)))
        if not entries:
            continue
        if not folder.endswith(".dist-info"):
            raise _NotPlain
        headers = list(_headers(_read(os.path.join(folder, "METADATA"))))
        stem, _, tail = os.path.basename(folder).removesuffix(".dist-info").partition("-")
        fields = dict(reversed(headers))
        requires = tuple(value for key, value in headers if key == "requires-dist")
        for name, value in entries:
            distribution, version = fields.get("name", stem), fields.get("version", tail)
            yield EntryPoint(name, value, distribution, version, requires, os.path.dirname(folder))


def _distributions() -> Iterator[tuple[str, str]]:
    """Each distribution's metadata folder and its entry point file; a name that came before hides the later ones."""
    seen: set[str] = set()
    for place in sys.path:
        place = place or os.getcwd()
        if os.path.isfile(place):
            raise _NotPlain
        try:
            names = sorted(os.listdir(place))
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            stem = normalized(name.rpartition(".")[0].partition("-")[0])
            if stem not in seen:
                seen.add(stem)
                folder = os.path.join(place, name)
                yield folder, os.path.join(folder, "entry_points.txt")


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """`name = value` lines below `[solverkit]`."""
    section = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == GROUP and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), re.sub(r"\s*\[[^]]*\]$", "", value.strip())


def _headers(text: str) -> Iterator[tuple[str, str]]:
    """The header lines of METADATA, keys in lower case."""
    for line in text.splitlines():
        if not line.strip():
            return
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield key.lower(), value.strip()


def _by_metadata() -> Iterator[EntryPoint]:
    from importlib import metadata

    for entry in metadata.entry_points(group=GROUP):
        if (dist := entry.dist) is not None:
            value = re.sub(r"\s*\[[^]]*\]$", "", entry.value)
            name, folder = dist.metadata["Name"] or "", str(dist.locate_file(""))
            yield EntryPoint(entry.name, value, name, dist.version, tuple(dist.requires or ()), folder)
