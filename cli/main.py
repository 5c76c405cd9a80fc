"""``wikiq``: the commands, and how their errors end the process."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
from typing import Annotated

import typer

from cli.commands import PLAIN, CommandGroup
from cli.exits import ExitCode, exit_code_of
from models.errors import WikiqError

app = typer.Typer(name="wikiq", cls=CommandGroup, pretty_exceptions_enable=False, **PLAIN)


@app.callback(invoke_without_command=True)
def wikiq(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Which Wikipedia articles and categories were requested most and least, day by day.

    Counted from Wikimedia's hourly pageview files, and told apart by the wiki's own dumps.

    \b
      wikiq demo                                    try it offline, in under a minute
      wikiq plan --week                             what that would fetch and take
      wikiq enqueue --week                          count the last seven complete UTC days
      wikiq results 2024-01-03                      a day's answers
      wikiq wiki show                               the articles and categories that are known
      wikiq status                                  what is counted, what is missing and why
      wikiq resume                                  complete whatever is missing

    \b
    Exit codes: 0 complete · 1 failed · 2 usage · 3 answered but incomplete · 4 the source refuses or is unreachable
    · 130 interrupted. Data goes to stdout, everything else to stderr.
    """
    if version:
        from models.version import VERSION

        typer.echo(f"wikiq {VERSION}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """The console script."""
    # The interpreter's end looks for garbage several times; what is left goes with the process anyway.
    atexit.register(gc.freeze)
    # Its records have no text; what is retried is logged where the reason is known.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    try:
        app()
    except WikiqError as error:
        sys.stdout.flush()
        typer.echo(f"wikiq: {error}", err=True)
        sys.exit(exit_code_of(error))
    except SystemExit as end:
        if end.code == ExitCode.INTERRUPTED:
            _leave()
        raise


def _leave() -> None:
    """End at once: a polite end would wait for downloads, which are resumed where they stopped anyway."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)
