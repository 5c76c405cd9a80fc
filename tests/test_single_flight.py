"""A question that is asked at most once at a time."""

from __future__ import annotations

import threading

import pytest

from worker.single_flight import SingleFlight

PATIENCE = 10


class Question:
    """Answers with how often it was asked, once it is let go."""

    def __init__(self):
        self.asked, self.go = 0, threading.Event()

    def __call__(self):
        self.asked += 1
        self.go.wait(PATIENCE)
        return self.asked


def test_whoever_asks_meanwhile_shares_the_answer():
    """However many ask while the question is under way, it is asked once, and all are given its answer."""
    question = Question()
    flight = SingleFlight(question)
    asked = [flight.ask() for _ in range(20)]
    question.go.set()
    assert [answer.result(PATIENCE) for answer in asked] == [1] * 20


def test_a_question_is_asked_anew():
    """Whoever asks once there is an answer is given a new one."""
    question = Question()
    question.go.set()
    flight = SingleFlight(question)
    assert [flight.ask().result(PATIENCE) for _ in range(3)] == [1, 2, 3]


def test_a_question_that_hangs_holds_nobody():
    """Who cannot wait goes away, even the process; the question goes on alone, and whoever asks later is answered."""
    question, before = Question(), set(threading.enumerate())
    flight = SingleFlight(question)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            flight.ask().result(0.01)
    late = flight.ask()
    assert [thread.daemon for thread in set(threading.enumerate()) - before] == [True]
    question.go.set()
    assert late.result(PATIENCE) == 1


def test_an_error_is_an_answer():
    """What the question raises is raised to all who asked, and the next one asks anew."""
    flight = SingleFlight(iter([]).__next__)
    for _ in range(2):
        with pytest.raises(StopIteration):
            flight.ask().result(PATIENCE)
