"""The group of all commands. It knows their summaries from the registry, and imports none before it is called."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

import solverkit
from solverkit.cli import candidates
from solverkit.registry import registry
from solverkit.registry.specs import CommandSpec
from solverkit.text import clean, nearest

EPILOG = """\b
Exit codes: 0 certified; 1 internal error; 2 usage or invalid file;
3 stopped without a certificate; 4 proven infeasible or unbounded;
5 numerical failure; 130 interrupted."""


class Commands(click.Group):
    """The commands of the core and of plugins, by the registry."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names; the core's first."""
        return [spec.name for spec in registry.commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now. Raises click.UsageError for a name that nobody has."""
        specs = {spec.name: spec for spec in registry.commands()}
        if cmd_name not in specs:
            guess = nearest(cmd_name, specs) or f" (commands: {', '.join(specs)})"
            raise click.UsageError(f"no command '{clean(cmd_name, 64)}'{guess}", ctx)
        return _command(specs[cmd_name])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands that begin so; none is imported for it."""
        found = [spec for spec in registry.commands() if spec.name.startswith(incomplete)]
        items = [CompletionItem(spec.name, help=clean(spec.summary)) for spec in found]
        return items if incomplete[:1].isalnum() else [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help."""
        with formatter.section("Commands"):
            formatter.write_dl([(spec.name, clean(spec.summary)) for spec in registry.commands()])


def _command(spec: CommandSpec) -> click.Command:
    command = registry.command(spec)
    if not isinstance(command, click.Command):
        origin = registry.origin(spec).origin
        raise click.UsageError(f"command '{spec.name}' of {origin} is broken: {spec.target} is no click command")
    return command


def _only(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    """Before anything asks the registry; taken back when the call ends."""
    if value is None:
        return
    names = [name.strip() for name in value.split(",") if name.strip()]
    if not names:
        raise click.UsageError("--plugins-only: name at least one plugin", ctx)
    registry.only(names)
    ctx.call_on_close(lambda: registry.only(None))


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"solverkit {solverkit.__version__}")
        ctx.exit()


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--plugins-only",
    metavar="A,B",
    is_eager=True,
    expose_value=False,
    callback=_only,
    shell_complete=candidates.plugins,
    help="Load no plugins but these (also: SOLVERKIT_PLUGINS_ONLY).",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show it.")
def app() -> None:
    """Solve optimization problems with structure; every answer is certified."""
