"""The dashboards' queries, three school years each. All read ``FINAL``: what the source says now, once per row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from population import (
    CLASS_SIZE,
    CLASSES_PER_STUDENT,
    GROUP_SIZE,
    MONTHS_PER_YEAR,
    SCHOOL_YEARS,
    SCORES_PER_CLASS_AND_MONTH,
    Population,
)

COHORT = "dictGet('school.cohorts', 'cohort', student_id) AS cohort"
YEAR = "toYear(due - 240) AS year"  # the calendar year in which its school year began
PRESENT = "countIf(code = 0), count()"
SCORES = "sum(points), sum(missing), count()"
Draw = Callable[[Population, Random], Any]


@dataclass(frozen=True, slots=True)
class Report:
    """``sql`` is one request's query for a place drawn at random; ``runs`` how often it is timed warm and cold.

    ``facts`` is how many rows of the tables it has to find there, by the arithmetic: what its last column adds up to.
    """

    name: str
    sql: Draw
    facts: Draw
    runs: int
    cold_runs: int


def student(population: Population, random: Random) -> str:
    """One student: attendance by month, scores by class, tests, assessments."""
    who = random.randrange(population.students)
    district = population.district_of(who // GROUP_SIZE)
    mine = f"district_id = {district} AND student_id = {who}"
    lessons = f"(SELECT class_id FROM school.rosters FINAL WHERE {mine})"
    by_class = " UNION ALL ".join(
        f"SELECT '{table}', class_id, sum({figure}), count() FROM school.{table} FINAL"
        f" WHERE {mine} AND class_id IN {lessons} GROUP BY 2"
        for table, figure in (("scores", "points"), ("term_grades", "grade"), ("assessments", "points"))
    )
    return (
        f"SELECT 'attendance', toUInt32(toYYYYMM(day)), countIf(code = 0), count() FROM school.attendance FINAL"
        f" WHERE {mine} GROUP BY 2 UNION ALL {by_class} UNION ALL"
        f" SELECT 'tests', toUInt32(school_year * 16 + test), score, 1 FROM school.tests FINAL WHERE {mine}"
    )


def gradebook(population: Population, random: Random) -> str:
    """One class: each student's scores, and their attendance in the months of that year."""
    section, year = random.randrange(population.sections), random.randrange(len(SCHOOL_YEARS))
    district = population.district_of(section * CLASS_SIZE // GROUP_SIZE)
    lesson = (year * population.sections + section) * CLASSES_PER_STUDENT + random.randrange(CLASSES_PER_STUDENT)
    first = SCHOOL_YEARS[year]
    pupils = f"SELECT student_id FROM school.scores WHERE district_id = {district} AND class_id = {lesson}"
    return (
        f"SELECT student_id, s.points, s.missing, a.present, s.total FROM"
        f" (SELECT student_id, avg(points) AS points, sum(missing) AS missing, count() AS total"
        f" FROM school.scores FINAL"
        f" WHERE district_id = {district} AND class_id = {lesson} GROUP BY student_id) AS s"
        f" JOIN (SELECT student_id, avg(code = 0) AS present FROM school.attendance FINAL"
        f" WHERE district_id = {district} AND student_id IN ({pupils})"
        f" AND day BETWEEN '{first}-08-01' AND '{first + 1}-07-31' GROUP BY student_id) AS a USING student_id"
    )


def teacher(population: Population, random: Random) -> str:
    """One teacher: all classes of three years by month, gender and race."""
    group, slot = random.randrange(population.groups), random.randrange(CLASSES_PER_STUDENT)
    district, who = population.district_of(group), group * CLASSES_PER_STUDENT + slot
    lessons = f"SELECT class_id FROM school.classes FINAL WHERE district_id = {district} AND teacher_id = {who}"
    return (
        f"SELECT class_id, toYYYYMM(due) AS month, {COHORT}, {SCORES} FROM school.scores FINAL"
        f" WHERE district_id = {district} AND class_id IN ({lessons}) GROUP BY class_id, month, cohort"
    )


OF_DISTRICT = {
    "attendance": (f"toYYYYMM(day) AS month, {COHORT}, {PRESENT}", "month, cohort"),
    "scores": (f"subject, {YEAR}, {COHORT}, {SCORES}", "subject, year, cohort"),
    "tests": (
        f"school_year, test, {COHORT}, avg(score), quantileExact(0.5)(score), count()",
        "school_year, test, cohort",
    ),
    "assessments": (f"subject, school_year, {COHORT}, avg(points), count()", "subject, school_year, cohort"),
    "term grades": (f"subject, school_year, term, {COHORT}, avg(grade), count()", "subject, school_year, term, cohort"),
}
"""What a district's report asks of the table of its name, and what it groups by."""


def district_of(group: Draw) -> dict[str, Draw]:
    """The reports of the district in which a group of students is that ``group`` draws."""

    def report(name: str) -> Draw:
        columns, cut = OF_DISTRICT[name]
        table = name.replace(" ", "_")

        def sql(population: Population, random: Random) -> str:
            district = population.district_of(group(population, random))
            return f"SELECT {columns} FROM school.{table} FINAL WHERE district_id = {district} GROUP BY {cut}"

        return sql

    return {name: report(name) for name in OF_DISTRICT}


def all_attendance(population: Population, random: Random) -> str:  # noqa: ARG001 every report has these two
    return (
        f"SELECT district_id, toYYYYMM(day) AS month, {COHORT}, {PRESENT} FROM school.attendance FINAL"
        " GROUP BY district_id, month, cohort"
    )


def all_scores(population: Population, random: Random) -> str:  # noqa: ARG001
    return f"SELECT subject, {YEAR}, {COHORT}, {SCORES} FROM school.scores FINAL GROUP BY subject, year, cohort"


def added_attendance(population: Population, random: Random) -> str:  # noqa: ARG001
    return "SELECT district_id, month, cohort, sum(present), sum(total) FROM school.attendance_by_month GROUP BY ALL"


def added_scores(population: Population, random: Random) -> str:  # noqa: ARG001
    return (
        "SELECT subject, intDiv(month - 8, 100) AS year, cohort, sum(points), sum(missing), sum(total)"
        " FROM school.scores_by_month GROUP BY ALL"
    )


def _any(population: Population, random: Random) -> int:
    return random.randrange(population.groups)


def _largest(population: Population, random: Random) -> int:  # noqa: ARG001
    return 0


def _rows(table: str) -> Draw:
    """All rows of a table."""
    return lambda population, _: population.rows()[table]


def _rows_of_district(name: str, group: Draw) -> Draw:
    """Rows of a report's table that belong to the district which ``group`` draws."""

    def facts(population: Population, random: Random) -> int:
        district = population.district_of(group(population, random))
        students = GROUP_SIZE * sum(population.district_of(each) == district for each in range(population.groups))
        return population.rows()[name.replace(" ", "_")] // population.students * students

    return facts


def _rows_of_student(population: Population, random: Random) -> int:  # noqa: ARG001
    tables = ("attendance", "scores", "term_grades", "tests", "assessments")
    return sum(population.rows()[name] for name in tables) // population.students


def _scores_of_class(population: Population, random: Random) -> int:  # noqa: ARG001
    return CLASS_SIZE * SCORES_PER_CLASS_AND_MONTH * MONTHS_PER_YEAR


def _scores_of_teacher(population: Population, random: Random) -> int:  # noqa: ARG001
    return GROUP_SIZE * SCORES_PER_CLASS_AND_MONTH * MONTHS_PER_YEAR * len(SCHOOL_YEARS)


def all_reports() -> list[Report]:
    some, largest = district_of(_any), district_of(_largest)
    return [
        Report("student", student, _rows_of_student, 100, 30),
        Report("class", gradebook, _scores_of_class, 100, 30),
        Report("teacher", teacher, _scores_of_teacher, 100, 30),
        *(Report(f"district {name}", sql, _rows_of_district(name, _any), 40, 10) for name, sql in some.items()),
        *(Report(f"largest {name}", sql, _rows_of_district(name, _largest), 20, 5) for name, sql in largest.items()),
        Report("all attendance", all_attendance, _rows("attendance"), 20, 3),
        Report("all scores", all_scores, _rows("scores"), 20, 3),
        Report("all attendance, added up", added_attendance, _rows("attendance"), 40, 10),
        Report("all scores, added up", added_scores, _rows("scores"), 40, 10),
    ]


def add_up(month: str | None = None) -> list[str]:
    """Add up every month, or one anew, ``YYYYMM``, put in place of its old sums at once: nobody sees half of it."""
    attendance = (
        f"SELECT toYYYYMM(day) AS month, district_id, {COHORT}, {PRESENT} FROM school.attendance FINAL"
        f" WHERE {_only('day', month)} GROUP BY month, district_id, cohort"
    )
    scores = (
        f"SELECT toYYYYMM(due) AS month, district_id, subject, {COHORT}, {SCORES} FROM school.scores FINAL"
        f" WHERE {_only('due', month)} GROUP BY month, district_id, subject, cohort"
    )
    return [
        sql
        for table, rows in (("attendance_by_month", attendance), ("scores_by_month", scores))
        for sql in (_replaced(table, month, rows) if month else [f"INSERT INTO school.{table} {rows}"])
    ]


def _only(day: str, month: str | None) -> str:
    return f"toYYYYMM({day}) = {month}" if month else "1"


def _replaced(table: str, month: str, rows: str) -> list[str]:
    return [
        f"TRUNCATE TABLE school.{table}_next",
        f"INSERT INTO school.{table}_next {rows}",
        f"ALTER TABLE school.{table} REPLACE PARTITION {month} FROM school.{table}_next",
    ]
