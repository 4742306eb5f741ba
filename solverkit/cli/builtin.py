"""The commands of the core, registered through the same hook as a third party's. Their modules load on use."""

from __future__ import annotations

from solverkit.registry.hookspecs import hookimpl
from solverkit.registry.specs import CommandSpec

_SUMMARIES = {
    "solve": "Solve a problem file, and certify the answer.",
    "resume": "Go on with a run that was interrupted.",
    "bench": "Run methods on the problems of a suite, and compare them.",
    "report": "Compare the methods of a benchmark: table, page with plots, CSV, JSON.",
    "verify": "Recompute the certificate of a stored result.",
    "check": "Validate a problem file and the derivatives of its oracles.",
    "methods": "List the methods, or those that fit a problem.",
    "describe": "Explain a method: what it needs, when it pays, its options.",
    "schema": "Print the JSON Schema of problem or suite files, for editors.",
    "completion": "Print the script by which a shell completes commands, methods and files.",
    "new-plugin": "Write a complete plugin package to begin with.",
    "plugins": "List the plugins, where they come from, and what is wrong.",
    "doctor": "Look at this machine and installation.",
}

_MODULES = {"report": "bench_report", "new-plugin": "new_plugin"}
"""Commands whose module has another name: `cli.report` shows results."""


@hookimpl
def solverkit_commands() -> list[CommandSpec]:
    """The commands that come with the core, in the order in which --help shows them."""
    return [
        CommandSpec(name, summary, f"solverkit.cli.{_MODULES.get(name, name)}:command")
        for name, summary in _SUMMARIES.items()
    ]
