"""Annotated articles ↔ spans and relations, which is what annotators' tools know.

Spans are labelled PERSON, ROLE, ORG, BODY, REF, PROPOSAL, SAYING. Relations are `of` (a role, organization, body or
later mention → a mention of its person or organization), `by` (a statement → a mention of its source) and `same`
(two spans of one record, or two mentions of one person). A span's details are strings: `entity` (id, on one mention
of each entity), `is` (of a BODY), `n`, `stance` and `topics` (of a PROPOSAL). Where a tool has no place for details a
label may carry them: `BODY/NPC`, `PROPOSAL/promote`, `PROPOSAL/both/data,health`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..corpus import AnnotatedArticle, CorpusError, Entity, GoldMention, GoldStatement, first_body
from ..people import is_name_like, same_name
from ..schema import ARTICLE_METADATA, BODIES, MENTION_LABELS, PROPOSAL, REFERENCE, SAYING, STANCES, Article
from ..scripts import chinese

LABELS = (*MENTION_LABELS, REFERENCE, PROPOSAL, SAYING)
RELATIONS = ("of", "by", "same")
#: The key under which a tool's file carries what the tool itself has no place for.
EXTRA = "two_sessions"
_STATEMENTS = (PROPOSAL, SAYING)
_NAMING = ("PERSON", "ORG")


@dataclass(frozen=True)
class GraphSpan:
    """A labelled span with its details (see the module)."""

    id: str
    start: int
    end: int
    label: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Relation:
    """A directed relation between two spans, by their ids."""

    source: str
    target: str
    type: str


@dataclass(frozen=True)
class Graph:
    """One article as a tool sees it; `extra` holds the article's metadata, `shape` and `entities`."""

    text: str
    spans: tuple[GraphSpan, ...]
    relations: tuple[Relation, ...]
    extra: Mapping[str, Any]


def to_graph(annotated: AnnotatedArticle) -> Graph:
    """Return the spans and relations of an annotated article; span ids are T1, T2, … in text order.

    Raises `CorpusError` where an entity has no mention by name, for relations would have nothing to point to.
    """
    text = annotated.article.text
    anchors = {entity.id: _anchor(annotated, entity) for entity in annotated.entities}
    spans: list[GraphSpan] = []
    relations: list[Relation] = []

    def relate(span: str, holders: Sequence[str], kind: str) -> None:
        for holder in holders:
            if holder not in anchors:
                raise CorpusError(f"{annotated.article.id}: {span} points to {holder!r}, which is no entity")
            target = f"T{anchors[holder] + 1}"
            if target != span:
                relations.append(Relation(span, target, kind))

    for index, mention in enumerate(annotated.mentions):
        name = f"T{index + 1}"
        details = {"is": mention.is_} if mention.is_ is not None else {}
        if mention.of and anchors.get(mention.of[0]) == index:
            details["entity"] = mention.of[0]
        spans.append(GraphSpan(name, mention.start, mention.end, mention.label, details))
        relate(name, mention.of, "of")
    for index, statement in enumerate(annotated.statements, len(spans)):
        name = f"T{index + 1}"
        known = {"n": statement.n, "stance": statement.stance, "topics": " ".join(statement.topics)}
        label = SAYING if statement.n is None else PROPOSAL
        spans.append(
            GraphSpan(
                name, statement.start, statement.end, label, {key: value for key, value in known.items() if value}
            )
        )
        relate(name, statement.by, "by")
    known_metadata = {name: getattr(annotated.article, name) for name in ARTICLE_METADATA}
    extra = {
        **{name: value for name, value in known_metadata.items() if value is not None},
        **({"shape": annotated.shape} if annotated.shape is not None else {}),
        "entities": [
            {key: value for key, value in asdict(entity).items() if value is not None} for entity in annotated.entities
        ],
    }
    return Graph(text, tuple(spans), tuple(relations), extra)


def _anchor(annotated: AnnotatedArticle, entity: Entity) -> int:
    own = [i for i, m in enumerate(annotated.mentions) if m.of[:1] == (entity.id,) and m.label in _NAMING]
    if not own:
        raise CorpusError(f"{annotated.article.id}: {entity.name!r} ({entity.id}) has no mention by name")
    text = annotated.article.text
    return next(
        (i for i in own if text[annotated.mentions[i].start : annotated.mentions[i].end] == entity.name), own[0]
    )


