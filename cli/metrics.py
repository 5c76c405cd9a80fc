"""``wikiq metrics``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import ExitCode

if TYPE_CHECKING:
    from worker.metrics import Metrics

    Look = Callable[[], Metrics]

EVERYWHERE = "0.0.0.0"  # noqa: S104 - as exporters do; --bind narrows it

_log = logging.getLogger(__name__)


def metrics(
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serve http://ADDRESS:PORT/metrics until told to stop; 0: any.", show_default=False
        ),
    ] = None,
    bind: Annotated[str, typer.Option(metavar="ADDRESS", help="Where --port listens.")] = EVERYWHERE,
    textfile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Replace FILE, in one step; node_exporter reads those that are called NAME.prom.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show what an operator watches, as Prometheus reads it: once, or at each scrape.

    What is done and what is missing is read from the database, what is under way from Redis; no worker is needed. If
    one of them does not answer, the rest is shown, and wikiq_database_up or wikiq_broker_up is 0; shown once, that ends
    with exit code 1.

    \b
      wikiq metrics
      wikiq metrics --port 9464
      wikiq metrics --textfile /var/lib/prometheus/node-exporter/wikiq.prom
    """
    from models.errors import UsageError
    from worker.metrics import Observer
    from worker.settings import read_settings

    if port is not None and textfile is not None:
        raise UsageError("Metrics are served (--port) or written to a file (--textfile), not both.")
    settings = read_settings()
    look = Observer(settings).look
    if port is not None:
        from worker.logs import set_up_logging

        set_up_logging(settings.log_format, "info")
        _serve(look, bind, port)
    else:
        raise typer.Exit(_show_once(look(), textfile))


def _show_once(seen: Metrics, textfile: Path | None) -> ExitCode:
    from cli.exposition import text, write_textfile
    from models.errors import OutputUnwritable

    if textfile is None:
        typer.echo(text(lambda: seen), nl=False)
    else:
        try:
            write_textfile(lambda: seen, textfile)
        except OSError as error:
            raise OutputUnwritable(f"{textfile} cannot be written ({error.strerror}).") from error
    for reason in seen.away.values():
        typer.echo(f"wikiq: {reason}", err=True)
    return ExitCode.FAILED if seen.away else ExitCode.DONE


def _serve(look: Look, bind: str, port: int) -> None:
    from cli.exposition import wsgi_app
    from cli.metrics_server import route, serving, until_told_to_end

    with until_told_to_end() as wait, serving(route(wsgi_app(_telling(look))), bind, port) as url:
        _log.info("Serving %s/metrics", url)
        wait()


def _telling(look: Look) -> Look:
    """The same, but it logs when the database or the broker goes away, and when it is back."""
    said: Mapping[str, str] = {}

    def look_and_tell() -> Metrics:
        nonlocal said
        seen = look()
        before, said = said, seen.away
        for name in before.keys() - seen.away.keys():
            _log.info("The %s answers again.", name)
        for name, reason in seen.away.items():
            if before.get(name) != reason:
                _log.warning("%s", reason)
        return seen

    return look_and_tell
