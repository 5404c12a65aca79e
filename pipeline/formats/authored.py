"""The authored XML, one article a file: read with its checks, and written for people to go on with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from ..corpus import AnnotatedArticle, CorpusError, GoldMention, GoldStatement, load_topics, load_xml, parse_xml
from ..schema import ARTICLE_METADATA, REFERENCE
from . import encodable, file_stem
from .graph import to_graph

_TAGS = {"PERSON": "ref", REFERENCE: "ref", "ROLE": "role", "ORG": "org", "BODY": "body"}


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of a file or folder; raise `CorpusError` for one that breaks the format."""
    found = load_xml(path)
    if not found:
        raise CorpusError(f"{path}: no file .xml there")
    return found


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write one XML file an article into a folder, named by its id; `twosessions corpus check` says what it lacks."""
    path.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for annotated in articles:
        stem = file_stem(annotated.article.id, taken)
        file = path / f"{stem}.xml"
        file.write_bytes(to_xml(annotated, stem).encode("utf-8"))


def to_xml(annotated: AnnotatedArticle, article_id: str | None = None) -> str:
    """Return an annotated article as XML.

    Raises `CorpusError` where XML can't hold it: white space beyond single spaces and paragraph breaks of one kind,
    overlapping mentions or statements, mentions that it would read with another label, control characters, and what
    the tags leave no place for: a name or a Chinese name that isn't marked in the text, say.
    """
    article, name = annotated.article, annotated.article.id
    single = "\n\n" not in article.text and "\n" in article.text
    head = {
        "id": article_id or name,
        "lang": article.lang,
        "title": article.title,
        "outlet": article.outlet,
        "url": article.url,
        "published": article.published,
        "session_year": None if article.session_year is None else str(article.session_year),
        "shape": annotated.shape,
        "breaks": "1" if single else None,
    }
    marks = _marks(annotated)
    lines = [f"<article{_attributes(head)}>"]
    start = 0
    for paragraph in article.text.split("\n" if single else "\n\n"):
        end = start + len(paragraph)
        lines.append(f"<p>{_content(article.text, start, end, marks)}</p>")
        start = end + (1 if single else 2)
    lines.append("</article>\n")
    xml = "\n".join(lines)
    with encodable(name):
        data = xml.encode("utf-8")
    again, problems = parse_xml(data, f"{article_id or name}.xml", load_topics())
    if again is None:
        raise CorpusError(f"{name}: XML can't hold it: {problems[0].message}")
    if again.article.text != article.text:
        at = next(
            i for i, (a, b) in enumerate(zip(again.article.text + "\0", article.text + "\0", strict=False)) if a != b
        )
        raise CorpusError(f"{name}: XML doesn't keep the white space at {at}; write to a .jsonl file")
    if _places(again) != _places(annotated):
        raise CorpusError(
            f"{name}: mentions or statements overlap, or cross a paragraph border; write to a .jsonl file"
        )
    for ours, theirs in zip(_labelled(annotated), _labelled(again), strict=True):
        if ours != theirs:
            start, end, label = ours
            raise CorpusError(
                f"{name}: XML would give the {label} {article.text[start:end]!r} at {start} back as {theirs[2]}; "
                f"write to a .jsonl file"
            )
    for kept, given in zip_longest(_values(annotated), _values(again)):
        if kept != given:
            raise CorpusError(f"{name}: XML would give {kept} back as {given}; write to a .jsonl file")
    return xml


def _values(annotated: AnnotatedArticle) -> Iterator[object]:
    """Yield everything of an annotated article but its text and its id, which follows the name of its file."""
    yield from (f"{name} {getattr(annotated.article, name)!r}" for name in ARTICLE_METADATA if name != "id")
    yield f"shape {annotated.shape!r}"
    yield from sorted(annotated.entities, key=lambda entity: entity.id)
    yield from sorted(annotated.mentions, key=lambda mention: (mention.start, mention.end))
    yield from sorted(annotated.statements, key=lambda statement: (statement.start, statement.end))


def _labelled(annotated: AnnotatedArticle) -> list[tuple[int, int, str]]:
    return sorted((mention.start, mention.end, mention.label) for mention in annotated.mentions)


def _places(annotated: AnnotatedArticle) -> list[tuple[int, int]]:
    mentions = [(mention.start, mention.end) for mention in annotated.mentions]
    return sorted(mentions + [(statement.start, statement.end) for statement in annotated.statements])


def _marks(annotated: AnnotatedArticle) -> list[tuple[int, int, str, str]]:
    """Return (start, end, opening tag, closing tag) of all spans, outer ones first."""
    graph = to_graph(annotated)
    anchors = {span.id for span in graph.spans if "entity" in span.details}
    found = []
    for index, mention in enumerate(annotated.mentions):
        tag, attributes = _mention(mention, f"T{index + 1}" in anchors)
        found.append((mention.start, mention.end, f"<{tag}{_attributes(attributes)}>", f"</{tag}>"))
    for statement in annotated.statements:
        tag = "say" if statement.n is None else "prop"
        found.append((statement.start, statement.end, f"<{tag}{_attributes(_statement(statement))}>", f"</{tag}>"))
    return sorted(found, key=lambda m: (m[0], -m[1], m[3] not in ("</prop>", "</say>")))


def _mention(mention: GoldMention, anchor: bool) -> tuple[str, dict[str, str | None]]:
    holders = " ".join(mention.of) or None
    if anchor and mention.label == "PERSON":
        return "per", {"id": mention.of[0]}
    if anchor and mention.label == "ORG":
        return "org", {"id": mention.of[0], "of": " ".join(mention.of[1:]) or None}
    tag = _TAGS[mention.label]
    return tag, {"to" if tag == "ref" else "of": holders, "is": mention.is_ if tag == "body" else None}


def _statement(statement: GoldStatement) -> dict[str, str | None]:
    by = " ".join(statement.by) or None
    if statement.n is None:
        return {"by": by}
    return {"by": by, "n": statement.n, "topics": " ".join(statement.topics) or None, "stance": statement.stance}


def _attributes(values: Mapping[str, str | None]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value is not None)


def _content(text: str, start: int, end: int, marks: list[tuple[int, int, str, str]]) -> str:
    inside = [mark for mark in marks if start <= mark[0] < end]
    out: list[str] = []
    open_: list[tuple[int, str]] = []
    at = start

    def move(to: int) -> None:
        nonlocal at
        while open_ and open_[-1][0] <= to:
            stop, closing = open_.pop()
            out.extend((escape(text[at:stop]), closing))
            at = max(at, stop)
        out.append(escape(text[at:to]))
        at = max(at, to)

    for first, last, opening, closing in inside:
        move(first)
        out.append(opening)
        open_.append((last, closing))
    move(end)
    return "".join(out)
