"""Files, folders and streams → articles; whatever can't be read comes back as a failure with its reason."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from .languages import Languages
from .schema import Article, stable_hash
from .scripts import HAN
from .sentences import line_ranges

TEXT_SUFFIXES = frozenset({".txt", ".md", ".text"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
LINES_SUFFIXES = frozenset({".jsonl", ".ndjson"})
MEGABYTE = 1_000_000

_BAD_NAME = re.compile("[\0\ud800-\udfff]")
_METADATA = ("title", "outlet", "url", "published")
_ISO_DATE = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[-/.年]\d{1,2}[-/.月]\d{1,2}")
_STEM_YEAR = re.compile(r"^((?:19|20)\d\d)(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_BOM = b"\xef\xbb\xbf"
# How JSON with something in it begins: an object, or a list of them.
_JSON_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*["}]')
# The first line of JSON that is laid out over several.
_JSON_BRACKETS = frozenset({b"{", b"[", b"[{"})
# A text is damaged UTF-8 where it has this many sound characters beyond ASCII for each place that is unsound; in other
# encodings few places are sound by chance: one of four in GBK.
_SOUND_SHARE = 2
# What marks an element of a page as its date stamp, in its class, id or itemprop.
_STAMP = re.compile("date|time|publish|posted|byline|info", re.IGNORECASE)
_DATE_SEARCH = {"extensive_search": False, "original_date": True}

# Where a dateline stands: in one of the first or last lines, which is short; in a longer one near its beginning, or
# behind a label ("Updated:").
_FIRST_LINES, _LAST_LINES = 8, 4
_SHORT_LINE = 100
_NEAR_START = 40
_LABELLED = re.compile(r"[:：|]\s*$")
# What sets a date off from the sentence that it is before: nothing, or a mark, comes before it …
_SET_OFF_BEFORE = re.compile(r"(?:^|[^\w\s])\s*$")
# … or a clock time, an agency in brackets, a dash or 电 ("wired") follows.
_SET_OFF_AFTER = re.compile(r"日?\s*(?:\d{1,2}:\d\d|(?:\([^()]*\)\s*)?[-–—|]|[电讯])")


@dataclass(frozen=True)
class Failure:
    """An input that gave no article; `source` names it as the user did."""

    source: str
    reason: str


@dataclass(frozen=True)
class ReadOptions:
    """Limits and the language: `lang` is a code, or "auto" to detect it; `max_bytes` bounds one file or line."""

    languages: Languages
    lang: str = "auto"
    max_bytes: int = 20 * MEGABYTE
    min_words: int = 8


class _Unreadable(ValueError):
    """The reason why an input is no article."""


def read_articles(
    paths: Iterable[str], options: ReadOptions, stdin: BinaryIO | None = None
) -> Iterator[Article | Failure]:
    """Yield an `Article` or a `Failure` for everything found under the paths, in sorted order.

    A path is a file, a folder (all of it, hidden files left out) or "-" for standard input. Nothing is raised
    for a bad input and nothing is skipped in silence.
    """
    for path in paths:
        if path == "-":
            yield from _read_stream(stdin if stdin is not None else sys.stdin.buffer, options)
        else:
            yield from _read_path(Path(path), options)


def _read_path(path: Path, options: ReadOptions, inside: frozenset[Path] = frozenset()) -> Iterator[Article | Failure]:
    try:
        if path.is_dir():
            real = path.resolve()
            if real in inside:
                raise _Unreadable("a link back to a folder that it is in")
            empty = True
            for child in sorted(child for child in path.iterdir() if not child.name.startswith(".")):
                for item in _read_path(child, options, inside | {real}):
                    empty = False
                    yield item
            if empty and not inside:
                raise _Unreadable("an empty folder")
            return
        if not path.exists():
            raise _Unreadable("there is no such file or folder")
        if not path.is_file():
            raise _Unreadable("not a regular file")
        suffix = path.suffix.lower()
        if suffix in LINES_SUFFIXES:
            with path.open("rb") as stream:
                lines = _bounded_lines(stream, options.max_bytes)
                yield from _read_json(_opening(lines, options.max_bytes), lines, str(path), _name(path), options)
            return
        if suffix not in TEXT_SUFFIXES | HTML_SUFFIXES:
            known = ", ".join(sorted(TEXT_SUFFIXES | HTML_SUFFIXES | LINES_SUFFIXES))
            raise _Unreadable(f"'{suffix or path.name}' is no type that is read here ({known})")
        size = path.stat().st_size
        if size > options.max_bytes:
            raise _Unreadable(
                f"{size / MEGABYTE:.1f} MB; the limit is {options.max_bytes / MEGABYTE:g} MB (--max-megabytes)"
            )
        data = path.read_bytes()
        name = _name(path)
        article = _from_html(data, name) if suffix in HTML_SUFFIXES else Article(name, decode(data))
        yield _finish(replace(article, file=name), options)
    except _Unreadable as error:
        yield Failure(str(path), str(error))
    except OSError as error:
        yield Failure(str(path), _os_reason(error))


def _name(path: Path) -> str:
    """Return the id of a file's article: its stem, without the surrogates that stand for undecodable bytes."""
    return _BAD_NAME.sub("�", path.stem)


