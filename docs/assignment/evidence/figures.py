"""Percentiles, rounding, tables. No import beyond the standard library."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of all values do not exceed.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("No values.")
    ranked = sorted(values)
    return ranked[max(0, -(-int(share * 1000) * len(ranked) // 1000) - 1)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum of seconds, to the millisecond."""
    return {
        "runs": len(values),
        "p50": round(percentile(values, 0.5), 3),
        "p95": round(percentile(values, 0.95), 3),
        "max": round(max(values), 3),
    }


def seconds(value: float) -> str:
    """``0.012 s``, ``1.23 s``, ``123 s``: three digits at most."""
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"  # noqa: PLR2004


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replaced(page: str, name: str, text: str) -> str:
    """The page with the part between its two markers of that name replaced.

    Raises:
        ValueError: A marker is missing.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"No {begin} … {end}.")
    return f"{before}{begin}\n{text}\n{end}{after}"
