"""``wikiq enqueue``."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import (
    First,
    Last,
    LogTitles,
    Projects,
    Quiet,
    Start,
    Week,
    Yesterday,
    in_words,
    projects_of,
    span_of,
)


def enqueue(
    first: First = None,
    last: Last = None,
    week: Week = False,
    start: Start = None,
    yesterday: Yesterday = False,
    project: Projects = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The dumps site or a mirror of it. Default: WIKIQ_SOURCE, else https://dumps.wikimedia.org.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Count anew what is counted already.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="With a broker: follow the work to its end.")] = False,
    log_titles: LogTitles = True,  # noqa: ARG001 accepted, and on in any case
    quiet: Quiet = False,
) -> None:
    """Count the hour files of some days, and rank each day once its hours are there.

    Without WIKIQ_BROKER_URL the work is done here, with a progress bar, and may be interrupted and resumed at any time.
    With it, the tasks are enqueued and the command returns. What is counted already is not fetched again.

    \b
      wikiq enqueue --week                          the last seven complete UTC days
      wikiq enqueue --week --start 2024-01-01       the week from 1 to 7 January 2024
      wikiq enqueue 2024-01-03                      one day
      wikiq enqueue 2024-01-03 2024-01-05           three days
      wikiq enqueue --yesterday -p de.wikipedia -p en.wikipedia
    """
    from cli.run import carry_out, check_contact, check_disk, resumable
    from cli.summary import announce, conclude
    from models.answer import Universe
    from models.errors import UsageError
    from models.hour import published
    from worker.app import make_app
    from worker.context import utc_now
    from worker.enqueue import Order, missing_work, request
    from worker.settings import read_settings
    from worker.source import parse_source, without_credentials

    now = utc_now()
    span = span_of(first, last, week=week, start=start, yesterday=yesterday, now=now)
    published(span.days, now)
    settings = read_settings()
    asked = parse_source(source) if source else None
    if asked and asked != without_credentials(asked):
        raise UsageError("--source is kept and sent along, so it must hold no password; put it into WIKIQ_SOURCE.")
    order = Order(
        projects=projects_of(project),
        days=span.days,
        universe=Universe.LOGGED_TITLES,
        week=span.week,
        source=asked,
        force=force,
    )
    if settings.broker_url is None:
        check_contact(settings, order.source or settings.source)
        check_disk(settings)
    app = make_app(settings)
    context = app.context()
    request(context, order)
    work = missing_work(context, order)
    if not quiet:
        announce(order, in_words(span), work, here=settings.broker_url is None)
    with resumable():
        code = carry_out(app, work, order, wait=wait, quiet=quiet)
    conclude(context, order, followed=settings.broker_url is None or wait, quiet=quiet)
    raise typer.Exit(code)
