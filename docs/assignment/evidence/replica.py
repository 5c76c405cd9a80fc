"""``python replica.py PORT FOLDER``: keep the engine in FOLDER up to date with the source; answer SQL lines from stdin.

The first start takes a snapshot, without a lock, while the source goes on writing. Later starts go on from the place
that was saved last, at most a second before the end: what was written since is written again.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import XidEvent
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from change_log import COLUMNS, KEY, Change, Place, engine_rows, save, saved, values
from engine import Engine

WINDOW = 0.25  # seconds that a batch is open
BATCH = 5_000  # rows, at most
SAVE_EVERY = 1.0  # seconds
Transaction = tuple[Place, list[tuple[int, ...]]]


def main(port: int, folder: Path) -> None:
    engine = Engine(folder / "engine", threads=1)
    place_file = folder / "place.json"
    place = saved(place_file)
    if place is None:
        place = snapshot(engine, port)
        save(place_file, place)
    known = engine.value("SELECT max(version) FROM school.scores")
    state = {"again": 0, "rows": 0}
    transactions: queue.Queue[Transaction] = queue.Queue(maxsize=10_000)
    threading.Thread(target=read, args=(port, place, transactions), daemon=True).start()
    threading.Thread(target=apply, args=(folder, place_file, transactions, known, state), daemon=True).start()
    for line in sys.stdin:
        answer = state if line == "state\n" else engine.rows(line)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def snapshot(engine: Engine, port: int) -> Place:
    """Copy the table; the place is where the log was before."""
    columns = ", ".join(f"{name} UInt32" for name in COLUMNS)
    engine.run("DROP DATABASE IF EXISTS school")
    engine.run("CREATE DATABASE school")
    engine.run(
        f"CREATE TABLE school.scores ({columns}, version UInt64, deleted UInt8)"
        f" ENGINE = ReplacingMergeTree(version, deleted) ORDER BY ({', '.join(KEY)})"
    )
    with pymysql.connect(host="127.0.0.1", port=port, user="reader") as source, source.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS")
        file, position = cursor.fetchone()[:2]
        cursor.execute(f"SELECT {', '.join(COLUMNS)}, 0, 0 FROM school.scores")
        while rows := cursor.fetchmany(50_000):
            engine.run(f"INSERT INTO school.scores VALUES {values(rows)}")
    return Place(file, position)


def read(port: int, place: Place, transactions: queue.Queue[Transaction]) -> None:
    """Whole transactions only: half of one could be neither shown nor gone on from."""
    stream = BinLogStreamReader(
        connection_settings={"host": "127.0.0.1", "port": port, "user": "reader"},
        server_id=2,
        log_file=place.file,
        log_pos=place.position,
        resume_stream=True,
        blocking=True,
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent, XidEvent],
        only_tables=["scores"],
        enable_logging=False,
    )
    rows: list[tuple[int, ...]] = []
    for event in stream:
        here = Place(stream.log_file, stream.log_pos)
        if isinstance(event, XidEvent):
            transactions.put((here, rows))
            rows = []
        else:
            for change in changes(event):
                rows.extend(engine_rows(change, here.version))


def changes(event: WriteRowsEvent | UpdateRowsEvent | DeleteRowsEvent) -> Iterator[Change]:
    for row in event.rows:
        if isinstance(event, UpdateRowsEvent):
            yield Change(row["before_values"], row["after_values"])
        elif isinstance(event, WriteRowsEvent):
            yield Change(None, row["values"])
        else:
            yield Change(row["values"], None)


def apply(
    folder: Path, place_file: Path, transactions: queue.Queue[Transaction], known: int, state: dict[str, int]
) -> None:
    """Write batches; save the place after what it speaks of was written, never before."""
    engine = Engine(folder / "engine", threads=1)
    last_save = time.monotonic()
    while True:
        place, rows = batch(transactions)
        if rows:
            engine.run(f"INSERT INTO school.scores VALUES {values(rows)}")
        state["rows"] += len(rows)
        state["again"] += sum(row[-2] <= known for row in rows)
        if time.monotonic() - last_save > SAVE_EVERY:
            save(place_file, place)
            last_save = time.monotonic()


def batch(transactions: queue.Queue[Transaction]) -> Transaction:
    """What comes within the window after the first transaction; waits for that one."""
    place, rows = transactions.get()
    rows = list(rows)
    deadline = time.monotonic() + WINDOW
    while len(rows) < BATCH and (left := deadline - time.monotonic()) > 0:
        try:
            place, more = transactions.get(timeout=left)
        except queue.Empty:
            break
        rows.extend(more)
    return place, rows


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
