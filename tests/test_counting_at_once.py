"""Several hours at once in one process."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from store_samples import ask

import worker.pageviews
from models.hour import hours_of
from models.project import DEFAULT_PROJECT, parse_project
from models.tables import HourState
from worker.counting import count_hour_file

PROJECT = parse_project(DEFAULT_PROJECT)


def test_no_more_count_than_there_are_cores(context, demo, monkeypatch):
    """Of six threads with a file each, two count at a time where there are two cores; all of them are counted."""
    hours, lock = hours_of(demo.first_day)[:6], threading.Lock()
    inside = most = 0
    count_views = worker.pageviews.count_views

    def count_slowly(*arguments):
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.05)
        counted = count_views(*arguments)
        with lock:
            inside -= 1
        return counted

    monkeypatch.setattr(worker.pageviews, "count_views", count_slowly)
    two = replace(context, cores=threading.Semaphore(2))
    ask(context.engine, *hours)
    with ThreadPoolExecutor(len(hours)) as threads:
        receipts = list(threads.map(lambda hour: count_hour_file(two, hour, [PROJECT]), hours))
    assert {receipt.state for receipt in receipts} == {HourState.COUNTED}
    assert most == 2
