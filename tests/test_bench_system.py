"""The benchmarks of the running system, at sizes that take seconds: what they compare, never how long it took."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import servers
from fleet import empty_broker  # noqa: F401 a fixture

from models.hour import hours_of, parse_day

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmark is no part of the installed application
DAY = 24


def bench(name, broker_url):
    """What ``python -m bench NAME --small`` found, and the module of that command."""
    servers.program("redis-server")
    command = [sys.executable, "-m", "bench", name, "--small", "--json", "--redis", broker_url]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout), import_module(f"bench.commands.{name}")


def assert_whole(result, runs):
    """Each run fetched and counted each of the day's hours once, within three connections, to the same answer."""
    assert result["holds"]
    assert result["answers_equal"]
    for run in runs:
        assert (run["counted"], run["fetched"], run["refused"], run["answers"]) == (DAY, DAY, 0, 1)
        assert 1 <= run["most_at_once"] <= 3
        assert run["seconds"] > run["start"] > 0
        assert run["seconds"] > run["tail"] > 0
        assert 50 < run["peak_mb"] < 2_000


def assert_tells(result, module, rows):
    """The report and the page's rows can be made of the result."""
    assert "every hour exactly once, answers equal: yes" in module.report(result)
    assert len(module.rows(result)) == rows
    assert all(row.measured and row.result and row.target for row in module.rows(result))
    assert module.details(result).count("\n|") >= rows


def test_week(broker_url):
    """Both ways are compared with the time that three connections of the server's rate take for the same bytes."""
    result, module = bench("week", broker_url)
    assert result["ways"].keys() == {"embedded", "redis"}
    assert_whole(result, result["ways"].values())
    held_back = result["bytes"] - DAY * 65_536
    assert result["floor"] == pytest.approx(held_back / (3 * 5 * 2**20))
    for run in result["ways"].values():
        assert run["ratio"] == pytest.approx(run["seconds"] / result["floor"])
        assert run["ratio"] > 1
    assert_tells(result, module, rows=2)


def test_overhead(broker_url):
    """Overhead is the whole command's time, divided by the tasks."""
    result, module = bench("overhead", broker_url)
    assert result["ways"].keys() == {"embedded", "redis"}
    assert_whole(result, result["ways"].values())
    assert result["tasks"] == DAY
    for run in result["ways"].values():
        assert run["ms_per_task"] == pytest.approx(run["seconds"] / DAY * 1000)
    assert_tells(result, module, rows=2)


def test_workers(broker_url):
    """Each number of workers counts the same day; how much quicker more are is told by the time that they count."""
    result, module = bench("workers", broker_url)
    assert result["workers"].keys() == {"1", "2"}
    assert_whole(result, result["workers"].values())
    one, two = result["workers"].values()
    assert one["speed_up"] == 1
    assert two["speed_up"] == pytest.approx(one["counting"] / two["counting"])
    assert_tells(result, module, rows=2)


def test_the_limits_are_the_servers(tmp_path):
    """The server sends no file faster than it is told to, refuses a further connection, and tells of both."""
    import concurrent.futures
    import time
    import urllib.error
    import urllib.request

    from bench.site import serving

    [*hours] = hours_of(parse_day("2024-01-01"))[:3]
    for hour in hours:
        (tmp_path / hour.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / hour.path).write_bytes(bytes(65_536 + 40_000))

    def fetch(url):
        request = urllib.request.Request(url, headers={"User-Agent": "tests/1 (tests@localhost)"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, len(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, 0

    with serving(tmp_path, rate=100_000, connections=2) as served, concurrent.futures.ThreadPoolExecutor() as threads:
        began = time.monotonic()
        answers = list(threads.map(fetch, [f"{served.url}/{hour.path}" for hour in hours]))
        took = time.monotonic() - began
    assert sorted(answers) == [(200, 105_536), (200, 105_536), (503, 0)]
    assert took >= 0.4
    seen = served.seen
    assert (seen["most_at_once"], seen["refused"], sorted(seen["hours"].values())) == (2, 1, [1, 1])
    assert seen["last"] - seen["first"] >= 0.4


@pytest.mark.parametrize(("arguments", "different"), [((), 1), (("--lines", "3000", "--different", "2"), 2)])
def test_what_is_written(tmp_path, arguments, different):
    """Every hour of every day has a file, and the views that are told are those of a day's lines of en and en.m."""
    from bench.system import write_site

    written = write_site(tmp_path, "2024-01-01", "--days", "2", *arguments)
    hours = [hour for day in ("2024-01-01", "2024-01-02") for hour in hours_of(parse_day(day))]
    assert written["files"] == {hour.file_name: (tmp_path / hour.path).stat().st_size for hour in hours}
    texts = [gzip.decompress((tmp_path / hour.path).read_bytes()) for hour in hours]
    assert len(set(texts)) == different
    lines = [line.split(b" ") for text in texts[:DAY] for line in text.splitlines()]
    assert written["views"] == sum(int(views) for code, _, views, _ in lines if code in (b"en", b"en.m"))
