"""A demo wiki's content as the tables that Wikimedia dumps, in today's schema and in those before it.

Columns after https://www.mediawiki.org/wiki/Manual:Database_layout and https://phabricator.wikimedia.org/T299951, which
took ``cl_to`` out of ``categorylinks`` in 2025; ``page_restrictions`` went out of ``page`` in 2022.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto

from cli.demosite.pages import ARTICLES, CATEGORY, TEMPLATE, CategoryLink, Content, Page
from cli.demosite.sqltext import Row, Table, Value

_MISSING_TARGET = 999_999_999
_COLLATION, _COLLATION_ID = b"uca-default-u-kn", 2


class Schema(Enum):
    """How ``categorylinks`` names a category: by title, by both, or by a row of ``linktarget``."""

    TITLE = auto()
    BOTH = auto()
    TARGET = auto()


def sql_tables(content: Content, date: dt.date, schema: Schema = Schema.TARGET) -> tuple[Table, ...]:
    """``page``, ``redirect``, ``linktarget``, ``categorylinks`` and ``page_props`` on the date of a run."""
    targets = _targets(content)
    return (
        page_table(content.pages, date, schema),
        _redirect_table(content),
        _linktarget_table(targets),
        categorylinks_table(content.category_links, targets, date, schema),
        _page_props_table(content),
    )


def page_table(pages: Iterable[Page], date: dt.date, schema: Schema = Schema.TARGET) -> Table:
    """``page``; the oldest schema has one column more in the middle."""
    old = schema is Schema.TITLE
    definitions = (
        "`page_id` int(8) unsigned NOT NULL AUTO_INCREMENT",
        "`page_namespace` int(11) NOT NULL DEFAULT 0",
        "`page_title` varbinary(255) NOT NULL DEFAULT ''",
        *(("`page_restrictions` tinyblob DEFAULT NULL",) if old else ()),
        "`page_is_redirect` tinyint(1) unsigned NOT NULL DEFAULT 0",
        "`page_is_new` tinyint(1) unsigned NOT NULL DEFAULT 0",
        "`page_random` double unsigned NOT NULL DEFAULT 0",
        "`page_touched` binary(14) NOT NULL",
        "`page_links_updated` varbinary(14) DEFAULT NULL",
        "`page_latest` int(8) unsigned NOT NULL DEFAULT 0",
        "`page_len` int(8) unsigned NOT NULL DEFAULT 0",
        "`page_content_model` varbinary(32) DEFAULT NULL",
        "`page_lang` varbinary(35) DEFAULT NULL",
        "PRIMARY KEY (`page_id`)",
        "UNIQUE KEY `page_name_title` (`page_namespace`,`page_title`)",
    )
    touched = f"{date:%Y%m%d}000000".encode()
    rows = (_page_row(page, touched, (b"",) if old else ()) for page in pages)
    return Table("page", definitions, rows, "ENGINE=InnoDB AUTO_INCREMENT=1000000 DEFAULT CHARSET=binary")


def categorylinks_table(
    links: Iterable[CategoryLink], targets: Mapping[tuple[int, bytes], int], date: dt.date, schema: Schema
) -> Table:
    """``categorylinks`` in one of its schemas.

    While there are both, some rows have no target yet. Where there is only the target, one row, the last, has one that
    ``linktarget`` lacks, because the tables of a run are not dumped at the same moment.
    """
    by_title, by_target = schema is not Schema.TARGET, schema is not Schema.TITLE
    definitions = (
        "`cl_from` int(8) unsigned NOT NULL DEFAULT 0",
        *(("`cl_to` varbinary(255) NOT NULL DEFAULT ''",) if by_title else ()),
        "`cl_sortkey` varbinary(230) NOT NULL DEFAULT ''",
        "`cl_timestamp` timestamp NOT NULL",
        "`cl_sortkey_prefix` varbinary(255) NOT NULL DEFAULT ''",
        *(("`cl_collation` varbinary(32) NOT NULL DEFAULT ''",) if by_title else ()),
        "`cl_type` enum('page','subcat','file') NOT NULL DEFAULT 'page'",
        *(("`cl_collation_id` smallint(5) unsigned NOT NULL DEFAULT 0",) if by_target else ()),
        *((f"`cl_target_id` bigint(20) unsigned {'DEFAULT' if by_title else 'NOT'} NULL",) if by_target else ()),
        f"PRIMARY KEY (`cl_from`,`{'cl_to' if by_title else 'cl_target_id'}`)",
    )
    return Table("categorylinks", definitions, _category_rows(links, targets, date, schema))


def _page_row(page: Page, touched: bytes, restrictions: Row) -> Row:
    lot = round(page.id * 0.6180339887 % 1, 12)
    before: Row = (page.id, page.namespace, page.title)
    length = 90 + page.id % 9000
    after: Row = (int(page.is_redirect), 0, lot, touched, touched, page.id * 3, length, b"wikitext", None)
    return before + restrictions + after


def _category_rows(
    links: Iterable[CategoryLink], targets: Mapping[tuple[int, bytes], int], date: dt.date, schema: Schema
) -> Iterator[Row]:
    when = f"{date - dt.timedelta(days=30)} 04:05:06".encode()
    last = 0
    for number, link in enumerate(links):
        target: Value = targets[CATEGORY, link.category]
        if schema is Schema.TARGET:
            yield link.page_id, _sort_key(link), when, _prefix(link), link.type, _COLLATION_ID, target
        else:
            titled: Row = (link.page_id, link.category, _sort_key(link), when, _prefix(link), _COLLATION, link.type)
            target = None if number % 5 == 0 else target
            yield titled if schema is Schema.TITLE else (*titled, _COLLATION_ID, target)
        last = link.page_id
    if schema is Schema.TARGET and last:
        yield last, b"?", when, b"", b"page", _COLLATION_ID, _MISSING_TARGET


def _sort_key(link: CategoryLink) -> bytes:
    """ICU's sort keys hold bytes of every value, so that they are no text."""
    digest = hashlib.sha256(b"%d %b" % (link.page_id, link.category)).digest()
    return link.category.upper()[:60] + b"\n" + digest[: 3 + digest[0] % 29]


