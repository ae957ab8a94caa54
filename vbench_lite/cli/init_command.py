"""`vbench init`: creates a workspace for your own generator."""

from __future__ import annotations

from pathlib import Path

import click

from vbench_lite.inputs.workspace import ADAPTERS, next_command, workspace_files, write_workspace


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("."), required=False)
@click.option("--name", default="my-model", show_default=True, help="Name of the generator.")
@click.option("--suite", default="my-scenario", show_default=True, help="Name of the suite.")
@click.option(
    "--adapter", type=click.Choice(ADAPTERS), default="python", show_default=True, help="The adapter that runs it."
)
def command(folder: Path, name: str, suite: str, adapter: str) -> None:
    """Create a workspace in FOLDER: generator, suite, gate policy, CI workflow.

    No file is overwritten. With --adapter python or command the generator runs at once and draws squares, until you
    insert your model. With --adapter http the next command prints the cost estimate and sends nothing.

    \b
    Example:  vbench init my-project --name our-model --adapter diffusers
    """
    written = write_workspace(folder, workspace_files(name, suite, adapter))
    for path in written:
        click.echo(path)
    click.echo(f"Next: {next_command(folder, name, suite, adapter)}", err=True)
