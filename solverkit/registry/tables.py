"""What can be looked up, from what the plugins brought: one owner a name, or nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solverkit.registry.records import WORDS, PluginRecord, Spec
from solverkit.registry.specs import KindSpec, SolverSpec

Key = tuple[type, str]
"""The type of a record and its name."""


@dataclass(frozen=True)
class Tables:
    """All that is installed. Never changed but as a whole, so that readers need no lock."""

    plugins: tuple[PluginRecord, ...]
    specs: Mapping[Key, Spec]
    owners: Mapping[Key, PluginRecord]
    refused: Mapping[Key, str]  # why a name that somebody offers cannot be used
    instances: dict[str, Any] = field(default_factory=dict)  # kinds, made on first use


def tabulate(plugins: Sequence[PluginRecord]) -> Tables:
    """Give every name to its only owner. A name with two owners belongs to neither, a core's name to the core."""
    offers: dict[Key, list[int]] = {}
    for index, plugin in enumerate(plugins):
        for spec in plugin.specs:
            offers.setdefault((type(spec), spec.name), []).append(index)
    records = list(plugins)
    refused: dict[Key, str] = {}
    owner: dict[Key, int] = {}
    for key, indices in offers.items():
        core = [index for index in indices if plugins[index].core]
        if len(indices) == 1 or core:
            owner[key] = core[0] if core else indices[0]
        if len(indices) > 1:
            text, remedy = _collision(key, [plugins[index] for index in indices])
            if not core:
                refused[key] = f"{text}. {remedy}"
            for index in indices:
                if index not in core:
                    records[index] = records[index].failed(text, remedy)
    specs = {key: _spec(plugins[index], key) for key, index in owner.items()}
    for key, spec in list(specs.items()):
        if isinstance(spec, SolverSpec) and (KindSpec, spec.kind) not in specs:
            text = f"method '{spec.name}' solves problems of kind '{spec.kind}', which no working plugin brings"
            remedy = f"install the plugin that brings kind '{spec.kind}'"
            refused[key] = f"{text}; {remedy}"
            records[owner[key]] = records[owner[key]].failed(text, remedy)
            del specs[key]
    owners = {key: records[index] for key, index in owner.items()}
    return Tables(tuple(records), specs, owners, refused)


def _collision(key: Key, plugins: Sequence[PluginRecord]) -> tuple[str, str]:
    word = f"{WORDS[key[0]]} '{key[1]}'"
    names = " and ".join(plugin.origin for plugin in plugins)
    outsiders = dict.fromkeys(plugin.distribution for plugin in plugins if plugin.distribution and not plugin.core)
    remedy = f"keep one of them: pip uninstall {' | '.join(outsiders)}"
    if any(plugin.core for plugin in plugins):
        return f"{word} belongs to the core; it is offered by {names}, and the core's is used", remedy
    return f"{word} is offered by {names}, so neither is used", remedy


def _spec(plugin: PluginRecord, key: Key) -> Spec:
    return next(spec for spec in plugin.specs if (type(spec), spec.name) == key)