def _prefix(link: CategoryLink) -> bytes:
    return b"" if link.page_id % 3 else b"*',(%d" % link.page_id


def _targets(content: Content) -> dict[tuple[int, bytes], int]:
    """Ids by namespace and title: the categories, articles and templates of the same names, what redirects lead to."""
    categories = {link.category for link in content.category_links}
    named = {(namespace, title) for title in categories for namespace in (ARTICLES, TEMPLATE, CATEGORY)}
    named |= {(redirect.namespace, redirect.title) for redirect in content.redirects if not redirect.interwiki}
    ordered = sorted(named, key=lambda target: (target[1], target[0]))
    return {target: 1001 + 17 * number for number, target in enumerate(ordered)}


def _redirect_table(content: Content) -> Table:
    definitions = (
        "`rd_from` int(8) unsigned NOT NULL DEFAULT 0",
        "`rd_namespace` int(11) NOT NULL DEFAULT 0",
        "`rd_title` varbinary(255) NOT NULL DEFAULT ''",
        "`rd_interwiki` varbinary(32) DEFAULT NULL",
        "`rd_fragment` varbinary(255) DEFAULT NULL",
        "PRIMARY KEY (`rd_from`)",
    )
    return Table("redirect", definitions, content.redirects)


def _linktarget_table(targets: Mapping[tuple[int, bytes], int]) -> Table:
    definitions = (
        "`lt_id` bigint(20) unsigned NOT NULL AUTO_INCREMENT",
        "`lt_namespace` int(11) NOT NULL",
        "`lt_title` varbinary(255) NOT NULL",
        "PRIMARY KEY (`lt_id`)",
        "UNIQUE KEY `lt_namespace_title` (`lt_namespace`,`lt_title`)",
    )
    rows = ((number, namespace, title) for (namespace, title), number in targets.items())
    return Table("linktarget", definitions, rows, "ENGINE=InnoDB AUTO_INCREMENT=1000000 DEFAULT CHARSET=binary")


def _page_props_table(content: Content) -> Table:
    definitions = (
        "`pp_page` int(10) unsigned NOT NULL",
        "`pp_propname` varbinary(60) NOT NULL",
        "`pp_value` blob NOT NULL",
        "`pp_sortkey` float DEFAULT NULL",
        "PRIMARY KEY (`pp_page`,`pp_propname`)",
    )
    return Table("page_props", definitions, content.properties)
