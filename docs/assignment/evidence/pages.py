"""What was measured, as text: the tables of README.md, and what ``../new-systems.md`` quotes of them.

Results lie beside this file as measured-dashboards.json and measured-changes.json. ``python pages.py`` writes the pages
from them again; nobody copies a figure by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from figures import replaced, seconds, table

HERE = Path(__file__).resolve().parent
Result = dict[str, Any]

TITLES = {
    "student": "one student: attendance, scores, terms, tests, assessments",
    "class": "one class: the gradebook, with attendance",
    "teacher": "one teacher: all classes by month, gender, race",
    "district attendance": "one district: attendance by month, gender, race",
    "district scores": "one district: scores by subject, year, gender, race",
    "district tests": "one district: tests by window, gender, race",
    "district assessments": "one district: Otus assessments by subject, year, gender, race",
    "district term grades": "one district: term grades by subject, term, gender, race",
    "largest attendance": "the largest district: attendance",
    "largest scores": "the largest district: scores",
    "largest tests": "the largest district: tests",
    "largest assessments": "the largest district: Otus assessments",
    "largest term grades": "the largest district: term grades",
    "all attendance": "all students: attendance by district, month, gender, race, from the rows",
    "all scores": "all students: scores by subject, year, gender, race, from the rows",
    "all attendance, added up": "the same attendance, from sums by month",
    "all scores, added up": "the same scores, from sums by month",
}
QUOTED = ("student", "class", "teacher", "largest scores")
HEAD = (
    "query, three years",
    "runs",
    "warm p50",
    "warm p95",
    "processor p50",
    "cold p50",
    "cold, slowest",
    "changing p50",
    "changing p95",
)
PEAK = 84  # reports a second: three of each of 16,800 teachers in ten minutes, as the answer says
RESULTS = ("dashboards", "changes")


def keep(name: str, result: Result) -> None:
    """Store a result, and write the pages once there is one of each kind."""
    _file(name).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if all(_file(each).exists() for each in RESULTS):
        for page, text in pages().items():
            page.write_text(text, encoding="utf-8")


def kept(name: str) -> Result:
    result: Result = json.loads(_file(name).read_text(encoding="utf-8"))
    return result


def _file(name: str) -> Path:
    return HERE / f"measured-{name}.json"


def pages() -> dict[Path, str]:
    """Both pages, as they should be by what is kept."""
    dashboards, changes = kept("dashboards"), kept("changes")
    readme, answer = HERE / "README.md", HERE.parent / "new-systems.md"
    text = replaced(readme.read_text(encoding="utf-8"), "dashboards", dashboards_tables(dashboards))
    return {
        readme: replaced(text, "changes", changes_table(changes)),
        answer: replaced(answer.read_text(encoding="utf-8"), "measured", quote(dashboards, changes)),
    }


def quote(dashboards: Result, changes: Result) -> str:
    """The few lines that the two-page answer has room for."""
    columns = (("warm", "p50"), ("warm", "p95"), ("cold", "max"), ("changing", "p95"))
    rows = [[TITLES[name], *(seconds(dashboards[kind][name][share]) for kind, share in columns)] for name in QUOTED]
    head = ["three years of data", "p50", "p95", "cold, slowest", "p95, changes arriving"]
    sentences = (_quoted_changes(changes), _quoted_rebuild(dashboards), _quoted_cores(dashboards))
    return f"{table(head, rows)}\n\n{' '.join(sentences)}"


def _quoted_changes(result: Result) -> str:
    (ordinary, rush), reached = (result["delay"][phase] for phase in ("ordinary", "rush")), result["reached"]
    outcome = "no row was lost or doubled" if result["holds"] else "SOURCE AND ENGINE DIFFER"
    return (
        f"Commit in MariaDB to visible (one table of {result['rows']:,} rows):"
        f" p50 {seconds(ordinary['p50'])}, p95 {seconds(ordinary['p95'])} at"
        f" {reached['ordinary']:,} rows/s; p95 {seconds(rush['p95'])} at {reached['rush']:,}."
        f" The reader was killed {result['kills']} times: {outcome}."
    )


def _quoted_rebuild(result: Result) -> str:
    rebuilt = result["rebuild"]
    return (
        f"Rebuild: {sum(result['rows'].values()) / 1e6:.0f} million rows in {rebuilt['seconds'] / 60:.0f} minutes,"
        f" {rebuilt['bytes'] / 1e9:.1f} GB in the engine."
    )


def _quoted_cores(result: Result) -> str:
    most = max(result["warm"][name]["cpu"] for name in ("student", "class", "teacher"))
    return (
        f"The dearest of the first three takes {seconds(most)} of a core (median, nothing else running):"
        f" {PEAK} a second, the peak below, would take {PEAK * most:.0f} cores."
    )


def dashboards_tables(result: dict[str, Any]) -> str:
    return "\n\n".join([_rows(result), _rebuild(result), _queries(result)])


def _rows(result: dict[str, Any]) -> str:
    rows = [[name, f"{count:,}"] for name, count in result["rows"].items()]
    total = ["**all**", f"{sum(result['rows'].values()):,}"]
    return f"{result['students']:,} students, {result['engine']}:\n\n" + table(["table", "rows"], [*rows, total])


def _rebuild(result: dict[str, Any]) -> str:
    rebuilt, source = result["rebuild"], result["source"]
    return table(
        ["rebuild from source files", ""],
        [
            ["source files (Parquet)", f"{source['bytes'] / 1e9:.1f} GB"],
            ["load, sorted", seconds(rebuilt["load"])],
            ["merge each partition", seconds(rebuilt["merge"])],
            ["add up all months", seconds(rebuilt["add_up"])],
            ["all of it", f"{seconds(rebuilt['seconds'])}, {rebuilt['rows_per_second'] / 1e6:.1f} million rows/s"],
            ["of the processor's time", seconds(rebuilt["cpu"])],
            ["the engine's files", f"{rebuilt['bytes'] / 1e9:.1f} GB"],
            ["add up one month again, both tables, changes unmerged", seconds(result["refresh_month"])],
        ],
    )


def _queries(result: dict[str, Any]) -> str:
    rows = []
    for name, title in TITLES.items():
        warm, cold, changing = (result[kind][name] for kind in ("warm", "cold", "changing"))
        times = [warm["p50"], warm["p95"], warm["cpu"], cold["p50"], cold["max"], changing["p50"], changing["p95"]]
        rows.append([title, str(warm["runs"]), *map(seconds, times)])
    clients = result["clients"]
    title = f"{clients['clients']} clients at once, small reports, every tenth a district's: {clients['per_second']}/s"
    rows.append([title, str(clients["runs"]), seconds(clients["p50"]), seconds(clients["p95"]), "", "", "", "", ""])
    changes = result["changes"]
    arrived = f"Changing: {changes['rows'] / changes['seconds']:,.0f} changed rows a second arrived."
    return f"{table(HEAD, rows)}\n\n{arrived}"


def changes_table(result: dict[str, Any]) -> str:
    delay, counts = result["delay"], result["changes"]
    phases = {
        "ordinary": f"{result['reached']['ordinary']:,} rows/s ({result['rate']:,} wanted)",
        "rush": f"{result['reached']['rush']:,} rows/s ({result['rush_rate']:,} wanted)",
        "killed": f"the same as first, the reader killed {result['kills']} times",
    }
    rows = [
        [title, f"{delay[phase]['runs']:,}", *(seconds(delay[phase][name]) for name in ("p50", "p95", "max"))]
        for phase, title in phases.items()
    ]
    text = table(["commit to visible", "changed rows", "p50", "p95", "max"], rows)
    kinds = ", ".join(f"{count:,} {kind}s" for kind, count in counts.items())
    verdict = "equal in every row" if result["holds"] else "DIFFERENT"
    return (
        f"{text}\n\n{result['total_changes']:,} changes in all ({kinds}). After {result['kills']} kills"
        f" {result['read_again']:,} rows were written again; up to date after {seconds(result['recovery']['p50'])}"
        f" (median), {seconds(result['recovery']['max'])} at most. In the end, source and engine:"
        f" {result['rows']:,} rows, {verdict}."
    )


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
