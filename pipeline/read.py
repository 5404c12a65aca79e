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
from .sentences import line_ranges

TEXT_SUFFIXES = frozenset({".txt", ".md", ".text"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
LINES_SUFFIXES = frozenset({".jsonl", ".ndjson"})
MEGABYTE = 1_000_000

_BAD_NAME = re.compile("[\0\ud800-\udfff]")
_METADATA = ("title", "outlet", "url", "published")
_ISO_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.年]\d{1,2}[-/.月]\d{1,2}")
_STEM_YEAR = re.compile(r"^((?:19|20)\d\d)(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_JSON_OBJECT = re.compile(rb'(?:\xef\xbb\xbf)?[ \t]*\{\s*["}]')

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
            children = sorted(child for child in path.iterdir() if not child.name.startswith("."))
            if not children and not inside:
                raise _Unreadable("an empty folder")
            for child in children:
                yield from _read_path(child, options, inside | {real})
            return
        if not path.exists():
            raise _Unreadable("there is no such file or folder")
        if not path.is_file():
            raise _Unreadable("not a regular file")
        suffix = path.suffix.lower()
        if suffix in LINES_SUFFIXES:
            with path.open("rb") as stream:
                yield from _read_lines(_bounded_lines(stream, options.max_bytes), str(path), _name(path), options)
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
    """Read standard input: JSON Lines if its first line begins as a JSON object does, one article otherwise."""
    lines = _bounded_lines(stream, options.max_bytes)
    first = next(lines, b"")
    if _JSON_OBJECT.match(first):
        yield from _read_lines(chain([first], lines), "standard input", "stdin", options)
        return
    try:
        data = first + stream.read(max(0, options.max_bytes + 1 - len(first)))
        if len(data) > options.max_bytes:
            raise _Unreadable(f"over the limit of {options.max_bytes / MEGABYTE:g} MB (--max-megabytes)")
        looks_html = re.match(rb"\s*(?:<!doctype html|<html)", data[:200], re.IGNORECASE)
        article = _from_html(data, "stdin") if looks_html else Article("stdin", decode(data))
        yield _finish(replace(article, id=_id_of_text("stdin", article.text)), options)
    except _Unreadable as error:
        yield Failure("standard input", str(error))


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


def _read_lines(lines: Iterable[bytes], source: str, stem: str, options: ReadOptions) -> Iterator[Article | Failure]:
    seen = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        seen += 1
        where = f"{source}:{number}"
        try:
            if len(line) > options.max_bytes:
                raise _Unreadable(f"a line over the limit of {options.max_bytes / MEGABYTE:g} MB (--max-megabytes)")
            yield _finish(_from_json(line, stem), options)
        except _Unreadable as error:
            yield Failure(where, str(error))
    if not seen:
        yield Failure(source, "empty")


def _from_json(line: bytes, stem: str) -> Article:
    try:
        value = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _Unreadable("not a JSON object")
    text = value.get("text")
    if not isinstance(text, str):
        raise _Unreadable("no 'text' string in it")
    text = _without_surrogates(text)
    name = value.get("id") or value.get("url") or _id_of_text(stem, text)
    fields: dict[str, Any] = {
        key: _BAD_NAME.sub("�", value[key]) for key in (*_METADATA, "lang") if isinstance(value.get(key), str)
    }
    if "lang" in fields:
        fields["lang"] = re.split("[-_]", fields["lang"].strip())[0].lower()
    year = value.get("session_year")
    if isinstance(year, int | str) and _YEAR.fullmatch(str(year).strip()):
        fields["session_year"] = int(year)
    return Article(_BAD_NAME.sub("�", str(name)), text, **fields)


def _without_surrogates(text: str) -> str:
    r"""Replace lone surrogates, which JSON's \ud800 can smuggle in and UTF-8 can't carry; lengths stay."""
    return re.sub(r"[\ud800-\udfff]", "�", text)


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8 with or without BOM, UTF-16 or UTF-32 with one, else the detected encoding.

    Line ends are kept as they are, so that offsets fit the file. Raises `_Unreadable` (a `ValueError`) for binary data.
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
    found = trafilatura.bare_extraction(page, with_metadata=True, include_comments=False, include_tables=True)
    text = found.text if isinstance(found, Document) else None
    if not isinstance(found, Document) or not text or not text.strip():
        raise _Unreadable("no article text found in the page")
    return Article(
        stem,
        text,
        title=found.title or None,
        outlet=found.sitename or found.hostname or None,
        url=found.url or None,
        published=found.date or None,
    )


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
    units = len(re.findall(r"[^\W\d_]+", text)) + len(re.findall(r"[一-鿿]", text))
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
            return int(found[1])
    stem = _STEM_YEAR.match(article.id)
    return int(stem[1]) if stem else None


def _is_dateline(line: str, date: re.Match[str]) -> bool:
    """Tell whether a date of a line says when the article was written, and is not part of a sentence."""
    if len(line) <= _SHORT_LINE and not line.rstrip("\"'”’").endswith((".", "!", "?", "。", "！", "？")):
        return True
    before, after = line[: date.start()], line[date.end() :]
    if _LABELLED.search(before):
        return True
    return len(before) <= _NEAR_START and bool(_SET_OFF_BEFORE.search(before) or _SET_OFF_AFTER.match(after))
