"""The commands by their names: each is imported when it is asked for, and nobody waits for the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer.core import TyperCommand

NAMES = ("demo", "plan", "enqueue", "results", "status", "resume", "worker", "health", "migrate", "metrics", "wiki")
"""In the order in which they are listed. A command is the function of its name in the module of its name in ``cli``, or
that module's own app."""

PLAIN: dict[str, Any] = {"rich_markup_mode": None, "context_settings": {"help_option_names": ["-h", "--help"]}}
"""How help looks, and is asked for, everywhere."""


class Commands(Mapping[str, "TyperCommand | TyperGroup"]):
    """All commands, none of which is imported before it is looked up."""

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in NAMES:
            raise KeyError(name)
        command: Any = typer.main.get_command(_app(name))
        command.name = name
        return command  # type: ignore[no-any-return]  # typer says less of it than it is

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


class CommandGroup(TyperGroup):
    """``wikiq`` itself."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as typer's
        super().__init__(**attributes | {"commands": Commands()})

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - as typer's
        return list(self.commands)


def _app(name: str) -> typer.Typer:
    module = import_module(f"cli.{name}")
    if hasattr(module, "app"):
        return module.app  # type: ignore[no-any-return]
    app = typer.Typer(add_completion=False, **PLAIN)
    app.command()(getattr(module, name))
    return app
