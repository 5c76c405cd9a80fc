"""The worker's heartbeat: steps of Celery's worker and of its consumer that keep the files of ``worker.health``."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from celery import Celery
from celery.bootsteps import StartStopStep

from worker.health import BEAT_SECONDS, Health


def add_heartbeat(app: Celery, health: Health) -> None:
    """Have every worker of this application show that it lives, and whether it takes tasks."""
    consuming = threading.Event()
    app.steps["worker"].add(_bound(_Heartbeat, health, consuming))
    app.steps["consumer"].add(_bound(_Consuming, health, consuming))


def _bound(step: type[_Step], health: Health, consuming: threading.Event) -> type[_Step]:
    # Celery makes the instances, so what they need is put into a class of their own.
    return type(step.__name__, (step,), {"health": health, "consuming": consuming})


class _Step(StartStopStep):
    health: ClassVar[Health]
    consuming: ClassVar[threading.Event]


class _Heartbeat(_Step):
    """Beats in the main loop, so that one that stands still is seen; and while none runs for want of a broker."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Hub", "celery.worker.components:Pool")

    def start(self, parent: Any) -> None:  # noqa: ANN401 - Celery's worker
        self.health.begin()
        self._ended = threading.Event()
        self._waiting = threading.Thread(target=self._beat_while_waiting, name="wikiq-heartbeat", daemon=True)
        self._waiting.start()
        parent.timer.call_repeatedly(BEAT_SECONDS, self.health.beat)

    def _beat_while_waiting(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            if not self.consuming.is_set():
                self.health.beat()

    def stop(self, parent: Any) -> None:  # noqa: ANN401, ARG002
        self._ended.set()
        self._waiting.join()
        self.health.end()

    terminate = stop


class _Consuming(_Step):
    """Started when the consumer has its connection and its queues, stopped when it has lost them."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:  # noqa: ANN401, ARG002
        self.consuming.set()
        self.health.take_tasks()

    def stop(self, parent: Any) -> None:  # noqa: ANN401, ARG002
        self.consuming.clear()
        self.health.take_no_tasks()

    shutdown = stop
