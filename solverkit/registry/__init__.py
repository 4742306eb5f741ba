"""What is installed: methods, kinds, sources and commands, and the plugins that bring them.

from solverkit.registry import registry
registry.methods("bilevel"), registry.method("lv-hba"), registry.default(problem)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solverkit.registry.catalogue import Registry as Registry
    from solverkit.registry.catalogue import registry as registry
    from solverkit.registry.records import PluginRecord as PluginRecord

_HOMES = {"Registry": "catalogue", "registry": "catalogue", "PluginRecord": "records"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
