"""Invented page titles that look like a large wiki's: people, works, places, years and lists.

Words are drawn by Zipf's law from an invented vocabulary, names from lists of their own, so that sorted titles share
long beginnings, as real ones do. They are made to be about as hard to compress than real ones: per row, the dump of
``redirect`` takes more bytes than English Wikipedia's (``python -m bench index`` prints both).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

_CONSONANTS = "b c d f g h k l m n p r s t v w z br tr st ch sh O' é ö 山".split()
_VOWELS = "a e i o u an en in on er al".split()
_QUALIFIERS = 4_000
_FORMS = 8


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words to make titles of: capitalised, small, given names, family names and what stands in parentheses."""

    capitalised: pl.Series
    small: pl.Series
    given: pl.Series
    family: pl.Series
    qualifiers: pl.Series


def lexicon(rng: np.random.Generator) -> Lexicon:
    words = _words(rng, 200_000)
    return Lexicon(
        capitalised=words.str.to_titlecase(),
        small=words,
        given=_words(rng, 8_000).str.to_titlecase(),
        family=_words(rng, 120_000).str.to_titlecase(),
        qualifiers=_words(rng, _QUALIFIERS),
    )


def zipf_places(rng: np.random.Generator, kinds: int, number: int, shift: float = 2.0) -> npt.NDArray[np.int64]:
    """Draw places 0 … kinds - 1, the first of them the most frequent."""
    return drawn(rng, zipf_shares(kinds, shift), number)


def zipf_shares(kinds: int, shift: float) -> npt.NDArray[np.float64]:
    """The shares of places 0 … kinds - 1, added up."""
    shares = np.cumsum(1 / (np.arange(kinds) + 1 + shift))
    shares /= shares[-1]
    return shares


def drawn(rng: np.random.Generator, shares: npt.NDArray[np.float64], number: int) -> npt.NDArray[np.int64]:
    return np.searchsorted(shares, rng.random(number))


def chance(rng: np.random.Generator, share: float, number: int) -> npt.NDArray[np.bool_]:
    """True as often as told."""
    return rng.random(number) < share


def titles(rng: np.random.Generator, words: Lexicon, number: int) -> pl.Series:
    """Titles, most of them different."""
    columns = pl.DataFrame(
        {
            "form": rng.choice(_FORMS, number, p=[0.32, 0.16, 0.14, 0.13, 0.09, 0.07, 0.05, 0.04]),
            "one": _drawn_words(rng, words.capitalised, number, shift=60),
            "two": _drawn_words(rng, words.capitalised, number, shift=60),
            "three": _drawn_words(rng, words.small, number, shift=60),
            "given": _drawn_words(rng, words.given, number, shift=20),
            "family": _drawn_words(rng, words.family, number, shift=2_000),
            "qualifier": _drawn_words(rng, words.qualifiers, number),
            "year": rng.integers(1800, 2026, number),
        }
    )
    forms = [
        "{given}_{family}",
        "{one}_{two}",
        "{one}_{three}_{two}",
        "{one}_{two}_({qualifier})",
        "{given}_{family}_({qualifier})",
        "{year}_{one}_{two}",
        "List_of_{three}_in_{one}_{two}",
        "{one},_{two}",
    ]
    return columns.select(_chosen("form", [_filled(form) for form in forms]).alias("title"))["title"]


def category_titles(rng: np.random.Generator, words: Lexicon, number: int) -> pl.Series:
    """Titles of categories, which say of what, where and when."""
    columns = pl.DataFrame(
        {
            "form": rng.choice(3, number, p=[0.5, 0.3, 0.2]),
            "kind": _drawn_words(rng, words.capitalised.head(4_000), number),
            "more": _drawn_words(rng, words.small.head(4_000), number),
            "place": _drawn_words(rng, words.family, number, shift=20),
            "year": rng.integers(1800, 2026, number),
        }
    )
    forms = ["{kind}_{more}_in_{place}", "{year}_{more}_in_{place}", "{kind}_{more}_by_{place}_of_{place}"]
    return columns.select(_chosen("form", [_filled(form) for form in forms]).alias("title"))["title"]


def variants(rng: np.random.Generator, words: Lexicon, of: pl.Series) -> pl.Series:
    """Other spellings of titles, as redirects have them: small letters, a slip, a qualifier, names turned round."""
    title = pl.col("title")
    turned = title.str.replace(r"^([^_,]+)_([^_]+)$", "$2,_$1")
    spellings = [
        title.str.slice(0, 1) + title.str.slice(1).str.to_lowercase(),
        title.str.slice(0, 4) + title.str.slice(5),
        pl.concat_str(title.str.replace(r"_\(.*", ""), pl.lit("_("), pl.col("qualifier"), pl.lit(")")),
        turned,
        title + "s",
    ]
    frame = pl.DataFrame(
        {
            "title": of,
            "form": rng.integers(0, len(spellings), len(of)),
            "qualifier": _drawn_words(rng, words.qualifiers, len(of)),
        }
    )
    return frame.select(_chosen("form", spellings).alias("title"))["title"]


def _words(rng: np.random.Generator, number: int) -> pl.Series:
    syllables = np.array([consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS])
    # Syllables are as unequal as words are, otherwise no two titles would begin alike.
    parts = [syllables[zipf_places(rng, len(syllables), number, shift=20)] for _ in range(4)]
    lengths = rng.choice([1, 2, 3, 4], number, p=[0.05, 0.45, 0.38, 0.12])
    joined = ["".join(word[:length]) for *word, length in zip(*parts, lengths, strict=True)]
    return pl.Series("word", joined)


def _drawn_words(rng: np.random.Generator, words: pl.Series, number: int, shift: float = 2.0) -> pl.Series:
    return words.gather(zipf_places(rng, len(words), number, shift))


def _filled(form: str) -> pl.Expr:
    """``{a}_{b}`` as an expression of the columns a and b."""
    pieces = form.replace("{", "\0{").replace("}", "\0").split("\0")
    return pl.concat_str(pl.col(piece[1:]) if piece.startswith("{") else pl.lit(piece) for piece in pieces if piece)


def _chosen(column: str, expressions: Iterable[pl.Expr]) -> pl.Expr:
    """The expression whose place the column names."""
    first, *others = expressions
    chosen = pl.when(pl.col(column) == 0).then(first)
    for place, expression in enumerate(others, start=1):
        chosen = chosen.when(pl.col(column) == place).then(expression)  # type: ignore[assignment]  # a chain
    return chosen.otherwise(pl.lit(""))
