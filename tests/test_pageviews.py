"""The text of an hour file counted, against an oracle that reads it line by line."""

from __future__ import annotations

import itertools

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, PROJECTS, SLOW_LAW, fields, hour_texts, packed_files, plain, projects, titles, zipped

from models.errors import CorruptFile
from models.project import parse_project
from worker.hour_file import read_blocks
from worker.line_fields import MAX_DIGITS
from worker.pageviews import count_views, unquote

EN = parse_project("en.wikipedia")
FUNCTIONS = parse_project("www.wikifunctions")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """One file's place, written anew by each example."""
    return tmp_path_factory.mktemp("hour") / "pageviews-20240104-000000.gz"


def counted(text, *wanted):
    """Lines, malformed lines, and the tally of each project as a dict, of one block of whole lines."""
    block = text if text.endswith(b"\n") else text + b"\n"
    count = count_views([block] if text else [], wanted)
    return count.lines, count.malformed, {project.name: plain(tally) for project, tally in count.tallies.items()}


def expected(text, *wanted):
    tallies = {each.name: oracle.count(text, each.desktop_codes, each.mobile_codes) for each in wanted}
    return len(oracle.lines_of(text)), oracle.malformed(text), tallies


def views_of_line(line):
    """The English tally of one line, or None where the line is malformed."""
    _, malformed, tallies = counted(line + b"\n", EN)
    return None if malformed else tallies[EN.name]


@LAW
@given(hour_texts())
def test_a_block_is_counted_as_line_by_line(text):
    """Any mixture of lines gives the oracle's lines, malformed lines and tallies for every project."""
    assert counted(text, *PROJECTS) == expected(text, *PROJECTS)


@LAW
@given(hour_texts(max_lines=10), st.integers(1, 64))
def test_blocks_cut_anywhere_count_the_same(path, text, block_bytes):
    """However small the blocks, the file's count is that of one block."""
    path.write_bytes(zipped(text))
    count = count_views(read_blocks(path, block_bytes=block_bytes), PROJECTS)
    tallies = {project.name: plain(tally) for project, tally in count.tallies.items()}
    assert (count.lines, count.malformed, tallies) == expected(text, *PROJECTS)


@SLOW_LAW
@given(hour_texts(), st.lists(projects(), unique=True))
def test_one_pass_equals_one_pass_each(text, wanted):
    """Several projects in one pass get what each gets alone."""
    lines, malformed, tallies = counted(text, *wanted)
    for project in wanted:
        assert counted(text, project) == (lines, malformed, {project.name: tallies[project.name]})


@pytest.mark.parametrize("times", [2, 3])
def test_a_project_named_twice_is_counted_once(times):
    """Naming a project again asks for the same count, not for twice the views."""
    _, _, tallies = counted(b"en A 5 0\nen.m A 2 0\n", *[EN] * times)
    assert tallies == {EN.name: {b"A": (5, 2)}}


@SLOW_LAW
@given(st.data(), hour_texts())
def test_the_order_of_lines_is_nothing(data, text):
    """Rows in any order give the same count."""
    shuffled = b"".join(line + b"\n" for line in data.draw(st.permutations(oracle.lines_of(text))))
    assert counted(shuffled, *PROJECTS) == counted(text, *PROJECTS)


@LAW
@given(st.one_of(st.binary(max_size=80), st.text(' \n"0159enm.\\', max_size=80).map(str.encode)))
def test_any_text_is_counted_as_line_by_line(text):
    """Bytes at random, and texts made only of the bytes that matter, give the oracle's count."""
    assert counted(text, EN, FUNCTIONS) == expected(text, EN, FUNCTIONS)


@LAW
@given(packed_files())
def test_any_file_is_a_count_or_our_error(path, packed):
    """Whatever bytes the file has, it is counted, or refused with CorruptFile, nothing else."""
    path.write_bytes(packed)
    try:
        count = count_views(read_blocks(path), PROJECTS)
    except CorruptFile:
        return
    assert 0 <= count.malformed <= count.lines
    assert set(count.tallies) == set(PROJECTS)


def test_no_block_and_no_project():
    """A file without lines gives empty tallies, and nobody's file still has its lines counted."""
    assert counted(b"", EN) == (0, 0, {EN.name: {}})
    assert counted(b"en A 1 0\n\nx\n") == (3, 2, {})


@pytest.mark.parametrize(
    ("number", "views"),
    [
        (b"1", 1),
        (b"007", 7),
        (b"100000000", 100_000_000),
        (b"9" * MAX_DIGITS, 10**MAX_DIGITS - 1),
        *((number, None) for number in (b"1" * (MAX_DIGITS + 1), b"0" * MAX_DIGITS + b"1", b"18446744073709551617")),
        *((number, None) for number in (b"", b"+5", b"-5", b"5.0", b"5,0", b"5e3", b"0x5", b"1_000", b"5\r", b"5\t")),
        *(
            (number, None)
            for number in (b"5\0", b'"5"', b"/", b":", b"\xd9\xa5", b"\xef\xbc\x95", b"\xb2", b"\xb0\xb1")
        ),
    ],
)
def test_a_number_of_views(number, views):
    """A number is 1 to 9 ASCII digits; any other third field makes its line malformed."""
    assert views_of_line(b"en A %b 0" % number) == (None if views is None else {b"A": (views, 0)})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"   ",
        b"en",
        b"en A",
        b"en A 5",
        b"en A 5 0 ",
        b" en A 5 0",
        b"en  A 5 0",
        b"en A B 5 0",
        b"en\tA\t5\t0",
        b"A 5 0",
        b"0",
    ],
)
def test_a_line_without_four_fields_is_malformed(line):
    """Lines with fewer or more than three blanks, blank ones too, are counted apart."""
    assert counted(b"en A 5 0\n" + line + b"\nen A 6 0\n", EN) == (3, 1, {EN.name: {b"A": (11, 0)}})


