"""The queues of tasks in the broker, and where workers note what they took from them."""

from __future__ import annotations

from collections.abc import Sequence

COUNT_QUEUE = "count"
RANK_QUEUE = "rank"
INDEX_QUEUE = "index"
QUEUES = (COUNT_QUEUE, RANK_QUEUE, INDEX_QUEUE)
KEY_PREFIX = "wikiq:"
"""What every key of wikiq's in Redis begins with."""


def in_flight_keys(queues: Sequence[str]) -> dict[str, str]:
    """Where a worker of these queues notes what it works on, as options of the transport, without its key prefix.

    Workers of one queue share keys of their own, so that each queue's workers can be scaled by what is in it and what
    is in flight from it (docs/decisions/0013). Only they look for what a dead one of them left.
    """
    part = "" if set(queues) == set(QUEUES) else "." + "-".join(sorted(set(queues)))
    return {f"{name}_key": f"{name}{part}" for name in ("unacked", "unacked_index", "unacked_mutex")}