def _os_reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _read_stream(stream: BinaryIO, options: ReadOptions) -> Iterator[Article | Failure]:
    """Read standard input: JSON if it begins as that does or is that as a whole, one article otherwise."""
    lines = _bounded_lines(stream, options.max_bytes)
    opening = _opening(lines, options.max_bytes)
    data = b"".join(opening)
    if _JSON_START.match(data) or _json_container(data) is not None:
        yield from _read_json(opening, lines, "standard input", "stdin", options)
        return
    try:
        if len(data) > options.max_bytes:
            raise _over_limit(options)
        looks_html = re.match(rb"\s*(?:<!doctype html|<html)", data[:200], re.IGNORECASE)
        article = _from_html(data, "stdin") if looks_html else Article("stdin", decode(data))
        yield _finish(replace(article, id=_id_of_text("stdin", article.text)), options)
    except _Unreadable as error:
        yield Failure("standard input", str(error))


def _over_limit(options: ReadOptions, what: str = "") -> _Unreadable:
    return _Unreadable(f"{what}over the limit of {options.max_bytes / MEGABYTE:g} MB (--max-megabytes)")


def _id_of_text(stem: str, text: str) -> str:
    """Return the id of an article without a name of its own: the same for the same text, in every run."""
    return f"{stem}-{stable_hash(text)[:8]}"


def _bounded_lines(stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """Yield the lines of a stream; of one over the limit only its beginning, one byte longer than the limit."""
    while line := stream.readline(limit + 1):
        rest = line
        while len(line) > limit and rest and not rest.endswith(b"\n"):
            rest = stream.readline(65536)
        yield line


def _opening(lines: Iterator[bytes], limit: int) -> list[bytes]:
    """Take as many lines as tell how to read them: up to a first that is a JSON object, or all, just over the limit."""
    found: list[bytes] = []
    size = 0
    blank = True
    for line in lines:
        found.append(line)
        size += len(line)
        if size > limit or (blank and isinstance(_json_container(line), dict)):
            break
        blank = blank and not line.removeprefix(_BOM).strip()
    return found


def _read_json(
    opening: list[bytes], lines: Iterable[bytes], source: str, stem: str, options: ReadOptions
) -> Iterator[Article | Failure]:
    """Read JSON Lines, or one object or list of objects that may be laid out over several lines."""
    data = b"".join(opening)
    first = data.removeprefix(_BOM).lstrip().partition(b"\n")[0].rstrip()
    whole = _json_container(data)
    if (whole is None and first not in _JSON_BRACKETS) or isinstance(_json_container(opening[-1]), dict):
        yield from _read_lines(chain(opening, lines), source, stem, options)
        return
    try:
        if len(data) > options.max_bytes:
            raise _over_limit(options)
        values = whole if isinstance(whole, list) else [_json(data)]
    except _Unreadable as error:
        yield Failure(source, str(error))
        return
    for number, value in enumerate(values, 1):
        try:
            yield _finish(_from_json(value, stem), options)
        except _Unreadable as error:
            yield Failure(f"{source}: item {number}" if isinstance(whole, list) else source, str(error))
    if not values:
        yield Failure(source, "empty")


def _read_lines(lines: Iterable[bytes], source: str, stem: str, options: ReadOptions) -> Iterator[Article | Failure]:
    seen = 0
    for number, line in enumerate(lines, 1):
        if not line.removeprefix(_BOM).strip():
            continue
        seen += 1
        where = f"{source}:{number}"
        try:
            if len(line) > options.max_bytes:
                raise _over_limit(options, "a line ")
            yield _finish(_from_json(_json(line), stem), options)
        except _Unreadable as error:
            yield Failure(where, str(error))
    if not seen:
        yield Failure(source, "empty")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.removeprefix(_BOM))
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"not JSON: {error}") from None


def _json_container(data: bytes) -> dict[str, Any] | list[Any] | None:
    """Return the JSON object or list that some bytes are, or None where they are neither."""
    if data.removeprefix(_BOM).lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        value: dict[str, Any] | list[Any] = _json(data)
    except _Unreadable:
        return None
    return value


def _from_json(value: Any, stem: str) -> Article:
    if not isinstance(value, dict):
        raise _Unreadable("not a JSON object")
    text = value.get("text")
    if not isinstance(text, str):
        raise _Unreadable("no 'text' string in it")
    text = _without_surrogates(text)
    names = (value.get("id"), value.get("url"), _id_of_text(stem, text))
    name = next(name for name in names if name is not None and name != "")
    fields: dict[str, Any] = {
        key: _BAD_NAME.sub("�", value[key]) for key in (*_METADATA, "lang") if isinstance(value.get(key), str)
    }
    if "lang" in fields:
        fields["lang"] = re.split("[-_]", fields["lang"].strip())[0].lower()
    year = value.get("session_year")
    if isinstance(year, float) and year.is_integer():
        year = int(year)
    if isinstance(year, int | str) and _YEAR.fullmatch(str(year).strip()):
        fields["session_year"] = int(year)
    return Article(_BAD_NAME.sub("�", str(name)), text, **fields)


