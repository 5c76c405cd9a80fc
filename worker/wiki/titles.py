"""Logged titles -> what kind of page they name, by the rules of one wiki."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import Rule
from models.siteinfo import Siteinfo

_UNKNOWN = ["", "-"]
_SLICE = 1 << 16
_GEORGIAN = r"[\x{1C90}-\x{1CBF}]"
_UNRAISED = r"[ǅǈǋǲⓐ-ⓩ\x{0345}\x{2170}-\x{217F}\x{A7B9}\x{16E60}-\x{16E7F}]"
_TITLE_CASE = {letter: letter.title() for letter in "ᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾳῃῳ"}
"""Where Wikimedia's wikis differ from Unicode's capitals: UcfirstOverrides.php in operations/mediawiki-config."""


def canonical_titles(titles: pl.Series, *, first_letter: bool) -> pl.Series:
    """Titles in the form in which MediaWiki stores them, for a String series.

    Runs of ``_`` become one, ``_`` at either end goes, and the first letter is raised where the wiki says so
    (https://www.mediawiki.org/wiki/Manual:Page_title). A letter whose capital is more than one letter, such as ß, and
    Georgian, whose capitals are not used for titles, stay small.
    """
    odd = np.flatnonzero(_perhaps_respelt(titles, first_letter=first_letter).to_numpy())
    return _replaced(titles.alias("title"), odd, _canonical(titles.gather(odd), first_letter=first_letter))


def read_titles(titles: pl.Series, siteinfo: Siteinfo) -> pl.DataFrame:
    """What each logged title (Binary) says: how MediaWiki spells it, and the rule that excludes it by its name alone.

    Returns:
        One row per title: ``canonical`` (Binary) and ``rule`` (String, mostly null), the first that applies of the
        rules that need no page table, in the order of ``models.answer.Rule``.
    """
    canonical = _spelt(titles, siteinfo)
    rule = (
        pl.when(pl.col("title").is_in(_UNKNOWN))
        .then(pl.lit(Rule.UNKNOWN_TITLE))
        .when(_in_namespaces(canonical, siteinfo))
        .then(pl.lit(Rule.OTHER_NAMESPACE))
        .when(pl.col("title") == siteinfo.main_page)
        .then(pl.lit(Rule.MAIN_PAGE))
        .alias("rule")
    )
    return canonical.to_frame().select(pl.col("title").cast(pl.Binary).alias("canonical"), rule)


def spelt_titles(titles: pl.Series, siteinfo: Siteinfo) -> pl.Series:
    """For each logged title (Binary) how MediaWiki spells it (Binary), as ``read_titles`` has it."""
    return _spelt(titles, siteinfo).cast(pl.Binary)


def excluding_rules(titles: pl.Series, siteinfo: Siteinfo) -> pl.Series:
    """For each logged title (Binary) the rule that keeps it out of the ranking by its name alone, or null."""
    return read_titles(titles, siteinfo)["rule"]


def _spelt(titles: pl.Series, siteinfo: Siteinfo) -> pl.Series:
    return canonical_titles(_as_text(titles), first_letter=siteinfo.first_letter)


def _perhaps_respelt(titles: pl.Series, *, first_letter: bool) -> pl.Series:
    """Whether ``_canonical`` may change a title: most are spelt right, which is quickly seen."""
    title = pl.col("title")
    odd = title.str.contains("__", literal=True) | title.str.starts_with("_") | title.str.ends_with("_")
    if first_letter:
        # By the first byte, as titles are compared by their bytes: neither a-z nor beyond ASCII.
        first = title.cast(pl.Binary)
        odd |= first.is_between(b"a", b"{", closed="left") | (first >= b"\x80")
    return titles.to_frame("title").select(odd.alias("odd"))["odd"]


def _canonical(titles: pl.Series, *, first_letter: bool) -> pl.Series:
    title = pl.col("title").str.replace_all("_+", "_").str.strip_chars("_")
    frame = titles.alias("title").to_frame().select(title)
    if not first_letter:
        return frame["title"]
    small = pl.col("title").str.slice(0, 1)
    capital = small.replace_strict(_TITLE_CASE, default=small.str.to_uppercase())
    raised = (capital.str.len_chars() == 1) & ~capital.str.contains(_GEORGIAN) & ~small.str.contains(_UNRAISED)
    return frame.select(
        pl.when(raised).then(capital + pl.col("title").str.slice(1)).otherwise(pl.col("title")).alias("title")
    )["title"]


def _in_namespaces(titles: pl.Series, siteinfo: Siteinfo) -> pl.Series:
    """Whether titles begin with the name of a namespace that is not the articles' own."""
    with_colon = titles.str.contains(":", literal=True)
    places = np.flatnonzero(with_colon.to_numpy())
    prefix = titles.gather(places).str.extract(r"^:?_*([^:]*?)_*:", 1).str.to_lowercase()
    return _replaced(with_colon, places, prefix.is_in(sorted(siteinfo.prefixes)).fill_null(value=False))


def _replaced(series: pl.Series, places: npt.NDArray[np.int64], values: pl.Series) -> pl.Series:
    """The series with other values at some places."""
    if not len(places):
        return series
    order = np.arange(len(series))
    order[places] = len(series) + np.arange(len(places))
    return pl.concat([series, values.alias(series.name)]).gather(order)


def _as_text(titles: pl.Series) -> pl.Series:
    """The titles as String; bytes that are no UTF-8 become U+FFFD."""
    slices = [_slice_as_text(part) for part in titles.rechunk().to_frame("title").iter_slices(_SLICE)]
    return pl.concat(slices) if slices else titles.cast(pl.String)


def _slice_as_text(part: pl.DataFrame) -> pl.Series:
    try:
        return part["title"].cast(pl.String)
    except pl.exceptions.ComputeError:
        # Seldom, and only for the slice that holds a broken title.
        return pl.Series("title", [title.decode(errors="replace") for title in part["title"]], dtype=pl.String)
