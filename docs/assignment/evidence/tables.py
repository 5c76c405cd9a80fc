"""The engine's tables: what a row is, what it is sorted by, how it is kept apart.

Each is a ReplacingMergeTree: of all rows with one key the highest ``version`` counts, and none if that one is
``deleted``. Loaded rows have version 0, changes a higher one. Every key begins with the district, and contains what the
table is partitioned by: else a query that reads ``FINAL`` has to merge all partitions to be sure of one row per key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GENDER = "Enum8('female' = 0, 'male' = 1, 'nonbinary' = 2)"
RACE = "Enum8('a' = 0, 'b' = 1, 'c' = 2, 'd' = 3, 'e' = 4, 'f' = 5, 'g' = 6)"  # the seven that states report


@dataclass(frozen=True, slots=True)
class Table:
    """``columns``: name -> type, ``key``: what it is sorted by and unique in."""

    name: str
    columns: Mapping[str, str]
    key: str
    partition: str = "tuple()"

    def create(self) -> str:
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return (
            f"CREATE TABLE school.{self.name} ({columns}, version UInt64, deleted UInt8)"
            f" ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY {self.partition} ORDER BY ({self.key})"
        )


DISTRICT = {"district_id": "UInt16"}
STUDENT = DISTRICT | {"student_id": "UInt32"}
LESSON = DISTRICT | {"class_id": "UInt32", "student_id": "UInt32"}
YEAR = {"school_year": "UInt16"}

ATTENDANCE = Table(
    "attendance",
    STUDENT | {"day": "Date", "code": "UInt8"},  # 0 present, 1 to 4 the ways of not being there
    key="district_id, student_id, day",
    partition="toYYYYMM(day)",
)
SCORES = Table(
    "scores",
    LESSON | {"assignment_id": "UInt32", "due": "Date", "subject": "UInt8", "points": "UInt8", "missing": "UInt8"},
    key="district_id, class_id, student_id, due, assignment_id",
    partition="toYYYYMM(due)",
)
TERM_GRADES = Table(
    "term_grades",
    LESSON | {"term": "UInt8"} | YEAR | {"subject": "UInt8", "grade": "UInt8"},
    key="district_id, class_id, student_id, school_year, term",
    partition="school_year",
)
TESTS = Table(
    "tests",
    STUDENT | YEAR | {"test": "UInt8", "score": "UInt16"},
    key="district_id, student_id, school_year, test",
    partition="school_year",
)
ASSESSMENTS = Table(
    "assessments",
    LESSON | {"assessment_id": "UInt32"} | YEAR | {"subject": "UInt8", "points": "UInt8"},
    key="district_id, class_id, student_id, school_year, assessment_id",
    partition="school_year",
)
ROSTERS = Table(
    "rosters",
    STUDENT | {"class_id": "UInt32"} | YEAR,
    key="district_id, student_id, school_year, class_id",
    partition="school_year",
)
STUDENTS = Table(
    "students",
    STUDENT | {"gender": GENDER, "race": RACE, "grade_level": "UInt8"},
    key="district_id, student_id",
)
CLASSES = Table(
    "classes",
    DISTRICT | {"class_id": "UInt32"} | YEAR | {"subject": "UInt8", "teacher_id": "UInt32"},
    key="district_id, class_id",
)
TABLES = (ATTENDANCE, SCORES, TERM_GRADES, TESTS, ASSESSMENTS, ROSTERS, STUDENTS, CLASSES)

# Gender and race of a student in one number, in memory: a lookup per row costs less than a join.
COHORTS = """CREATE DICTIONARY school.cohorts (student_id UInt64, cohort UInt8) PRIMARY KEY student_id
    SOURCE(CLICKHOUSE(QUERY 'SELECT student_id, gender::UInt8 * 8 + race::UInt8 AS cohort FROM school.students FINAL'))
    LAYOUT(FLAT(MAX_ARRAY_SIZE 100000000)) LIFETIME(MIN 1 MAX 2)"""

ROLLUPS = (
    """CREATE TABLE school.attendance_by_month{next} (
        month UInt32, district_id UInt16, cohort UInt8, present UInt64, total UInt64
    ) ENGINE = MergeTree PARTITION BY month ORDER BY (district_id, cohort)""",
    """CREATE TABLE school.scores_by_month{next} (
        month UInt32, district_id UInt16, subject UInt8, cohort UInt8,
        points UInt64, missing UInt64, total UInt64
    ) ENGINE = MergeTree PARTITION BY month ORDER BY (district_id, subject, cohort)""",
)


def create_all() -> list[str]:
    rollups = [text.format(next=end) for text in ROLLUPS for end in ("", "_next")]
    return ["CREATE DATABASE school", *(table.create() for table in TABLES), COHORTS, *rollups]
