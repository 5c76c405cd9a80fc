"""What many tests need: a generated site on loopback, a place to work in, and real servers where there are some."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import servers
from demo_truth import site_of

from cli.demosite.content import DemoSite
from cli.demosite.files import write_site
from cli.demosite.server import serve
from cli.demosite.site import Site
from worker.context import Context, open_context
from worker.patience import Retries
from worker.settings import Settings

FIRST_DAY = dt.date(2023, 12, 28)
"""A week across the turn of the year: its folders and file stamps change in the middle."""

HASTY = Retries(attempts=3, wait_initial=0.01, wait_max=0.05, wait_jitter=0.01, retry_after_max=0.2, read_timeout=5.0)
"""As wikiq retries, but without making a test wait."""

LONGEST = ("test_acceptance", "test_fault", "test_kill", "test_redis", "test_tls", "test_together", "test_worker")
"""Beginnings of the names of files whose tests each take some seconds or wait for some."""

_names = (f"wikiq_{number}" for number in itertools.count())


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are CPUs: tests of faults wait as long as they work."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first, or some processes would wait for another's last one; in their order otherwise."""
    items.sort(key=lambda item: not item.path.name.startswith(LONGEST))


@pytest.fixture(scope="session")
def demo() -> DemoSite:
    """What the generated site holds, as plain values."""
    return site_of(FIRST_DAY)


@pytest.fixture(scope="session")
def demo_directory(demo: DemoSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated site's files; tests must not change them."""
    directory = tmp_path_factory.mktemp("site")
    write_site(demo, directory)
    return directory


@pytest.fixture
def site(demo_directory: Path) -> Iterator[Site]:
    """The generated site, served on loopback; it misbehaves when told to."""
    with serve(demo_directory) as served:
        yield served


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A running PostgreSQL: the URL of its maintenance database."""
    # Not below pytest's directory, which every session closes to other users, among them the server's.
    with (
        tempfile.TemporaryDirectory(prefix="wikiq-postgresql-", ignore_cleanup_errors=True) as directory,
        servers.postgresql_server(Path(directory)) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Redis."""
    with servers.redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'wikiq.sqlite'}"
    else:
        with servers.fresh_database(request.getfixturevalue("postgresql"), next(_names)) as url:
            yield url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def settings(site: Site, tmp_path: Path) -> Settings:
    """As a user without a broker would be set up, pointed at the generated site."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path / 'data' / 'wikiq.sqlite'}",
        broker_url=None,
        sources=(site.url,),
        contact="tests@localhost",
    )


@pytest.fixture
def open_hasty_context() -> Iterator[Callable[[Settings], Context]]:
    """Opens contexts with short waits, and closes their databases afterwards."""
    opened: list[Context] = []

    def open_one(settings: Settings) -> Context:
        opened.append(open_context(settings, retries=HASTY))
        return opened[-1]

    yield open_one
    for context in opened:
        context.engine.dispose()


@pytest.fixture
def context(settings: Settings, open_hasty_context: Callable[[Settings], Context]) -> Context:
    """A context of these settings, with short waits."""
    return open_hasty_context(settings)
