"""Why something could not be had, as it is kept."""

from __future__ import annotations

MAX_CHARACTERS = 1000


def kept_reason(text: str) -> str:
    """The text as any database can hold it: of a bounded length, and without NUL, which PostgreSQL refuses."""
    shortened = text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} …"
    return shortened.replace("\0", "\N{REPLACEMENT CHARACTER}")


def told(error: Exception) -> str:
    """An unexpected error in a line; of one of the database's what the database said, without the statement."""
    said = getattr(error, "orig", None) or error
    return f"{type(error).__name__}: {said}"
