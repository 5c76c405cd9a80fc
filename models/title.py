"""Page titles as they are logged (bytes) and as they are shown (text)."""

from __future__ import annotations


def title_text(title: bytes) -> str:
    """The title as text; bytes that are no UTF-8, and NUL, are shown percent-encoded: ``Caf%E9``.

    That is unambiguous: MediaWiki allows no title with a percent sign and two hexadecimal digits
    (https://www.mediawiki.org/wiki/Manual:$wgLegalTitleChars). NUL is encoded because PostgreSQL's text cannot hold it.
    """
    try:
        text = title.decode()
    except UnicodeDecodeError:
        text = "".join(_shown(character) for character in title.decode("utf-8", "surrogateescape"))
    return text.replace("\0", "%00")


def _shown(character: str) -> str:
    code = ord(character)
    return f"%{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else character  # noqa: PLR2004 surrogateescape's range
