"""Work done ahead: the same results in the same order, errors where they belong, and no item too early."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from worker.ahead import AHEAD, ahead, some_threads


def test_results_come_in_the_order_of_the_items():
    """A later item that is done first waits for its turn."""
    first_is_asked = threading.Event()

    def work(number):
        if number == 0:
            assert first_is_asked.wait(10)
        else:
            first_is_asked.set()
        return number * number

    assert list(ahead(work, range(20))) == [number * number for number in range(20)]


@pytest.mark.parametrize("number", range(4))
def test_few_items(number):
    """Fewer items than there are threads are all worked on."""
    assert list(ahead(str, range(number))) == [str(item) for item in range(number)]


def test_an_error_comes_in_place_of_its_result():
    """What came before is given, then the error is raised."""
    results = ahead(lambda number: 1 // (3 - number), range(10))
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_more_items_are_taken_than_are_worked_on():
    """Of an endless stream only as many are taken as are used, and a few more."""
    taken = []

    def items():
        while True:
            taken.append(len(taken))
            yield taken[-1]

    results = ahead(str, items())
    for used in range(1, 5):
        next(results)
        assert len(taken) == used + AHEAD
    results.close()


def test_in_given_threads_the_work_begins_at_once():
    """Who opens several streams finds all of them in work when the first result is asked for."""
    begun = threading.Event()
    with some_threads() as threads:
        results = ahead(lambda _: begun.set(), range(3), threads)
        assert begun.wait(10)
        assert len(list(results)) == 3


@pytest.mark.parametrize("number", [1, 3, 10])
def test_an_error_holds_nothing(number):
    """Whose last result, or any, is an error is not kept alive by it once it is dealt with."""

    def work(item):
        if item == number - 1:
            raise ValueError
        return item

    def use():
        held = Held()
        with some_threads() as threads, pytest.raises(ValueError):  # noqa: PT011 the one above
            list(ahead(work, range(number), threads))
        return weakref.ref(held)

    gc.disable()
    try:
        assert use()() is None
    finally:
        gc.enable()


class Held:
    """Something that who uses results has at hand."""


def test_nobody_works_on_after_the_end():
    """A stream that is left half-way leaves no thread behind."""
    before = threading.active_count()
    results = ahead(str, range(100))
    next(results)
    results.close()
    assert threading.active_count() == before
