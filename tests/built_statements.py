"""Finds statements for a database that a module puts together of values."""

from __future__ import annotations

import ast
from collections.abc import Collection

TAKES_TEXT = {"text", "literal_column", "exec_driver_sql", "executescript"}
"""Calls whose first argument is sent to the database as it is."""
TAKES_EXPRESSIONS = {"execute", "exec", "executemany", "scalar", "scalars"}
"""Calls that take expressions of SQLAlchemy, too; a driver's own take text."""


def built_statements(source: str) -> list[str]:
    """The first arguments of such calls that are no constants, or are built, as they are written in the module."""
    tree = ast.parse(source)
    constants = {name for name, value in _assigned(tree.body) if isinstance(value, ast.Constant)}
    built = {name for name, value in _assigned(ast.walk(tree)) if _is_built(value, constants)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [
        ast.unparse(call.args[0])
        for call in calls
        if (_called(call) in TAKES_TEXT and not _is_constant(call.args[0], constants))
        or (_called(call) in TAKES_EXPRESSIONS and _is_built(call.args[0], constants, built))
    ]


def _assigned(nodes):
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _is_constant(node: ast.expr, constants: Collection[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in constants
        case ast.IfExp(body=one, orelse=other):
            return _is_constant(one, constants) and _is_constant(other, constants)
        case ast.JoinedStr(values=parts):
            return all(_is_constant(part, constants) for part in parts)
        case ast.FormattedValue(value=value):
            return _is_constant(value, constants)
    return isinstance(node, ast.Constant)


def _is_built(node: ast.expr, constants: Collection[str], built: Collection[str] = ()) -> bool:
    match node:
        case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()):
            return not _is_constant(node, constants)
        case ast.Call(func=ast.Attribute(attr="format" | "join" | "replace")):
            return True
        case ast.IfExp(body=one, orelse=other):
            return _is_built(one, constants, built) or _is_built(other, constants, built)
        case ast.Name(id=name):
            return name in built
    return False
