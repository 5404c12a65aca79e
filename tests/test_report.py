"""The report without a browser: what is gathered, what is marked, and that no text of an article becomes code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import RecordMaker
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.query import snapshot
from pipeline.read import Failure
from pipeline.report import (
    Report,
    Source,
    Split,
    by_body,
    by_topic,
    by_topic_and_year,
    by_year,
    compile_report,
    distinct,
    read_articles,
    read_report,
)
from pipeline.report_page import page
from pipeline.report_page.folder import write_report
from pipeline.report_page.marks import article_marks, cue_ranges, lexicon_of, post_ranges
from pipeline.schema import Article, Record, Stance
from pipeline.store import Writer, open_store

EMPTY = Report("store", "2026-01-01T00:00:00+00:00")
HOSTILE = 'Ma Lan says: <script>alert(1)</script></script> "quoted" & open\u202e <img src=x onerror=alert(2)>'


def with_stance(record: Record, label: Any) -> Record:
    return replace(record, proposal=replace(record.proposal, stance=Stance(label, 0.5, 0.5)))


@pytest.fixture
def records(make_record: RecordMaker) -> list[Record]:
    """Three articles of two sessions: Ma Lan twice (another article repeats it), Wu Bo once, a party without a year."""
    first = Article("a", "Ma Lan proposed that schools open.", "en", session_year=2022)
    second = Article("b", "Ma Lan proposed that schools open.", "en", session_year=2024)
    third = Article("c", "Some League called for more ports.", "en")
    return [
        with_stance(make_record(first, organization="Linhai City", topics=("education", "data")), "regulate"),
        make_record(second, organization="Linhai City"),
        make_record(second, name="Wu Bo", body="CPPCC", topics=("transport",)),
        make_record(third, name="Some League", body=None, kind="organization", topics=()),
    ]


@pytest.fixture
def report(records: list[Record]) -> Report:
    """These records, compiled; the second is the first's repeat."""
    sources = [Source(name, year=year) for name, year in (("a", 2022), ("b", 2024), ("c", None), ("d", 2023))]
    return compile_report(records, sources, {records[1].record_id: records[0].record_id}, EMPTY)


def test_the_rows_are_the_records(report: Report, records: list[Record]) -> None:
    assert [entry.id for entry in report.entries] == [record.record_id for record in records]
    assert report.entries[0].topics == ("education", "data")
    assert report.entries[3].body is None
    assert distinct(report) == 3


def test_people_stand_by_name_with_what_is_said_of_them(report: Report) -> None:
    assert [person.name for person in report.people] == ["Ma Lan", "Some League", "Wu Bo"]
    lan, league, _ = report.people
    assert (lan.bodies, lan.organizations, lan.titles) == (("NPC",), ("Linhai City",), ("chairman, Linhai City",))
    assert (league.kind, league.bodies, league.titles) == ("organization", (), ())


def test_sources_know_how_many_records_they_gave(report: Report) -> None:
    assert [(source.id, source.records) for source in report.sources] == [("a", 1), ("b", 2), ("c", 1), ("d", 0)]
    assert [source.id for source in report.silent] == ["d"]


def test_counts_by_hand(report: Report) -> None:
    # In the order of the stances: promote, regulate, both, neither.
    assert by_topic(report) == {
        "education": Split((1, 1, 0, 0)),
        "data": Split((0, 1, 0, 0)),
        "transport": Split((1, 0, 0, 0)),
    }
    assert list(by_topic(report)) == ["education", "data", "transport"]
    assert by_topic_and_year(report)["education", 2024] == Split((1, 0, 0, 0))
    assert by_body(report) == {"NPC": Split((1, 1, 0, 0)), "CPPCC": Split((1, 0, 0, 0)), None: Split((1, 0, 0, 0))}


def test_a_session_without_records_and_records_without_a_session_are_there(report: Report) -> None:
    assert by_year(report) == {
        2022: Split((0, 1, 0, 0)),
        2023: Split(),
        2024: Split((2, 0, 0, 0)),
        None: Split((1, 0, 0, 0)),
    }


def test_the_pieces_of_a_bar_fill_its_share() -> None:
    pieces = page.parts(Split((1, 2, 0, 1)), 8)
    assert [(piece["stance"], piece["at"], piece["size"]) for piece in pieces] == [
        ("regulate", 0, 25),
        ("promote", 25, 12.5),
        ("neither", 37.5, 12.5),
    ]
    assert page.words(Split((1, 2, 0, 1))) == "4 records: 2 regulate, 1 promote, 1 neither"
    assert page.words(Split()) == "0 records"


def test_the_tables_point_at_their_rows(report: Report, records: list[Record]) -> None:
    tables = page.tables(report)
    first, repeat, *_ = tables["records"]
    assert (first[0], first[1], first[2], first[4], first[10]) == (records[0].record_id, 0, 0, 2022, 0)
    assert repeat[10] == 0
    assert [tables["topics"][at] for at in first[5]] == ["education", "data"]
    assert tables["stances"][first[6]] == "regulate"


