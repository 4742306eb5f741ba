"""The registry: what is installed, found by name, by kind, by what a problem provides.

Loaded on first use, once. Loading imports the plugins' record modules alone; a method's own module is imported by
`resolve`.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import solverkit
from solverkit.errors import MissingPackage, Unsuitable, UsageError
from solverkit.registry import discovery, loading, published, suitability
from solverkit.registry.names import normalized
from solverkit.registry.packages import missing, pip_line
from solverkit.registry.records import WORDS, PluginRecord, Spec
from solverkit.registry.specs import CommandSpec, KindSpec, SolverSpec, SourceSpec
from solverkit.registry.tables import Tables, tabulate
from solverkit.text import clean, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel

    from solverkit.engine.solver import OneShotSolver, Solver
    from solverkit.kinds.base import Kind, Problem

BUILTIN = ("solverkit.registry.builtin", "solverkit.cli.builtin")
"""Modules of the core that go through the same hooks as a third party's. Their names cannot be taken."""

ONLY = "SOLVERKIT_PLUGINS_ONLY"
"""Environment variable: the only plugins that may be loaded, by name or distribution, separated by commas."""

T = TypeVar("T", SolverSpec, KindSpec, SourceSpec, CommandSpec)


class Registry:
    """Methods, kinds, sources and commands of the core and of all plugins. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._manager = loading.plugin_manager()
        self._installed: list[PluginRecord] | None = None
        self._direct: dict[str, tuple[Any, PluginRecord]] = {}
        self._tables: Tables | None = None
        self._only: tuple[str, ...] | None = None

    # -- methods

    def method(self, name: str) -> SolverSpec:
        """The method of this name. Raises UsageError with the nearest name, or what is wrong with its plugin."""
        return self._find(SolverSpec, name)

    def methods(self, kind: str | None = None) -> list[SolverSpec]:
        """All methods, or those of one kind; by kind, the preferred ones first."""
        found = [spec for spec in self._all(SolverSpec) if kind in (None, spec.kind)]
        return sorted(found, key=lambda spec: (spec.kind, -spec.priority, spec.name))

    def resolve(self, spec: SolverSpec) -> tuple[type[Solver] | type[OneShotSolver], type[BaseModel]]:
        """The method's class and its options model, imported now.

        Raises MissingPackage with the pip line, and UsageError where the plugin's own code is broken."""
        if absent := missing(spec.packages):
            raise MissingPackage(_lacks(f"method '{spec.name}' needs", absent))
        return self._load(spec, spec.target), self.options(spec)

    def options(self, spec: SolverSpec) -> type[BaseModel]:
        """The method's options model; its module imports nothing heavy."""
        from pydantic import BaseModel

        model = self._load(spec, spec.options)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise self._broken(spec, spec.options, "it is no Pydantic model")
        return model

    def fits(self, spec: SolverSpec, problem: Problem, device: str = "cpu", dtype: str = "float64") -> list[str]:
        """Why a method cannot take a problem, a sentence a reason, each with the next step; empty where it can."""
        return suitability.reasons(spec, problem, device, dtype, self.methods())

    def default(self, problem: Problem, device: str = "cpu", dtype: str = "float64") -> SolverSpec:
        """The method of highest priority that fits and whose packages are installed.

        Raises MissingPackage where only packages are lacking, Unsuitable where no method fits."""
        candidates = self.methods(problem.kind)
        if not candidates:
            ways = " or ".join(f"pip install {name}" for name in published.with_kind(problem.kind))
            way = f". Run: {ways}" if ways else ". See `solverkit plugins`"
            raise Unsuitable(f"no method for {problem.kind} problems is installed{way}{self._suspects()}")
        against = {spec: self.fits(spec, problem, device, dtype) for spec in candidates}
        fitting = [spec for spec in candidates if not against[spec]]
        if not fitting:
            lines = [f"  {reason}" for reasons in against.values() for reason in reasons]
            text = f"no method fits {problem.kind} problem '{clean(problem.name)}':"
            raise Unsuitable("\n".join([text, *lines]))
        for spec in fitting:
            if not missing(spec.packages):
                return spec
        raise MissingPackage(_lacks(f"method '{fitting[0].name}' fits and needs", missing(fitting[0].packages)))

    # -- kinds, sources, commands

    def kind(self, name: str) -> Kind:
        """The kind of this name, an instance made once."""
        spec = self._find(KindSpec, name)
        instances = self._table().instances
        with self._lock:
            if name not in instances:
                instances[name] = self._load(spec, spec.target)()
            return instances[name]

    def kinds(self) -> list[KindSpec]:
        """All kinds by name."""
        return sorted(self._all(KindSpec), key=lambda spec: spec.name)

    def source(self, name: str) -> Callable[..., Any]:
        """The data generator of this name."""
        spec = self._find(SourceSpec, name)
        return self._load(spec, spec.target)

    def sources(self) -> list[SourceSpec]:
        """All data generators by name."""
        return sorted(self._all(SourceSpec), key=lambda spec: spec.name)

    def commands(self) -> list[CommandSpec]:
        """The commands of the core in their own order, then those of plugins by name."""
        found = self._all(CommandSpec)
        core = [spec for spec in found if self.origin(spec).core]
        return core + sorted((spec for spec in found if spec not in core), key=lambda spec: spec.name)

    def command(self, spec: CommandSpec) -> Any:
        """The click command, imported now."""
        return self._load(spec, spec.target)

    # -- plugins

    def plugins(self) -> list[PluginRecord]:
        """Every plugin that was found, working or not; the core's own records are left out."""
        return [record for record in self._table().plugins if not record.core]

    def origin(self, spec: Spec) -> PluginRecord:
        """The plugin that a record came with."""
        return self._table().owners[type(spec), spec.name]

    def only(self, names: Iterable[str] | None) -> None:
        """Allow no installed plugins but these, by name or distribution; None: as the environment says."""
        with self._lock:
            self._only = None if names is None else tuple(names)
            self._manager = loading.plugin_manager()
            for name, (plugin, _) in self._direct.items():
                self._manager.register(plugin, f"direct:{name}")
            self._installed = self._tables = None

    def register(self, plugin: Any, name: str) -> PluginRecord:
        """Add an object with hook implementations (a module, an instance) for the life of this process.

        Raises UsageError where it is broken or takes a name that is in use."""
        with self._lock:
            self._table()
            if name in self._direct:
                raise UsageError(f"a plugin named '{clean(name)}' is already registered")
            record = PluginRecord(name, file=clean(getattr(plugin, "__file__", None) or "", 500))
            try:
                record = loading.collect(self._manager, plugin, f"direct:{name}", record)
            except loading.BadPlugin as error:
                raise UsageError(f"plugin '{clean(name)}': {error}") from None
            self._direct[name] = plugin, record
            self._tables = None
            if problem := self._table().plugins[-1].error:
                self.unregister(name)
                raise UsageError(f"plugin '{clean(name)}': {problem}")
            return record

    def unregister(self, name: str) -> None:
        """Take back what `register` added."""
        with self._lock:
            plugin, _ = self._direct.pop(name)
            self._manager.unregister(plugin)
            self._tables = None

    @contextmanager
    def using(self, plugin: Any, name: str = "test") -> Iterator[PluginRecord]:
        """`register` for the length of a `with` block."""
        record = self.register(plugin, name)
        try:
            yield record
        finally:
            self.unregister(name)

    # -- inside

    def _table(self) -> Tables:
        if (tables := self._tables) is not None:
            return tables
        with self._lock:
            if self._installed is None:
                self._installed = self._load_installed()
            if self._tables is None:
                direct = [record for _, record in self._direct.values()]
                self._tables = tabulate([*self._installed, *direct])
            return self._tables

    def _load_installed(self) -> list[PluginRecord]:
        records = []
        for module in BUILTIN:
            record = PluginRecord(module, "solverkit", core=True)
            records.append(loading.collect(self._manager, importlib.import_module(module), module, record))
        entries = discovery.entry_points()
        core = solverkit.__version__
        allowed = self._allowed()
        unmet = dict.fromkeys(allowed or ())
        for entry in entries:
            names = {normalized(entry.name), normalized(entry.distribution)}
            if allowed is None or names.intersection(allowed):
                records.append(loading.load_entry_point(self._manager, entry, core))
            else:
                records.append(loading.left_out(entry))
            for name in names:
                unmet.pop(name, None)
        error = f"--plugins-only or {ONLY} names it, and no such plugin is installed"
        remedy = "check the spelling against `solverkit plugins` without that limit"
        return records + [PluginRecord(clean(name, 64), error=error, remedy=remedy) for name in unmet]

    def _allowed(self) -> list[str] | None:
        names = self._only
        if names is None:
            names = tuple(name for name in os.environ.get(ONLY, "").split(",") if name.strip()) or None
        return None if names is None else [normalized(name.strip()) for name in names]

    def _all(self, wanted: type[T]) -> list[T]:
        return [spec for spec in self._table().specs.values() if isinstance(spec, wanted)]

    def _find(self, wanted: type[T], name: str) -> T:
        tables, word = self._table(), WORDS[wanted]
        if (spec := tables.specs.get((wanted, name))) is not None:
            return cast(T, spec)
        if (wanted, name) in tables.refused:
            raise UsageError(tables.refused[wanted, name])
        home = published.with_method(name) if wanted is SolverSpec else ""
        if home and home not in {record.distribution for record in self.plugins()}:
            raise MissingPackage(f"method '{name}' comes with {home}. Run: pip install {home}")
        known = sorted(key[1] for key in tables.specs if key[0] is wanted)
        guess = nearest(name, known) or (f" (here: {', '.join(known)})" if known else "")
        suspects = self._suspects() or ". See `solverkit plugins`"
        raise UsageError(f"unknown {word} '{clean(name, 64)}'{guess}{suspects}")

    def _suspects(self) -> str:
        """Plugins that might have brought what was not found, for the end of a sentence."""
        text = ""
        for record in self.plugins():
            if record.status == "broken" and record.distribution:
                text += f"\nIt may belong to {record.origin}, which is broken: {record.error}. {record.remedy}"
        left_out = [record.name for record in self.plugins() if not record.allowed]
        if left_out:
            text += f"\nPlugins left out by --plugins-only or {ONLY}: {', '.join(left_out)}"
        return text

    def _load(self, spec: Spec, target: str) -> Any:
        """The object that "package.module:Name" names."""
        module, _, attributes = target.partition(":")
        try:
            found = importlib.import_module(module)
            for attribute in attributes.split("."):
                found = getattr(found, attribute)
        except ModuleNotFoundError as error:
            absent = (error.name or "").partition(".")[0]
            if not absent or absent == module.partition(".")[0]:
                raise self._broken(spec, target, clean(error)) from error
            origin = self.origin(spec)
            line = f"pip install -U {origin.distribution}" if origin.distribution else pip_line([absent])
            word = WORDS[type(spec)]
            raise MissingPackage(f"{word} '{spec.name}' needs {absent}, which is not installed. Run: {line}") from error
        except (ImportError, AttributeError, SyntaxError) as error:
            raise self._broken(spec, target, f"{type(error).__name__}: {clean(error)}") from error
        return found

    def _broken(self, spec: Spec, target: str, why: str) -> UsageError:
        origin = self.origin(spec)
        remedy = f". Try: pip install -U {origin.distribution}" if origin.distribution else ""
        return UsageError(f"{WORDS[type(spec)]} '{spec.name}' of {origin.origin} cannot load {target}: {why}{remedy}")


def _lacks(beginning: str, packages: list[str]) -> str:
    verb = "is" if len(packages) == 1 else "are"
    return f"{beginning} {', '.join(packages)}, which {verb} not installed. Run: {pip_line(packages)}"


registry = Registry()
"""The registry of this process."""
