"""What the benchmark refuses to begin without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The benchmark is no part of what is installed; behind it, so that the application's own modules are the installed.
sys.path.append(str(ROOT))

from bench import __main__ as main  # noqa: E402 found only now, as are these
from bench import needs, source  # noqa: E402

INSTALLED = ("cli", "models", "worker")


@pytest.fixture
def bare(monkeypatch):
    """Neither programs nor anything to compare with is there; gives the runs that are begun nevertheless."""
    begun = []
    monkeypatch.setattr(needs, "program", lambda _name: None)
    monkeypatch.setattr(needs, "release", lambda _name: None)
    monkeypatch.setattr(main, "run", lambda whole: begun.append(whole) or 0)
    return begun


def bench(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    return main.main()


def test_the_whole_is_not_begun_without_everything(bare, monkeypatch):
    """All that is missing is named at once, each with how to get it."""
    with pytest.raises(SystemExit) as ended:
        bench(monkeypatch)
    assert ended.value.code == (
        "Nothing was measured, as there is no chdb, deflate, duckdb, mwsql, pandas, pyarrow (pip install '.[bench]'); "
        "no redis-server (apt-get install redis-server, elsewhere often the package redis); "
        "no wikiq (pip install '.[bench]')."
    )
    assert bare == []


def test_what_there_is_will_do_for_a_small_run(bare, monkeypatch):
    """Sizes that take seconds are measured with what there is, and make no page."""
    assert bench(monkeypatch, "--small") == 0
    [whole] = bare
    assert list(whole.commands) == list(main.COMMANDS)
    assert (whole.small, whole.page) == (True, None)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("hour", "day", "rank", "index", "sqldump", "memory"), ()),
        (("hour", "results"), ("wikiq",)),
        (("leases",), ("redis-server",)),
        (("week",), ("redis-server", "wikiq")),
        (("workers",), ("redis-server", "wikiq")),
        (("overhead",), ("redis-server", "wikiq")),
    ],
)
def test_some_commands_need_their_programs_only(bare, monkeypatch, names, missing):
    """Of a part of the benchmark only that part's programs are asked for."""
    words = [word for name in names for word in ("--only", name)]
    if not missing:
        assert bench(monkeypatch, *words) == 0
        assert [list(whole.commands) for whole in bare] == [list(names)]
        return
    with pytest.raises(SystemExit) as ended:
        bench(monkeypatch, *words)
    assert [name for name in ("chdb", "redis-server", "wikiq") if f"no {name} (" in ended.value.code] == list(missing)
    assert bare == []


def test_the_page_is_made_of_all_commands_at_full_size(monkeypatch):
    """Only then there is one, also if all of them are named."""
    begun = []
    monkeypatch.setattr(main, "refuse_missing", lambda names, *, everything: begun.append((names, everything)))
    monkeypatch.setattr(main, "refuse_other_code", lambda _names: None)
    monkeypatch.setattr(main, "run", lambda whole: begun.append(whole.page) or 0)
    for words in ([], ["--only", "hour"], [word for name in main.COMMANDS for word in ("--only", name)]):
        bench(monkeypatch, *words)
    all_of_them = [*main.COMMANDS]
    assert begun == [(all_of_them, True), main.PAGE, (["hour"], False), None, (all_of_them, True), main.PAGE]


@pytest.mark.parametrize("command", ["week", "workers", "overhead", "leases"])
def test_a_command_without_its_redis_says_one_sentence(tmp_path, command):
    """Where there is no redis-server, it is said how to get one, and that is all."""
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "bench", command, "--small", "--json"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("Nothing was measured, as there is no redis-server (apt-get install redis-server")


def test_one_that_is_given_a_redis_needs_no_server(bare, monkeypatch):
    """A Redis of one's own makes the program unnecessary; wikiq itself is needed still."""
    for words in (["week", "--redis", "redis://localhost"], ["overhead", "--redis", "redis://localhost"]):
        with pytest.raises(SystemExit, match=r"no wikiq \(") as ended:
            bench(monkeypatch, *words)
        assert "redis-server" not in ended.value.code


@pytest.fixture
def copy(tmp_path):
    """A checkout with the code that is here."""
    for part in ("bench", *INSTALLED):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_checkout_of_the_installed_code_is_known(copy, monkeypatch):
    """Where a checkout lies does not matter, only what is in it; what other programs would import counts as well."""
    assert source.is_installed(copy)
    with (copy / "models" / "hour.py").open("a") as module:
        module.write("# changed\n")
    assert not source.is_installed(copy)
    monkeypatch.setenv("PYTHONPATH", str(copy))
    assert not source.is_installed(ROOT)


@pytest.mark.parametrize("words", [["results", "--small"], ["--small"], ["--only", "results"]])
def test_other_code_is_not_measured(copy, words):
    """If the installed program is of other code than the checkout, nothing is begun, and it is said what helps."""
    with (copy / "worker" / "plan.py").open("a") as module:
        module.write("# changed\n")
    command = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line == (
        "Nothing was measured, as the installed wikiq is of other code than this checkout: "
        "pip install '.[bench]' (or pip install -e '.[bench]')."
    )
