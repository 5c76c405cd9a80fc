"""The written answers of docs/assignment: their links, lengths and figures, and the pure parts of their evidence."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = ROOT / "docs" / "assignment"
EVIDENCE = ASSIGNMENT / "evidence"
PAGES = sorted(ASSIGNMENT.rglob("*.md"))
ANSWERS = {"new-systems.md": 1_235, "ramping-up.md": 940}
"""Words that came to two pages of A4 with the diagram and what is measured: 10 points, margins of 1.5 cm."""
CRITERIA = ("Functionality", "Modeling", "Documentation", "Language use", "Testing")
SCORE = {"district_id": 3, "class_id": 7, "score_id": 1, "student_id": 9, "points": 50, "seq": 0}


@pytest.fixture(autouse=True)
def _evidence_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts' modules have plain names: they are findable for the length of a test and forgotten after it."""
    monkeypatch.syspath_prepend(str(EVIDENCE))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if getattr(sys.modules[name], "__file__", None) and EVIDENCE in Path(sys.modules[name].__file__).parents:
            del sys.modules[name]


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def words(text: str) -> int:
    """Words of prose and tables: no diagram, no addresses of links, no signs of Markdown."""
    text = re.sub(r"```.*?```|<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return len(re.findall(r"[^\s|]*\w[^\s|]*", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link of the pages that is no web address names a file or folder of this repository."""
    targets = [target for target in re.findall(r"\]\(([^)#]+)", read(page)) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_criterion_has_its_places() -> None:
    """The five criteria each have a row with at least two links into the repository."""
    rows = [line for line in read(ASSIGNMENT / "README.md").splitlines() if line.startswith("| **")]
    assert tuple(re.match(r"\| \*\*(.+?)\*\*", row).group(1) for row in rows) == CRITERIA
    assert all(row.count("](../") >= 2 for row in rows)


@pytest.mark.parametrize(("name", "most"), ANSWERS.items())
def test_two_pages(name: str, most: int) -> None:
    """Each answer has no more words than were seen to fit on two printed pages."""
    text = re.sub(r"<!-- measured -->.*?<!-- /measured -->", "", read(ASSIGNMENT / name), flags=re.DOTALL)
    assert words(text) <= most


def test_the_diagram_is_a_flowchart() -> None:
    """One diagram, in which each subgraph is closed, each bracket too, and each arrow joins two declared nodes."""
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", read(ASSIGNMENT / "new-systems.md"), flags=re.DOTALL)
    lines = [line.strip() for line in diagram.strip().splitlines()]
    assert lines[0] == "flowchart LR"
    assert sum(line.startswith("subgraph ") for line in lines) == lines.count("end") > 0
    nodes = "\n".join(line for line in lines[1:] if line != "end" and not line.startswith("subgraph "))
    declared = set(re.findall(r"(\w+)\[\(?\"[^\"]+\"\)?\]", nodes))
    plain = re.sub(r"\"[^\"]*\"", "", nodes)
    assert set(re.findall(r"\w+", plain)) == declared
    assert plain.count("[") == plain.count("]")
    assert plain.count("(") == plain.count(")")


def test_the_latency_budget_adds_up() -> None:
    """The steps from commit to visible, reserve included, are the five seconds that were asked for."""
    section = read(ASSIGNMENT / "new-systems.md").split("## Five seconds")[1].split("##")[0]
    assert sum(float(step) for step in re.findall(r"\| ([0-9.]+) s \|", section)) == pytest.approx(5)


def test_rows_are_those_of_the_arithmetic() -> None:
    """The page's millions of rows are what the evidence makes, and their sum is what the page says."""
    from population import Population

    facts = {name: rows for name, rows in Population().rows().items() if name not in {"students", "classes"}}
    section = read(ASSIGNMENT / "new-systems.md").split("## Rows")[1].split("##")[0]
    assert sorted(float(rows) for rows in re.findall(r"([0-9.]+) M \|", section)) == sorted(
        rows / 1e6 for rows in facts.values()
    )
    assert f"{sum(facts.values()) / 1e6} million" in section
    assert f"{(sum(facts.values()) + 6 * facts['attendance']) / 1e9:.2f} billion" in section


def test_each_report_has_a_title() -> None:
    """What is timed and what the table names are the same, in the same order."""
    from pages import QUOTED, TITLES
    from reports import all_reports

    assert [report.name for report in all_reports()] == list(TITLES)
    assert set(QUOTED) <= set(TITLES)


@LAW
@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 1.0]))
def test_percentile(values: list[float], share: float) -> None:
    """It is one of the values; at least that share of them is no greater; of the smaller ones that is not so."""
    from figures import percentile

    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_a_percentile_of_nothing() -> None:
    """There is none."""
    from figures import percentile

    with pytest.raises(ValueError, match="No values"):
        percentile([], 0.5)


