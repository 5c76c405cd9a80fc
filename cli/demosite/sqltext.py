r"""Text as mysqldump writes it, of tables whose rows are given.

Older clients write a whole INSERT on one line; MariaDB's of 10.11 and later break the line after each row. Both end a
statement before it would exceed ``net_buffer_length``. Of the bytes of a string, NUL, LF, CR, 0x1A, ``\``, ``'`` and
``"`` are escaped and all others are raw. Source: MariaDB's client/mysqldump.cc (``dump_table``) and mysys/charset.c
(``escape_string_for_mysql``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

Value: TypeAlias = bytes | int | float | None
Row: TypeAlias = tuple[Value, ...]

STATEMENT_BYTES = 1022 * 1024
"""mysqldump's own ``net_buffer_length``."""

_ESCAPED = re.compile(rb"[\0\n\r\x1a\\'\"]")
_ESCAPES = {b"\0": rb"\0", b"\n": rb"\n", b"\r": rb"\r", b"\x1a": rb"\Z"}
_SANDBOX = b"/*M!999999\\- enable the sandbox mode */ \n"
_HEADER = b"""\
-- MariaDB dump 10.19  Distrib %b-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: %b
-- ------------------------------------------------------
-- Server version	%b-MariaDB-log

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

"""
_STRUCTURE = b"""\
--
-- Table structure for table `%b`
--

DROP TABLE IF EXISTS `%b`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `%b` (
  %b
) %b;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `%b`
--

/*!40000 ALTER TABLE `%b` DISABLE KEYS */;
"""
_FOOTER = b"""\
/*!40000 ALTER TABLE `%b` ENABLE KEYS */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on %b
"""


class Style(Enum):
    """How the client lays an INSERT out; each with the version that does so."""

    STATEMENT_PER_LINE = b"10.5.21"
    ROW_PER_LINE = b"10.11.6"


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name, the lines of its CREATE TABLE (columns, then keys) with the options after them, and its rows.

    The rows may be an iterator, which writing uses up.
    """

    name: str
    definitions: tuple[str, ...]
    rows: Iterable[Row]
    options: str = "ENGINE=InnoDB DEFAULT CHARSET=binary"


def dump_text(
    table: Table, *, style: Style, database: str, completed: dt.datetime, statement_bytes: int = STATEMENT_BYTES
) -> bytes:
    """The whole dump of one table; ``completed`` is the server's local time."""
    return b"".join(
        dump_parts(table, style=style, database=database, completed=completed, statement_bytes=statement_bytes)
    )


def dump_parts(
    table: Table, *, style: Style, database: str, completed: dt.datetime, statement_bytes: int = STATEMENT_BYTES
) -> Iterator[bytes]:
    """The same text in parts, for tables that do not fit into memory."""
    name = table.name.encode()
    if style is Style.ROW_PER_LINE:
        yield _SANDBOX
    yield _HEADER % (style.value, database.encode(), style.value)
    definitions = ",\n  ".join(table.definitions).encode()
    yield _STRUCTURE % (name, name, name, definitions, table.options.encode(), name, name)
    yield from _inserts(name, table.rows, style, statement_bytes)
    clock = f"{completed:%Y-%m-%d} {completed.hour:2d}:{completed:%M:%S}"
    yield _FOOTER % (name, clock.encode())


def value_text(value: Value) -> bytes:
    """One value as it stands in a row."""
    match value:
        case None:
            return b"NULL"
        case bytes():
            return b"'%b'" % _ESCAPED.sub(_escape, value)
        case int():
            return b"%d" % value
        case float():
            # The shortest digits that give the number back, never with an exponent.
            return f"{Decimal(repr(value)).normalize():f}".encode()


def _escape(match: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(match[0], b"\\" + match[0])


def _inserts(name: bytes, rows: Iterable[Row], style: Style, statement_bytes: int) -> Iterator[bytes]:
    start = b"INSERT INTO `%b` VALUES" % name
    first, between = (b"\n", b",\n") if style is Style.ROW_PER_LINE else (b" ", b",")
    length = 0
    for row in rows:
        text = b"(%b)" % b",".join(map(value_text, row))
        # mysqldump counts two bytes of punctuation to a row, and of a statement's start, whichever the style.
        counted = len(text) + 2
        if length and length + counted < statement_bytes:
            length += counted
            yield between + text
        else:
            yield (b";\n" if length else b"") + start + first + text
            length = len(start) + 4 + counted
    if length:
        yield b";\n"
