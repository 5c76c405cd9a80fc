"""What the commands' options mean together, how wrong ones are refused, and how the commands explain themselves."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import sys

import pytest
from cli_process import environment, wikiq

from cli.exits import ExitCode, exit_code_of
from cli.main import main
from cli.options import in_words, projects_of, span_of
from models import errors
from models.errors import BadDate, UnknownProject, UsageError, WikiqError
from models.hour import PUBLICATION_DELAY

NOW = dt.datetime(2024, 1, 9, 1, 59, tzinfo=dt.UTC)
"""A minute before the last hour file of 8 January can be expected."""
COMMANDS = ("demo", "plan", "enqueue", "results", "status", "resume", "worker")


def span(first=None, last=None, *, week=False, start=None, yesterday=False, now=NOW):
    return span_of(first, last, week=week, start=start, yesterday=yesterday, now=now)


def days(*found):
    return [day.isoformat() for day in found]


def test_one_day():
    """One day is that day."""
    assert days(*span("2024-01-03").days) == ["2024-01-03"]
    assert not span("2024-01-03").week


def test_two_days_mean_all_between():
    """Two days are the first and the last of several, over the end of a leap February too."""
    assert days(*span("2024-02-28", "2024-03-01").days) == ["2024-02-28", "2024-02-29", "2024-03-01"]


def test_yesterday_is_the_last_complete_day():
    """Yesterday's last hour file appears two hours into today; before that, the day before is meant."""
    assert days(*span(yesterday=True).days) == ["2024-01-07"]
    assert days(*span(yesterday=True, now=NOW + dt.timedelta(minutes=1)).days) == ["2024-01-08"]


def test_a_week_is_seven_days():
    """A week is the last seven complete days, or seven from the named day on, over New Year too."""
    assert days(*span(week=True).days) == [f"2024-01-0{day}" for day in range(1, 8)]
    named = span(week=True, start="2023-12-29")
    assert (named.week, len(named.days)) == (True, 7)
    assert days(named.days[0], named.days[-1]) == ["2023-12-29", "2024-01-04"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"first": "2024-01-03", "week": True},
        {"first": "2024-01-03", "yesterday": True},
        {"week": True, "yesterday": True},
        {"start": "2024-01-03"},
        {"first": "2024-01-03", "start": "2024-01-03"},
        {"yesterday": True, "start": "2024-01-03"},
        {"last": "2024-01-03"},
    ],
    ids=str,
)
def test_days_are_said_in_one_way(asked):
    """No day, or days in two ways, is a mistake."""
    with pytest.raises(UsageError):
        span(**asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "2024-02-30"},
        {"first": "3.1.2024"},
        {"first": ""},
        {"first": "2024-01-03", "last": "2024-01-02"},
        {"first": "2024-01-03", "last": ""},
        {"week": True, "start": "yesterday"},
        {"week": True, "start": ""},
        {"week": True, "start": "9999-12-31"},
    ],
    ids=str,
)
def test_days_that_are_none(asked):
    """What is no day, or ends before it begins, is refused; an empty text is not taken for something else."""
    with pytest.raises(BadDate):
        span(**asked)


def test_spans_in_words():
    """A span is told with its days and that they are UTC."""
    assert in_words(span("2024-01-03")) == "2024-01-03 (UTC)"
    assert in_words(span("2024-01-03", "2024-01-05")) == "2024-01-03 to 2024-01-05 (UTC)"
    assert in_words(span(week=True, start="2024-01-01")) == "the week 2024-01-01 to 2024-01-07 (UTC)"


def test_projects():
    """A project that is named twice counts once; without any it is the English Wikipedia; a misspelt one is refused."""
    assert [str(project) for project in projects_of(["de.wikipedia", "EN.wikipedia.org", "de.wikipedia"])] == [
        "de.wikipedia",
        "en.wikipedia",
    ]
    assert [str(project) for project in projects_of(None)] == ["en.wikipedia"]
    with pytest.raises(UnknownProject, match=r"did you mean de\.wikipedia\?"):
        projects_of(["de.wikipeda"])