def _without_surrogates(text: str) -> str:
    r"""Replace lone surrogates, which JSON's \ud800 can smuggle in and UTF-8 can't carry; lengths stay."""
    return re.sub(r"[\ud800-\udfff]", "�", text)


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8 with or without BOM, UTF-16 or UTF-32 with one, else the detected encoding.

    In UTF-8 that is damaged in a few places (cut off, or with a stray byte) each of them becomes a "�". Line ends are
    kept as they are, so that offsets fit the file. Raises `_Unreadable` (a `ValueError`) for binary data.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        wide = data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff"))
        try:
            return data.decode("utf-32" if wide else "utf-16")
        except UnicodeDecodeError:
            raise _Unreadable("binary, not text") from None
    if b"\0" in data[:65536]:
        raise _Unreadable("binary, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8-sig", errors="replace")
    sound = len(re.findall("[^\0-\x7f�]", text))
    if sound > _SOUND_SHARE * (text.count("�") - data.count("�".encode())):
        return text
    import charset_normalizer

    found = charset_normalizer.from_bytes(data[: 4 * MEGABYTE])
    best = found.best()
    if best is None:
        raise _Unreadable("binary, or in an encoding that can't be detected")
    # A few curly quotes fit many one-byte encodings equally well; then it is the one that most such pages are in.
    ties = {match.encoding for match in found if (match.chaos, match.coherence) == (best.chaos, best.coherence)}
    encoding = "cp1252" if "cp1252" in ties else best.encoding
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise _Unreadable(f"looks like {encoding}, but does not decode as that") from None


def _from_html(data: bytes, stem: str) -> Article:
    import trafilatura
    from trafilatura.settings import Document

    page = decode(data)
    found = trafilatura.bare_extraction(
        page, with_metadata=True, include_comments=False, include_tables=True, date_extraction_params=_DATE_SEARCH
    )
    text = found.text if isinstance(found, Document) else None
    if not isinstance(found, Document) or not text or not text.strip():
        raise _Unreadable("no article text found in the page")
    return Article(
        stem,
        text,
        title=found.title or None,
        outlet=found.sitename or found.hostname or None,
        url=found.url or None,
        published=_published(page),
    )


def _published(page: str) -> str | None:
    """Return the date of a page's metadata, address or date stamp; one in its running text may be of anything."""
    import trafilatura

    tree = trafilatura.load_html(page)
    if tree is None:
        return None
    kept: set[Any] = set()
    for element in tree.iter("*"):
        marks = " ".join(element.get(name, "") for name in ("class", "id", "itemprop"))
        stamp = _STAMP.search(marks) and len(element.text_content()) <= _SHORT_LINE
        if stamp or element.tag == "time" or element.get("type", "").endswith("json"):
            kept.update(element.iter())
    for element in tree.iter():
        if element not in kept:
            element.text = None
        if element.getparent() not in kept:
            element.tail = None
    return trafilatura.extract_metadata(tree, date_config=_DATE_SEARCH).date or None


def _finish(article: Article, options: ReadOptions) -> Article:
    """Refuse what is no article, and settle its language and session year."""
    text = article.text
    if not text.strip():
        raise _Unreadable("empty")
    control = sum(1 for char in text[:10000] if ord(char) < 32 and char not in "\t\n\r\f\v")
    if control > len(text[:10000]) / 50:
        raise _Unreadable("binary, not text")
    lang = article.lang if options.lang == "auto" else options.lang
    if not lang:
        lang = options.languages.detect(text)
    units = len(re.findall(r"[^\W\d_]+", text)) + len(re.findall(f"[{HAN}]", text))
    if units < options.min_words:
        raise _Unreadable(f"{units} words are too few for an article")
    year = article.session_year or _session_year(article, options.languages, lang)
    return replace(article, lang=lang, session_year=year)


def _session_year(article: Article, languages: Languages, lang: str | None) -> int | None:
    """Return the year of the metadata, of a dateline at either end of the text, or that the file's name opens with."""
    if article.published and (found := _YEAR.match(article.published)):
        return int(found[0])
    lines = line_ranges(article.text)
    for start, end in (*lines[:_FIRST_LINES], *lines[_FIRST_LINES:][-_LAST_LINES:]):
        line = article.text[start:end]
        found = _ISO_DATE.search(line) or languages.written_date(line, lang)
        if found and _is_dateline(line, found):
            return int(found["year"])
    stem = _STEM_YEAR.match(article.id)
    return int(stem[1]) if stem else None


def _is_dateline(line: str, date: re.Match[str]) -> bool:
    """Tell whether a date of a line says when the article was written, and is not part of a sentence."""
    if len(line) <= _SHORT_LINE and not line.rstrip("\"'”’」』").endswith((".", "!", "?", "。", "！", "？")):
        return True
    before, after = line[: date.start()], line[date.end() :]
    if _LABELLED.search(before):
        return True
    return len(before) <= _NEAR_START and bool(_SET_OFF_BEFORE.search(before) or _SET_OFF_AFTER.match(after))