def test_lines_that_are_too_short_and_too_long_do_not_mend_each_other():
    """Two blanks in one line and four in the next are two malformed lines, though six blanks would make two lines."""
    assert counted(b"en A 5\nen B 6 0 0\nen C 7 0\n", EN) == (3, 2, {EN.name: {b"C": (7, 0)}})


def test_a_title_without_views_is_left_out():
    """A count of 0 is a well-formed line and no request."""
    assert counted(b"en A 0 0\nen.m A 0 0\nen B 0 0\nen.m B 1 0\n", EN) == (4, 0, {EN.name: {b"B": (0, 1)}})


@pytest.mark.parametrize(
    "cut",
    [
        b"\t",
        b"\r",
        b"\x0b",
        b"\x0c",
        b"\x1c",
        b"\x85",
        b"\xa0",
        b"\0",
        b"\xc2\x85",
        b"\xc2\xa0",
        b"\xe2\x80\xa8",
        b"\xe3\x80\x80",
    ],
)
def test_only_blank_and_line_feed_cut(cut):
    """What other tools take for blanks or line breaks stays inside the title, at its ends too."""
    title = cut + b"A" + cut + b"B" + cut
    assert views_of_line(b"en %b 5 0" % title) == {title: (5, 0)}


@pytest.mark.parametrize(
    ("code", "views"),
    [
        (b"en", (5, 0)),
        (b"en.m", (0, 5)),
        (b"en.zero", (0, 5)),
        (b'"en"', (5, 0)),
        (b'"en.m"', (0, 5)),
        *(
            (code, None)
            for code in (
                b"",
                b'""',
                b"EN",
                b"e",
                b"enn",
                b"en.",
                b"en.b",
                b"en.m.m",
                b"en.m.b",
                b'"en',
                b'en"',
                b"en\r",
                b"en\xa0",
            )
        ),
    ],
)
def test_domain_codes(code, views):
    """A project's codes and no others are its own; mobile ones, once .zero too, count as mobile."""
    assert views_of_line(code + b" A 5 0") == ({b"A": views} if views else {})


def test_wikifunctions_lines_begin_with_two_quotation_marks():
    """The empty domain code is written as two quotation marks; an empty field is nobody's."""
    assert counted(b'"" Z801 5 0\n Z802 6 0\n', FUNCTIONS)[2] == {FUNCTIONS.name: {b"Z801": (5, 0)}}


def test_desktop_and_mobile_add_up_apart():
    """Rows of one title are summed per access method, over repeated rows and blocks."""
    block = b"en A 1 0\nen.m A 10 0\nen.zero A 100 0\nen A 2 0\n"
    assert plain(count_views([block, block], [EN]).tallies[EN]) == {b"A": (6, 220)}


def test_sums_pass_32_bits():
    """Many large counts of one title add up without a loss."""
    assert counted(b"en A 999999999 0\n" * 1_000, EN)[2] == {EN.name: {b"A": (999_999_999_000, 0)}}


def test_both_quotings_of_a_title_are_one_title():
    """The same title, as written before and after 2023, is one row of the tally."""
    text = b'en "A"_and_"B" 1 0\nen "\\"A\\"_and_\\"B\\"" 2 0\n'
    assert counted(text, EN)[2] == {EN.name: {b'"A"_and_"B"': (3, 0)}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (rb'"\"Weird_Al\"_Yankovic"', rb'"Weird_Al"_Yankovic'),
        (rb'"\"\\\""', b'"\\"'),
        (rb'"a\\"', b"a\\"),
        (rb'""', b""),
        (rb'"', rb'"'),
        (rb'"""', rb'"""'),
        (rb'"\"', rb'"\"'),
        (rb'"a\\\"', rb'"a\\\"'),
        (rb'"A"_and_"B"', rb'"A"_and_"B"'),
        (rb"AC\DC", rb"AC\DC"),
        (rb"a\\b", rb"a\\b"),
        (rb"a\"b", rb"a\"b"),
        (rb'"a\nb"', rb"a\nb"),
        (b'"line\\\xe2\x80\xa8"', b"line\\\xe2\x80\xa8"),
    ],
)
def test_unquote(field, value):
    """A field is unwrapped if every quotation mark inside is escaped, in one pass from left to right."""
    assert unquote(field) == value


def test_every_short_field_is_unquoted_alike():
    """All fields of up to seven quotation marks, backslashes and letters give what the left-to-right reader gives."""
    alphabet = (b'"', b"\\", b"a")
    every = [b"".join(field) for width in range(8) for field in itertools.product(alphabet, repeat=width)]
    assert [field for field in every if unquote(field) != oracle.unquote(field)] == []


@LAW
@given(st.one_of(titles(), fields()))
def test_what_spark_writes_is_read_back(title):
    """A title written as the writer of 2023 writes it is counted under itself."""
    assert views_of_line(b"en %b 5 0" % oracle.spark(title)) == {title: (5, 0)}


def test_long_titles():
    """Titles of 10 kB, quoted or not, between short ones, are cut at the right places."""
    long = [b"x" * 10_000, b'"' * 5_000, b'\\"' * 5_000, b"\xff" * 10_000]
    text = b"".join(b"en a%d 1 0\nen %b 2 0\n" % (n, oracle.spark(title)) for n, title in enumerate(long))
    short = [b"a0", b"a1", b"a2", b"a3"]
    assert counted(text, EN)[2][EN.name] == dict.fromkeys(long, (2, 0)) | dict.fromkeys(short, (1, 0))
