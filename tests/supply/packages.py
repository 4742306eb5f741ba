"""The packages that the project's own files install, from the metadata of what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OURS = re.compile(r"solverkit(-|$)")
CUDA = re.compile(r"(nvidia|cuda|triton)(-|$)")  # what torch's own build for CUDA brings, where that is what pip takes
COPYLEFT = re.compile(r"\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)
WEAK = re.compile(r"\bLGPL|Lesser General|\bMPL|Mozilla|\bEPL|Eclipse", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """One package."""

    name: str
    version: str
    licence: str
    runs: bool  # whether users may get it with a distribution of ours, not developers alone


def packages() -> list[Package]:
    """All that `requirements/*.txt` ask for, directly or not, without our own distributions and CUDA's; by name."""
    running = set(_closure(_asked("run.txt", "dev.txt", ours_alone=True)))
    every = running | set(_closure(_asked("run.txt", "dev.txt", "docs.txt", "notebooks.txt")))
    found = [Package(name, metadata.version(name), licence(name), name in running) for name in every]
    others = (each for each in found if not OURS.match(each.name) and not CUDA.match(each.name))
    return sorted(others, key=lambda each: each.name)


def licence(name: str) -> str:
    """The SPDX expression where there is one, else what the classifiers or the licence field say, shortened."""
    data = metadata.metadata(name)
    classifiers = [each.split(" :: ")[-1] for each in data.get_all("Classifier") or [] if each.startswith("License ::")]
    named = [each for each in classifiers if each != "OSI Approved"]
    first = (data.get("License") or "").strip().splitlines()
    return data.get("License-Expression") or " or ".join(named) or (first[0] if first else "") or "not said"


def _asked(*files: str, ours_alone: bool = False) -> list[Requirement]:
    found = []
    for file in files:
        for line in (ROOT / "requirements" / file).read_text().splitlines():
            local = re.match(r"-e (\S+?)(\[[\w,-]+\])?$", line)
            if local:
                folder = (ROOT / local[1]).resolve().name
                name = "solverkit" if folder == ROOT.name or local[1] == "." else folder
                found.append(Requirement(f"{name}{local[2] or ''}"))
            elif line and not line.startswith(("#", "-")) and not ours_alone:
                found.append(Requirement(line))
    return found


def _closure(asked: list[Requirement]) -> Iterator[str]:
    """Canonical names, each once."""
    seen: set[tuple[str, frozenset[str]]] = set()
    pending = [(canonicalize_name(each.name), frozenset(each.extras)) for each in asked]
    while pending:
        name, extras = pending.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # an alternative that is not needed on this machine
        yield name
        for text in needs:
            need = Requirement(text)
            markers = [{"extra": extra} for extra in (extras or {""})]
            if need.marker is None or any(need.marker.evaluate(each) for each in markers):
                pending.append((canonicalize_name(need.name), frozenset(need.extras)))
