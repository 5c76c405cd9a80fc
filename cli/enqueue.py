"""``wikiq enqueue``."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.importing import importing
from cli.options import (
    First,
    Last,
    LogTitles,
    Projects,
    Quiet,
    Snapshot,
    Source,
    Start,
    Week,
    Yesterday,
    in_words,
    projects_of,
    source_of,
    span_of,
    universe_of,
)


def enqueue(
    first: First = None,
    last: Last = None,
    week: Week = False,
    start: Start = None,
    yesterday: Yesterday = False,
    project: Projects = None,
    source: Source = None,
    force: Annotated[bool, typer.Option("--force", help="Count anew what is counted already.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="With a broker: follow the work to its end.")] = False,
    log_titles: LogTitles = False,
    snapshot: Snapshot = None,
    quiet: Quiet = False,
) -> None:
    """Count the hour files of some days, and rank each day once its hours are there.

    Articles and categories are told from the wiki's own SQL dumps, of the finished run nearest to the day; they are
    fetched once per run. A project without dumps is ranked by logged titles.

    Without WIKIQ_BROKER_URL the work is done here, with a progress bar, and may be interrupted and resumed at any time.
    With it, the tasks are enqueued and the command returns. What is counted already is not fetched again.

    \b
      wikiq enqueue --week                          the last seven complete UTC days
      wikiq enqueue --week --start 2024-01-01       the week from 1 to 7 January 2024
      wikiq enqueue 2024-01-03                      one day
      wikiq enqueue 2024-01-03 2024-01-05           three days
      wikiq enqueue --yesterday -p de.wikipedia -p en.wikipedia
      wikiq enqueue --yesterday --log-titles        quickly, without the wiki's dumps
    """
    with importing():
        from cli.run import carry_out, check_contact, check_disk, resumable
        from cli.summary import announce, conclude
        from models.dump_run import parse_run
        from models.errors import UsageError
        from models.hour import published
        from worker.app import make_app
        from worker.context import utc_now
        from worker.enqueue import missing_work, request
        from worker.order import Order
        from worker.settings import read_settings

    now = utc_now()
    span = span_of(first, last, week=week, start=start, yesterday=yesterday, now=now)
    published(span.days, now)
    settings = read_settings()
    if snapshot and log_titles:
        raise UsageError("--snapshot says which dumps to rank articles by; --log-titles needs none.")
    order = Order(
        projects=projects_of(project),
        days=span.days,
        universe=universe_of(log_titles=log_titles),
        week=span.week,
        source=source_of(source),
        force=force,
        snapshot=parse_run(snapshot) if snapshot else None,
    )
    if settings.broker_url is None:
        check_contact(settings, *settings.sources_of_hours(order.source))
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
