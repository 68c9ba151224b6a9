"""Pages of one PDF as files of their own."""

import re
import zlib
from io import BytesIO

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from recovery_microglia.figures.pdf import Pages

WORDS = re.compile(r"\((?:\\.|[^\\()])*\)", re.DOTALL)
NO_DATE = {"CreationDate": None}


def drawn(n: int = 3) -> bytes:
    """A PDF of pages with text, marks, a half-dense line, and a picture on the second."""
    stream = BytesIO()
    with rc_context({"pdf.fonttype": 42, "text.parse_math": False}), PdfPages(stream, metadata=NO_DATE) as pages:
        for place in range(n):
            figure = Figure(figsize=(2, 1))
            ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
            ax.plot([0, 1 / 3, 1], [0, 0.123456789, 1], "o", alpha=0.5)
            ax.set_title(f"page {place} (1.23456789)")
            if place == 1:
                ax.imshow([[0, 1], [2, 3]], aspect="auto")
            pages.savefig(figure)
    return stream.getvalue()


def objects(content: bytes) -> dict[int, bytes]:
    """Objects by number, found by the table at the end, as a viewer finds them (PDF 1.4, 3.4.3)."""
    start = int(content.rpartition(b"startxref\n")[2].split()[0])
    assert content[start : start + 5] == b"xref\n"
    lines = content[start:].partition(b"trailer")[0].split(b"\n")[1:-1]
    found, at = {}, 0
    while at < len(lines):
        first, n = map(int, lines[at].split())
        for place, line in enumerate(lines[at + 1 : at + 1 + n]):
            assert len(line) == 19, line  # and the end of the line: twenty bytes
            if line.endswith(b"n "):
                own = content[int(line[:10]) :]
                assert own.startswith(b"%d 0 obj\n" % (first + place))
                found[first + place] = own[: own.index(b"\nendobj\n")]
        at += 1 + n
    return found


def commands(content: bytes) -> str:
    """What the pages of a file draw."""
    found, kept = [], objects(content)
    for own in kept.values():
        head, _, stream = own.partition(b"\nstream\n")
        length = re.search(rb"/Length (\d+)( 0 R)?", head)
        if length and stream and not re.search(rb"/Type|/Length1", head):
            n = int(kept[int(length[1])].split()[-1] if length[2] else length[1])
            assert stream[n:] == b"\nendstream"
            text = zlib.decompress(stream[:n]).decode("latin-1")
            found += [text] if text.startswith("/DeviceRGB CS") else []  # not what tells letters from numbers
    return "\n".join(found)


@pytest.fixture(scope="module")
def whole() -> bytes:
    return drawn()


def test_a_file_of_one_page_is_whole_and_holds_that_page_only(whole: bytes) -> None:
    pages = Pages(whole)
    assert len(pages) == 3
    for place in range(3):
        content = b"".join(pages.file_of([place]))
        assert content.startswith(b"%PDF-1.4\n")
        assert content.endswith(b"%%EOF\n")
        kept = objects(content)
        heads = {number: own.partition(b"\nstream\n")[0] for number, own in kept.items()}
        named = {int(n) for head in heads.values() for n in re.findall(rb"(\d+) 0 R", head)}
        assert named <= kept.keys()  # nothing is missing
        assert kept.keys() - named <= {
            int(n) for n in re.findall(rb"/(?:Root|Info) (\d+)", content)
        }  # and nothing idle
        assert sum(b"/Type /Page\n" in head or b"/Type /Page " in head for head in heads.values()) == 1
        assert b"/Count 1 " in content
        assert b"/FontFile2" in content
        assert (b"/Subtype /Image" in content) == (place == 1)


def test_numbers_lose_digits_and_words_do_not(whole: bytes) -> None:
    before, after = (commands(content) for content in (whole, b"".join(Pages(whole).file_of([0, 1, 2]))))
    assert WORDS.findall(after) == WORDS.findall(before)
    assert len(WORDS.findall(after)) > 30
    old, new = (re.findall(r"-?\d+\.\d+", WORDS.sub("", text)) for text in (before, after))
    np.testing.assert_allclose(
        [float(number) for number in new], [float(number) for number in old][: len(new)], atol=0.0005
    )
    assert max(len(number.partition(".")[2]) for number in old) > 6
    assert max(len(number.partition(".")[2]) for number in new) == 3


def test_files_have_their_letters_in_common(whole: bytes) -> None:
    pages = Pages(whole)
    first, second = (set(pages.file_of([place])) for place in (0, 2))
    letters = [piece for piece in first & second if b"/Length1" in piece]
    assert letters
    assert sum(map(len, first & second)) > 0.6 * sum(map(len, first))


def test_several_pages_stay_together_in_their_order(whole: bytes) -> None:
    content = b"".join(Pages(whole).file_of([2, 0]))
    assert b"/Count 2 " in content
    kids = re.search(rb"/Kids \[ (\d+) 0 R (\d+) 0 R \]", content)
    assert int(kids[1]) > int(kids[2])


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(ValueError, match="no object of a PDF"):
        Pages(
            b"%PDF-1.4\n1 0 obj\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<< /Root 1 0 R /Info 1 0 R >>\nstartxref\n17\n%%EOF"
        )
