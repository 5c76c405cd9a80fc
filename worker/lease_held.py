"""Which lease a thread holds, for whoever works under it; without Redis' client, which is slow to import."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Protocol

from worker.patience import Interrupted


class Held(Protocol):
    """A lease. ``until`` is the moment, on this process' monotonic clock, up to which it is promised."""

    until: float


current_lease: ContextVar[Held | None] = ContextVar("current_lease", default=None)


def check_lease() -> None:
    """Go on only if the lease that this thread holds, if it holds one, is still its own.

    Raises:
        Interrupted: it was lost, and somebody else may have the connection by now: close it, then ask for a new lease.
    """
    lease = current_lease.get()
    if lease is not None and time.monotonic() >= lease.until:
        raise Interrupted("the lease on a connection was lost")