def test_reports_find_what_the_arithmetic_says() -> None:
    """A class of 25 has 40 scores each, a teacher 15 such classes, the largest district 27,500 students."""
    from population import Population
    from reports import all_reports

    facts = {report.name: report.facts(Population(), Random(1)) for report in all_reports()}
    assert facts["class"] == 25 * 40
    assert facts["teacher"] == 15 * 25 * 40
    assert facts["student"] == 3 * (180 + 7 * 40 + 7 * 4 + 9 + 30)
    assert facts["largest scores"] == 27_500 * 3 * 7 * 40
    assert facts["largest term grades"] == 27_500 * 3 * 7 * 4
    assert facts["all attendance"] == facts["all attendance, added up"] == 162_000_000


def test_a_small_trial_is_not_quoted(tmp_path: Path) -> None:
    """``--write`` together with ``--small`` is refused by both scripts before anything is measured."""
    for script in ("dashboards.py", "changes.py"):
        done = subprocess.run(
            [sys.executable, EVIDENCE / script, "--small", "--write"],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == 2
        assert "full size" in done.stderr


def test_pages_are_written_once_both_results_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first result is kept and no page is touched; the second one writes both pages."""
    import pages

    monkeypatch.setattr(pages, "HERE", tmp_path)
    written = tmp_path / "page.md"
    monkeypatch.setattr(pages, "pages", lambda: {written: "told"})
    pages.keep("changes", {"holds": True})
    assert not written.exists()
    pages.keep("dashboards", {"holds": True})
    assert written.read_text() == "told"


def test_districts_are_of_different_size() -> None:
    """120 districts, largest first, of 27,500 students down to about 1,250; all students are in one."""
    from population import GROUP_SIZE, Population

    population = Population()
    groups = [population.district_of(group) for group in range(population.groups)]
    assert groups == sorted(groups)
    assert set(groups) == set(range(120))
    assert groups.count(0) * GROUP_SIZE == 27_500
    assert groups.count(119) * GROUP_SIZE == pytest.approx(1_250, abs=GROUP_SIZE)


@pytest.mark.parametrize("students", [0, -125, 100, 125 * 7919])
def test_sizes_that_cannot_be(students: int) -> None:
    """A number of students that no shuffle or class size fits is refused."""
    from population import Population

    with pytest.raises(ValueError, match="positive multiple of 125"):
        Population(students)


def test_months_of_school() -> None:
    """Thirty of them, September to June, in order."""
    from population import Population

    days = [month.first_day for month in Population().months]
    assert (days[0], days[3], days[4], days[9], days[10], days[29]) == (
        *("2023-09-01", "2023-12-01", "2024-01-01", "2024-06-01", "2024-09-01", "2026-06-01"),
    )
    assert days == sorted(set(days))
    assert len(days) == 30


def test_keys_begin_with_the_district_and_hold_the_partition() -> None:
    """Tenants are apart in every table, and a key never lies in two partitions."""
    from tables import TABLES

    for table in TABLES:
        key = table.key.split(", ")
        assert key[0] == "district_id"
        assert set(key) <= set(table.columns)
        assert set(re.findall(r"\b(day|due|school_year)\b", table.partition)) <= set(key)


def test_invented_rows_fill_their_tables() -> None:
    """One expression per column, and files whose counts add up to the arithmetic."""
    from invented import everything
    from population import Population

    population = Population(2_000)
    counts: dict[str, int] = {}
    for rows in everything(population):
        assert len(rows.expressions) == len(rows.table.columns)
        counts[rows.table.name] = counts.get(rows.table.name, 0) + rows.count
    assert counts == population.rows()


def test_places_in_the_log_grow() -> None:
    """A later place has a higher version, across files, and survives being saved."""
    from change_log import Place

    places = [Place("binlog.000001", 4), Place("binlog.000001", 2**32), Place("binlog.000002", 4)]
    assert [place.version for place in places] == sorted({place.version for place in places})
    assert places[0].version > 0


def test_a_saved_place(tmp_path: Path) -> None:
    """None before, then what was saved last."""
    from change_log import Place, save, saved

    file = tmp_path / "place.json"
    assert saved(file) is None
    save(file, Place("binlog.000001", 4))
    save(file, Place("binlog.000002", 8))
    assert saved(file) == Place("binlog.000002", 8)


def test_engine_rows_of_each_kind_of_change() -> None:
    """Insert and update are a row, a delete a tombstone, a move to another class a tombstone there and a row here."""
    from change_log import Change, engine_rows

    changed, moved = SCORE | {"points": 60}, SCORE | {"class_id": 8}
    old, new = (3, 7, 1, 9, 50, 0), (3, 8, 1, 9, 50, 0)
    assert engine_rows(Change(None, SCORE), 5) == [(*old, 5, 0)]
    assert engine_rows(Change(SCORE, changed), 6) == [(3, 7, 1, 9, 60, 0, 6, 0)]
    assert engine_rows(Change(SCORE, None), 7) == [(*old, 7, 1)]
    assert engine_rows(Change(SCORE, moved), 8) == [(*old, 8, 1), (*new, 8, 0)]


def newest(rows: list[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """What ClickHouse says of a ReplacingMergeTree that is read FINAL: per key the highest version, unless deleted."""
    best: dict[tuple[int, ...], tuple[int, ...]] = {}
    for row in rows:
        key, version = row[:3], row[-2]
        if key not in best or version >= best[key][-2]:
            best[key] = row
    return {row[:-2] for row in best.values() if not row[-1]}


@LAW
@given(st.data())
def test_reading_again_and_late_snapshots_change_nothing(data: st.DataObject) -> None:
    """Whatever is changed, wherever the snapshot falls, whatever is read twice: in the end the engine is the source."""
    from change_log import COLUMNS, Change, engine_rows

    source: dict[int, dict[str, int]] = {}
    log, states = [], [[]]
    for seq in range(1, data.draw(st.integers(1, 12)) + 1):
        score_id, kind = data.draw(st.integers(0, 2)), data.draw(st.sampled_from(["write", "move", "delete"]))
        before = source.pop(score_id, None)
        if kind != "delete":
            lesson = data.draw(st.integers(7, 8)) if kind == "move" or before is None else before["class_id"]
            source[score_id] = SCORE | {"score_id": score_id, "class_id": lesson, "seq": seq}
        if before is not None or score_id in source:
            log.append(engine_rows(Change(before, source.get(score_id)), version=seq))
        else:
            log.append([])
        states.append([tuple(row[name] for name in COLUMNS) for row in source.values()])
    noted = data.draw(st.integers(0, len(log)))
    taken = data.draw(st.integers(noted, len(log)))
    again = data.draw(st.integers(noted, len(log)))
    seen = data.draw(st.integers(again, len(log)))
    snapshot = [(*row, 0, 0) for row in states[taken]]
    read_rows = [row for part in (log[noted:seen], log[again:]) for rows in part for row in rows]
    assert newest(snapshot + read_rows) == set(states[-1])


@pytest.mark.parametrize(
    ("seq", "shown", "deleted", "expected"),
    [
        (5, 5, None, True),
        (5, 6, None, True),
        (5, 4, None, False),
        (5, None, None, False),
        (5, None, 5, True),
        (5, None, 6, True),
        (5, None, 4, False),
        (5, 4, 6, False),
    ],
)
def test_visible(seq: int, shown: int | None, deleted: int | None, expected: bool) -> None:
    """A change is seen with itself or a later one; a missing row only tells of a delete that came then or later."""
    from change_log import visible

    assert visible(seq, shown, deleted) is expected


@pytest.mark.parametrize("script", ["dashboards.py", "changes.py"])
def test_scripts_explain_themselves(script: str) -> None:
    """``--help`` works where only wikiq is installed, and tells of ``--small``."""
    done = subprocess.run([sys.executable, EVIDENCE / script, "--help"], check=True, capture_output=True, text=True)
    assert "--small" in done.stdout


def test_what_the_scripts_need_is_pinned() -> None:
    """Whatever they import beyond the standard library and each other is in their requirements, with a version."""
    pins = re.findall(r"^([\w-]+)==[\d.]+$", read(EVIDENCE / "requirements.txt"), flags=re.MULTILINE)
    names = {"mysql-replication": "pymysqlreplication"}
    allowed = {names.get(pin, pin.lower()) for pin in pins} | {file.stem for file in EVIDENCE.glob("*.py")}
    imported = set()
    for file in EVIDENCE.glob("*.py"):
        for node in ast.walk(ast.parse(read(file))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
    assert imported - set(sys.stdlib_module_names) <= allowed
