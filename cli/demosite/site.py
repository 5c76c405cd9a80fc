"""A running site as its user sees it: where it is, what it was asked, and how it behaves from now on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from cli.demosite.faults import Behaviour, Fault
from cli.demosite.ledger import Ledger, Logged


class Site:
    """A served directory. ``url`` has no trailing slash; paths have no leading one, like ``Hour.path``."""

    def __init__(self, root: Path, faults: Iterable[Fault]) -> None:
        self.root = root
        self.url = ""
        self.behaviour = Behaviour(faults)
        self.ledger = Ledger()
        self.closing = threading.Event()

    @property
    def log(self) -> tuple[Logged, ...]:
        """Every answered request, in the order in which the answers began."""
        return self.ledger.log

    @property
    def requests(self) -> Mapping[str, int]:
        """How often each path was asked for; 0 for any other."""
        return Counter(entry.path for entry in self.log)

    @property
    def most_at_once(self) -> int:
        """The highest number of transfers (answers 200 or 206 with a body) that ran at the same time."""
        return self.ledger.most_at_once

    def misbehave(self, *faults: Fault) -> None:
        """From now on have these faults and no others; none of them has struck yet."""
        self.behaviour = Behaviour(faults)

    def behave(self) -> None:
        """From now on be honest."""
        self.misbehave()

    def forget(self) -> None:
        """Empty the log and the counts."""
        self.ledger.forget()
