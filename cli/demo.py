"""``wikiq demo``."""

from __future__ import annotations

import datetime as dt
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import ExitCode
from cli.importing import importing
from cli.options import Quiet, Span
from cli.render import Format
from cli.report import load_report
from cli.results import DEFAULT_TOP, write_report
from models.hour import week_from
from models.project import DEFAULT_PROJECT, parse_project

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.order import Order
    from worker.settings import Settings

FIRST_DAY = dt.date(2024, 1, 1)


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the site and the database in this directory.", show_default=False),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Count an invented week, served on this machine, and show its answers.

    It takes the same path as the real thing (download, count, store, rank) but needs no network and touches nothing of
    yours: it works in a temporary directory.

    \b
      wikiq demo
      wikiq demo --keep ./demo
    """
    directory = keep or _temporary_directory()
    try:
        code = _run(directory.absolute(), quiet=quiet)
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    if keep is not None:
        typer.echo(
            f"Kept. Try: WIKIQ_DATA_DIR={shlex.quote(str(directory / 'data'))} wikiq results {FIRST_DAY} --top 20",
            err=True,
        )
    raise typer.Exit(code)


def _temporary_directory() -> Path:
    from models.errors import DataDirectoryUnwritable

    try:
        return Path(tempfile.mkdtemp(prefix="wikiq-demo-"))
    except FileNotFoundError:
        raise DataDirectoryUnwritable("No temporary directory can be written; try: wikiq demo --keep DIR") from None


def _run(directory: Path, *, quiet: bool) -> ExitCode:
    with importing():
        from cli.demosite.content import demo_site
        from cli.demosite.files import write_site
        from cli.demosite.server import serve
        from cli.run import carry_out
        from worker.app import make_app
        from worker.enqueue import missing_work, request

    site_directory = directory / "site"
    site_directory.mkdir(parents=True, exist_ok=True)
    write_site(demo_site(FIRST_DAY), site_directory)
    with serve(site_directory) as site:
        app = make_app(_settings(directory / "data", site.url))
        context, order = app.context(), _order()
        request(context, order)
        work = missing_work(context, order)
        if not quiet:
            typer.echo(f"An invented week at {site.url}: {work.hours} hour files to count.", err=True)
        code = carry_out(app, work, order, wait=True, quiet=quiet)
    _show(context.engine, order)
    return code


def _settings(data_dir: Path, source: str) -> Settings:
    from worker.settings import Settings

    return Settings(
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir / 'wikiq.sqlite'}",
        broker_url=None,
        sources=(source,),
        contact="https://localhost/wikiq-demo",
    )


def _order() -> Order:
    from models.answer import Universe
    from worker.order import Order

    return Order((parse_project(DEFAULT_PROJECT),), week_from(FIRST_DAY), Universe.ARTICLES, week=True)


def _show(engine: Engine, order: Order) -> None:
    """The first day, then the week as a whole."""
    project = order.projects[0]
    for span in (Span(order.days[:1], week=False), Span(order.days, week=True)):
        write_report(load_report(engine, project, span, order.universe), Format.TABLE, DEFAULT_TOP, None)
        typer.echo()
