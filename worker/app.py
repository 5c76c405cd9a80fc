"""The Celery application and its settings.

Celery only carries the work; what is done and what is missing is in the database (docs/decisions/0004).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from celery import Celery

from worker.context import Context, open_context
from worker.queues import COUNT_QUEUE, INDEX_QUEUE, KEY_PREFIX, QUEUES, RANK_QUEUE, in_flight_keys
from worker.settings import Settings, read_settings
from worker.tasks import TASKS, WikiqTask

VISIBILITY_TIMEOUT = 1800
SOFT_TIME_LIMIT = 1500
TIME_LIMIT = 1600
SOFT_SHUTDOWN_SECONDS = 60
_DAY = 24 * 3600

_EVERYWHERE: dict[str, Any] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "enable_utc": True,
    "timezone": "UTC",
    "broker_connection_retry_on_startup": True,
    # A worker waits for its broker as long as it takes: one that ended would have to be started by somebody.
    "broker_connection_max_retries": None,
    "task_default_queue": COUNT_QUEUE,
    "task_routes": {
        "wikiq.rank_*": {"queue": RANK_QUEUE},
        "wikiq.index_wiki": {"queue": INDEX_QUEUE},
        "wikiq.read_dump": {"queue": INDEX_QUEUE},
        "wikiq.build_index": {"queue": INDEX_QUEUE},
    },
    "task_acks_late": True,
    "task_ignore_result": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
}

_REDIS: dict[str, Any] = {
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "global_keyprefix": KEY_PREFIX,
        "priority_steps": [0],
        "socket_timeout": 30,
        "socket_keepalive": True,
    },
    "result_backend_transport_options": {"global_keyprefix": KEY_PREFIX},
    "worker_disable_prefetch": True,
    # Rejecting would deliver a poisonous task for ever; retrying stops after a while.
    "task_reject_on_worker_lost": False,
    "task_retry_on_worker_lost": True,
    "task_soft_time_limit": SOFT_TIME_LIMIT,
    "task_time_limit": TIME_LIMIT,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_SECONDS,
    "result_expires": _DAY,
    "result_chord_expires": 7 * _DAY,
}

_MEMORY: dict[str, Any] = {"broker_transport_options": {"polling_interval": 0.02}, "result_backend": "cache+memory://"}


class Wikiq(Celery):
    """Celery that knows wikiq's settings and opens each process' context when it is first needed.

    ``queues`` are those that a worker of this application takes tasks from.
    """

    def __init__(self, settings: Settings, queues: Sequence[str] = QUEUES) -> None:
        broker = settings.broker_url or "memory://localhost/"
        super().__init__("wikiq", broker=broker, task_cls=WikiqTask)
        self.settings = settings
        # Delivery tags of messages to be put back as soon as the broker is there again.
        self.cut_off: set[str] = set()
        self.conf.update(_EVERYWHERE)
        self.conf.update(_MEMORY if broker.startswith("memory:") else _redis(broker, queues))
        for name, function in TASKS.items():
            register = self.task(name=name, bind=True, lazy=False, shared=False)
            register(function)  # type: ignore[arg-type]  # a dict of functions has no common signature
        self._lock = threading.Lock()
        self._opened: tuple[int, Context] | None = None

    def context(self) -> Context:
        """This process' context; a child that was forked does not share its parent's connections."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), open_context(self.settings))
            return self._opened[1]


def make_app(settings: Settings | None = None, queues: Sequence[str] = QUEUES) -> Wikiq:
    """The application for these settings, by default the environment's."""
    return Wikiq(read_settings() if settings is None else settings, queues)


def _redis(broker: str, queues: Sequence[str]) -> dict[str, Any]:
    transport = {**_REDIS["broker_transport_options"], **in_flight_keys(queues)}
    return {**_REDIS, "broker_transport_options": transport, "result_backend": _results(broker)}


def _results(broker: str) -> str:
    # Without protocol 2, redis-py 8 prints a traceback when a process that made a chord exits.
    return f"{broker}{'&' if '?' in broker else '?'}protocol=2"
