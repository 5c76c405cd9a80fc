"""A plan as text for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cli.render.document import SCHEMA, Document, json_text
from cli.render.grid import Column, Paint, Role, draw, fit, flow, painter
from cli.render.safe import cut, visible, whole
from cli.render.table import MIN_WIDTH
from cli.render.words import counted
from models.dump_run import DumpState
from models.hour import Hour
from worker.needs import CONNECTION_BYTES_PER_SECOND, Need, index_bytes
from worker.plan import Plan, PlannedFile, PlannedIndex, bytes_left

RUNS_NAMED = 4
"""So many runs of hours in a row are named in a table."""

_MINUTE = 60
_Row = tuple[str, str, str]


def render_plan(plan: Plan, width: int, *, colour: bool = False) -> str:
    """A plan for people, no wider than ``width`` terminal columns."""
    width, paint = max(width, MIN_WIDTH), painter(colour=colour)
    blocks = [
        _headline(plan, width, paint),
        _grid("Hour files", _hour_rows(plan), width, paint),
        _grid("Dumps", _index_rows(plan), width, paint),
        _grid("Time", _time_rows(plan), width, paint),
        _grid("Space", _space_rows(plan), width, paint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def render_plan_json(plan: Plan) -> str:
    """The same as one object, and everything that the table leaves out."""
    return json_text(plan_document(plan))


def plan_document(plan: Plan) -> Document:
    """A plan for ``json.dumps``: bytes, seconds, UTC hours by their starts.

    ``bytes.to_fetch`` is what is still to come and ``bytes.here`` what half-loaded downloads have of it already;
    ``exact`` says whether the source gave every size to the byte; ``free`` is null where it is not known.
    """
    hours = plan.hours
    first, last = _first_and_last(plan)
    return {
        "schema": SCHEMA,
        "projects": [project.name for project in plan.projects],
        "days": [day.isoformat() for day in plan.days],
        "from": f"{first.start:%Y-%m-%dT%H:%MZ}",
        "to": f"{last.end:%Y-%m-%dT%H:%MZ}",
        "first_file": first.path,
        "last_file": last.path,
        "hours": {
            "wanted": hours.wanted,
            "counted": len(hours.counted),
            "to_fetch": len(hours.to_fetch),
            "at_source": hours.listed,
            "missing": [str(hour) for hour in hours.missing],
            "not_over": [str(hour) for hour in hours.not_over],
        },
        "bytes": {
            "to_fetch": bytes_left(plan.files),
            "hour_files": bytes_left(hours.to_fetch.values()),
            "dumps": bytes_left(plan.dumps),
            "here": sum(file.here for file in plan.files),
            "exact": plan.exact,
        },
        "indexes": [_index_document(index) for index in plan.indexes],
        "sources": [
            {"source": whole(source.source), "state": source.look.value, "reason": _whole(source.reason)}
            for source in plan.sources
        ],
        "seconds": {
            "expected": round(plan.seconds, 1),
            "floor": round(plan.floor, 1),
            "counting": None if plan.counting is None else round(plan.counting, 1),
        },
        "connections": plan.connections,
        "pace": {"seconds_per_mb": round(plan.pace.seconds_per_mb, 4), "files": plan.pace.files, "cores": plan.cores},
        "database": [
            {
                "project": found.project.name,
                "before": found.now,
                "after": found.then,
                "day_before": found.day,
                "day_after": found.complete_day,
                "from_ledger": found.counted,
            }
            for found in plan.tallies
        ],
        "needs": [
            {"what": need.what, "place": whole(need.place), "bytes": need.size, "free": need.free}
            for need in plan.needs
        ],
    }


def size_in_words(size: float) -> str:
    """``8.3 GB``, ``57.6 MB``, ``4.2 kB``."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB")):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"


def time_in_words(seconds: float) -> str:
    """``< 1 s``, ``40 s``, ``11 min``, ``2 h 05 min``."""
    if seconds < 1.5 * _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"
    minutes = round(seconds / _MINUTE)
    return f"{minutes} min" if minutes < 2 * _MINUTE else f"{minutes // 60} h {minutes % 60:02d} min"


def hours_in_words(hours: Sequence[Hour]) -> str:
    """``2024-01-07 05:00, 2024-01-07 09:00 to 2024-01-08 02:00``: hours by their starts, runs of them by their ends."""
    runs: list[list[Hour]] = []
    for hour in sorted(hours):
        if runs and runs[-1][-1].end == hour.start:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    named = [_run_in_words(run) for run in runs[:RUNS_NAMED]]
    return ", ".join([*named, *(["…"] if len(runs) > RUNS_NAMED else [])])


def _run_in_words(run: Sequence[Hour]) -> str:
    first, last = run[0], run[-1]
    began = f"{first.day} {first.hour:02d}:00"
    ended = f"{last.hour:02d}:00" if last.day == first.day else f"{last.day} {last.hour:02d}:00"
    return began if first == last else f"{began} to {ended}"


def _first_and_last(plan: Plan) -> tuple[Hour, Hour]:
    return Hour(plan.days[0], 0), Hour(plan.days[-1], 23)


