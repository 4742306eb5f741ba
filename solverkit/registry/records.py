"""What one plugin brought, or why it could not be used."""

from __future__ import annotations

from dataclasses import dataclass, replace

from solverkit.registry import published
from solverkit.registry.specs import CommandSpec, KindSpec, SolverSpec, SourceSpec

Spec = SolverSpec | KindSpec | SourceSpec | CommandSpec

WORDS: dict[type, str] = {
    SolverSpec: "method",
    KindSpec: "kind",
    SourceSpec: "source",
    CommandSpec: "command",
}
"""How a record is called in a sentence."""


@dataclass(frozen=True)
class PluginRecord:
    """One plugin: where it comes from, what it offers, and what is wrong with it."""

    name: str
    distribution: str = ""
    version: str = ""
    file: str = ""
    specs: tuple[Spec, ...] = ()
    error: str = ""  # empty where everything works
    remedy: str = ""  # what the user can do about the error
    allowed: bool = True  # False where --plugins-only left it out
    core: bool = False  # one of the core's own modules; never inferred from a distribution's name

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of its methods, whether or not they can be used."""
        return self.names(SolverSpec)

    @property
    def status(self) -> str:
        """`ok`, `broken`, `partly` (some of its names are refused), or `not allowed`."""
        if not self.allowed:
            return "not allowed"
        if not self.error:
            return "ok"
        return "partly" if self.specs else "broken"

    @property
    def project(self) -> bool:
        """Whether the distribution carries a name of this project."""
        return self.distribution in published.DISTRIBUTIONS

    @property
    def origin(self) -> str:
        """The distribution and its version, for sentences."""
        return f"{self.distribution} {self.version}".strip() or f"plugin '{self.name}'"

    def names(self, kind_of_spec: type) -> tuple[str, ...]:
        """Names of the records of one type."""
        return tuple(spec.name for spec in self.specs if isinstance(spec, kind_of_spec))

    def failed(self, error: str, remedy: str = "") -> PluginRecord:
        """The same plugin with one more thing wrong."""
        remedy = remedy or self.remedy
        return replace(self, error=f"{self.error}; {error}" if self.error else error, remedy=remedy)
