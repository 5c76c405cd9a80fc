"""Runs of lines with one domain code: in the order of an hour file, in any other, and cut into any blocks."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, plain

from models.project import Project, parse_project
from worker.code_runs import code_runs, lines_of
from worker.line_fields import cut
from worker.pageviews import count_views

LONG = (b"zh-classical.m.vo", b"zh-classical.m.voy", b"zh-classical.m.vox")
CODES = (b"en", b"en.m", b"en.b", b"en.m.b", b"en.zero", b"ena", b"e", b"em.m", b"en\r", b"ja", b"fr.m", b'""', *LONG)
WANTED = (
    *map(parse_project, ("en.wikipedia", "en.wikibooks", "ja.wikipedia", "www.wikifunctions")),
    Project("long", (LONG[1].decode(),), (LONG[2].decode(),), ""),
)
TITLES = (b"", b"A", b"B", b"-", b'"A"_and_"B"', b'A_"B"', b"a\xc2\xa0b", b"\xc2\x85", b"r\r", b"tab\t", b"\0", b"\xff")
NUMBERS = (b"1", b"1", b"9", b"10", b"0", b"9" * 15, b"1" * 16, b"", b"1\r", b"x", b"1x")


def written_codes():
    """Each code plain, or in the quotation marks that the writer may put around it."""
    return st.one_of(st.sampled_from(CODES), st.sampled_from(CODES[:5]).map(lambda code: b'"%b"' % code))


def hour_lines():
    """Lines of four fields, and now and then one of three, five or none."""
    titles = st.sampled_from(TITLES)
    written = st.one_of(titles, titles.map(oracle.spark))
    good = st.tuples(written_codes(), written, st.sampled_from(NUMBERS), st.just(b"0"))
    odd = st.sampled_from([(b"en", b"A", b"5"), (b"en", b"A", b"B", b"5", b"0"), (b"",), (b"en.m", b"A\x1f", b"", b"")])
    return st.lists(st.one_of(*[good] * 9, odd), max_size=40)


@st.composite
def blocks(draw):
    """Lines as sorted as in an hour file, or nearly, or not at all, in blocks that end at any of their line breaks."""
    lines = draw(hour_lines())
    if draw(st.integers(0, 3)):
        lines.sort(key=lambda line: (oracle.unquote(line[0]), *map(oracle.unquote, line[1:2])))
    for place in draw(st.lists(st.integers(0, max(0, len(lines) - 1)), max_size=2)) if lines else ():
        lines.append(lines.pop(place))
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    parts = [lines[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    return [b"".join(b" ".join(line) + b"\n" for line in part) for part in parts if part]


@LAW
@given(blocks())
def test_blocks_in_any_order_are_counted_as_line_by_line(cut_text):
    """Sorted or not, wherever it is cut: lines, malformed ones and every project's tally are the oracle's."""
    count, text = count_views(cut_text, WANTED), b"".join(cut_text)
    assert (count.lines, count.malformed) == (len(oracle.lines_of(text)), oracle.malformed(text))
    assert {project: plain(tally) for project, tally in count.tallies.items()} == {
        project: oracle.count(text, project.desktop_codes, project.mobile_codes) for project in WANTED
    }


@LAW
@given(blocks(), st.sampled_from(CODES))
def test_a_codes_lines_are_found(cut_text, code):
    """In each block the lines that begin with the code are selected, and no others."""
    for block in cut_text:
        text = np.frombuffer(block, dtype=np.uint8)
        whole = [line for line in oracle.lines_of(block) if line.count(b" ") == 3]
        chosen = lines_of(code, code_runs(text, cut(text)[0]))
        numbers = [] if chosen is None else list(np.arange(len(whole))[chosen])
        assert numbers == [number for number, line in enumerate(whole) if line.startswith(code + b" ")]


def runs_of(*codes):
    """How many runs lines with these codes are; each has a title of its own."""
    text = b"".join(b"%b %d_Title 1 0\n" % (code, number) for number, code in enumerate(codes))
    block = np.frombuffer(text, dtype=np.uint8)
    return len(code_runs(block, cut(block)[0]).first)


@pytest.mark.parametrize(
    ("codes", "runs"),
    [
        ([], 0),
        ([b"en"], 1),
        ([b"en"] * 50, 1),
        ([b"de"] * 3 + [b"en"] * 4 + [b"en.m"] * 5 + [b"en.m.b", b"eo"], 5),
        ([b"commons.m.m"] * 9 + [b"zh-classical.m"] * 9, 2),
        ([b"en", b"en.m"] * 5, 10),
        ([LONG[1]] * 4, 4),
    ],
)
def test_neighbours_with_one_code_are_one_run(codes, runs):
    """A run ends only where the code does, so that a sorted block has few; only codes that do not exist are longer."""
    assert runs_of(*codes) == runs


def test_the_lines_of_one_run_are_a_slice():
    """Nothing is copied to select neighbours; lines in several runs are flagged."""
    text = np.frombuffer(b"de A 1 0\nen A 1 0\nen B 1 0\nfr A 1 0\nde B 1 0\n", dtype=np.uint8)
    runs = code_runs(text, cut(text)[0])
    assert lines_of(b"en", runs) == slice(1, 3)
    assert lines_of(b"de", runs).tolist() == [True, False, False, False, True]
    assert lines_of(b"ja", runs) is None


def test_a_short_last_line_after_longer_codes():
    """The last line may end before the place that was compared in the lines before it."""
    assert runs_of(b"zh-classical.m", b"zh-classical.m", b"") == 2
    text = b"zh-classical.m A 1 0\n" + b'"" B 2 \n'
    assert plain(count_views([text], WANTED).tallies[WANTED[3]]) == {b"B": (2, 0)}


@pytest.mark.parametrize("place", range(5))
def test_one_strange_line_is_seen_anywhere(place):
    """One line of the project among another's is counted, and one of another among the project's is not."""
    others, own = [b"de A%d 1 0\n" % n for n in range(5)], [b"en A%d 1 0\n" % n for n in range(5)]
    text = b"".join([*others[:place], own[place], *others[place + 1 :]])
    assert plain(count_views([text], WANTED).tallies[WANTED[0]]) == {b"A%d" % place: (1, 0)}
    text = b"".join([*own[:place], others[place], *own[place + 1 :]])
    assert len(plain(count_views([text], WANTED).tallies[WANTED[0]])) == 4
