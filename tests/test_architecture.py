"""What holds for the project as a whole."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for folder in ("cli", "models", "worker") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("package", ["cli", "models", "worker"])
def test_package_names_are_ours_alone(package: str) -> None:
    """No other installed distribution provides one of the three plain package names."""
    assert set(importlib.metadata.packages_distributions().get(package, ())) <= {"wikiq"}


def test_only_settings_reads_the_environment() -> None:
    """``os.environ`` and ``os.getenv`` occur in worker/settings.py and nowhere else."""
    readers = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                readers.add(path.relative_to(ROOT).as_posix())
    assert readers == {"worker/settings.py"}


def test_nothing_is_unpickled_or_evaluated() -> None:
    """The product imports no module that runs what it reads, and evaluates no text."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names) if {name.name for name in names} & {"pickle", "marshal", "shelve"}:
                    found.append(path.name)
                case ast.Call(func=ast.Name(id="eval" | "exec")):
                    found.append(path.name)
    assert found == []


def test_readme_begins_with_the_two_commands() -> None:
    """The main job's and the tests' command stand in the README's first code block."""
    block = (ROOT / "README.md").read_text().split("```")[1]
    assert "pip install . && wikiq demo" in block
    assert "pip install '.[dev]' && pytest" in block


def test_every_dependency_has_its_reason() -> None:
    """Each runtime dependency in pyproject.toml is followed by a comment that says what it is for."""
    text = (ROOT / "pyproject.toml").read_text()
    for dependency in tomllib.loads(text)["project"]["dependencies"]:
        line = next(line for line in text.splitlines() if f'"{dependency}"' in line)
        assert re.search(r",\s+# \w+", line), dependency
