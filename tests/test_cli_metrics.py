"""``wikiq metrics``: printed once, written to a file, served."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest
import servers
import typer
from cli_process import environment, wait_until, wikiq
from exporter import exporting, samples, value
from typer.testing import CliRunner

from cli.metrics import metrics
from models.errors import OutputUnwritable, UsageError

NOBODY = "redis://:geheim@127.0.0.1:9/0"


@pytest.fixture
def surroundings(tmp_path):
    return environment(tmp_path)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "exporter.log"


@pytest.fixture
def here(surroundings):
    """Runs the command in this process."""
    app = typer.Typer()
    app.command()(metrics)
    return lambda *options, **more: CliRunner().invoke(app, options, env={**surroundings, **more})


@pytest.fixture(scope="module")
def exporter(tmp_path_factory):
    """An exporter that is running, without a broker, and has been asked once."""
    directory = tmp_path_factory.mktemp("exporter")
    with exporting(environment(directory), directory / "exporter.log") as running:
        running.scrape()
        yield running


def test_printed_once(here):
    """Without an option the metrics are printed, and nothing else; a database is made where there was none."""
    done = here()
    assert (done.exit_code, done.stderr) == (0, "")
    scrape = samples(done.stdout)
    assert value(scrape, "wikiq_database_up") == 1
    assert value(scrape, "wikiq_broker_up") is None


def test_what_is_away(surroundings):
    """What does not answer is named on stderr, without its password; the rest is printed, and the exit code is 1."""
    away = {"WIKIQ_BROKER_URL": NOBODY, "WIKIQ_DATABASE_URL": "postgresql://wikiq:geheim@127.0.0.1:9/wikiq"}
    done = wikiq(surroundings | away, "metrics")
    assert (done.code, done.stderr.count("\n"), done.stderr.count("wikiq: The ")) == (1, 2, 2)
    scrape = samples(done.stdout)
    assert (value(scrape, "wikiq_database_up"), value(scrape, "wikiq_broker_up")) == (0, 0)
    assert "geheim" not in done.stdout + done.stderr


def test_a_textfile_is_replaced_in_one_step(here, tmp_path):
    """Who reads the old file while the new one is written still reads the old one, whole; nothing else is left."""
    directory = tmp_path / "textfiles"
    directory.mkdir()
    target = directory / "wikiq.prom"
    target.write_text("old\n")
    with target.open() as old:
        done = here("--textfile", str(target))
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
        assert old.read() == "old\n"
    assert value(samples(target.read_text()), "wikiq_database_up") == 1
    assert list(directory.iterdir()) == [target]


def test_a_textfile_tells_of_what_is_away(here, tmp_path):
    """A broker that is away is in the file too, where the alert looks, and ends the command with 1."""
    target = tmp_path / "wikiq.prom"
    done = here("--textfile", str(target), WIKIQ_BROKER_URL=NOBODY)
    assert done.exit_code == 1
    scrape = samples(target.read_text())
    assert (value(scrape, "wikiq_database_up"), value(scrape, "wikiq_broker_up")) == (1, 0)


def test_a_textfile_that_cannot_be_written(here, tmp_path):
    """A directory that is not there, or a file that is one, is told in a sentence; nothing is left behind."""
    for target in (tmp_path / "nowhere" / "wikiq.prom", tmp_path / "home"):
        done = here("--textfile", str(target))
        assert isinstance(done.exception, OutputUnwritable)
        assert str(done.exception).startswith(f"{target} cannot be written")
    assert not [path for path in tmp_path.iterdir() if ".prom" in path.name or path.name.startswith("home.")]


def test_what_cannot_be_asked(here):
    """Both a port and a file, or a port that is none, are mistakes of usage."""
    assert isinstance(here("--port", "0", "--textfile", "x.prom").exception, UsageError)
    assert here("--port", "65536").exit_code == 2


def test_served(exporter):
    """The exporter answers scrapes in the format that is asked for, probes without a look, and nothing else."""
    before = exporter.said
    status, kind, body = exporter.ask()
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert value(samples(body), "wikiq_database_up") == 1
    status, kind, body = exporter.ask(Accept="application/openmetrics-text; version=1.0.0")
    assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
    assert body.endswith("# EOF\n")
    assert samples(exporter.ask("/metrics?name[]=wikiq_database_up")[2]) == {("wikiq_database_up", frozenset()): 1}
    assert exporter.ask("/-/healthy")[::2] == (200, "ok\n")
    for path in ("/", "/metrics/", "/metrics/../etc/passwd", "/%2e%2e/", "/-/healthy/x"):
        assert exporter.ask(path)[0] == 404
    # Requests are no news.
    assert exporter.said == before


def test_several_at_once(exporter):
    """Scrapes that come together are all answered, and each is whole."""
    first, bodies = exporter.scrape(), []
    threads = [threading.Thread(target=lambda: bodies.append(exporter.scrape())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert bodies == [first] * 20


def test_a_rude_visitor(exporter):
    """Who hangs up in the middle, or sends what is no request, does no harm and is not worth a stack trace."""
    port = int(exporter.url.rpartition(":")[2])
    for words in (b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\n\r\n", b"\x16\x03\x01\0\0\r\n", b"\r\n" * 3):
        with socket.create_connection(("127.0.0.1", port)) as visitor:
            # By this option closing resets the connection.
            visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            visitor.sendall(words)
    assert value(exporter.scrape(), "wikiq_database_up") == 1
    assert "Traceback" not in exporter.said


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end(surroundings, log, end):
    """Told to stop it ends at once with exit code 0, though a scrape waits for a database that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql://127.0.0.1:{mute.getsockname()[1]}/wikiq"
        with exporting(surroundings | {"WIKIQ_DATABASE_URL": url}, log) as exporter:
            port = int(exporter.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as visitor:
                visitor.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                connection, _ = mute.accept()
                began = time.monotonic()
                exporter.process.send_signal(end)
                assert exporter.process.wait(10) == 0
                connection.close()
            assert time.monotonic() - began < 5
            assert "Traceback" not in exporter.said


def test_a_port_that_is_taken(surroundings):
    """Where another program listens already that is said in a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = wikiq(surroundings, "metrics", "--port", str(port), "--bind", "127.0.0.1")
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"wikiq: Nothing can listen at 127.0.0.1, port {port}")


def test_a_database_and_a_broker_that_come_and_go(surroundings, log, tmp_path):
    """The exporter starts without them, sees them come, go and come again, and says so once each time."""
    port, database = servers.free_port(), tmp_path / "later" / "wikiq.sqlite"
    database.parent.touch()
    more = {"WIKIQ_BROKER_URL": f"redis://127.0.0.1:{port}/0", "WIKIQ_DATABASE_URL": f"sqlite:///{database}"}
    redis_directory = tmp_path / "redis"
    redis_directory.mkdir()

    def up():
        scrape = exporter.scrape()
        return value(scrape, "wikiq_database_up"), value(scrape, "wikiq_broker_up")

    with exporting(surroundings | more, log) as exporter:
        assert [up() for _ in range(3)] == [(0, 0)] * 3
        assert exporter.said.count("WARNING") == 2
        database.parent.unlink()
        assert up() == (1, 0)
        with servers.redis_server(redis_directory, port):
            wait_until(lambda: up() == (1, 1), seconds=10)
        assert up() == (1, 0)
        with servers.redis_server(redis_directory, port):
            wait_until(lambda: up() == (1, 1), seconds=10)
        assert "Traceback" not in exporter.said
        assert exporter.said.count("does not answer") == 2
        assert exporter.said.count("answers again") == 3


def test_a_postgresql_that_cuts_its_connections(surroundings, log, postgresql):
    """A connection that the server closed is not what the next scrape finds: it finds the database."""
    end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'wikiq_exporter'"
    with (
        servers.fresh_database(postgresql, "wikiq_exporter") as url,
        exporting(surroundings | {"WIKIQ_DATABASE_URL": url}, log) as exporter,
    ):
        assert value(exporter.scrape(), "wikiq_database_up") == 1
        with servers.psycopg.connect(postgresql, autocommit=True) as connection:
            assert connection.execute(end).fetchone() == (1,)
        assert value(exporter.scrape(), "wikiq_database_up") == 1
