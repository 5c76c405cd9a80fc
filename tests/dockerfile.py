"""A Dockerfile read into stages of instructions; enough of the format for our own file.

Format: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_CONTINUED = re.compile(r"\\\n\s*")
_FLAG = re.compile(r"--\w[\w-]*(=\S+)?\s+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its name in capitals and what follows, continued lines joined."""

    name: str
    text: str

    @property
    def without_flags(self) -> str:
        text = self.text
        while flag := _FLAG.match(text):
            text = text[flag.end() :]
        return text


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM up to the next; what stands before the first is a stage of its own."""

    instructions: tuple[Instruction, ...]

    def all(self, name: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.name == name]

    def last(self, name: str) -> str:
        return self.all(name)[-1].text


def read_stages(path: Path) -> list[Stage]:
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = _CONTINUED.sub("", "\n".join(lines))
    stages: list[list[Instruction]] = [[]]
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, text = line.partition(" ")
        if name.upper() == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name.upper(), text.strip()))
    return [Stage(tuple(stage)) for stage in stages]
