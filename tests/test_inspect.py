"""One article with everything marked, for a terminal and a browser."""

from __future__ import annotations

from unicodedata import category

import pytest
from conftest import RecordMaker
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from rich.console import Console, RenderableType
from rich.text import Text
from spacy.language import Language
from spacy.tokens import Doc
from strategies import coverage_text

from pipeline.document import make_doc
from pipeline.inspect import COLOURS, STYLES, html_view, page_name, records_table, terminal_view, visible
from pipeline.schema import MENTION_LABELS, PROPOSAL, REFERENCE, SAYING, Article

TEXT = "Ma Lan, an NPC deputy and mayor of Linhai, proposed that schools be open on Sundays."
SCRIPT = "<script>alert(1)</script>"


def printed(view: RenderableType, width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, color_system=None)
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def processed(rules: Language, text: str, name: str = "a") -> Doc:
    return rules(make_doc(rules, Article(name, text, lang="en")))


def test_every_label_has_a_style_and_a_colour() -> None:
    labels = {*MENTION_LABELS, REFERENCE, PROPOSAL, SAYING}
    assert set(STYLES) == set(COLOURS) == labels


def test_terminal_shows_text_and_records(rules: Language) -> None:
    shown = printed(terminal_view(processed(rules, TEXT)))
    assert TEXT in shown
    assert "mayor, Linhai" in shown
    assert "education" in shown
    assert "PERSON" in shown


def test_terminal_takes_markup_as_text(rules: Language) -> None:
    text = "[bold]Ma Lan[/bold], an NPC deputy, proposed that [red]schools[/] be open."
    assert text in printed(terminal_view(processed(rules, text)))


def test_terminal_takes_an_id_as_text(rules: Language) -> None:
    assert "x [/b] y" in printed(terminal_view(processed(rules, TEXT, name="x [/b] y")))


def test_visible_keeps_lengths_and_lines() -> None:
    assert visible("a\tb\nc\r\nd\re") == "a\tb\nc \nd\ne"
    assert visible("\x1b[2J\x07\x7f\x9b\u202e") == "␛[2J␇␡��"
    assert visible("Ma Lan 马兰 👩") == "Ma Lan 马兰 👩"


@given(st.text())
def test_visible_text_has_no_control_characters(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not [char for char in shown if category(char) == "Cc" and char not in "\t\n"]


def test_terminal_obeys_nothing_of_an_article(rules: Language) -> None:
    text = TEXT.replace("schools", "\x1b[31mschools\x07\x9b1m")
    doc = processed(rules, f"Open schools\r\n\r\n{text}", name="a\x1b]0;b\x07")
    view = terminal_view(doc)
    shown = printed(view)
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
    assert "a␛]0;b␇" in shown
    # Rich takes a carriage return out of a text, which would shift the marks behind it.
    assert isinstance(view.renderables[2], Text)
    assert view.renderables[2].plain.index("Ma Lan") == doc.text.index("Ma Lan")


def test_names_of_pages_differ_and_stay_in_their_folder(rules: Language) -> None:
    ids = ["2022-a", "马兰", "a/b", "a-b", "../a", "https://u.example/1?x=2", "x" * 300, "马" * 300, "/", "..", "-"]
    names = [page_name(processed(rules, "", name=name)) for name in ids]
    assert names[:2] == ["2022-a.html", "马兰.html"]
    assert len(set(names)) == len(names)
    assert all("/" not in name and not name.startswith(".") and len(name.encode()) < 255 for name in names)


def test_table_names_each_article_once(make_record: RecordMaker) -> None:
    a, b = Article("first-article", TEXT), Article("second-article", TEXT)
    records = [
        make_record(a, organization="Harbour Group", name_zh="马兰"),
        make_record(a, "Wu Bo", None),
        make_record(b),
    ]
    shown = printed(records_table(records))
    assert shown.count("first-article") == shown.count("second-article") == 1
    assert "Ma Lan 马兰 (NPC)" in shown
    assert "Wu Bo (person)" in shown
    assert "chairman, Harbour Group" in shown
    assert "0.50" in shown
    assert "promote" in shown


def test_table_shortens_long_proposals_at_a_word(make_record: RecordMaker) -> None:
    article = Article("a", "Ma Lan " + "schools " * 100)
    shown = printed(records_table([make_record(article, span=(7, 800))]), width=400)
    assert shown.count("schools") == 24
    assert "schools…" in shown


@pytest.mark.parametrize("middle", ["", "5G ", " "])
def test_table_shortens_chinese_at_a_character(make_record: RecordMaker, middle: str) -> None:
    article = Article("a", "建议" + middle + "开放学校" * 100)
    shown = printed(records_table([make_record(article, span=(0, len(article.text)))]), width=1200)
    assert 48 <= shown.count("开放学校") <= 50
    assert "…" in shown


def test_table_keeps_latin_words_of_chinese_whole(make_record: RecordMaker) -> None:
    article = Article("a", "学" * 196 + "blockchain" + "校" * 100)
    shown = printed(records_table([make_record(article, span=(0, len(article.text)))]), width=1200)
    assert "学…" in shown


def test_table_fits_a_narrow_terminal(make_record: RecordMaker) -> None:
    shown = printed(records_table([make_record(Article("a", TEXT), organization="Harbour Group")]), width=80)
    assert max(map(len, shown.splitlines())) <= 80


def test_page_shows_the_words_and_whose_the_proposal_is(rules: Language) -> None:
    page = lxml_html.fromstring(html_view(processed(rules, TEXT)))
    words = " ".join(page.text_content().split())
    assert "PROPOSAL Ma Lan" in words
    for label in ("PERSON", "BODY", "ROLE", "ORG"):
        assert label in words
    assert words.startswith("displaCy a Ma")


def test_page_escapes_the_text(rules: Language) -> None:
    page = html_view(processed(rules, f"Ma Lan, an NPC deputy, proposed that {SCRIPT} & others be banned."))
    assert "<script" not in page
    assert "&lt;" in page
    assert "&amp;" in page


def test_page_escapes_the_id_and_names(rules: Language) -> None:
    doc = processed(rules, TEXT, name=SCRIPT)
    doc._.entities = [{**doc._.entities[0], "name": f"Ma {SCRIPT}"}]
    page = html_view(doc)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") == 2


def test_empty_doc_can_be_shown(rules: Language) -> None:
    doc = processed(rules, "")
    assert "who" in printed(terminal_view(doc))
    assert "<html" in html_view(doc)


@given(coverage_text(12))
def test_any_text_can_be_shown(rules: Language, text: str) -> None:
    doc = processed(rules, text)
    assert "<script" not in html_view(doc)
    assert printed(terminal_view(doc))