def _headline(plan: Plan, width: int, paint: Paint) -> list[str]:
    first, last = _first_and_last(plan)
    days = str(plan.days[0]) if len(plan.days) == 1 else f"{plan.days[0]} to {plan.days[-1]}"
    projects = ", ".join(project.name for project in plan.projects)
    facts = [
        f"{first.start:%Y-%m-%d %H:%M} to {last.end:%Y-%m-%d %H:%M} UTC",
        first.file_name if first == last else f"{first.file_name} to {last.file_name}",
    ]
    return [
        paint(cut(f"{projects} · {days}", width), Role.HEADING),
        *(paint(line, Role.QUIET) for line in flow(facts, width, " · ")),
    ]


def _hour_rows(plan: Plan) -> list[_Row]:
    hours = plan.hours
    rows = [
        ("wanted", f"{hours.wanted:,}", ""),
        ("counted already", f"{len(hours.counted):,}", ""),
        ("to fetch", f"{len(hours.to_fetch):,}", _amount(hours.to_fetch.values()) if hours.to_fetch else ""),
        ("missing at the source", *_missing(plan)),
    ]
    if hours.not_over:
        rows.append(("not over yet", f"{len(hours.not_over):,}", hours_in_words(hours.not_over)))
    if hours.listed is not None:
        rows.append(("at the source", f"{hours.listed:,}", "of all that are wanted"))
    return rows


def _missing(plan: Plan) -> tuple[str, str]:
    if plan.silent:
        return "?", "it could not be asked"
    return f"{len(plan.hours.missing):,}", hours_in_words(plan.hours.missing)


def _amount(files: Iterable[PlannedFile]) -> str:
    found = list(files)
    here = sum(file.here for file in found)
    about = "" if all(file.exact for file in found) else "about "
    more = f", {size_in_words(here)} of them here already" if here else ""
    return f"{about}{size_in_words(sum(file.size for file in found))}{more}"


def _index_rows(plan: Plan) -> list[_Row]:
    return [(_index_name(index), f"{len(index.files)}", _index_words(index)) for index in plan.indexes]


def _index_name(index: PlannedIndex) -> str:
    return f"{index.project} {index.run}" if index.run else str(index.project)


def _index_words(index: PlannedIndex) -> str:
    if index.state is DumpState.DONE:
        return "its index is built already"
    if index.state is DumpState.NO_DUMPS:
        return "no dumps: ranked by logged titles"
    if index.state is not DumpState.WAITING:
        return f"{index.state}: {visible(index.reason or '')}"
    return _amount(index.files) if index.files else "read already; to be built"


def _time_rows(plan: Plan) -> list[_Row]:
    if not plan.files:
        return [("expected", "0 s", "nothing is to be fetched")]
    rate = CONNECTION_BYTES_PER_SECOND >> 20
    limits = f"{size_in_words(bytes_left(plan.files))} by {plan.connections} connections of {rate} MiB/s"
    rows = [("fetching", time_in_words(plan.floor), limits)]
    if plan.counting is not None:
        rows.append(("counting here", time_in_words(plan.counting), _pace(plan)))
    narrower = "this machine is" if (plan.counting or 0) > plan.floor else "the sources' connections are"
    return [*rows, ("expected", time_in_words(plan.seconds), f"{narrower} the limit")]


def _pace(plan: Plan) -> str:
    known = f"{counted(plan.pace.files, 'file')} so far" if plan.pace.files else "docs/performance.md"
    return f"{counted(plan.cores or 1, 'core')}, {plan.pace.seconds_per_mb:.3f} s per MB ({known})"


def _space_rows(plan: Plan) -> list[_Row]:
    rows = [(need.what, size_in_words(need.size), _place(need)) for need in plan.needs]
    for found in plan.tallies:
        if found.now:
            bound = "for a day" if found.counted else "at most for a day"
            words = f"{bound}, {size_in_words(found.complete_day)} when complete"
            rows.append((f"  {found.project}", size_in_words(found.day), words))
    for index in plan.indexes:
        if index.files:
            building, stored = index_bytes(sum(file.size for file in index.files))
            words = f"while built, {size_in_words(stored)} then"
            rows.append((f"  index {index.project}", size_in_words(building), words))
    return rows


def _place(need: Need) -> str:
    free = "" if need.free is None else f"{size_in_words(need.free)} free, "
    return f"{free}{visible(need.place)}"


def _grid(heading: str, rows: Sequence[_Row], width: int, paint: Paint) -> list[str]:
    if not rows:
        return []
    names, figures, words = (tuple(row[number] for row in rows) for number in range(3))
    columns = (
        Column(heading, names, width=22, heading_role=Role.HEADING),
        Column("", figures, width=9, right=True),
        Column("", words, stretch=True, role=Role.QUIET),
    )
    return draw(fit(columns, width), paint)


def _index_document(index: PlannedIndex) -> Document:
    building, stored = index_bytes(sum(file.size for file in index.files))
    return {
        "project": index.project.name,
        "snapshot": index.run.isoformat() if index.run else None,
        "state": index.state.value,
        "reason": _whole(index.reason),
        "files": len(index.files),
        "bytes": bytes_left(index.files),
        "building": building,
        "stored": stored,
    }


def _whole(text: str | None) -> str | None:
    return None if text is None else whole(text)
