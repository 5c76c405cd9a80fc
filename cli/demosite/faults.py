"""What can go wrong between a file and its reader, as values.

    Fault("*.gz", TooMany(retry_after=1), times=2)      the first two requests of each hour file
    Fault(hour.path, Cut(after=1000), times=1)          one connection breaks
    Fault("*", Together((AtMost(3), Slow(50_000))))     both at once

Of several faults, the first that matches a request and has not struck its path often enough is the one that strikes:
two with ``times=1`` strike the first request and the second.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from http import HTTPStatus

from cli.demosite.reply import Reply, Request, ServedFile, error_reply, html_reply


class Misbehaviour:
    """Bends what is served: first the file, before ranges are applied to it, then the reply. This one is honest."""

    __slots__ = ()

    def bend_file(self, file: ServedFile, _request: Request, /) -> ServedFile:
        return file

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        return reply


@dataclass(frozen=True, slots=True)
class NotFound(Misbehaviour):
    """404, whether or not the file exists."""

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return error_reply(HTTPStatus.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Refused(Misbehaviour):
    """403."""

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return error_reply(HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class TooMany(Misbehaviour):
    """429 with a short HTML body. ``retry_after`` is in seconds, or an HTTP date."""

    retry_after: int | str | None = None

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return error_reply(HTTPStatus.TOO_MANY_REQUESTS, self.retry_after)


@dataclass(frozen=True, slots=True)
class Unavailable(Misbehaviour):
    """503 with a short HTML body. ``retry_after`` is in seconds, or an HTTP date."""

    retry_after: int | str | None = None

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return error_reply(HTTPStatus.SERVICE_UNAVAILABLE, self.retry_after)


@dataclass(frozen=True, slots=True)
class Redirect(Misbehaviour):
    """302 to another URL."""

    location: str

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return html_reply(HTTPStatus.FOUND, "302 Found", (("Location", self.location),))


@dataclass(frozen=True, slots=True)
class HtmlPage(Misbehaviour):
    """An HTML page under the file's name, with status 200."""

    def bend_reply(self, _reply: Reply, _request: Request, /) -> Reply:
        return html_reply(HTTPStatus.OK, "We are looking into this")


@dataclass(frozen=True, slots=True)
class Cut(Misbehaviour):
    """The connection closes after so many bytes of the body, though Content-Length promised all."""

    after: int

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        return replace(reply, cut_after=self.after)


@dataclass(frozen=True, slots=True)
class WrongLength(Misbehaviour):
    """Content-Length promises more bytes than there are; after the last of them the connection closes."""

    extra: int = 100

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        return replace(reply, announced=len(reply.body) + self.extra)


@dataclass(frozen=True, slots=True)
class Corrupt(Misbehaviour):
    """The byte in the middle of the file is flipped; length and ETag are right."""

    def bend_file(self, file: ServedFile, _request: Request, /) -> ServedFile:
        content = bytes(file.content)
        middle = len(content) // 2
        flipped = bytes(byte ^ 0xFF for byte in content[middle : middle + 1])
        return replace(file, content=content[:middle] + flipped + content[middle + 1 :])


@dataclass(frozen=True, slots=True)
class Truncated(Misbehaviour):
    """Only the first part of the file lies on the server, with a Content-Length and an ETag of its own."""

    share: float = 0.5

    def bend_file(self, file: ServedFile, _request: Request, /) -> ServedFile:
        part = file.content[: int(len(file.content) * self.share)]
        return replace(file, content=part, etag=_other_etag(file, f"part-{len(part):x}"))


@dataclass(frozen=True, slots=True)
class ChangingETag(Misbehaviour):
    """Every request meets another ETag, so that no If-Range holds."""

    def bend_file(self, file: ServedFile, request: Request, /) -> ServedFile:
        # A date may serve as If-Range too, so it moves with the ETag.
        return replace(file, etag=_other_etag(file, str(request.nth)), modified=file.modified + request.nth)