def test_a_store_is_read_as_it_was_written(engine: Engine, make_record: RecordMaker) -> None:
    article = Article("a", "Ma Lan proposed that schools open.", "en", outlet="The Gull", session_year=2022)
    writer = Writer(engine, {"en": "digest"})
    writer.write(article, [make_record(article)])
    writer.write(Article("b", "Nothing here.", "en"), [])
    writer.fail(Failure("gone.txt", "no such file"))
    writer.finish()
    with snapshot(engine) as connection:
        report = read_report(connection, "s")
        articles = list(read_articles(connection))
    assert [(source.id, source.outlet, source.records) for source in report.sources] == [
        ("a", "The Gull", 1),
        ("b", None, 0),
    ]
    assert [entry.person for entry in report.entries] == [report.people[0].id]
    (run,) = report.runs
    assert (run.articles, run.models, run.failures) == (2, {"en": "digest"}, (("gone.txt", "no such file"),))
    assert [(name, text, len(found)) for name, text, found in articles] == [("a", article.text, 1)]


def cues(text: str, lang: str | None = "en") -> list[str]:
    """Return the cues of a text in which [ ] enclose spans and < > a name; the marks are taken out first."""
    bare = re.sub(r"[\[\]<>]", "", text)

    def ranges(left: str, right: str) -> list[tuple[int, int]]:
        pattern = re.escape(left) + "(.*?)" + re.escape(right)
        return [
            tuple(len(re.sub(r"[\[\]<>]", "", text[:at])) for at in match.span(1))  # type: ignore[misc]
            for match in re.finditer(pattern, text, re.DOTALL)
        ]

    found = cue_ranges(bare, ranges("[", "]"), ranges("<", ">"), lexicon_of(lang))
    return [bare[start:end] for start, end in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. <Ma Lan>, a deputy, proposed that [schools open on Sundays.] It stopped.", ["proposed"]),
        ('"[Schools should open,]" said <Ma Lan>, a deputy.', ["said"]),
        ("NPC deputy, <Ma Lan>: [Open the schools.]", [":"]),
        ("<马兰>代表建议，[学校开放。]", ["代表建议"]),
        (
            "<Ma Lan> urged that [schools open.] Rain fell. She also called for [more ports.]",
            ["urged", "also called for"],
        ),
        ("[Open the schools.]", []),
    ],
)
def test_the_cue_is_looked_up_in_the_sentence(text: str, expected: list[str]) -> None:
    assert cues(text) == expected


def test_without_a_lexicon_the_words_between_name_and_proposal_are_the_cue() -> None:
    assert cues("<马兰>代表建议：[学校开放。]", lang="zh") == ["代表建议："]
    assert cues("<马兰>说：「下雨了。」[学校应当开放。]", lang="zh") == []
    assert cues("<Ma Lan>" + ", a deputy" * 20 + " [schools open.]", lang=None) == []


def test_a_post_has_its_organization_in_the_same_line() -> None:
    text = "Harbour Group\nWu Bo, chairman of Harbour Group, said so."
    start = text.index("chairman")
    assert [text[a:b] for a, b in post_ranges(text, start, start + 8, "Harbour Group")] == ["chairman", "Harbour Group"]
    assert post_ranges(text, start, start + 8, "Harbour Group")[1][0] > start
    assert post_ranges(text, start, start + 8, "Elsewhere") == [(start, start + 8)]


def test_the_marks_of_an_article_are_those_of_its_records(make_record: RecordMaker) -> None:
    article = Article("a", "Ma Lan proposed that schools open.", "en")
    record = make_record(article, span=(21, 34))
    marks = article_marks("a", article.text, [record])
    found = marks["records"][record.record_id]
    assert (found["spans"], found["mentions"], found["cues"]) == ([(21, 34)], [(0, 6)], [(7, 15)])
    assert (marks["pipeline"], marks["models"]) == ("0.1.0", {"en": "digest"})


def test_nothing_in_a_script_can_end_it() -> None:
    written = page.script_json({"text": HOSTILE, "line": "\u2028"})
    assert written.isascii()
    assert not set(written) & set("<>&")
    assert json.loads(written) == {"text": HOSTILE, "line": "\u2028"}


def test_hidden_characters_are_shown() -> None:
    assert page.visible("a\u202eb\u2066c\x00\u200bd") == "a⟨U+202E⟩b⟨U+2066⟩c⟨U+0000⟩⟨U+200B⟩d"
    assert page.visible("first\n\tMa 马兰 é") == "first\n\tMa 马兰 é"


def test_the_scripts_show_the_same_hidden_characters() -> None:
    script = (page.HERE / "core.js").read_text(encoding="utf-8")
    pattern = re.search(r"/\[(\\u0000.*?)\]/gu;", script)
    assert pattern
    python = re.sub(r"\\u\{(\w+)\}", lambda match: f"\\U{match[1]:0>8}", pattern[1])
    theirs = re.compile(f"[{python}]")
    every = map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
    assert [c for c in every if bool(theirs.match(c)) != bool(page._HIDDEN.match(c))] == []


