"""What wikiq's exit code says, and how an error becomes one."""

from __future__ import annotations

from enum import IntEnum

from models.errors import SourceRefused, SourceUnreachable, UsageError, WikiqError


class ExitCode(IntEnum):
    """0 means complete success and nothing else does. An interrupt (Ctrl-C) ends with 130, as everywhere."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    SOURCE = 4
    INTERRUPTED = 130


def exit_code_of(error: WikiqError) -> ExitCode:
    """The exit code that an error ends the command with."""
    match error:
        case UsageError():
            return ExitCode.USAGE
        case SourceRefused() | SourceUnreachable():
            return ExitCode.SOURCE
        case _:
            return ExitCode.FAILED
