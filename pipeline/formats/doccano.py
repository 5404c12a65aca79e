"""doccano's JSONL of a relation project: `text`, `entities`, `relations`.

An entity has `id`, `label`, `start_offset`, `end_offset`; a relation `from_id`, `to_id`, `type`.

doccano keeps keys that it doesn't know as metadata of the example, but gives entities new ids and nothing beside
their labels. So `is` and the stance stand in the label (`BODY/NPC`, `PROPOSAL/both`), and the rest of a span's
details under `two_sessions`, by offsets. A sequence labelling project (`label`: [[start, end, label]]) is read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..corpus import AnnotatedArticle, CorpusError
from . import files_of, json_lines, well_formed, write_lines
from .graph import EXTRA, Graph, GraphSpan, Relation, from_graph, metadata, to_graph


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of a file or folder."""
    found = []
    for file in files_of(path, [".jsonl", ".ndjson"]):
        for number, (place, row) in enumerate(json_lines(file), 1):
            with well_formed(place):
                name = f"{file.stem}-{row.get('id', number)}"
                found.append(from_graph(_graph(row, place), place, labels, name))
    return found


def _graph(row: Mapping[str, Any], place: str) -> Graph:
    # Exports of older projects call the text `data`.
    text = row.get("text", row.get("data"))
    if not isinstance(text, str):
        raise CorpusError(f"{place}: no 'text' there")
    # Older versions export unknown keys inside `meta`.
    meta: Mapping[str, Any] = row["meta"] if isinstance(row.get("meta"), Mapping) else {}
    extra = row.get(EXTRA) or meta.get(EXTRA) or {}
    details = extra.get("details") or {}
    try:
        spans = tuple(
            GraphSpan(name, start, end, label, details.get(_key(start, end, label), {}))
            for name, start, end, label in _entities(row)
        )
        relations = tuple(Relation(str(r["from_id"]), str(r["to_id"]), r["type"]) for r in row.get("relations") or [])
    except KeyError as error:
        raise CorpusError(f"{place}: an entity or relation has no {error.args[0]!r}") from None
    except (TypeError, ValueError):
        raise CorpusError(f"{place}: an entity is no object, or a label not [start, end, label]") from None
    # The `id` of a row is doccano's own number, not the article's.
    own = {key: value for key, value in row.items() if key != "id"}
    return Graph(text, spans, relations, metadata(extra, meta, own))


def _entities(row: Mapping[str, Any]) -> Iterator[tuple[str, int, int, str]]:
    for entity in row.get("entities") or []:
        yield str(entity["id"]), entity["start_offset"], entity["end_offset"], entity["label"]
    for index, (start, end, label) in enumerate(row.get("label") or row.get("labels") or []):
        yield f"label{index}", start, end, label


def _key(start: int, end: int, label: str) -> str:
    return f"{start}:{end}:{label.split('/')[0]}"


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write annotated articles to one file; ids are unique in it, as doccano's own are."""
    write_lines(_rows(articles), path)


def _rows(articles: Iterable[AnnotatedArticle]) -> Iterator[dict[str, Any]]:
    entity, relation = 0, 0
    for number, annotated in enumerate(articles, 1):
        graph = to_graph(annotated)
        ids = {span.id: entity + at for at, span in enumerate(graph.spans, 1)}
        details = {_key(s.start, s.end, s.label): dict(s.details) for s in graph.spans if s.details}
        yield {
            "id": number,
            "text": graph.text,
            "entities": [
                {"id": ids[s.id], "label": _label(s), "start_offset": s.start, "end_offset": s.end} for s in graph.spans
            ],
            "relations": [
                {"id": relation + at, "from_id": ids[r.source], "to_id": ids[r.target], "type": r.type}
                for at, r in enumerate(graph.relations, 1)
            ],
            "Comments": [],
            EXTRA: {**graph.extra, "details": _beside_label(details)},
        }
        entity += len(graph.spans)
        relation += len(graph.relations)


def _label(span: GraphSpan) -> str:
    value = span.details.get("is") if span.label == "BODY" else span.details.get("stance")
    return f"{span.label}/{value}" if value else span.label


def _beside_label(details: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the details without those that the label holds: there an annotator can change them."""
    kept = {
        key: {k: v for k, v in values.items() if not ((k == "is" and key.endswith(":BODY")) or k == "stance")}
        for key, values in details.items()
    }
    return {key: values for key, values in kept.items() if values}
