"""Label Studio's JSON: tasks with `data` and `annotations`, whose `result` holds regions and relations.

A region is `{"id", "from_name", "to_name", "type": "labels", "value": {"start", "end", "text", "labels"}}`; its details
are results with the same id (`perRegion="true"` in the labelling config): `choices` for `is`, `stance` and `topics`,
`textarea` for `n` and `entity`. A relation is `{"type": "relation", "from_id", "to_id", "direction", "labels"}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ..corpus import AnnotatedArticle, CorpusError
from ..schema import BODIES, STANCES
from . import encodable, files_of, read_text, replacing, well_formed
from .graph import EXTRA, LABELS, RELATIONS, Graph, GraphSpan, Relation, from_graph, metadata, to_graph

_CHOICES = ("is", "stance", "topics")


def labelling_config(topics: Sequence[str]) -> str:
    """Return the labelling config (XML) of a project that can hold everything written here."""

    def tags(name: str, values: Iterable[str]) -> str:
        return "".join(f"<{name} value={quoteattr(value)}/>" for value in values)

    def choices(name: str, values: Iterable[str], label: str, many: str = "single") -> str:
        head = f'<Choices name="{name}" toName="text" perRegion="true" whenTagName="label" whenLabelValue="{label}"'
        return f'{head} choice="{many}" showInline="true">{tags("Choice", values)}</Choices>'

    return "\n".join(
        (
            "<View>",
            f"<Relations>{tags('Relation', RELATIONS)}</Relations>",
            f'<Labels name="label" toName="text">{tags("Label", LABELS)}</Labels>',
            '<Text name="text" value="$text" granularity="symbol"/>',
            choices("is", (*BODIES, "unknown"), "BODY"),
            choices("stance", STANCES, "PROPOSAL"),
            choices("topics", topics, "PROPOSAL", "multiple"),
            '<TextArea name="n" toName="text" perRegion="true" whenTagName="label" whenLabelValue="PROPOSAL"/>',
            '<TextArea name="entity" toName="text" perRegion="true"/>',
            "</View>",
        )
    )


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated tasks of an export; of several annotations the ground truth, or else the last, counts."""
    found = []
    for file in files_of(path, [".json"]):
        try:
            tasks = json.loads(read_text(file))
        except ValueError as error:
            raise CorpusError(f"{file}: not JSON: {error}") from None
        for number, task in enumerate(tasks if isinstance(tasks, list) else [tasks], 1):
            place = f"{file}: task {task.get('id', number) if isinstance(task, dict) else number}"
            if not isinstance(task, dict) or not isinstance(task.get("data"), dict) or "annotations" not in task:
                raise CorpusError(f"{place}: no 'data' and 'annotations' there; export as JSON, not as JSON-MIN or CSV")
            with well_formed(place):
                annotations = [a for a in task["annotations"] if not a.get("was_cancelled")]
                if annotations:
                    chosen = next((a for a in annotations if a.get("ground_truth")), annotations[-1])
                    graph = _graph(task["data"], chosen.get("result") or [], place)
                    found.append(from_graph(graph, place, labels, f"{file.stem}-{task.get('id', number)}"))
    return found


def _graph(data: Mapping[str, Any], result: Sequence[Mapping[str, Any]], place: str) -> Graph:
    text = data.get("text")
    if not isinstance(text, str):
        raise CorpusError(f"{place}: no 'text' in its 'data'")
    regions: dict[str, tuple[int, int, str]] = {}
    details: dict[str, dict[str, str]] = {}
    relations = []
    try:
        for item in result:
            kind, value = item["type"], item.get("value") or {}
            if kind == "labels":
                if len(value["labels"]) != 1:
                    raise CorpusError(f"{place}: region {item['id']!r} has the labels {value['labels']}; it takes one")
                regions[item["id"]] = (*_offsets(text, value, place), value["labels"][0])
            elif kind == "relation":
                relations += _relations(item)
            elif kind in ("choices", "textarea") and item.get("id"):
                words = value["choices"] if kind == "choices" else value["text"]
                joined = " ".join([words] if isinstance(words, str) else words)
                if joined.strip():
                    details.setdefault(item["id"], {})[item["from_name"]] = joined.strip()
            else:
                raise CorpusError(
                    f"{place}: a result of the type {kind!r}; there may be labels, relation, choices, textarea"
                )
    except KeyError as error:
        raise CorpusError(f"{place}: a result has no {error.args[0]!r}") from None
    spans = tuple(
        GraphSpan(name, start, end, label, details.get(name, {})) for name, (start, end, label) in regions.items()
    )
    return Graph(text, spans, tuple(relations), metadata(data.get(EXTRA) or {}, data.get("meta") or {}, data))


def _offsets(text: str, value: Mapping[str, Any], place: str) -> tuple[int, int]:
    """Return offsets in code points; a browser may have counted UTF-16 units, which the stored words tell."""
    # By way of a string: a place between two characters is an error, not the one before.
    start, end, words = int(str(value["start"])), int(str(value["end"])), value.get("text")
    if words is None or text[start:end] == words:
        return start, end
    units = text.encode("utf-16-le")
    try:
        before, inside = units[: 2 * start].decode("utf-16-le"), units[2 * start : 2 * end].decode("utf-16-le")
    except UnicodeDecodeError:
        inside = ""
    if inside == words:
        return len(before), len(before) + len(inside)
    if text[start:end].split() == words.replace("\\n", " ").split():
        return start, end
    raise CorpusError(f"{place}: {words!r} is not what stands at {start}..{end}: {text[start:end]!r}")


def _relations(item: Mapping[str, Any]) -> list[Relation]:
    ends = [item["from_id"], item["to_id"]]
    if item.get("direction") == "left":
        ends.reverse()
    # A relation without a label links a mention to its person: there is nothing else to choose.
    return [Relation(ends[0], ends[1], label) for label in item.get("labels") or ["of"]]


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write annotated articles to one JSON file, for import into a project with `labelling_config`."""
    tasks = [_task(number, annotated) for number, annotated in enumerate(articles, 1)]
    with replacing(path) as made, encodable(str(path)):
        made.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _task(number: int, annotated: AnnotatedArticle) -> dict[str, Any]:
    graph = to_graph(annotated)
    result: list[dict[str, Any]] = []
    for span in graph.spans:
        place = {"start": span.start, "end": span.end}
        base = {"id": span.id, "to_name": "text"}
        value = {**place, "text": graph.text[span.start : span.end], "labels": [span.label]}
        result.append({**base, "from_name": "label", "type": "labels", "value": value})
        for name, words in span.details.items():
            kind, key = ("choices", "choices") if name in _CHOICES else ("textarea", "text")
            values = words.split() if name == "topics" else [words]
            result.append({**base, "from_name": name, "type": kind, "value": {**place, key: values}})
    for relation in graph.relations:
        ends = {"from_id": relation.source, "to_id": relation.target}
        result.append({**ends, "type": "relation", "direction": "right", "labels": [relation.type]})
    data = {"text": graph.text, EXTRA: dict(graph.extra)}
    return {"id": number, "data": data, "annotations": [{"id": number, "was_cancelled": False, "result": result}]}