@pytest.fixture
def hostile(engine: Engine, make_record: RecordMaker) -> Engine:
    """A store in which all that an article or a user gives is hostile."""
    article = Article(HOSTILE, HOSTILE, "en", HOSTILE, HOSTILE, "javascript:alert(3)", HOSTILE, 2024)
    writer = Writer(engine, {"en": HOSTILE})
    record = make_record(article, name=HOSTILE, organization=HOSTILE, name_zh=HOSTILE, topics=(HOSTILE[:60],))
    writer.write(article, [record])
    writer.write(replace(article, id="silent", text="-"), [])
    writer.fail(Failure(HOSTILE, HOSTILE))
    writer.finish()
    return engine


def test_the_text_of_articles_is_no_code(hostile: Engine, tmp_path: Path) -> None:
    write_report(hostile, HOSTILE, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "⟨U+202E⟩" in html
    assert 'href="javascript:' not in html
    scripts = [tmp_path / "out" / "data.js", *(tmp_path / "out" / "articles").iterdir()]
    assert len(scripts) == 2
    for script in scripts:
        text = script.read_text(encoding="ascii")
        assert "<" not in text
        assert "alert(1)" in text


def test_the_page_loads_nothing_from_elsewhere(hostile: Engine, tmp_path: Path) -> None:
    write_report(hostile, "store", tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    files = re.findall(r"<(?:script|link|img)[^>]*?(?:src|href)=\"([^\"]*)\"", html)
    assert set(files) == {"data:,", *(name for name in (*page.FIXED, "data.js"))}
    assert all((tmp_path / "out" / name).is_file() for name in files if name != "data:,")
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in html
    assert " style=" not in html
    assert not re.search(r"\son\w+=", re.sub(r"&[a-z]+;.*?&gt;", "", html))


def test_an_empty_store_gives_a_page_that_says_so(engine: Engine, tmp_path: Path) -> None:
    write_report(engine, "store", tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "There is nothing to show yet" in html
    assert "The store holds no article" in html
    assert '<svg class="bar"' not in html


def test_a_store_without_proposals_says_that(engine: Engine, tmp_path: Path) -> None:
    writer = Writer(engine, {})
    writer.write(Article("a", "Nothing."), [])
    writer.finish()
    write_report(engine, "store", tmp_path / "out")
    assert "1 article was read, and none of them holds" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_report_takes_the_place_of_an_older_one_alone(hostile: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_report(hostile, "store", out)
    (out / "articles" / "old.js").write_text("")
    write_report(hostile, "store", out)
    assert not (out / "articles" / "old.js").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
    (out / "notes.txt").write_text("mine")
    with pytest.raises(RuntimeError, match=r"notes\.txt"):
        write_report(hostile, "store", out)
    assert (out / "notes.txt").read_text() == "mine"


def test_another_folder_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("<p>mine")
    with pytest.raises(RuntimeError, match="no earlier report"):
        write_report(engine, "store", tmp_path / "out")
    assert (tmp_path / "out" / "index.html").read_text() == "<p>mine"


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["report", *(str(argument) for argument in arguments)])


def test_the_command_names_the_page(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    open_store(store).dispose()
    result = call("--store", store, "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "out" / "index.html"))
    assert "holds no records yet" in result.stderr


@pytest.mark.parametrize(
    ("store", "words"),
    [("sqlite:///missing.db", "no such store"), ("nonsense", "not a database address")],
)
def test_a_store_that_is_not_there_is_named(
    store: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("--store", store)
    assert result.exit_code == 2
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


# Text and the ground it stands on, by the names of style.css; WCAG AA asks for 4.5, and 3 for what is drawn.
TEXTS = [
    *((name, ground) for name in ("ink", "soft", "link") for ground in ("paper", "raised", "sunk")),
    *((f"{stance}-ink", ground) for stance in page.DRAWN for ground in ("paper", "sunk")),
    *(("ink", f"m-{mark}") for mark in ("proposal", "mention", "post", "cue")),
]
DRAWINGS = [*((stance, "paper") for stance in ("regulate", "both", "promote")), ("faint", "raised"), ("focus", "paper")]


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours by name of the light, the dark and the printed page."""
    blocks = re.findall(r":root \{(.*?)\n? *\}", (page.HERE / "style.css").read_text(encoding="utf-8"), re.DOTALL)
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block)) for block in blocks]
    assert len(found) == 3
    return {"light": found[0], "dark": found[0] | found[1], "print": found[0] | found[2]}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_by_hand() -> None:
    assert contrast("#000000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", ["light", "dark", "print"])
def test_every_text_can_be_read_on_its_ground(palette: str) -> None:
    colours = palettes()[palette]
    low = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXTS}
    assert {pair: value for pair, value in low.items() if value < 4.5} == {}
    drawn = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in DRAWINGS}
    assert {pair: value for pair, value in drawn.items() if value < 3} == {}
