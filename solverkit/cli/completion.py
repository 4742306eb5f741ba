"""`solverkit completion`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script by which SHELL completes commands, options, methods, kinds and files.

    \b
    bash, in ~/.bashrc:                     source <(solverkit completion bash)
    zsh, in ~/.zshrc after compinit:        source <(solverkit completion zsh)
    fish, in ~/.config/fish/config.fish:    solverkit completion fish | source
    """
    from solverkit.cli import shells
    from solverkit.cli.run import COMPLETE

    click.echo(shells.source(shell, COMPLETE), nl=False)
