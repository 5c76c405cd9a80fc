"""Hour files on disk, whole and broken."""

from __future__ import annotations

from contextlib import suppress

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, hour_texts, zipped

from models.errors import CorruptFile
from worker.hour_file import MAX_LINE_BYTES, read_blocks

TEXT = b"".join(b"en Title_%d %d 0\n" % (n, n * n) for n in range(40))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """One file's place, written anew by each example."""
    return tmp_path_factory.mktemp("hour") / "pageviews-20240104-000000.gz"


def blocks_of(path, packed, **limits):
    path.write_bytes(packed)
    return list(read_blocks(path, **limits))


def text_or_none(path, packed):
    """What the file unpacks to, or None where it is refused with our error."""
    with suppress(CorruptFile):
        return b"".join(blocks_of(path, packed))
    return None


@LAW
@given(hour_texts(), st.one_of(st.integers(1, 64), st.just(1 << 16)))
def test_blocks_hold_whole_lines_and_the_whole_text(path, text, block_bytes):
    """Wherever the blocks are cut, each ends with a line break and together they are the file's lines."""
    blocks = blocks_of(path, zipped(text), block_bytes=block_bytes)
    assert all(block.endswith(b"\n") for block in blocks)
    assert oracle.lines_of(b"".join(blocks)) == oracle.lines_of(text)


def test_every_small_block_gives_the_same_text(path):
    """No cut between lines, inside one or before the last byte loses or doubles anything."""
    texts = {size: b"".join(blocks_of(path, zipped(TEXT), block_bytes=size)) for size in range(1, 65)}
    assert [size for size, text in texts.items() if text != TEXT] == []


@LAW
@given(st.lists(st.binary(max_size=30), min_size=1, max_size=4), st.integers(0, 20))
def test_members_and_padding(path, members, padding):
    """Concatenated gzip members are one text, and NUL padding after them is none of it."""
    text = b"".join(blocks_of(path, zipped(*members) + b"\0" * padding))
    assert oracle.lines_of(text) == oracle.lines_of(b"".join(members))


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n", b"en A 1 0", b"\0", b"\r\n"])
def test_tiny_texts(path, text):
    """Nothing, blank lines and a missing last line break are read as they are."""
    assert oracle.lines_of(b"".join(blocks_of(path, zipped(text)))) == oracle.lines_of(text)


def test_every_cut_file_is_corrupt(path):
    """A file that ends before its last byte is refused, wherever it ends."""
    packed = zipped(TEXT)
    assert [end for end in range(1, len(packed)) if text_or_none(path, packed[:end]) is not None] == []


def test_an_empty_file_is_corrupt(path):
    """A file of no bytes is no gzip: it must not count as an hour without views."""
    with pytest.raises(CorruptFile):
        blocks_of(path, b"")


def test_a_flipped_bit_is_corrupt_or_harmless(path):
    """A file with any one bit flipped is refused, or unpacks to the same text: never to another."""
    packed = zipped(TEXT)
    texts = {text_or_none(path, _flipped(packed, bit)) for bit in range(8 * len(packed))}
    assert texts == {None, TEXT}


def test_a_flipped_checksum_or_length_is_corrupt(path):
    """The checksum and the length at the end of the file are verified."""
    packed = zipped(TEXT)
    for bit in range(8 * len(packed) - 64, 8 * len(packed)):
        with pytest.raises(CorruptFile):
            blocks_of(path, _flipped(packed, bit))


@LAW
@given(
    st.one_of(
        st.binary(min_size=1, max_size=60),
        st.binary(max_size=60).map(lambda rest: b"\x1f\x8b\x08" + rest),
        st.binary(max_size=60).map(lambda rest: zipped(b"")[:10] + rest),
        st.binary(max_size=60).map(lambda rest: zipped(TEXT)[:40] + rest),
    )
)
def test_any_bytes_are_text_or_corrupt(path, packed):
    """Whatever the file holds, it is read or refused with CorruptFile, nothing else."""
    text = text_or_none(path, packed)
    assert text is None or text[-1:] in (b"", b"\n")


@LAW
@given(st.binary(min_size=1, max_size=12).filter(lambda garbage: garbage.strip(b"\0")))
def test_garbage_after_the_gzip_is_corrupt(path, garbage):
    """Bytes that follow the last member and are neither padding nor a member make the file corrupt."""
    with pytest.raises(CorruptFile):
        blocks_of(path, zipped(TEXT) + garbage)


def test_an_error_page_under_the_gz_name_is_corrupt(path):
    """A busy server's HTML body, saved under the file's name, is refused."""
    with pytest.raises(CorruptFile, match=r"pageviews-20240104-000000\.gz"):
        blocks_of(path, b"<html><body>429 Too Many Requests</body></html>\n")


@pytest.mark.parametrize("block_bytes", [1 << 10, 1 << 20, 4 << 20])
def test_the_unpacked_size_is_limited(path, block_bytes):
    """A text of exactly the limit is read, one byte more is refused."""
    text = b"en A 1 0\n" * 10_000
    assert sum(map(len, blocks_of(path, zipped(text), block_bytes=block_bytes, max_text_bytes=len(text)))) == len(text)
    with pytest.raises(CorruptFile, match="unpacks to more than"):
        blocks_of(path, zipped(text), block_bytes=block_bytes, max_text_bytes=len(text) - 1)


@pytest.mark.parametrize("block_bytes", [1 << 16, 1 << 20, 4 << 20])
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (b"\n", b"\n"), (b"en A 1 0\n" * 50_000, b"\nen A 1 0\n")])
def test_the_length_of_a_line_is_limited(path, before, after, block_bytes):
    """A line of 1 MiB is read and a longer one refused, however the blocks fall and wherever the line stands."""
    line = b"x" * MAX_LINE_BYTES
    assert blocks_of(path, zipped(before + line + after), block_bytes=block_bytes)
    with pytest.raises(CorruptFile, match="line of more than"):
        blocks_of(path, zipped(before + line + b"x" + after), block_bytes=block_bytes)


def test_nothing_is_read_before_it_is_asked_for(path):
    """The blocks come one by one, so that memory is bounded by the block: a late fault shows after the first block."""
    packed = bytearray(zipped(TEXT * 2_000))
    packed[-5] ^= 0xFF
    path.write_bytes(packed)
    blocks = read_blocks(path, block_bytes=1_000)
    assert (TEXT * 2).startswith(next(blocks))
    with pytest.raises(CorruptFile):
        list(blocks)


def _flipped(packed: bytes, bit: int) -> bytes:
    flipped = bytearray(packed)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)
