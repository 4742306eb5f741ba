"""Whether this core is one that a plugin was made for, by the range in the plugin's own requirements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from solverkit.registry.names import normalized

_REQUIREMENT = re.compile(r"\s*(?P<name>[\w.-]+)\s*(?:\[[^]]*\])?\s*\(?(?P<range>[^;()]*)\)?\s*(?:;(?P<marker>.*))?")
_PLAIN = re.compile(r"\s*(>=|<=|==|!=|<|>)\s*(\d+(?:\.\d+)*)\s*")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": ge, "<=": le, "==": eq, "!=": ne, "<": lt, ">": gt,
}  # fmt: skip


def core_range(requires: Iterable[str]) -> str:
    """The range of core versions that these requirements ask for; empty where they state none."""
    for line in requires:
        match = _REQUIREMENT.fullmatch(line)
        if match and normalized(match["name"]) == "solverkit" and "extra" not in (match["marker"] or ""):
            return match["range"].strip()
    return ""


def within(version: str, specifier: str) -> bool:
    """Whether `version` lies in a PEP 440 range.

    Plain numbers are compared here; the rest is asked of `packaging`, whose import alone would cost a third of the
    command line's start."""
    clauses = [_PLAIN.fullmatch(clause) for clause in specifier.split(",") if clause.strip()]
    if all(clauses) and re.fullmatch(r"\d+(\.\d+)*", version):
        return all(_COMPARE[c[1]](_numbers(version), _numbers(c[2])) for c in clauses if c is not None)
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
