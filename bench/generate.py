"""An hour file like the real ones: as many lines, sorted by code and title, with their long tail of single views.

The real hours have 5 to 8 million lines in 45 to 77 MiB of gzip
(https://dumps.wikimedia.org/other/pageviews/readme.html); titles here are made of random syllables.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl

FULL_LINES = 5_200_000
ENGLISH_SHARE = 0.23
"""Of all lines, those of ``en`` and ``en.m`` together."""
_CONSONANTS = "b c d f g h k l m n p r s t v w z br tr st ch sh".split()
_VOWELS = "a e i o u an en in on er al".split()
_CODES = (
    "aa af am ar ar.m arz az be bg bn bs ca commons.m cs cs.m da de de.m el en.b en.d en.m.d eo es es.m "
    "et fa fa.m fi fr fr.m he he.m hi hu id id.m it it.m ja ja.m ka ko ko.m lt lv nl nl.m no pl pl.m pt "
    "pt.m ro ru ru.m simple sk sr sv th tr uk ur uz vi www.wd zh zh.m "
).split()


def write_hour(path: Path, lines: int = FULL_LINES, seed: int = 7) -> None:
    """Write an hour file of about that many lines; the same arguments give the same bytes."""
    rng = np.random.default_rng(seed)
    words = _words(rng, 40_000)
    english = int(lines * ENGLISH_SHARE)
    # Of the titles requested in an hour about half are requested on one of the two sites only.
    titles = _titles(rng, words, int(english / 1.4))
    parts = {"en": _some(rng, titles, 0.68), "en.m": _some(rng, titles, 0.72)}
    others = (lines - english) // len(_CODES)
    parts |= {code: _titles(rng, words, max(1, others)) for code in _CODES}
    text = b"".join(_text(rng, code, parts[code]) for code in sorted(parts))
    path.write_bytes(gzip.compress(text, compresslevel=6, mtime=0))


def _words(rng: np.random.Generator, number: int) -> pl.Series:
    syllables = np.array([consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS])
    parts = [rng.choice(syllables, number) for _ in range(4)]
    lengths = rng.choice([1, 2, 3, 4], number, p=[0.2, 0.4, 0.3, 0.1])
    joined = ["".join(word[:length]) for *word, length in zip(*parts, lengths, strict=True)]
    return pl.Series("word", joined).str.to_titlecase()


def _titles(rng: np.random.Generator, words: pl.Series, number: int) -> pl.Series:
    lengths = rng.choice([1, 2, 3, 4, 5], number, p=[0.15, 0.4, 0.25, 0.13, 0.07])
    columns = {
        f"word{place}": words.gather(rng.integers(0, len(words), number)).set(pl.Series(lengths <= place), None)
        for place in range(5)
    }
    joined = pl.DataFrame(columns).select(
        pl.concat_str(columns.keys(), separator="_", ignore_nulls=True).alias("title")
    )
    return joined["title"].unique().sort()


def _some(rng: np.random.Generator, titles: pl.Series, share: float) -> pl.Series:
    return titles.filter(pl.Series(rng.random(len(titles)) < share))


def _text(rng: np.random.Generator, code: str, titles: pl.Series) -> bytes:
    views = np.minimum(rng.zipf(1.9, len(titles)), 200_000)
    frame = pl.DataFrame({"title": titles, "views": views})
    # One title in eight hundred holds quotation marks, which the writer wraps and escapes.
    quoted = pl.int_range(pl.len()) % 800 == 0
    title = pl.when(quoted).then(pl.format('"\\"{}\\"_(song)"', "title")).otherwise(pl.col("title"))
    lines = frame.select(pl.format("{} {} {} 0", pl.lit(code), title, "views").alias("line"))["line"]
    return ("\n".join(lines) + "\n").encode()
