"""brat standoff: `<name>.txt` and `<name>.ann`, whose lines are spans (T), relations (R, *), attributes (A), notes (#).

`is`, `n`, `stance` and `entity` are attributes. A span has several topics but an attribute one value, so topics are a
note: `#1 AnnotatorNotes T5 topics=data health`. Other notes are left alone. What brat has no place for (metadata of the
article) stands in `<name>.json` beside the two; without it the article is read all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..corpus import AnnotatedArticle, CorpusError
from . import encodable, file_stem, files_of, read_text, well_formed
from .graph import Graph, GraphSpan, Relation, from_graph, metadata, to_graph

_ATTRIBUTES = ("entity", "is", "n", "stance")
_TOPICS = re.compile(r"\btopics\s*[=:]\s*([\w-]+(?:[ ,]+[\w-]+)*)")


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of a folder, or the one of an `.ann` (or its `.txt`) file."""
    files = [path.with_suffix(".ann")] if path.suffix == ".txt" else files_of(path, [".ann"])
    return [_read(file, labels) for file in files]


def _read(file: Path, labels: Mapping[str, str] | None) -> AnnotatedArticle:
    for needed in (file, file.with_suffix(".txt")):
        if not needed.exists():
            raise CorpusError(f"{needed}: there is no such file")
    reader = _Annotations(file, read_text(file.with_suffix(".txt")))
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if line.strip():
            reader.line(line.rstrip("\r"), f"{file}:{number}")
    beside = file.with_suffix(".json")
    extra: dict[str, Any] = {}
    if beside.exists():
        try:
            extra = json.loads(read_text(beside))
        except ValueError as error:
            raise CorpusError(f"{beside}: not JSON: {error}") from None
        if not isinstance(extra, dict):
            raise CorpusError(f"{beside}: not a JSON object")
    # The spans are checked line by line above: what is amiss here is what stands beside them.
    with well_formed(str(beside)):
        return from_graph(reader.graph(metadata({"id": file.stem}) | metadata(extra)), str(file), labels)


class _Annotations:
    """Collects the lines of one `.ann` file."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.text = text
        self.spans: list[tuple[str, int, int, str]] = []
        self.relations: list[Relation] = []
        self.details: dict[str, dict[str, str]] = {}

    def line(self, line: str, place: str) -> None:
        name, _, rest = line.partition("\t")
        head, _, tail = rest.partition("\t")
        words = head.split()
        try:
            match name[0]:
                case "T":
                    self._span(name, head, tail, place)
                case "R":
                    ends = [word.partition(":")[2] or word for word in words[1:3]]
                    self.relations.append(Relation(ends[0], ends[1], words[0]))
                case "*":
                    self.relations += [Relation(other, words[1], "same") for other in words[2:]]
                case "A" | "M":
                    # The value goes to the end: an entity's id may hold spaces.
                    self._attribute(head.split(maxsplit=2), place)
                case "#":
                    if len(words) > 1 and (topics := _TOPICS.search(tail)):
                        self.details.setdefault(words[1], {})["topics"] = topics[1]
                case "N":
                    pass  # A link to a knowledge base says nothing that is kept here.
                case _:
                    what = "an event" if name[0] == "E" else "a line of an unknown kind"
                    raise CorpusError(f"{place}: {name!r} is {what}; T, R, *, A, # and N lines are read")
        except (IndexError, ValueError) as error:
            if isinstance(error, CorpusError):
                raise
            raise CorpusError(f"{place}: can't read {line!r}") from None

    def _span(self, name: str, head: str, words: str, place: str) -> None:
        label, _, offsets = head.partition(" ")
        pieces = [tuple(map(int, piece.split())) for piece in offsets.split(";")]
        start, end = pieces[0][0], pieces[-1][1]
        found = " ".join(self.text[a:b] for a, b in pieces)
        if words and found.split() != words.split():
            raise CorpusError(f"{place}: {words!r} is not what stands at {offsets}: {found!r}")
        gaps = [self.text[b:c] for (_, b), (c, _) in pairwise(pieces)]
        if not any(gap.strip() for gap in gaps):
            self.spans.append((name, start, end, label))
        elif label.startswith(("PROPOSAL", "SAYING")):
            # Pieces of a statement are spans of one record.
            for index, (a, b) in enumerate(pieces):
                piece = f"{name}.{index}" if index else name
                self.spans.append((piece, a, b, label))
                if index:
                    self.relations.append(Relation(piece, name, "same"))
        else:
            raise CorpusError(f"{place}: {label} in {len(pieces)} pieces; only a PROPOSAL or SAYING may be")

    def _attribute(self, words: list[str], place: str) -> None:
        if words[0] in _ATTRIBUTES:
            self.details.setdefault(words[1], {})[words[0]] = words[2]
        else:
            known = ", ".join(_ATTRIBUTES)
            raise CorpusError(f"{place}: unknown attribute {words[0]!r}; known: {known}")

    def graph(self, extra: Mapping[str, Any]) -> Graph:
        spans = []
        for name, start, end, label in self.spans:
            own = {**self.details.get(name.partition(".")[0], {}), **self.details.get(name, {})}
            spans.append(GraphSpan(name, start, end, label, own))
        return Graph(self.text, tuple(spans), tuple(self.relations), extra)


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write three files an article into a folder; a file's name is the article's id, made safe."""
    path.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for annotated in articles:
        stem = file_stem(annotated.article.id, taken)
        graph = to_graph(annotated)
        contents = {
            ".txt": graph.text,
            ".ann": "".join(line + "\n" for line in _lines(graph)),
            ".json": json.dumps(dict(graph.extra), ensure_ascii=False, indent=1) + "\n",
        }
        with encodable(annotated.article.id):
            encoded = {suffix: content.encode("utf-8") for suffix, content in contents.items()}
        for suffix, data in encoded.items():
            # Not with_suffix: an id may hold a dot. Bytes, so that line ends stay as they are.
            (path / f"{stem}{suffix}").write_bytes(data)


def _lines(graph: Graph) -> list[str]:
    lines = []
    attributes = notes = 0
    for span in graph.spans:
        words = graph.text[span.start : span.end]
        # A line break parts a span in brat.
        pieces = [m.span() for m in re.finditer(r"[^\n]+", words)]
        offsets = ";".join(f"{span.start + a} {span.start + b}" for a, b in pieces)
        shown = " ".join(words[a:b] for a, b in pieces)
        lines.append(f"{span.id}\t{span.label} {offsets}\t{shown}")
        for name, value in span.details.items():
            if name == "topics":
                notes += 1
                lines.append(f"#{notes}\tAnnotatorNotes {span.id}\ttopics={value}")
            else:
                attributes += 1
                lines.append(f"A{attributes}\t{name} {span.id} {value}")
    for number, relation in enumerate(graph.relations, 1):
        lines.append(f"R{number}\t{relation.type} Arg1:{relation.source} Arg2:{relation.target}")
    return lines
