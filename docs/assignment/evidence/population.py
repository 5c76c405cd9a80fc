"""How many rows 300,000 students leave behind in three school years: the arithmetic, and nothing else.

No import beyond the standard library. Every assumption is a constant here; README.md says where each comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

STUDENTS = 300_000
SCHOOL_YEARS = (2023, 2024, 2025)  # by the calendar year in which they begin
MONTHS_PER_YEAR = 10  # September to June
DAYS_PER_MONTH = 18  # 180 school days a year
CLASSES_PER_STUDENT = 7
SCORES_PER_CLASS_AND_MONTH = 4  # one graded piece of work a week: 40 a year
TERMS_PER_YEAR = 4
TESTS_PER_YEAR = 9  # two subjects in three windows, and three state tests
ASSESSMENTS_PER_YEAR = 30

CLASS_SIZE = 25
GROUP_SIZE = 125  # a teacher's five classes of one subject
DISTRICTS = 120
SHUFFLE = 7919  # a prime that divides no number of students: student -> student * SHUFFLE % students is a permutation


@dataclass(frozen=True, slots=True)
class Month:
    """A month of school: ``index`` 0 to 9 in the school year that begins in ``school_year``."""

    school_year: int
    index: int

    @property
    def first_day(self) -> str:
        """Its first day, ISO 8601."""
        years, month = divmod(8 + self.index, 12)
        return f"{self.school_year + years}-{month + 1:02}-01"


@dataclass(frozen=True, slots=True)
class Population:
    """Some number of students (a multiple of 125), with everything else in proportion."""

    students: int = STUDENTS

    def __post_init__(self) -> None:
        """Check the size.

        Raises:
            ValueError: The number is no positive multiple of 125, or not prime to the shuffle.
        """
        if self.students <= 0 or self.students % GROUP_SIZE or self.students % SHUFFLE == 0:
            raise ValueError(f"Not a positive multiple of {GROUP_SIZE}: {self.students}")

    @property
    def groups(self) -> int:
        return self.students // GROUP_SIZE

    @property
    def sections(self) -> int:
        return self.students // CLASS_SIZE

    @property
    def months(self) -> list[Month]:
        return [Month(year, index) for year in SCHOOL_YEARS for index in range(MONTHS_PER_YEAR)]

    def district_of(self, group: int) -> int:
        """District of a group of 125: the first has 9 % of all students, the last 0.4 %."""
        return int(DISTRICTS * (group / self.groups) ** 2)

    def rows(self) -> dict[str, int]:
        """Rows of each table in three years."""
        years = len(SCHOOL_YEARS)
        lessons = CLASSES_PER_STUDENT * years
        per_student = {
            "attendance": MONTHS_PER_YEAR * DAYS_PER_MONTH * years,
            "scores": lessons * MONTHS_PER_YEAR * SCORES_PER_CLASS_AND_MONTH,
            "term_grades": lessons * TERMS_PER_YEAR,
            "tests": TESTS_PER_YEAR * years,
            "assessments": ASSESSMENTS_PER_YEAR * years,
            "rosters": lessons,
        }
        facts = {table: self.students * count for table, count in per_student.items()}
        return facts | {"students": self.students, "classes": self.sections * lessons}
