"""Invented titles as hour files have them: in a dozen scripts, of the lengths, namespaces and signs of real ones.

Titles are in the form in which MediaWiki stores them. The lengths, and how many titles hold other letters than ASCII's,
parentheses or a namespace's prefix, follow a thousand lines drawn from a file of August 2024.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

NAMESPACES = "User File Talk Category Special User_talk Template Help".split()
_QUALIFIERS = "film album song disambiguation band TV_series novel footballer politician village EP 2009_film".split()
_VOWELS = "a e i o u an en in on er al".split()


@dataclass(frozen=True, slots=True)
class Script:
    """Syllables to make words of, how many a word has at most, and what stands between the words of a title."""

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    syllables: int = 4
    between: str = "_"


def _signs(first: int, last: int, step: int = 1) -> tuple[str, ...]:
    return tuple(chr(code) for code in range(first, last, step))


SCRIPTS = {
    "latin": Script(tuple("b c d f g h k l m n p r s t v w z br tr st ch sh".split()), tuple(_VOWELS)),
    "accented": Script(tuple("b c ç d f g h k l m n ñ p r s t v w z ž š br".split()), (*_VOWELS, "é", "ä", "ó")),
    "cyrillic": Script(tuple("бвгджзклмнпрстфхцчш"), tuple("аеиоуыяюий")),
    "greek": Script(tuple("βγδζθκλμνπρστφχ"), tuple("αεηιουωά")),
    "arabic": Script(_signs(0x0628, 0x063B), ("", *_signs(0x0627, 0x0628), *_signs(0x0648, 0x064B, 2))),
    "hebrew": Script(_signs(0x05D0, 0x05EB), ("", *_signs(0x05D5, 0x05DA, 4))),
    "han": Script(_signs(0x4E00, 0x5E00, 3), ("",), between=""),
    "kana": Script(_signs(0x30AB, 0x30ED), ("", "ー"), syllables=6, between="・"),
    "hangul": Script(_signs(0xAC00, 0xD700, 17), ("",), syllables=3),
    "devanagari": Script(_signs(0x0915, 0x0939), ("", "ा", "ि", "े")),
    "thai": Script(_signs(0x0E01, 0x0E2F), ("", "า", "ี"), between=""),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A script's words, the most frequent first."""

    words: pl.Series
    between: str


def vocabulary(rng: np.random.Generator, script: Script, words: int) -> Vocabulary:
    """Words of a script; some repeat."""
    syllables = np.array([onset + vowel for onset in script.onsets for vowel in script.vowels])
    parts = [syllables[_places(rng, len(syllables), words, 20)] for _ in range(script.syllables)]
    lengths = np.minimum(rng.choice([1, 2, 3, 4, 5, 6], words, p=[0.04, 0.4, 0.36, 0.12, 0.05, 0.03]), script.syllables)
    joined = ["".join(word[:length]) for *word, length in zip(*parts, lengths, strict=True)]
    return Vocabulary(pl.Series("title", joined).str.to_titlecase(), script.between)


def titles(rng: np.random.Generator, known: Vocabulary, number: int) -> pl.Series:
    """Different titles, sorted by their bytes."""
    return _distinct(rng, lambda more: _drawn(rng, known, more), number)


def english_titles(rng: np.random.Generator, number: int) -> pl.Series:
    """Different titles of English Wikipedia, sorted: a few hold foreign letters, quotation marks, percent signs."""
    size = max(2_000, min(60_000, number // 8))
    plain, foreign = (vocabulary(rng, SCRIPTS[name], size) for name in ("latin", "accented"))
    return _distinct(rng, lambda more: _formed(rng, _drawn(rng, plain, more), foreign), number)


def _distinct(rng: np.random.Generator, draw: Callable[[int], pl.Series], number: int) -> pl.Series:
    """As many different values, in order."""
    found = _unrepeated(draw(number + number // 8 + 10))
    while len(found) < number:
        found = _unrepeated(pl.concat([found, draw(number - len(found) + number // 8 + 100)]))
    # Not the first ones, which would all begin alike.
    return found.gather(np.sort(rng.permutation(len(found))[:number]))


def _unrepeated(values: pl.Series) -> pl.Series:
    ordered = values.sort()
    return ordered.filter(ordered.ne_missing(ordered.shift()))


def _drawn(rng: np.random.Generator, known: Vocabulary, number: int) -> pl.Series:
    """Titles of one to six words; one in six ends in parentheses. Some repeat."""
    parts = []
    for words, of_them in zip((1, 2, 3, 4, 6), rng.multinomial(number, [0.3, 0.41, 0.18, 0.07, 0.04]), strict=True):
        columns = {f"word{place}": _word(rng, known, of_them) for place in range(words)}
        titles = pl.DataFrame(columns).select(pl.concat_str(columns.keys(), separator=known.between).alias("title"))
        ended = round(of_them * 0.16)
        ends = pl.Series([f"_({end})" for end in _QUALIFIERS]).gather(_places(rng, len(_QUALIFIERS), ended, 2))
        parts += [titles["title"][:ended] + ends, titles["title"][ended:]]
    return pl.concat(parts)


def _word(rng: np.random.Generator, known: Vocabulary, number: int) -> pl.Series:
    return known.words.gather(_places(rng, len(known.words), number, 60))


def _formed(rng: np.random.Generator, drawn: pl.Series, foreign: Vocabulary) -> pl.Series:
    """The same titles, some of them in one of the rarer forms, each with its share of all titles."""
    title, word, namespace = pl.col("title"), pl.col("word"), pl.col("namespace")
    forms = [
        (0.035, pl.concat_str(word, pl.lit("_"), title)),
        (0.005, pl.concat_str(namespace, pl.lit(":"), title, pl.lit(".jpg"))),
        (0.07, pl.concat_str(namespace, pl.lit(":"), title)),
        (0.006, pl.concat_str(title, pl.lit(":_"), word)),
        (0.0008, pl.concat_str(pl.lit('"'), title, pl.lit('"'))),
        (0.0004, pl.concat_str(title, pl.lit('_"'), word, pl.lit('"_(song)'))),
        (0.0001, pl.concat_str(pl.lit('"'), title, pl.lit('\\"'))),
        (0.0001, pl.concat_str(title, pl.lit("\\"), word)),
        (0.0003, pl.concat_str(pl.lit("100%_"), title)),
    ]
    order = rng.permutation(len(drawn))
    parts, begin = [], 0
    for share, form in forms:
        chosen = order[begin : begin + int(rng.binomial(len(drawn), share))]
        begin += len(chosen)
        frame = pl.DataFrame(
            {
                "title": drawn.gather(chosen),
                "word": _word(rng, foreign, len(chosen)),
                "namespace": pl.Series(NAMESPACES).gather(rng.integers(0, len(NAMESPACES), len(chosen))),
            }
        )
        parts.append(frame.select(form.alias("title"))["title"])
    return pl.concat([*parts, drawn.gather(order[begin:])])


def _places(rng: np.random.Generator, kinds: int, number: int, shift: float) -> npt.NDArray[np.int64]:
    """Places 0 … kinds - 1, drawn by Zipf's law: the first is the most frequent, the less so the larger the shift."""
    first = 1 + shift
    drawn = first * ((kinds + first) / first) ** rng.random(number) - first
    return np.minimum(drawn.astype(np.int64), kinds - 1)
