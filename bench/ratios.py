"""What engines came to, as tables: seconds, how many times wikiq's, processor seconds, and peak memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

HEADS = ("engine", "seconds", "times wikiq", "processor seconds", "peak MB")


def cells(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A line per engine, the fastest first; ``result`` is what bench.turns.compare gives."""
    told = {name: taken for name, taken in result["seconds"].items() if taken is not None}
    wikiq = told["wikiq"]
    return [
        (
            f"{name} (one round)" if name in result["once"] else name,
            f"{taken:.2f}",
            f"{taken / wikiq:.2f}",
            f"{result['processor'][name]:.2f}",
            f"{result['peak_mb'][name]:,.0f}",
        )
        for name, taken in sorted(told.items(), key=lambda item: item[1])
    ]


def text(result: Mapping[str, Any]) -> str:
    """For a terminal."""
    lines = [HEADS, *cells(result)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([*table, *notes(result)])


def markdown(result: Mapping[str, Any]) -> str:
    """For docs/performance.md."""
    rows = [HEADS, ("---",) * len(HEADS), *cells(result)]
    return "\n".join(["| " + " | ".join(row) + " |" for row in rows] + ["", " ".join(notes(result))])


def notes(result: Mapping[str, Any]) -> Iterable[str]:
    cores = "one core" if result["threads"] == 1 else f"{result['threads']} cores"
    best = f"the best of {result['rounds']} rounds after one that is not timed"
    rounds = best if result["rounds"] else "one round, which pays for imports, too"
    yield f"Each engine in a process of its own, held to {cores} and set to as many threads; in turns, {rounds}."
    for name, parts in result["parts"].items():
        told = ", ".join(f"{part} {figure:.2f}" for part, figure in parts.items())
        yield f"Of {name}: {told}."
    yield "Measured: " + "; ".join(f"{name}: {told}" for name, told in result["versions"].items() if told) + "."
    for name, where in result["unequal"].items():
        yield f"{name} gave ANOTHER ANSWER than wikiq: {', '.join(where)}."
    if result["answers_equal"]:
        yield "All answers are equal."
    elif result["answers_equal"] is None:
        yield "NOTHING TO COMPARE WITH is installed, so nobody knows whether the answer is right."


def times_best(result: Mapping[str, Any], others: Iterable[str]) -> tuple[float, str] | None:
    """How many times the fastest of the others' seconds wikiq took, and which that is; None if there is no other."""
    told = {name: result["seconds"].get(name) for name in others}
    seconds = {name: taken for name, taken in told.items() if taken is not None}
    if not seconds:
        return None
    best = min(seconds, key=seconds.__getitem__)
    return result["seconds"]["wikiq"] / seconds[best], best


def against(result: Mapping[str, Any], name: str) -> str:
    """Wikiq's time as a multiple of another engine's, on the clock and of the CPU, which others disturb less."""
    seconds, processor = result["seconds"], result["processor"]
    clock = seconds["wikiq"] / seconds[name]
    return f"{clock:.2f} × {name} ({processor['wikiq'] / processor[name]:.2f} × its processor seconds)"
