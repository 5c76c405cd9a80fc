"""``wikiq resume``."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.importing import importing
from cli.options import Quiet


def resume(
    wait: Annotated[bool, typer.Option("--wait", help="With a broker: follow the work to its end.")] = False,
    quiet: Quiet = False,
) -> None:
    """Complete whatever was asked for and is missing: hours to count, days and weeks to rank.

    What is missing is read from the database alone, so it does not matter how an earlier run ended.

    \b
      wikiq resume
      wikiq resume --wait
    """
    with importing():
        from cli.run import carry_out, check_disk, resumable
        from cli.summary import announce, conclude
        from worker.app import make_app
        from worker.enqueue import missing_work, request_again
        from worker.order import EVERYTHING
        from worker.settings import read_settings

    settings = read_settings()
    if settings.broker_url is None:
        check_disk(settings)
    app = make_app(settings)
    context = app.context()
    request_again(context)
    work = missing_work(context)
    if not quiet:
        announce(None, "all days", work, here=settings.broker_url is None)
    with resumable():
        code = carry_out(app, work, EVERYTHING, wait=wait, quiet=quiet)
    conclude(context, EVERYTHING, followed=settings.broker_url is None or wait, quiet=quiet)
    raise typer.Exit(code)
