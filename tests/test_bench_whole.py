"""All commands of the benchmark and the page: written of right results only; and what was measured is never lost."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
# The benchmark is no part of what is installed; behind it, so that the application's own modules are the installed.
sys.path.append(str(ROOT))

from bench import measured, whole  # noqa: E402 found only now, as are these
from bench.page import BEGIN, END, Row, replaced  # noqa: E402
from bench.whole import Whole  # noqa: E402

OPTIONS = {"rounds": 5, "small": False}
ABOUT = {
    "commit": "0123456789ab",
    "source": "a" * 64,
    "began": "2026-11-28T10:00:00+00:00",
    "wikiq": "0.1.0",
    "cpu": "A CPU",
    "cpus": 2,
    "packages": {"polars": "2.0"},
    "options": OPTIONS,
}
PAGE = f"# Performance\n\n{BEGIN}\n\nold figures ✓\n\n{END}\n\nthe end\n"


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "docs" / "performance.md"
    page.parent.mkdir()
    page.write_text(PAGE)
    return page


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary directories are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """What a result says that is begun now; tests may change it."""
    about = dict(ABOUT)
    monkeypatch.setattr(measured, "about", lambda options: {**about, "options": dict(options)})
    return about


def command(name):
    """A command's module, whose result is a number."""
    return SimpleNamespace(
        HELP=f"about {name}",
        rows=lambda result: [Row(name, str(result["value"]), "≥ 0", reached=True)],
        details=lambda result: f"{name} in detail: {result['value']}",
    )


def carry_out(answers, begun=None, **how):
    """Run one command for each answer: a result, or None where it ends without; ``begun`` gets what is started."""

    def start(words):
        if begun is not None:
            begun.append(words)
        result = answers[words[0]]
        if isinstance(result, BaseException):
            raise result
        text = "" if result is None else json.dumps({"measured": ABOUT, **result})
        return subprocess.CompletedProcess([], 1 if result is None else 0, text)

    commands = {name: command(name) for name in answers}
    return whole.run(Whole(commands, lambda _: OPTIONS, start=start, **how))


def test_right_results_make_the_page(page, temporary, capfd):
    """If all commands gave a result and all agree, the page has them between its markers, and nothing is left."""
    answers = {"day": {"value": 1, "answers_equal": True}, "week": {"value": 2, "holds": True, "answers_equal": True}}
    assert carry_out(answers, page=page) == 0
    text = page.read_text()
    assert text.startswith(f"# Performance\n\n{BEGIN}\n\n| measured |")
    assert text.endswith(f"week in detail: 2\n\n{END}\n\nthe end\n")
    assert "old figures" not in text
    assert "| day | 1 | ≥ 0 | ✓ |\n| week | 2 | ≥ 0 | ✓ |\n\nMeasured on 2026-11-28 " in text
    assert not any(temporary.iterdir())
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (None, "week: it failed; docs/performance.md was not written."),
        ({"value": 3, "answers_equal": False}, "week: the answers differ; docs/performance.md was not written."),
        ({"value": 3, "holds": False, "answers_equal": True}, "week: something does not hold that must"),
        ({"value": 3, "answers_equal": None}, "week: there was nothing to compare its answer with; docs/perf"),
    ],
)
def test_a_wrong_result_makes_no_page(page, temporary, capfd, wrong, told):
    """The command is named, the page stays as it was, and the other results are told and lie where it is said."""
    assert carry_out({"week": wrong, "leases": {"value": 7, "holds": True}}, page=page) == 1
    assert page.read_text() == PAGE
    out, err = capfd.readouterr()
    assert any(line.startswith(told) for line in err.splitlines())
    assert "leases:" not in err
    assert "| leases | 7 |" in out
    [place] = temporary.iterdir()
    assert err.endswith(f"What was measured lies in {place}; to go on from there: python -m bench --keep {place}\n")
    assert json.loads((place / "leases.json").read_text())["value"] == 7


def test_a_run_that_is_broken_off_says_what_it_has(page, temporary, capfd):
    """Whatever ends a run, the results until then lie where it is said."""
    with pytest.raises(KeyboardInterrupt):
        carry_out({"day": {"value": 1}, "week": KeyboardInterrupt()}, page=page)
    [place] = temporary.iterdir()
    assert f"lies in {place};" in capfd.readouterr().err
    assert json.loads((place / "day.json").read_text())["value"] == 1
    assert page.read_text() == PAGE


