"""SQL that invents the rows of the tables: the same rows for the same size, on any machine.

A row is a function of its ``number`` (and of its ``version``, so that a change has new values under the same key).
Rows come in the order in which a school writes them down, by time; the engine has to sort them.
"""

from __future__ import annotations

from dataclasses import dataclass

from population import (
    ASSESSMENTS_PER_YEAR,
    CLASS_SIZE,
    CLASSES_PER_STUDENT,
    DAYS_PER_MONTH,
    DISTRICTS,
    GROUP_SIZE,
    SCHOOL_YEARS,
    SCORES_PER_CLASS_AND_MONTH,
    SHUFFLE,
    TERMS_PER_YEAR,
    TESTS_PER_YEAR,
    Month,
    Population,
)
from tables import ASSESSMENTS, ATTENDANCE, CLASSES, ROSTERS, SCORES, STUDENTS, TERM_GRADES, TESTS, Table


@dataclass(frozen=True, slots=True)
class Rows:
    """``count`` rows of a table, as an expression of ``number`` per column, in the order of its columns."""

    table: Table
    part: str
    count: int
    expressions: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.table.name}-{self.part}.parquet"

    def all(self) -> str:
        return self._select(f"numbers_mt({self.count})", version=0)

    def changed(self, count: int, version: int) -> str:
        """Rows of the same keys at ``count`` places chosen by ``version``, with new values and that version."""
        places = f"SELECT cityHash64(number, {version}) % {self.count} AS number FROM numbers({count})"
        return self._select(f"({places})", version)

    def _select(self, source: str, version: int) -> str:
        columns = zip(self.table.columns.items(), self.expressions, strict=True)
        cast = ", ".join(f"CAST({expression}, '{_quoted(kind)}') AS {name}" for (name, kind), expression in columns)
        return f"SELECT {cast}, toUInt64({version}) AS version, toUInt8(0) AS deleted FROM {source}"


def _quoted(kind: str) -> str:
    return kind.replace("'", "\\'")


def everything(population: Population) -> list[Rows]:
    """All rows of all tables, one item per source file; months ascending."""
    monthly = [make(population, month) for make in (attendance, scores) for month in population.months]
    yearly = [rows for year in SCHOOL_YEARS for rows in _of_year(population, year)]
    return [*monthly, *yearly, _students(population)]


def attendance(population: Population, month: Month) -> Rows:
    nth = f"intDiv(number, {population.students})"
    day = f"toDate('{month.first_day}') + {nth} + 2 * intDiv({nth}, 5)"  # weekends are free
    dice = "cityHash64(number, version, 1)"
    code = f"if({dice} % 1000 < 940, 0, 1 + {dice} % 4)"
    count = population.students * DAYS_PER_MONTH
    return Rows(ATTENDANCE, month.first_day, count, (*_student(population), day, code))


def scores(population: Population, month: Month) -> Rows:
    slot = f"intDiv(number, {population.students}) % {CLASSES_PER_STUDENT}"
    nth = f"intDiv(number, {population.students * CLASSES_PER_STUDENT})"
    assignment = f"class_id * 40 + {month.index * SCORES_PER_CLASS_AND_MONTH} + {nth}"
    due = f"toDate('{month.first_day}') + 7 * {nth}"
    missing = "cityHash64(number, version, 3) % 20 = 0"
    count = population.students * CLASSES_PER_STUDENT * SCORES_PER_CLASS_AND_MONTH
    lesson = _lesson(population, month.school_year, slot)
    return Rows(SCORES, month.first_day, count, (*lesson, assignment, due, slot, _points(2), missing))


def _of_year(population: Population, year: int) -> list[Rows]:
    n = population.students
    nth = f"intDiv(number, {n})"
    slot, term = f"{nth} % {CLASSES_PER_STUDENT}", f"intDiv(number, {n * CLASSES_PER_STUDENT})"
    lesson, student = _lesson(population, year, slot), _student(population)
    quiz = (*_lesson(population, year, f"{nth} % 4"), f"class_id * 32 + {nth}", str(year), f"{nth} % 4", _points(6))
    by_lesson = n * CLASSES_PER_STUDENT
    return [
        Rows(TERM_GRADES, str(year), by_lesson * TERMS_PER_YEAR, (*lesson, term, str(year), slot, _points(4))),
        Rows(TESTS, str(year), n * TESTS_PER_YEAR, (*student, str(year), nth, f"1400 + 2 * {_points(5)}")),
        Rows(ASSESSMENTS, str(year), n * ASSESSMENTS_PER_YEAR, quiz),
        Rows(ROSTERS, str(year), by_lesson, (*student, lesson[1], str(year))),
        _classes(population, year),
    ]


def _classes(population: Population, year: int) -> Rows:
    """One class per section of 25 and subject; a teacher has the five sections of a group in one subject."""
    slot, section = f"number % {CLASSES_PER_STUDENT}", f"intDiv(number, {CLASSES_PER_STUDENT})"
    group = f"intDiv({section}, {GROUP_SIZE // CLASS_SIZE})"
    first = SCHOOL_YEARS.index(year) * population.sections * CLASSES_PER_STUDENT
    teacher = f"{group} * {CLASSES_PER_STUDENT} + {slot}"
    expressions = (_district(population, group), f"number + {first}", str(year), slot, teacher)
    return Rows(CLASSES, str(year), population.sections * CLASSES_PER_STUDENT, expressions)


def _students(population: Population) -> Rows:
    gender = "multiIf(cityHash64(student_id, 7) % 100 < 49, 0, cityHash64(student_id, 7) % 100 < 98, 1, 2)"
    race = "least(toUInt8(floor(pow(cityHash64(student_id, 8) % 1000 / 1000, 2) * 7)), 6)"
    grade_level = f"intDiv(student_id, {GROUP_SIZE}) % 13"
    return Rows(STUDENTS, "all", population.students, (*_student(population), gender, race, grade_level))


def _district(population: Population, group: str) -> str:
    return f"floor({DISTRICTS} * pow({group} / {population.groups}, 2))"


def _student(population: Population) -> tuple[str, str]:
    n = population.students
    return _district(population, f"intDiv(student_id, {GROUP_SIZE})"), f"number % {n} * {SHUFFLE} % {n}"


def _lesson(population: Population, year: int, slot: str) -> tuple[str, str, str]:
    district, student = _student(population)
    first = SCHOOL_YEARS.index(year) * population.sections
    section = f"(intDiv(student_id, {CLASS_SIZE}) + {first})"
    return district, f"{section} * {CLASSES_PER_STUDENT} + {slot}", student


def _points(salt: int) -> str:
    return f"(50 + cityHash64(student_id) % 30 + cityHash64(number, version, {salt}) % 21)"