@pytest.fixture
def told(monkeypatch, tmp_path, capsys):
    """Runs the program's entry point here: exit code, stdout, stderr."""

    def run(*arguments, **more):
        for name in ("WIKIQ_SOURCE", "WIKIQ_BROKER_URL", "WIKIQ_DATABASE_URL"):
            monkeypatch.delenv(name, raising=False)
        place = {"WIKIQ_DATA_DIR": str(tmp_path / "data"), "WIKIQ_CONTACT": "tests@localhost"}
        for name, value in (place | more).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["wikiq", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


WRONG = [
    "enqueue 2024-13-01",
    "enqueue 2999-01-01",
    "enqueue 2015-04-30",
    "enqueue 2015-04-30 2015-05-02",
    "enqueue --week --start 2015-04-25",
    "enqueue",
    "enqueue 2024-01-03 --yesterday",
    "enqueue 2024-01-03 --start 2024-01-03",
    "enqueue 2024-01-05 2024-01-03",
    "enqueue 2024-01-01 2024-01-02 2024-01-03",
    "enqueue 2024-01-03 --source ftp://example.org",
    "enqueue 2024-01-03 --source http://dumps.wikimedia.org",
    "enqueue 2024-01-03 --no-such-option",
    "enqueue --week --start 9999-12-31",
    "results",
    "results 2024-01-03 --top 0",
    "results 2024-01-03 --top 1001",
    "results 2024-01-03 --format xml",
    "results 2024-01-05 2024-01-03",
    "results --week --yesterday",
    "results 2024-01-03 -p en.wikipaedia",
    "status 2024-01-03",
    "worker",
    "worker -c 0",
    "no-such-command",
]


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage(told, tmp_path, line):
    """Wrong usage ends with exit code 2, a sentence on stderr, nothing on stdout, and leaves nothing behind."""
    code, stdout, stderr = told(*line.split())
    assert (code, stdout) == (ExitCode.USAGE, "")
    assert stderr.strip()
    assert "Traceback" not in stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WIKIQ_SOURCE", "dumps.wikimedia.org"),
        ("WIKIQ_DATABASE_URL", "mysql://localhost/wikiq"),
        ("WIKIQ_DATABASE_URL", "postgresql://user:geheim@localhost:port/wikiq"),
        ("WIKIQ_BROKER_URL", "amqp://user:geheim@localhost"),
    ],
)
def test_settings_that_cannot_be(told, tmp_path, name, value):
    """A setting that cannot be used ends with exit code 2 and a sentence that names it, but no password."""
    code, stdout, stderr = told("results", "2024-01-03", **{name: value})
    assert (code, stdout) == (ExitCode.USAGE, "")
    assert stderr.count("\n") == 1
    assert name in stderr or "source" in stderr
    assert "geheim" not in stderr


def test_a_misspelt_project(tmp_path):
    """The program suggests the project that was probably meant."""
    done = wikiq(environment(tmp_path), "enqueue", "2024-01-03", "-p", "de.wikipeda")
    assert (done.code, done.stdout) == (2, "")
    assert "did you mean de.wikipedia?" in done.stderr


def test_days_are_utc_wherever_one_is(tmp_path):
    """In a place 14 hours ahead of UTC, yesterday is still the last complete day of UTC."""
    before = dt.datetime.now(dt.UTC)
    done = wikiq(environment(tmp_path, TZ="Pacific/Kiritimati"), "results", "--yesterday")
    expected = {(now - PUBLICATION_DELAY).date() - dt.timedelta(days=1) for now in (before, dt.datetime.now(dt.UTC))}
    assert done.code == 1
    assert any(str(day) in done.stderr for day in expected)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_explains_itself(told, command, option):
    """Every command's help shows at least one example of its use, within 80 columns where it may be wrapped."""
    code, stdout, stderr = told(command, option)
    assert (code, stderr) == (0, "")
    usage, *rest = stdout.splitlines()
    assert usage.startswith("Usage: ")
    examples = [line for line in rest if f"wikiq {command}" in line]
    assert examples
    assert "Traceback" not in stdout


def test_the_program_explains_itself(tmp_path):
    """``-h``, and no argument at all, show what there is: the commands, first examples, the exit codes."""
    shown = wikiq(environment(tmp_path), "-h")
    assert (shown.code, shown.stderr) == (0, "")
    assert [command for command in COMMANDS if f"\n  {command} " not in shown.stdout] == []
    assert "Exit codes: 0 complete" in shown.stdout
    assert wikiq(environment(tmp_path)).stdout.rstrip() == shown.stdout.rstrip()


def test_the_version(tmp_path):
    """``--version`` prints the name and the version that is installed."""
    done = wikiq(environment(tmp_path), "--version")
    assert (done.code, done.stdout, done.stderr) == (0, f"wikiq {importlib.metadata.version('wikiq')}\n", "")


def test_each_error_has_its_exit_code():
    """Usage errors end with 2, a source that refuses or is unreachable with 4, every other error with 1."""
    every = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WikiqError)]
    codes = {kind.__name__: int(exit_code_of(kind())) for kind in every}
    expected = dict.fromkeys(codes, 1)
    expected |= dict.fromkeys(("UsageError", "UnknownProject", "BadDate", "DayOutOfRange", "UnknownCategory"), 2)
    expected |= dict.fromkeys(("SourceRefused", "SourceUnreachable"), 4)
    assert codes == expected