@dataclass(frozen=True, slots=True)
class OtherVersion(Misbehaviour):
    """Another version lies there, and a Range is answered with its bytes (206) whatever If-Range says.

    Without content of its own, the other version is the file with every bit inverted.
    """

    content: bytes | None = None

    def bend_file(self, file: ServedFile, _request: Request, /) -> ServedFile:
        content = bytes(byte ^ 0xFF for byte in bytes(file.content)) if self.content is None else self.content
        etag = _other_etag(file, "other")
        return replace(file, content=content, etag=etag, modified=file.modified + 3600, honours_if_range=False)


@dataclass(frozen=True, slots=True)
class Slow(Misbehaviour):
    """The body comes at so many bytes per second."""

    rate: float

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        return replace(reply, rate=self.rate)


@dataclass(frozen=True, slots=True)
class Stall(Misbehaviour):
    """Nothing comes for so many seconds; then the answer does."""

    seconds: float

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        return replace(reply, stall=self.seconds)


@dataclass(frozen=True, slots=True)
class AtMost(Misbehaviour):
    """While so many transfers are running, whichever they are, another one is answered 503 (or 429)."""

    transfers: int
    status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after: int | str | None = None

    def bend_reply(self, reply: Reply, _request: Request, /) -> Reply:
        return replace(reply, at_most=self.transfers, past_limit=error_reply(self.status, self.retry_after))


@dataclass(frozen=True, slots=True)
class Flaky(Misbehaviour):
    """A share of all requests is answered 429 or 503, by lot.

    The lot hangs on the seed, the path and how often it was asked for, not on the order in which clients come.
    """

    seed: int
    share: float = 1 / 3
    retry_after: int | str | None = None

    def bend_reply(self, reply: Reply, request: Request, /) -> Reply:
        lot = random.Random(f"{self.seed} {request.path} {request.nth}")  # noqa: S311 - wanted repeatable, not secret
        if lot.random() >= self.share:
            return reply
        status = lot.choice((HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE))
        return error_reply(status, self.retry_after)


@dataclass(frozen=True, slots=True)
class Together(Misbehaviour):
    """Several misbehaviours in one request, each bending what the one before left."""

    parts: tuple[Misbehaviour, ...]

    def bend_file(self, file: ServedFile, request: Request, /) -> ServedFile:
        for part in self.parts:
            file = part.bend_file(file, request)
        return file

    def bend_reply(self, reply: Reply, request: Request, /) -> Reply:
        for part in self.parts:
            reply = part.bend_reply(reply, request)
        return reply


@dataclass(frozen=True, slots=True)
class Fault:
    """A misbehaviour that strikes the first ``times`` requests of each path that matches, or always.

    ``pattern`` is a shell pattern over the path without its leading slash; ``*`` crosses slashes. With a ``method``
    (GET or HEAD) only such requests are struck and counted.
    """

    pattern: str
    kind: Misbehaviour
    times: int | None = None
    method: str | None = None

    def concerns(self, request: Request) -> bool:
        return self.method in (None, request.method) and fnmatchcase(request.path, self.pattern.lstrip("/"))


class Behaviour:
    """Faults, and how often each has struck which path. Safe to share between threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._struck: Counter[tuple[int, str]] = Counter()
        self._lock = threading.Lock()

    def strike(self, request: Request) -> tuple[Misbehaviour, Request]:
        """The misbehaviour this request meets, and the request with its number among those that met it."""
        with self._lock:
            for number, fault in enumerate(self._faults):
                key = (number, request.path)
                if fault.concerns(request) and (fault.times is None or self._struck[key] < fault.times):
                    self._struck[key] += 1
                    return fault.kind, replace(request, nth=self._struck[key])
        return Misbehaviour(), request


def _other_etag(file: ServedFile, mark: str) -> str:
    return f'{file.etag[:-1]}-{mark}"'