def metadata(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sources (the better one first) say of an article, in the types of `Article`.

    Raises `ValueError` for a year that is no number.
    """
    found: dict[str, Any] = {}
    for source in sources:
        for name in (*ARTICLE_METADATA, "shape", "entities"):
            value = source.get(name)
            # A tool's own `entities` hold spans; only a list with names is one of ours.
            if name == "entities" and not (value and isinstance(value, list) and "name" in value[0]):
                continue
            if value is not None and value != "" and name not in found:
                found[name] = value if name in ("entities", "session_year") else str(value)
    year = found.get("session_year")
    if isinstance(year, str):
        found["session_year"] = int(year) if year.isdigit() else None
    elif year is not None and not isinstance(year, int):
        raise ValueError(f"session_year {year!r} is no whole number")
    return found


def from_graph(
    graph: Graph, source: str, labels: Mapping[str, str] | None = None, name: str | None = None
) -> AnnotatedArticle:
    """Return the annotated article that spans and relations describe.

    `source` names file and place in errors; `name`, or else `source`, is the id where the file has none. `labels` maps
    a file's labels and relation types to the ones here; one mapped to "" is left out. Names without any relation are
    joined to a person by the name alone, where just one fits. Raises `CorpusError` for unknown labels and bad offsets.
    """
    spans = _known_spans(graph, source, labels or {})
    relations = _known_relations(graph, spans, source, labels or {})
    people = _People(graph, spans, relations, source)
    mentions = [
        GoldMention(
            span.start,
            span.end,
            span.label,
            people.holders(span),
            span.details.get("is", "unknown") if span.label == "BODY" else span.details.get("is"),
        )
        for span in spans.values()
        if span.label not in _STATEMENTS
    ]
    statements = _statements(spans, relations, people)
    mentions.sort(key=lambda m: (m.start, m.end))
    used = {holder for m in mentions for holder in m.of} | {holder for s in statements for holder in s.by}
    values = {name: value for name, value in graph.extra.items() if name in ARTICLE_METADATA}
    article = Article(text=graph.text, **{"id": name or source, **values})
    return AnnotatedArticle(
        article,
        graph.extra.get("shape"),
        tuple(people.entity(key, mentions) for key in people.order if key in used),
        tuple(mentions),
        tuple(statements),
    )


def _known_spans(graph: Graph, source: str, labels: Mapping[str, str]) -> dict[str, GraphSpan]:
    unknown: Counter[str] = Counter()
    found: dict[str, GraphSpan] = {}
    for span in graph.spans:
        label = labels.get(span.label, span.label)
        if label == "":
            continue
        label, *suffixes = label.split("/")
        if label not in LABELS:
            unknown[span.label] += 1
            continue
        if not (isinstance(span.start, int) and isinstance(span.end, int)):
            raise CorpusError(f"{source}: {span.label} at {span.start!r}..{span.end!r}: offsets are whole numbers")
        if not 0 <= span.start < span.end <= len(graph.text):
            raise CorpusError(
                f"{source}: {span.label} at {span.start}..{span.end} lies outside of the text (0..{len(graph.text)})"
            )
        words = graph.text[span.start : span.end]
        start = span.start + len(words) - len(words.lstrip())
        if not words.strip():
            raise CorpusError(f"{source}: {span.label} at {span.start}..{span.end} holds nothing but space")
        if span.id in found:
            raise CorpusError(f"{source}: two spans have the id {span.id!r}")
        details = {**_suffix_details(label, suffixes), **span.details}
        found[span.id] = GraphSpan(span.id, start, start + len(words.strip()), label, details)
    if unknown:
        _complain(source, "label", unknown, LABELS)
    return dict(sorted(found.items(), key=lambda item: (item[1].start, item[1].end)))


def _suffix_details(label: str, suffixes: Sequence[str]) -> dict[str, str]:
    if label == "BODY":
        return {"is": suffixes[0]} if suffixes else {}
    found: dict[str, str] = {}
    for suffix in suffixes:
        if suffix in STANCES:
            found["stance"] = suffix
        else:
            found["topics"] = " ".join(suffix.replace(",", " ").split())
    return found


def _known_relations(
    graph: Graph, spans: Mapping[str, GraphSpan], source: str, labels: Mapping[str, str]
) -> list[Relation]:
    unknown: Counter[str] = Counter()
    every = {span.id for span in graph.spans}
    found = []
    for relation in graph.relations:
        kind = labels.get(relation.type, relation.type)
        for end in (relation.source, relation.target):
            if end not in every:
                raise CorpusError(f"{source}: a relation {relation.type!r} points to {end!r}, which is no span")
        if not kind:
            continue
        if kind not in RELATIONS:
            unknown[relation.type] += 1
        elif relation.source in spans and relation.target in spans:
            found.append(_directed(replace(relation, type=kind), spans, source))
    if unknown:
        _complain(source, "relation", unknown, RELATIONS)
    return found


def _directed(relation: Relation, spans: Mapping[str, GraphSpan], source: str) -> Relation:
    """Return a relation that points to the name; which end annotators click first differs from tool to tool."""
    first, second = spans[relation.source], spans[relation.target]
    back = Relation(relation.target, relation.source, relation.type)
    statements = [span.label in _STATEMENTS for span in (first, second)]
    if relation.type == "by":
        if statements[0] == statements[1]:
            raise CorpusError(
                f"{source}: 'by' joins {first.label} and {second.label}; it joins a statement and a mention"
            )
        return back if statements[1] else relation
    if any(statements) and (relation.type == "of" or not all(statements)):
        raise CorpusError(
            f"{source}: {relation.type!r} joins {first.label} at {first.start} and {second.label} at {second.start}"
        )
    if relation.type == "of" and (
        (second.label not in _NAMING and first.label in _NAMING) or (first.label, second.label) == ("PERSON", "ORG")
    ):
        return back
    return relation


def _complain(source: str, what: str, unknown: Counter[str], known: Sequence[str]) -> None:
    names = ", ".join(f"{name!r} ({count})" for name, count in sorted(unknown.items()))
    raise CorpusError(f"{source}: unknown {what} {names}; known: {', '.join(known)}; map one with --map OLD=NEW")


def _joined(spans: Mapping[str, GraphSpan], relations: Sequence[Relation]) -> dict[str, list[str]]:
    """Return the spans that `same` joins each span to, itself among them, in text order; direction is of no account."""
    order = {name: at for at, name in enumerate(spans)}
    groups = {name: [name] for name in spans}
    for relation in relations:
        first, second = groups[relation.source], groups[relation.target]
        if relation.type == "same" and first is not second:
            merged = sorted(first + second, key=order.__getitem__)
            groups |= dict.fromkeys(merged, merged)
    return groups


class _People:
    """Who each mention belongs to: by its entity id, by its relations, and by its name, in this order."""

    def __init__(
        self, graph: Graph, spans: Mapping[str, GraphSpan], relations: Sequence[Relation], source: str
    ) -> None:
        self.text = graph.text
        self.spans = spans
        self.source = source
        self.known = {entry["id"]: entry for entry in graph.extra.get("entities", ())}
        self.order = list(self.known)
        self.kinds = {key: entry.get("kind", "person") for key, entry in self.known.items()}
        self.names = {key: entry["name"] for key, entry in self.known.items()}
        self.own: dict[str, str] = {}
        self.same = _joined(spans, relations)
        self.targets: dict[str, list[str]] = {}
        for relation in relations:
            if relation.type == "of":
                self.targets.setdefault(relation.source, []).append(relation.target)
        for span in spans.values():
            if key := span.details.get("entity"):
                self._add(key, span)
        self._name_people()
        for relation in relations:
            # An organization is somebody only where a statement or a later mention points to it.
            pointed = relation.type in ("by", "same") or spans[relation.source].label == REFERENCE
            for span in (spans[name] for name in self.same[relation.target]):
                if span.label == "ORG" and pointed and not self._speaks(span):
                    self._add(self._organization(span), span)

    def _words(self, span: GraphSpan) -> str:
        return self.text[span.start : span.end]

    def _add(self, key: str, span: GraphSpan) -> None:
        for name in self.same[span.id]:
            self.own.setdefault(name, key)
        if key not in self.names:
            self.order.append(key)
            self.names[key] = self._words(span)
            self.kinds[key] = "organization" if span.label == "ORG" else "person"

    def _new(self, prefix: str) -> str:
        return next(key for n in range(1, len(self.names) + 2) if (key := f"{prefix}{n}") not in self.names)

    def _organization(self, span: GraphSpan) -> str:
        words = self._words(span).casefold()
        same = (k for k, name in self.names.items() if self.kinds[k] == "organization" and name.casefold() == words)
        return next(same, None) or self._new("o")

    def _speaks(self, span: GraphSpan) -> bool:
        """Tell whether an organization's mention is already somebody's; the person it belongs to doesn't count."""
        return any(self.kinds[key] == "organization" for key in self.holders(span))

    def _name_people(self) -> None:
        lone = [s for s in self.spans.values() if s.label == "PERSON" and not self.holders(s)]
        # Full names first, so that a surname in a headline finds its person.
        for span in sorted(lone, key=lambda s: (not is_name_like(self._words(s)), s.start)):
            if self.holders(span):
                continue
            words = self._words(span)
            people = [key for key in self.order if self.kinds[key] == "person"]
            fitting = [k for k in people if same_name(self.names[k], words) or same_name(words, self.names[k])]
            self._add(fitting[0] if len(fitting) == 1 else self._new("p"), span)

    def holders(self, span: GraphSpan, above: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return the entities that a mention belongs to, itself first."""
        found = [self.own[span.id]] if span.id in self.own else []
        for target in self.targets.get(span.id, ()):
            if target not in above and target != span.id:
                found += self.holders(self.spans[target], above | {span.id})[:1]
        for other in self.same[span.id]:
            # Those of a mention of the same one, which may itself be joined to its name by `of`.
            if not found and other not in above and other != span.id:
                found += self.holders(self.spans[other], above | {span.id})[:1]
        return tuple(dict.fromkeys(found))

    def entity(self, key: str, mentions: Sequence[GoldMention]) -> Entity:
        """Return an entity, its body as its BODY mentions say."""
        kind, name = self.kinds[key], self.names[key]
        own = [self.text[m.start : m.end] for m in mentions if m.label == "PERSON" and m.of[:1] == (key,)]
        if name in own:
            own.remove(name)
        # A name that is Chinese has none beside it, and a surname alone is no name.
        written = (words for words in own if chinese(words) and is_name_like(words) and not chinese(name))
        name_zh = self.known.get(key, {}).get("name_zh") or next(written, None)
        body = first_body(m.is_ for m in mentions if m.label == "BODY" and key in m.of)
        return Entity(key, kind, name, name_zh if kind == "person" else None, body if body in BODIES else None)


def _statements(spans: Mapping[str, GraphSpan], relations: Sequence[Relation], people: _People) -> list[GoldStatement]:
    by: dict[str, list[str]] = {}

    def root(name: str) -> str:
        return people.same[name][0]

    for relation in relations:
        if relation.type == "by":
            by.setdefault(relation.source, []).extend(people.holders(spans[relation.target])[:1])
    ordered = [span for span in spans.values() if span.label in _STATEMENTS]
    numbers: dict[str, str] = {root(s.id): s.details["n"] for s in ordered if s.details.get("n")}
    taken = {(holder, s.details["n"]) for s in ordered if s.details.get("n") for holder in by.get(s.id, [""])}
    found = []
    for span in ordered:
        holders = tuple(dict.fromkeys(by.get(span.id) or by.get(root(span.id)) or ()))
        if span.label == SAYING:
            found.append(GoldStatement(span.start, span.end, holders))
            continue
        number = span.details.get("n") or numbers.get(root(span.id))
        if number is None:
            free = (str(n) for n in range(1, len(spans) + 2))
            number = next(n for n in free if not any((holder, n) in taken for holder in holders or ("",)))
            taken |= {(holder, number) for holder in holders or ("",)}
            numbers[root(span.id)] = number
        topics = tuple(span.details.get("topics", "").replace(",", " ").split())
        found.append(GoldStatement(span.start, span.end, holders, number, topics, span.details.get("stance")))
    return found
