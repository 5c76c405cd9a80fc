"""Answers as Markdown tables (GitHub Flavored Markdown, https://github.github.com/gfm/#tables-extension-)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cli.render import words
from cli.render.safe import visible
from models.answer import Answer, RankedArticle

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {character: f"\\{character}" for character in "\\`*_[]|~#!$"}
)


def render_markdown(answers: Sequence[Answer], top: int) -> str:
    """A section for each answer: what it rests on, then a table for each list."""
    return "\n".join(_section(answer, top) for answer in answers)


def _section(answer: Answer, top: int) -> str:
    blocks = [
        [heading(f"{answer.project}, {words.dates(answer.period)}")],
        [sentence([words.verdict(answer), ", ".join(words.missing_hours(answer))])],
        [sentence([words.window(answer.period), *words.sources(answer), *words.made(answer)])],
        table(("totals", "count"), words.totals(answer).items()),
        table(("excluded", "views", "titles"), ((row.rule.value, row.views, row.titles) for row in answer.excluded)),
        *_most(answer, top),
        *_least(answer, top),
        *_categories(answer, top),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if any(block)) + "\n"


def _most(answer: Answer, top: int) -> list[list[str]]:
    listed = articles_table(answer.most_requested[:top])
    return [["### Most requested"], listed or ["Nothing was requested."]]


def articles_table(articles: Iterable[RankedArticle]) -> list[str]:
    """Ranked articles, a row each."""
    headings = ("rank", "title", "views", "desktop", "mobile", "through redirects", "flag")
    rows = (
        (row.rank, row.title, row.views, row.desktop, row.mobile, row.through_redirects, row.flag or "")
        for row in articles
    )
    return table(headings, rows)


def _least(answer: Answer, top: int) -> list[list[str]]:
    least = answer.least_requested
    if least is None:
        return []
    listed = least.articles[:top]
    rows = ((row.title, row.views, row.desktop, row.mobile, row.through_redirects) for row in listed)
    return [
        ["### Least requested"],
        [sentence(words.least_facts(answer, least, len(listed)))],
        table(("title", "views", "desktop", "mobile", "through redirects"), rows),
    ]


def _categories(answer: Answer, top: int) -> list[list[str]]:
    rows = ((row.rank, row.category, row.views, row.articles) for row in (answer.top_categories or ())[:top])
    listed = table(("rank", "category", "views", "articles"), rows)
    return [["### Top categories"], listed or [words.no_categories(answer)], [_text(words.left_out(answer))]]


def heading(text: str) -> str:
    """A section's heading."""
    return f"## {_text(text)}"


def sentence(facts: Iterable[str]) -> str:
    """Facts on one line."""
    return " · ".join(_text(fact) for fact in facts if fact)


def table(headings: Sequence[str], rows: Iterable[Sequence[str | int]]) -> list[str]:
    """A table without a row is no table; counts stand to the right."""
    listed = [tuple(row) for row in rows]
    if not listed:
        return []
    rule = ["--:" if isinstance(cell, int) else "---" for cell in listed[0]]
    return [_row(headings), _row(rule), *(_row([_cell(cell) for cell in row]) for row in listed)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: str | int) -> str:
    return f"{cell:,}" if isinstance(cell, int) else _text(cell)


def _text(text: str) -> str:
    return visible(text).translate(_ESCAPES)
