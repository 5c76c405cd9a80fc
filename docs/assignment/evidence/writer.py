"""The source at work: transactions at a stated rate, and the moment at which each row was committed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from random import Random

from pymysql.cursors import Cursor

from monolith import connect

SIZES = (1, 1, 1, 5, 25)  # rows of a transaction: single marks, a few, a whole class
CLASSES, DISTRICTS = 2_000, 120
INSERTS, DELETES, MOVES = 0.3, 0.1, 0.05  # of all changes; the others are updates


@dataclass(frozen=True, slots=True)
class Committed:
    """One row's change: ``seq`` counts changes, ``at`` is a monotonic clock's time just before the commit."""

    seq: int
    score_id: int
    at: float
    phase: str
    delete: bool


@dataclass
class Writer:
    """One connection to the source. ``waiting`` is what nobody has seen in the engine yet, by ``seq``."""

    port: int
    rows: int
    seed: int
    rate: float = 0
    phase: str = ""
    seq: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"insert": 0, "update": 0, "delete": 0, "move": 0})
    waiting: dict[int, Committed] = field(default_factory=dict)
    deleted: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)

    def fill(self) -> None:
        """The rows that are there before anybody looks."""
        random = Random(self.seed)
        with connect(self.port) as connection, connection.cursor() as cursor:
            for begin in range(0, self.rows, 10_000):
                rows = [self._row(number, random) for number in range(begin, min(begin + 10_000, self.rows))]
                cursor.executemany("INSERT INTO scores VALUES (%s, %s, %s, %s, %s, 0)", rows)
                connection.commit()

    def work(self) -> None:
        """Write until told to stop, ``rate`` rows a second (which may be changed meanwhile)."""
        random = Random(self.seed + 1)
        fresh, due = self.rows, time.monotonic()
        with connect(self.port) as connection, connection.cursor() as cursor:
            while not self.stop.is_set():
                size = random.choice(SIZES)
                changes = []
                for _ in range(size):
                    fresh, change = self._change(cursor, random, fresh)
                    changes.append(change)
                at = time.monotonic()
                connection.commit()
                self._tell(changes, at)
                due = max(due + size / self.rate, time.monotonic() - 1)  # a second of delay is made up for, not more
                self.stop.wait(max(0, due - time.monotonic()))

    def _tell(self, changes: list[tuple[int, int, bool]], at: float) -> None:
        with self.lock:
            for seq, score_id, delete in changes:
                self.waiting[seq] = Committed(seq, score_id, at, self.phase, delete)

    def _change(self, cursor: Cursor, random: Random, fresh: int) -> tuple[int, tuple[int, int, bool]]:
        self.seq += 1
        dice = random.random()
        if dice < INSERTS:
            cursor.execute("INSERT INTO scores VALUES (%s, %s, %s, %s, %s, %s)", (*self._row(fresh, random), self.seq))
            self.counts["insert"] += 1
            return fresh + 1, (self.seq, fresh, False)
        score_id = self._old(random)
        if dice < INSERTS + DELETES:
            cursor.execute("DELETE FROM scores WHERE score_id = %s", (score_id,))
            with self.lock:
                self.deleted[score_id] = self.seq
            self.counts["delete"] += 1
            return fresh, (self.seq, score_id, True)
        moved, kind = (", class_id = class_id + 1", "move") if dice < INSERTS + DELETES + MOVES else ("", "update")
        points = random.randrange(101)
        cursor.execute(
            f"UPDATE scores SET points = %s, seq = %s{moved} WHERE score_id = %s", (points, self.seq, score_id)
        )
        self.counts[kind] += 1
        return fresh, (self.seq, score_id, False)

    def _old(self, random: Random) -> int:
        """One of the first rows that is still there. New ones stay: only then does a missing row mean a deleted one."""
        while (score_id := random.randrange(self.rows)) in self.deleted:
            pass
        return score_id

    def _row(self, number: int, random: Random) -> tuple[int, int, int, int, int]:
        lesson = random.randrange(CLASSES)
        return number, lesson % DISTRICTS, lesson, random.randrange(300_000), random.randrange(101)