def test_a_page_without_its_markers_is_found_out_at_once(page):
    """Nothing is measured for a page that could not take it."""
    page.write_text(PAGE.replace(END, ""))
    begun = []
    with pytest.raises(ValueError, match="lacks"):
        carry_out({"day": {"value": 1}}, begun, page=page)
    assert begun == []


@pytest.mark.parametrize(("equal", "code"), [(True, 0), (None, 0), (False, 1)])
def test_without_a_page_the_text_is_printed(temporary, capfd, equal, code):
    """Small runs need not have anything to compare with; a difference is still one."""
    assert carry_out({"rank": {"value": 1, "answers_equal": equal}}, small=True, again=("--small",)) == code
    out, err = capfd.readouterr()
    assert "| rank | 1 |" in out
    assert ("python -m bench --small --keep " in err) is (code == 1)
    assert "was not written" not in err
    assert len(list(temporary.iterdir())) == code


def test_only_what_is_wrong_or_missing_is_measured_again(tmp_path, page, capfd):
    """With a directory to keep results in, going on measures what is not there, and what was wrong."""
    keep, begun = tmp_path / "kept place", []
    fine = {"day": {"value": 1}, "week": {"value": 2}, "hour": {"value": 3}}
    assert carry_out({**fine, "week": {"value": 9, "holds": False}, "hour": None}, begun, keep=keep, page=page) == 1
    kept = ["--json", "--keep", str(keep)]
    assert begun == [["day", *kept], ["week", *kept], ["hour", "--json"]]
    assert capfd.readouterr().err.endswith(f"python -m bench --keep '{keep}'\n")
    del begun[:]
    assert carry_out(fine, begun, keep=keep, page=page) == 0
    assert begun == [["week", *kept], ["hour", "--json"]]
    assert "| day | 1 | ≥ 0 | ✓ |\n| week | 2 | ≥ 0 | ✓ |\n| hour | 3 |" in page.read_text()
    assert keep.is_dir()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"source": "b" * 64}, "week.json is of commit 0123456789ab, source aaaaaaaaaaaa: measured anew"),
        ({"packages": {"polars": "2.1"}}, "week.json is with another release of polars: measured anew"),
        ({"commit": "ba9876543210"}, None),
    ],
)
def test_results_of_other_code_are_not_mixed_in(tmp_path, capfd, now, changed, told):
    """A kept result counts if source and packages are still the same, whatever commit that is by now."""
    assert carry_out({"week": {"value": 1}}, keep=tmp_path) == 0
    capfd.readouterr()
    now |= changed
    begun = []
    assert carry_out({"week": {"value": 2}}, begun, keep=tmp_path) == 0
    out, err = capfd.readouterr()
    assert bool(begun) is (told is not None)
    assert ("| week | 2 |" if told else "| week | 1 |") in out
    assert (told is None) or told in err.splitlines()


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ({**ABOUT, "options": {"rounds": 2, "small": False}}, "week.json is of other options, rounds 2: measured anew"),
        ({}, "week.json is of commit unknown, source unknown: measured anew"),
    ],
)
def test_results_of_other_options_are_not_mixed_in(tmp_path, capfd, kept, told):
    """A kept result that was asked for otherwise, or does not say how, is measured anew."""
    (tmp_path / "week.json").write_text(json.dumps({"value": 1, "measured": kept}))
    assert carry_out({"week": {"value": 2}}, keep=tmp_path) == 0
    out, err = capfd.readouterr()
    assert told in err.splitlines()
    assert "| week | 2 |" in out
    assert json.loads((tmp_path / "week.json").read_text())["value"] == 2


def test_small_results_are_not_taken_for_full_ones(tmp_path):
    """Both can lie in one directory."""
    begun = []
    for small in (True, False, True):
        assert carry_out({"hour": {"value": 1}}, begun, keep=tmp_path, small=small) == 0
    assert begun == [["hour", "--json", "--small"], ["hour", "--json"]]


def test_only_what_is_between_the_markers_is_replaced():
    """All else of a page stays, byte by byte."""
    assert replaced(f"before {BEGIN}old{END} after\n", "new") == f"before {BEGIN}\n\nnew\n\n{END} after\n"
    once = replaced(PAGE, "new")
    assert replaced(once, "newer") == replaced(PAGE, "newer")


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_page_needs_both_markers_in_their_order(page):
    """A page that would lose its text, or not get the figures, is refused."""
    with pytest.raises(ValueError, match="lacks"):
        replaced(page, "new")


def test_the_page_of_the_figures_can_take_them():
    """docs/performance.md has the markers."""
    text = replaced((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"), "new")
    assert f"{BEGIN}\n\nnew\n\n{END}" in text
