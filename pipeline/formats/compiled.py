"""The compiled form: one annotated article a line of JSON, with nothing lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..corpus import AnnotatedArticle, CorpusError, Entity, GoldMention, GoldStatement
from ..schema import ARTICLE_METADATA, Article
from . import files_of, json_lines, well_formed, write_lines


def to_row(annotated: AnnotatedArticle) -> dict[str, Any]:
    """Return an annotated article as plain lists, dicts, strings and numbers; `is_` is called `is`."""
    return {
        "id": annotated.article.id,
        "text": annotated.article.text,
        **{name: getattr(annotated.article, name) for name in ARTICLE_METADATA},
        "shape": annotated.shape,
        "entities": [asdict(entity) for entity in annotated.entities],
        "mentions": [_mention_row(mention) for mention in annotated.mentions],
        "statements": [{**asdict(s), "by": list(s.by), "topics": list(s.topics)} for s in annotated.statements],
    }


def _mention_row(m: GoldMention) -> dict[str, Any]:
    return {"start": m.start, "end": m.end, "label": m.label, "of": list(m.of), "is": m.is_}


def from_row(row: Mapping[str, Any], source: str) -> AnnotatedArticle:
    """Return the annotated article of a row; raise `CorpusError` that names `source` and what is missing or wrong."""
    try:
        values = dict(row)
        entities = tuple(Entity(**entity) for entity in values.pop("entities"))
        mentions = tuple(
            GoldMention(m["start"], m["end"], m["label"], tuple(m["of"]), m.get("is")) for m in values.pop("mentions")
        )
        statements = tuple(
            GoldStatement(s["start"], s["end"], tuple(s["by"]), s.get("n"), tuple(s["topics"]), s.get("stance"))
            for s in values.pop("statements")
        )
        shape = values.pop("shape", None)
        article = Article(**values)
    except KeyError as error:
        raise CorpusError(f"{source}: no {error.args[0]!r} there") from None
    except (TypeError, ValueError) as error:
        raise CorpusError(f"{source}: not an annotated article: {error}") from None
    for name, value in asdict(article).items():
        kind, what = (int, "whole number") if name == "session_year" else (str, "string")
        if not isinstance(value, kind) and (value is not None or name in ("id", "text")):
            raise CorpusError(f"{source}: {name} {value!r} is no {what}")
    items: tuple[GoldMention | GoldStatement, ...] = (*mentions, *statements)
    if not all(isinstance(at, int) for i in items for at in (i.start, i.end)):
        raise CorpusError(f"{source}: not an annotated article: an offset is no whole number")
    for item in items:
        if not 0 <= item.start < item.end <= len(article.text):
            raise CorpusError(f"{source}: offsets {item.start}..{item.end} lie outside of the text")
    return AnnotatedArticle(article, shape, entities, mentions, statements)


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of a compiled file, or of all those in a folder, in their order."""
    found = []
    for file in files_of(path, [".jsonl", ".ndjson"]):
        for place, row in json_lines(file):
            with well_formed(place):
                found.append(from_row(row, place))
    return found


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write annotated articles to one file."""
    write_lines(map(to_row, articles), path)
