"""A module of the benchmark run as a process of its own, which tells JSON; so whoever asks stays small."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def told(module: str, *arguments: str) -> Any:  # noqa: ANN401 JSON
    """What ``python -m MODULE`` prints, read as JSON.

    Raises:
        CalledProcessError: it ended badly.
    """
    return json.loads(printed(module, *arguments))


def printed(module: str, *arguments: str) -> str:
    """What ``python -m MODULE`` prints.

    Raises:
        CalledProcessError: it ended badly.
    """
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 our own module
