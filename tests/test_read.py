"""Files, folders and streams become articles, or failures with a reason."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.languages import Languages
from pipeline.read import Failure, ReadOptions, decode, read_articles
from pipeline.schema import Article, stable_hash

TEXT = "Ma Lan, an NPC deputy, proposed that schools be open on Sunday mornings."
CHINESE = "马兰代表建议，支持学校在星期日上午开放，并尽快完善相关法律法规，加强对未成年人的保护。"
PAGE = """<!DOCTYPE html><html lang="en"><head><title>Open schools - The Linhai Gazette</title>
<meta property="og:title" content="Open schools"><meta property="og:site_name" content="The Linhai Gazette">
<meta property="article:published_time" content="2021-03-06T08:00:00+08:00">
<link rel="canonical" href="https://gazette.example/2021/03/06/schools"></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><article><h1>Open schools</h1>
<p>{text}</p><p>{text} The gates would be watched by parents, and the heating would stay on until noon.</p></article>
<footer>Copyright 2021 The Linhai Gazette. All rights reserved.</footer></body></html>"""


def read(options: ReadOptions, *paths: Path | str, stdin: bytes | None = None) -> list[Article | Failure]:
    stream = None if stdin is None else io.BytesIO(stdin)
    return list(read_articles([str(path) for path in paths], options, stream))


def one(options: ReadOptions, path: Path | str, stdin: bytes | None = None) -> Article:
    (item,) = read(options, path, stdin=stdin)
    assert isinstance(item, Article), item
    return item


def reason(options: ReadOptions, path: Path | str, stdin: bytes | None = None) -> str:
    (item,) = read(options, path, stdin=stdin)
    assert isinstance(item, Failure), item
    return item.reason


def named(stem: str, text: str) -> str:
    """Return the id of an article that has none of its own."""
    return f"{stem}-{stable_hash(text)[:8]}"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# --- plain text ---


@pytest.mark.parametrize("suffix", [".txt", ".md", ".text", ".TXT"])
def test_text_file(tmp_path: Path, options: ReadOptions, suffix: str) -> None:
    article = one(options, write(tmp_path, f"2021-schools{suffix}", TEXT))
    assert article == Article("2021-schools", TEXT, lang="en", session_year=2021, file="2021-schools")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_encodings(tmp_path: Path, options: ReadOptions, encoding: str) -> None:
    text = TEXT + " 马兰 “open” 👩"
    assert one(options, write(tmp_path, "a.txt", text.encode(encoding))).text == text


@pytest.mark.parametrize("encoding", ["gb18030", "gbk"])
def test_chinese_encodings_are_detected(tmp_path: Path, options: ReadOptions, encoding: str) -> None:
    article = one(options, write(tmp_path, "a.txt", CHINESE.encode(encoding)))
    assert (article.text, article.lang) == (CHINESE, "zh")


@pytest.mark.parametrize(
    "text",
    [
        "He said: “We need a law – now.” The members’ laughter lasted, and the deputy’s motion was read out.",
        "Ma Lan said: “We need a law – now.” The café owner’s naïve answer surprised everybody in the hall.",
    ],
)
def test_windows_text_is_detected(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Ma Lan said: “We need a law – now.” The caf".encode() + b"\xe9 was full.", None),
        ("Ma Lan said: “We need a law – now.” She left “again”".encode()[:-1], None),
        (CHINESE.encode()[:-2], CHINESE[:-1] + "�"),
        (b"The caf\xe9 was full when the deputy came, and the naive answer surprised everybody there.", "café"),
    ],
    ids=["a stray byte", "cut off", "cut off Chinese", "another encoding"],
)
def test_a_bad_byte_leaves_the_rest_of_utf8_as_it_is(data: bytes, text: str | None) -> None:
    if text == "café":
        assert "�" not in decode(data)
    else:
        assert decode(data) == (text or data.decode(errors="replace"))
        assert "�" in decode(data)


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_chinese_of_other_encodings_is_no_damaged_utf8(encoding: str) -> None:
    assert "�" not in decode(("馬蘭代表" * 3 + "「學校開放」").encode(encoding, "ignore") * 9)


def test_line_ends_stay_in_the_offsets(tmp_path: Path, options: ReadOptions) -> None:
    content = TEXT + "\r\n\r\nThe hall was silent.\rThen somebody laughed.\n"
    article = one(options, write(tmp_path, "a.txt", content))
    assert article.text == content
    assert article.text[article.text.index("Then") :].startswith("Then somebody")


def test_byte_order_mark_counts_for_no_offset(tmp_path: Path, options: ReadOptions) -> None:
    article = one(options, write(tmp_path, "a.txt", TEXT.encode("utf-8-sig")))
    assert article.text.index("Ma Lan") == 0


@given(st.text(min_size=1))
def test_utf8_comes_back_as_it_is(text: str) -> None:
    if "\0" not in text and not text.startswith("\ufeff"):
        assert decode(text.encode()) == text


@given(st.binary(max_size=400))
def test_any_bytes_are_text_or_a_value_error(data: bytes) -> None:
    try:
        text = decode(data)
    except ValueError as error:
        assert "binary" in str(error) or "decode" in str(error)  # noqa: PT017
    else:
        text.encode()


@given(st.binary(max_size=300))
def test_any_stream_gives_articles_or_failures(options: ReadOptions, data: bytes) -> None:
    items = read(options, "-", stdin=data)
    assert items
    assert all(isinstance(item, Article | Failure) for item in items)


# --- what can't be read ---


@pytest.mark.parametrize("content", [b"", b"  \n\t\r\n ", b"\xef\xbb\xbf", "\u3000\u2028".encode()])
def test_empty(tmp_path: Path, options: ReadOptions, content: bytes) -> None:
    assert reason(options, write(tmp_path, "a.txt", content)) == "empty"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)),
        gzip.compress(TEXT.encode() * 50),
        b"\xff\xfe\0\xd8\0\xd8" + b"\xd8" * 101,
        b"\x01\x02\x03\x04 words " * 30,
    ],
    ids=["image", "gzip", "broken utf-16", "control characters"],
)
def test_binary(tmp_path: Path, options: ReadOptions, content: bytes) -> None:
    assert "binary" in reason(options, write(tmp_path, "a.txt", content))


def test_too_few_words(tmp_path: Path, options: ReadOptions) -> None:
    assert reason(options, write(tmp_path, "a.txt", "See page 3.")) == "2 words are too few for an article"


def test_chinese_characters_count_as_words(tmp_path: Path, options: ReadOptions) -> None:
    assert one(options, write(tmp_path, "a.txt", "马兰代表建议学校开放")).lang == "zh"


def test_missing(tmp_path: Path, options: ReadOptions) -> None:
    assert reason(options, tmp_path / "no.txt") == "there is no such file or folder"


def test_broken_link_is_reported(tmp_path: Path, options: ReadOptions) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    assert reason(options, tmp_path) == "there is no such file or folder"


def test_unreadable_file(tmp_path: Path, options: ReadOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.txt", TEXT)
    refuse(monkeypatch, "read_bytes")
    assert reason(options, path) == "permission denied"


def test_unreadable_folder(tmp_path: Path, options: ReadOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "iterdir")
    assert read(options, tmp_path) == [Failure(str(tmp_path), "permission denied")]


def test_path_that_may_not_be_looked_at(tmp_path: Path, options: ReadOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "is_dir")
    assert reason(options, tmp_path / "a.txt") == "permission denied"


def refuse(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, denied)


def test_name_that_no_file_can_have(options: ReadOptions) -> None:
    assert reason(options, "a" * 5000 + ".txt")
    assert reason(options, "nul\0byte.txt")


def test_not_a_regular_file(tmp_path: Path, options: ReadOptions) -> None:
    os.mkfifo(tmp_path / "a.txt")
    assert reason(options, tmp_path / "a.txt") == "not a regular file"


def test_unknown_type_names_the_known_ones(tmp_path: Path, options: ReadOptions) -> None:
    found = reason(options, write(tmp_path, "a.docx", TEXT))
    assert "'.docx'" in found
    assert ".txt" in found
    assert "'README'" in reason(options, write(tmp_path, "README", TEXT))


def test_oversized_file(tmp_path: Path, languages: Languages) -> None:
    path = write(tmp_path, "a.txt", TEXT * 100)
    size = path.stat().st_size
    assert one(ReadOptions(languages, max_bytes=size), path).text == TEXT * 100
    found = reason(ReadOptions(languages, max_bytes=size - 1), path)
    assert "limit" in found
    assert "--max-megabytes" in found


# --- folders ---


def test_folder_is_read_to_its_bottom_in_order(tmp_path: Path, options: ReadOptions) -> None:
    write(tmp_path, "b.txt", TEXT)
    write(tmp_path, "a/z.md", TEXT)
    write(tmp_path, "a/deep/er/c.txt", TEXT)
    write(tmp_path, ".hidden.txt", TEXT)
    write(tmp_path, ".git/d.txt", TEXT)
    assert [item.id for item in read(options, tmp_path) if isinstance(item, Article)] == ["c", "z", "b"]


def test_failures_stand_between_the_articles(tmp_path: Path, options: ReadOptions) -> None:
    for name, content in (("a.txt", TEXT), ("b.txt", ""), ("c.txt", TEXT)):
        write(tmp_path, name, content)
    first, second, third = read(options, tmp_path)
    assert isinstance(first, Article)
    assert second == Failure(str(tmp_path / "b.txt"), "empty")
    assert isinstance(third, Article)


def test_link_to_a_folder_around_it_is_no_endless_road(tmp_path: Path, options: ReadOptions) -> None:
    write(tmp_path, "sub/a.txt", TEXT)
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    article, failure = read(options, tmp_path)
    assert isinstance(article, Article)
    assert failure == Failure(str(tmp_path / "sub" / "up"), "a link back to a folder that it is in")


def test_file_name_of_undecodable_bytes(tmp_path: Path, options: ReadOptions) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt")
    Path(os.fsdecode(path)).write_bytes(TEXT.encode())
    assert one(options, tmp_path).id == "caf�"


# --- pages ---


def test_page_gives_its_metadata(tmp_path: Path, options: ReadOptions) -> None:
    article = one(options, write(tmp_path, "a.html", PAGE.format(text=TEXT)))
    assert article.title == "Open schools"
    assert article.outlet == "The Linhai Gazette"
    assert article.published == "2021-03-06"
    assert article.url == "https://gazette.example/2021/03/06/schools"
    assert (article.lang, article.session_year) == ("en", 2021)


def test_page_gives_its_main_text_alone(tmp_path: Path, options: ReadOptions) -> None:
    article = one(options, write(tmp_path, "a.htm", PAGE.format(text=TEXT)))
    assert TEXT in article.text
    assert "Copyright" not in article.text
    assert "Sport" not in article.text
    assert "<p>" not in article.text


def test_sample_page_is_without_its_boilerplate(samples: list[Path], options: ReadOptions) -> None:
    (path,) = (path for path in samples if path.suffix == ".html")
    text = one(options, path).text
    for boilerplate in ("cookies", "Subscribe", "newsletter", "All rights reserved", "Metro extends"):
        assert boilerplate not in text
    assert "Nineteen of them wrote about the same heron." in text


@pytest.mark.parametrize(
    "page",
    ["<html></html>", "<html><frameset><frame src='a'></frameset></html>", "<<<>>><p", "<div>" * 5000, "<!-- -->"],
)
def test_page_without_an_article(tmp_path: Path, options: ReadOptions, page: str) -> None:
    assert reason(options, write(tmp_path, "a.html", page)) == "no article text found in the page"


def test_page_with_an_encoding_declaration_and_bad_references(tmp_path: Path, options: ReadOptions) -> None:
    page = '<?xml version="1.0" encoding="utf-8"?>' + PAGE.format(text=TEXT + " &#xD800;&#0;&#x110000; &amp;")
    text = one(options, write(tmp_path, "a.xhtml", page)).text
    text.encode()
    assert TEXT in text


PROSE = "Since 12 May 2015 the village keeps accounts; the law of 2015-05-12, in force on 12/05/2015, says why."


@pytest.mark.parametrize(
    ("head", "body", "published"),
    [
        ("", "", None),
        ("<title>The village since 2015-05-12</title>", "", None),
        ('<meta property="article:published_time" content="2021-03-06">', "", "2021-03-06"),
        ('<script type="application/ld+json">{"datePublished": "2021-03-07"}</script>', "", "2021-03-07"),
        ('<link rel="canonical" href="https://a.example/2021/03/09/x">', "", "2021-03-09"),
        ("", '<time datetime="2021-03-08">Monday</time>', "2021-03-08"),
        ("", '<div class="info"><i></i> 2022-03-05 10:11</div>', "2022-03-05"),
    ],
)
def test_a_date_in_the_words_of_a_page_is_not_when_it_was_published(
    tmp_path: Path, options: ReadOptions, head: str, body: str, published: str | None
) -> None:
    page = f"<html><head>{head}</head><body><article>{body}<p>{TEXT} {PROSE}</p></article></body></html>"
    article = one(options, write(tmp_path, "2022-village.html", page))
    assert article.published == published
    assert article.session_year == int((published or "2022")[:4])


# --- JSON Lines ---


def test_lines_with_metadata(tmp_path: Path, options: ReadOptions) -> None:
    value = {"id": "x1", "text": TEXT, "title": "T", "outlet": "O", "url": "https://u.example/1",
             "published": "2020-05-22", "lang": "en", "session_year": 2020}  # fmt: skip
    path = write(tmp_path, "a.jsonl", json.dumps(value) + "\n\n" + json.dumps({"text": TEXT}) + "\n")
    first, second = read(options, path)
    assert first == Article(
        "x1", TEXT, lang="en", title="T", outlet="O", url="https://u.example/1", published="2020-05-22",
        session_year=2020,
    )  # fmt: skip
    assert second == Article(named("a", TEXT), TEXT, lang="en")


def test_url_names_an_article_without_id(tmp_path: Path, options: ReadOptions) -> None:
    path = write(tmp_path, "a.ndjson", json.dumps({"text": TEXT, "url": "https://u.example/1"}))
    assert one(options, path).id == "https://u.example/1"


def test_bad_lines_are_named_by_number(tmp_path: Path, options: ReadOptions) -> None:
    lines = ["[1]", "{nope", '{"text": 3}', '{"title": "T"}', '{"text": ""}', json.dumps({"text": TEXT}), "[" * 100_000]
    path = write(tmp_path, "a.jsonl", "\n".join(lines))
    items = read(options, path)
    assert [type(item) for item in items] == [Failure] * 5 + [Article, Failure]
    failures = [item for item in items if isinstance(item, Failure)]
    assert [failure.source for failure in failures] == [f"{path}:{number}" for number in (1, 2, 3, 4, 5, 7)]
    assert failures[0].reason == "not a JSON object"
    assert failures[1].reason.startswith("not JSON")
    assert failures[2].reason == failures[3].reason == "no 'text' string in it"
    assert failures[4].reason == "empty"


def test_line_of_broken_utf8(tmp_path: Path, options: ReadOptions) -> None:
    assert reason(options, write(tmp_path, "a.jsonl", b'{"text": "\xff\xff"}\n')).startswith("not JSON")


def test_empty_lines_file(tmp_path: Path, options: ReadOptions) -> None:
    assert reason(options, write(tmp_path, "a.jsonl", "\n \n")) == "empty"


def test_byte_order_mark_before_the_first_line(tmp_path: Path, options: ReadOptions) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps({"id": "x", "text": TEXT}).encode("utf-8-sig"))
    assert one(options, path).id == "x"


def test_oversized_line_spares_the_others(tmp_path: Path, languages: Languages) -> None:
    good = json.dumps({"id": "good", "text": TEXT})
    path = write(tmp_path, "a.jsonl", json.dumps({"id": "big", "text": TEXT * 3000}) + "\n" + good + "\n")
    failure, article = read(ReadOptions(languages, max_bytes=1000), path)
    assert isinstance(failure, Failure)
    assert failure.source == f"{path}:1"
    assert "--max-megabytes" in failure.reason
    assert isinstance(article, Article)
    assert article.id == "good"


@pytest.mark.parametrize(("value", "name"), [(0, "0"), ("", "https://u.example/1"), (None, "https://u.example/1")])
def test_zero_is_an_id(tmp_path: Path, options: ReadOptions, value: object, name: str) -> None:
    line = json.dumps({"id": value, "text": TEXT, "url": "https://u.example/1"})
    assert one(options, write(tmp_path, "a.jsonl", line)).id == name


@pytest.mark.parametrize("year", [2020, "2020", " 2020 ", 2020.0])
def test_session_year_may_be_a_string(tmp_path: Path, options: ReadOptions, year: object) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps({"id": "x", "text": TEXT, "session_year": year}))
    assert one(options, path).session_year == 2020


@pytest.mark.parametrize("year", [True, 10**30, -1, "2020/21", "", "20205", 2020.5, None])
def test_impossible_session_year_is_unknown(tmp_path: Path, options: ReadOptions, year: object) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps({"id": "x", "text": TEXT, "session_year": year}))
    assert one(options, path).session_year is None


def test_lone_surrogates_are_replaced_and_lengths_stay(tmp_path: Path, options: ReadOptions) -> None:
    value = json.dumps({"id": "x\ud800", "title": "T\udfff", "text": "\ud800" + TEXT})
    article = one(options, write(tmp_path, "a.jsonl", value))
    assert article.id == "x�"
    assert article.title == "T�"
    assert article.text == "�" + TEXT


@pytest.mark.parametrize("lang", [None, "", 3])
def test_language_is_detected_where_the_metadata_has_none(tmp_path: Path, options: ReadOptions, lang: object) -> None:
    assert one(options, write(tmp_path, "a.jsonl", json.dumps({"text": TEXT, "lang": lang}))).lang == "en"


@pytest.mark.parametrize(("lang", "code"), [("en-US", "en"), ("EN", "en"), ("zh_CN", "zh"), (" zh-Hans ", "zh")])
def test_language_is_the_primary_subtag(tmp_path: Path, options: ReadOptions, lang: str, code: str) -> None:
    assert one(options, write(tmp_path, "a.jsonl", json.dumps({"text": TEXT, "lang": lang}))).lang == code


def test_unnamed_articles_are_named_by_their_text(tmp_path: Path, options: ReadOptions) -> None:
    first, second = json.dumps({"text": TEXT}), json.dumps({"text": TEXT + " It rained."})
    items = read(options, write(tmp_path, "a.jsonl", f"{first}\n{second}\n"))
    again = read(options, write(tmp_path, "a.jsonl", f"{second}\n{first}\n"))
    assert items == again[::-1]
    assert [item.id for item in items if isinstance(item, Article)] == [
        named("a", TEXT),
        named("a", TEXT + " It rained."),
    ]


def test_metadata_beats_detection_and_the_option_beats_both(tmp_path: Path, languages: Languages) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps({"text": TEXT, "lang": "zh"}))
    assert one(ReadOptions(languages), path).lang == "zh"
    assert one(ReadOptions(languages, lang="en"), path).lang == "en"


# --- standard input ---


def test_stream_of_text(options: ReadOptions) -> None:
    content = TEXT + "\r\nIt rained."
    assert one(options, "-", stdin=content.encode()) == Article(named("stdin", content), content, lang="en")
    assert one(options, "-", stdin=TEXT.encode()).id == named("stdin", TEXT)


def test_stream_of_lines(options: ReadOptions) -> None:
    lines = "".join(json.dumps({"id": name, "text": TEXT}) + "\n" for name in "ab")
    items = read(options, "-", stdin=lines.encode("utf-8-sig") + b"{bad\n")
    assert [item.id for item in items if isinstance(item, Article)] == ["a", "b"]
    assert items[2].source == "standard input:3"  # type: ignore[union-attr]


OBJECT = {"id": "x", "text": TEXT}


@pytest.mark.parametrize(
    ("content", "number"),
    [
        ("\n \n" + json.dumps(OBJECT), 1),
        ("\n" + f"{json.dumps(OBJECT)}\n" * 2, 2),
        (json.dumps(OBJECT, indent=2), 1),
        (json.dumps([OBJECT, OBJECT]), 2),
        ("\ufeff\n" + json.dumps([OBJECT], indent=2), 1),
    ],
    ids=["blank first line", "lines", "laid out", "list", "list laid out"],
)
def test_json_is_read_as_json_however_it_is_laid_out(
    tmp_path: Path, options: ReadOptions, content: str, number: int
) -> None:
    items = read(options, "-", stdin=content.encode())
    assert items == [Article("x", TEXT, lang="en")] * number
    assert read(options, write(tmp_path, "a.jsonl", content)) == items


@pytest.mark.parametrize(
    ("content", "source", "reason"),
    [
        ('{\n "text": "cut', "standard input", "not JSON: Unterminated string"),
        ('[\n {"text": "cut"},', "standard input", "not JSON: Expecting value"),
        ("[3]", "standard input: item 1", "not a JSON object"),
        ("[]", "standard input", "empty"),
        ('{\n "text": "' + "word " * 300, "standard input", "over the limit"),
    ],
)
def test_json_that_holds_no_article_is_reported(languages: Languages, content: str, source: str, reason: str) -> None:
    (failure,) = read(ReadOptions(languages, max_bytes=1000), "-", stdin=content.encode())
    assert isinstance(failure, Failure)
    assert failure.source == source
    assert failure.reason.startswith(reason)


def test_a_text_may_begin_with_a_bracket(options: ReadOptions) -> None:
    content = f"\n[Beijing] {TEXT}"
    assert one(options, "-", stdin=content.encode()).text == content


def test_stream_of_a_page(options: ReadOptions) -> None:
    article = one(options, "-", stdin=b"\n" + PAGE.format(text=TEXT).encode())
    assert (article.id, article.title) == (named("stdin", article.text), "Open schools")


@pytest.mark.parametrize("broken", [b'{"text": "A line that\n', b'{ "text": 3,}\n'])
def test_stream_whose_first_line_is_broken(options: ReadOptions, broken: bytes) -> None:
    failure, article = read(options, "-", stdin=broken + json.dumps({"id": "b", "text": TEXT}).encode())
    assert isinstance(failure, Failure)
    assert failure.source == "standard input:1"
    assert failure.reason.startswith("not JSON")
    assert isinstance(article, Article)
    assert article.id == "b"


def test_stream_whose_first_line_is_oversized(languages: Languages) -> None:
    big, good = json.dumps({"id": "big", "text": TEXT * 100}), json.dumps({"id": "good", "text": TEXT})
    failure, article = read(ReadOptions(languages, max_bytes=1000), "-", stdin=f"{big}\n{good}\n".encode())
    assert isinstance(failure, Failure)
    assert failure.source == "standard input:1"
    assert "--max-megabytes" in failure.reason
    assert isinstance(article, Article)
    assert article.id == "good"


def test_stream_that_only_begins_like_json(options: ReadOptions) -> None:
    content = "{sic} was the only mark that the editor had left in the whole text.\n"
    assert one(options, "-", stdin=content.encode()).text == content


def test_bad_streams(languages: Languages, options: ReadOptions) -> None:
    assert reason(options, "-", stdin=b"") == "empty"
    assert "binary" in reason(options, "-", stdin=b"\0\1\2" * 100)
    small = ReadOptions(languages, max_bytes=50)
    assert "limit" in reason(small, "-", stdin=TEXT.encode())
    assert "limit" in reason(small, "-", stdin=b"short line\n" * 10)


# --- the year ---


@pytest.mark.parametrize(
    ("name", "text", "year"),
    [
        ("2019-schools.txt", TEXT, 2019),
        ("schools.txt", TEXT, None),
        ("20190305.txt", TEXT, None),
        ("a.txt", f"BEIJING, March 5, 2018 -- {TEXT}", 2018),
        ("a.txt", f"{TEXT}\n(Updated: Mar. 8, 2017)", 2017),
        ("a.txt", f"2016-03-09 10:11\n{TEXT}", 2016),
        ("a.txt", f"2016年3月9日\n{TEXT}", 2016),
        ("2019-a.txt", f"Published 2020/05/22\n{TEXT}", 2020),
        ("a.txt", f"In 2025 the plan ends. {TEXT}", None),
        ("a.txt", f"Call 12015-03-091. {TEXT}", None),
        ("2024-village.txt", f"Since the law took effect on January 1, 2021, villages keep accounts. {TEXT}", 2024),
        ("2024-village.txt", f"A village\nIt all began on January 1, 2021.\n{TEXT}", 2024),
        ("2024-village.txt", f"{TEXT}\nThe law, which is to take effect on January 1, 2026, is silent on that.", 2024),
        ("village.txt", f"On January 1, 2021, the law took effect. {TEXT}", None),
        ("2024-a.txt", f"A village\n\nBy Joan Whitfield\nMarch 7, 2014\n\n{TEXT}", 2014),
        ("2024-a.txt", f"HEFEI, March 9, 2015 (Huaxin Wire) -- {TEXT}", 2015),
        ("2024-a.txt", f"BEIJING March 9, 2015 (Huaxin Wire) -- {TEXT}", 2015),
        ("2024-a.txt", f"{TEXT} | By Joan Whitfield in Beijing | The National Daily | Updated: 2022-03-10 09:02", 2022),
        ("2024-a.txt", f"{'It rained. ' * 20}\n" * 9 + f"\n{TEXT}\n(Published on March 12, 2016)", 2016),
        ("2024-a.txt", f"{TEXT}\n" * 9 + "March 12, 2016\n" + f"{TEXT}\n" * 9, 2024),
        ("a.txt", f"BEIJING, 4 March 2022 -- {TEXT}", 2022),
        ("a.txt", f"Published: 8:00pm, 8 Mar, 2022\n{TEXT}", 2022),
    ],
)
def test_session_year(tmp_path: Path, options: ReadOptions, name: str, text: str, year: int | None) -> None:
    assert one(options, write(tmp_path, name, text)).session_year == year


def test_date_in_the_middle_of_a_long_text_is_no_dateline(tmp_path: Path, options: ReadOptions) -> None:
    text = TEXT * 30 + " On March 5, 2001 it snowed. " + TEXT * 30
    assert one(options, write(tmp_path, "2015-a.txt", text)).session_year == 2015


def test_metadata_gives_the_year_first(tmp_path: Path, options: ReadOptions) -> None:
    value = {"text": f"March 5, 2018 {TEXT}", "published": "2020-05-22"}
    assert one(options, write(tmp_path, "a.jsonl", json.dumps(value))).session_year == 2020
    value["session_year"] = 2021
    assert one(options, write(tmp_path, "b.jsonl", json.dumps(value))).session_year == 2021


def test_an_empty_folder_is_reported(tmp_path: Path, options: ReadOptions) -> None:
    empty = [Failure(str(tmp_path), "an empty folder")]
    assert read(options, tmp_path) == empty
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert read(options, tmp_path) == empty
    write(tmp_path, "c.txt", TEXT)
    assert one(options, tmp_path).id == "c"
