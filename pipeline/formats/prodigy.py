"""Prodigy's JSONL (and spaCy's spans without tokens): `text`, `tokens`, `spans`, `relations`, `meta`, `answer`.

As Prodigy's `relations` interface has it, `token_end` is the last token (not the one behind it), `head` and `child`
are the last tokens of two spans, and `head_span`, `child_span` repeat the spans. A relation is drawn from head to
child. A span's details stand in the span itself, other things under `two_sessions`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..corpus import AnnotatedArticle, CorpusError
from . import files_of, json_lines, well_formed, write_lines
from .graph import EXTRA, Graph, GraphSpan, Relation, from_graph, metadata, to_graph

_DETAILS = ("entity", "is", "n", "stance", "topics")
_log = logging.getLogger(__name__)


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the accepted examples of a file or folder; rejected and ignored ones are counted in the log."""
    found = []
    left = 0
    for file in files_of(path, [".jsonl", ".ndjson"]):
        for place, row in json_lines(file):
            if row.get("answer", "accept") == "accept":
                with well_formed(place):
                    found.append(from_graph(_graph(row, place), place, labels, _name(place)))
            else:
                left += 1
    if left:
        _log.warning("%s: %d examples that were rejected or ignored are left out", path, left)
    return found


def _name(place: str) -> str:
    file, _, line = place.rpartition(":")
    return f"{Path(file).stem}-{line}"


def _graph(row: Mapping[str, Any], place: str) -> Graph:
    if not isinstance(row.get("text"), str):
        raise CorpusError(f"{place}: no 'text' there")
    spans: list[GraphSpan] = []
    relations: list[Relation] = []
    try:
        for index, span in enumerate(row.get("spans") or []):
            details = {key: str(span[key]) for key in _DETAILS if span.get(key)}
            spans.append(GraphSpan(f"T{index + 1}", span["start"], span["end"], span["label"], details))
        for relation in row.get("relations") or []:
            child, head = (_end(relation, end, spans, row, place) for end in ("child", "head"))
            relations.append(Relation(child, head, relation["label"]))
    except KeyError as error:
        raise CorpusError(f"{place}: a span or relation has no {error.args[0]!r}") from None
    extra = metadata(row.get(EXTRA) or {}, row.get("meta") or {}, row)
    return Graph(row["text"], tuple(spans), tuple(relations), extra)


def _end(relation: Mapping[str, Any], end: str, spans: Sequence[GraphSpan], row: Mapping[str, Any], place: str) -> str:
    """Return the id of the span at one end of a relation, by its offsets or else by its last token."""
    known = relation.get(f"{end}_span")
    if known:
        fitting = [s for s in spans if (s.start, s.end) == (known["start"], known["end"])]
        exact = [s for s in fitting if s.label == known.get("label", s.label)]
        fitting = exact or fitting
    else:
        last = relation[end]
        fitting = [
            span
            for span, raw in zip(spans, row.get("spans") or [], strict=True)
            if raw.get("token_start", last + 1) <= last <= raw.get("token_end", -1)
        ]
        # The smallest span around the token: a mention rather than the statement that holds it.
        fitting.sort(key=lambda span: span.end - span.start)
    if not fitting:
        raise CorpusError(f"{place}: relation {relation.get('label')!r}: no span at its {end}")
    return fitting[0].id


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write annotated articles to one file, tokens included, ready for `prodigy mark` or `db-in`."""
    from spacy.vocab import Vocab

    from ..document import ExactTokenizer

    tokenizer = ExactTokenizer(Vocab())
    write_lines((_row(annotated, tokenizer) for annotated in articles), path)


def _row(annotated: AnnotatedArticle, tokenizer: Any) -> dict[str, Any]:
    graph = to_graph(annotated)
    doc = tokenizer(graph.text)
    tokens = [
        {
            "text": token.text,
            "start": token.idx,
            "end": token.idx + len(token),
            "id": token.i,
            "ws": bool(token.whitespace_),
            **({"disabled": True} if token.is_space else {}),
        }
        for token in doc
    ]
    spans = {}
    for span in graph.spans:
        covered = doc.char_span(span.start, span.end, alignment_mode="expand")
        spans[span.id] = {
            "start": span.start,
            "end": span.end,
            "token_start": covered.start,
            "token_end": covered.end - 1,
            "label": span.label,
        }
    relations = [
        {
            "head": spans[relation.target]["token_end"],
            "child": spans[relation.source]["token_end"],
            "head_span": spans[relation.target],
            "child_span": spans[relation.source],
            "label": relation.type,
        }
        for relation in graph.relations
    ]
    return {
        "text": graph.text,
        "tokens": tokens,
        "spans": [{**spans[span.id], **span.details} for span in graph.spans],
        "relations": relations,
        "meta": {key: graph.extra[key] for key in ("id", "outlet", "published") if key in graph.extra},
        EXTRA: dict(graph.extra),
        "answer": "accept",
    }
