"""Tasks whose worker has lost its broker: they are cancelled, and their messages go back to where they came from."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from celery.bootsteps import StartStopStep
from celery.worker.request import Request

from worker.broker_errors import redis_errors

if TYPE_CHECKING:
    from worker.app import Wikiq

_log = logging.getLogger(__name__)


class CutOffRequest(Request):
    """A task that a worker has taken.

    Celery 5.7.0 tells the result store that it cancels a task before it remembers so itself. Where the store is away
    with the broker it remembers nothing: it takes the process that it ended for a task that somebody revoked, which
    fails the chord and drops the message as soon as Redis is back.
    """

    def _announce_cancelled(self, emit_retry: bool = True) -> None:
        self._already_cancelled = True
        tag = self.message.delivery_tag
        # kombu has tried to put it back a moment before, and forgets what it has put back. It does not try again.
        if tag in self.message.channel.qos._delivered:  # noqa: SLF001 nothing else tells
            cast("Wikiq", self.app).cut_off.add(tag)
        try:
            super()._announce_cancelled(emit_retry)  # type: ignore[misc]  # the stubs lack it
        except redis_errors() as error:
            _log.warning("%s: the result store does not answer either (%s)", self.name, error)


class PutBack(StartStopStep):
    """With the connection that comes after a lost one: puts the messages back that could not be put back then."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:  # noqa: ANN401 - Celery's consumer
        app: Wikiq = parent.app
        for tag in tuple(app.cut_off):
            # Changes nothing where the message is not in flight any more.
            parent.task_consumer.channel.qos.restore_by_tag(tag)
            app.cut_off.discard(tag)
