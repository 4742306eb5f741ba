"""One plugin at a time: import it, ask its hooks, look at what they returned.

Nothing that a plugin does wrong leaves this module as an exception: it becomes the `error` of its record.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from importlib.util import find_spec
from typing import Any

import pluggy

from solverkit.registry import hookspecs, versions
from solverkit.registry.discovery import EntryPoint
from solverkit.registry.names import NAME
from solverkit.registry.records import WORDS, PluginRecord, Spec
from solverkit.registry.specs import API, CommandSpec, KindSpec, SolverSpec, SourceSpec
from solverkit.text import clean

HOOKS: dict[str, type[SolverSpec] | type[KindSpec] | type[SourceSpec] | type[CommandSpec]] = {
    "solverkit_solvers": SolverSpec,
    "solverkit_problem_kinds": KindSpec,
    "solverkit_sources": SourceSpec,
    "solverkit_commands": CommandSpec,
}

_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


class BadPlugin(Exception):
    """What is wrong with a plugin, and in `remedy` what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def plugin_manager() -> pluggy.PluginManager:
    """A pluggy manager that knows our hooks."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def load_entry_point(manager: pluggy.PluginManager, entry: EntryPoint, core: str) -> PluginRecord:
    """The record of one entry point; `core` is the version of the core."""
    record = _record(entry)
    dist = record.distribution
    try:
        _check_range(entry, core)
        found = collect(manager, _object(entry.value), f"{dist}:{record.name}", record)
        return replace(found, file=_file(entry))  # the module itself, now that it is imported
    except BadPlugin as error:
        return record.failed(str(error), error.remedy or _update(dist))
    except (Exception, SystemExit) as error:
        return record.failed(_sentence(error), f"{_update(dist)}, or do without it: pip uninstall {dist}")


def left_out(entry: EntryPoint) -> PluginRecord:
    """The record of a plugin that the allow-list leaves out: nothing of it is imported."""
    return replace(_record(entry), allowed=False)


def collect(manager: pluggy.PluginManager, plugin: Any, key: str, record: PluginRecord) -> PluginRecord:
    """`record` with what the hooks of `plugin` return. Raises BadPlugin, and whatever the plugin raises."""
    if (known := manager.get_name(plugin)) is not None:
        raise BadPlugin(f"the same object is already registered as '{clean(known)}'")
    manager.register(plugin, key)
    try:
        callers = manager.get_hookcallers(plugin) or []
        for caller in callers:
            if caller.name not in HOOKS:
                raise BadPlugin(f"no hook is called '{clean(caller.name)}' (hooks: {', '.join(HOOKS)})")
        if not callers:
            raise BadPlugin("it implements no hook; is @hookimpl from solverkit.plugin missing?")
        others = [other for other in manager.get_plugins() if other is not plugin]
        specs: list[Spec] = []
        for caller in callers:
            for answer in manager.subset_hook_caller(caller.name, others)():
                specs += _specs(caller.name, answer)
        _check_unique(specs)
        return replace(record, specs=tuple(specs))
    except BaseException:
        manager.unregister(plugin)
        raise


def check_spec(spec: Spec) -> None:
    """Raises BadPlugin where a record cannot be what it says."""
    word = WORDS[type(spec)]
    if not isinstance(spec.name, str) or not NAME.fullmatch(spec.name):
        raise BadPlugin(f"{word} {clean(repr(spec.name))}: a name is letters, digits, _ and -, at most 64")
    here = f"{word} '{spec.name}'"
    if spec.api != API:
        age = "an older" if isinstance(spec.api, int) and spec.api < API else "another"
        raise BadPlugin(f"{here} was made for {age} plugin API ({clean(spec.api)}; this core has {API})")
    for item in fields(spec):
        value = getattr(spec, item.name)
        if item.type == "str" and not isinstance(value, str):
            raise BadPlugin(f"{here}: {item.name} is {type(value).__name__}, a string is wanted")
        if item.type == "int" and not isinstance(value, int):
            raise BadPlugin(f"{here}: {item.name} is {type(value).__name__}, an integer is wanted")
        if item.type == "tuple[str, ...]" and not _strings(value):
            raise BadPlugin(f"{here}: {item.name} has to be a tuple of strings")
    for reference in ("target", "options"):
        value = getattr(spec, reference, None)
        if value is not None and not _TARGET.fullmatch(value):
            raise BadPlugin(f"{here}: {reference} is {clean(repr(value))}; write 'package.module:Name'")


def _record(entry: EntryPoint) -> PluginRecord:
    names = clean(entry.name, 64), clean(entry.distribution, 100), clean(entry.version, 60)
    return PluginRecord(*names, file=_file(entry))


def _specs(hook: str, answer: Any) -> Iterator[Spec]:
    if not isinstance(answer, (list, tuple)):
        raise BadPlugin(f"{hook} returned {type(answer).__name__}, a list of records is wanted")
    for spec in answer:
        if not isinstance(spec, HOOKS[hook]):
            raise BadPlugin(f"{hook} returned a {type(spec).__name__} instead of a {HOOKS[hook].__name__}")
        check_spec(spec)
        yield spec


def _check_unique(specs: list[Spec]) -> None:
    seen = set()
    for spec in specs:
        key = WORDS[type(spec)], spec.name
        if key in seen:
            raise BadPlugin(f"{key[0]} '{spec.name}' is there twice")
        seen.add(key)


def _check_range(entry: EntryPoint, core: str) -> None:
    wanted = versions.core_range(entry.requires)
    dist = clean(entry.distribution, 100)
    if not wanted:
        text = "it does not say which versions of solverkit it works with"
        remedy = f"its author adds `solverkit>=X,<Y` to its dependencies; until then: pip uninstall {dist}"
        raise BadPlugin(text, remedy)
    if not versions.within(core, wanted):
        remedy = f"{_update(dist)}, or without it: pip uninstall {dist}"
        raise BadPlugin(f"it needs solverkit {clean(wanted)}, and this is {core}", remedy)


def _object(value: str) -> Any:
    module, _, attributes = value.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def _file(entry: EntryPoint) -> str:
    """Where the plugin's module lies, as far as that can be said without importing it."""
    module = entry.value.partition(":")[0]
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded:
        return clean(loaded, 500)
    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        spec = None
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    return clean(next((place for place in places if place), entry.folder), 500)


def _sentence(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, ImportError):
        return f"it cannot be imported: {kind}: {clean(error)}"
    return f"it raised {kind}: {clean(error)}"


def _update(distribution: str) -> str:
    return f"pip install -U {distribution}"


def _strings(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
