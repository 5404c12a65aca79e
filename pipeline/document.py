"""The spaCy `Doc` that the stages share: exact tokens, extensions, and the one converter each way.

Inside a `Doc`:

- `doc.ents` and `doc.spans["mentions"]`: PERSON, ROLE, ORG, BODY (and, in the span group only, REF) spans;
  the group's `attrs["scores"]` holds one score a span.
- `doc.spans["statements"]`: PROPOSAL and SAYING spans, with `attrs["scores"]`.
- `doc._.entities`: a list of dicts (`id`, `kind`, `name`, `name_zh`, `body`, `mentions`, `roles` and, of a linker that
  tells whose they are, `organizations` and `bodies`) with character offsets; `doc._.proposals`: a list of dicts
  (`entity`, `spans`, `score`, `topics`, `stance`).

Extensions hold lists, dicts, strings and numbers only, so that a `DocBin` with `store_user_data` survives.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from . import __version__
from .people import delegate_id
from .schema import (
    REFERENCE,
    SCHEMA_VERSION,
    Article,
    Delegate,
    Mention,
    Proposal,
    Provenance,
    Record,
    Role,
    Span,
    Stance,
    TopicScore,
    document_info,
    stable_hash,
)
from .scripts import HAN, UNSPACED

MENTIONS, STATEMENTS = "mentions", "statements"

# A Chinese character is a token of its own; other runs of word characters are; all else is one character a token.
_TOKEN = re.compile(rf"[{HAN}]|[^\W{HAN}]+|\s+|[^\w\s]")


class ExactTokenizer:
    """Splits any text so that `doc.text == text`, whatever its language, spaces and line ends.

    `models` is the provenance that its documents begin with: the digest of the pipeline by its language.
    """

    def __init__(self, vocab: Vocab, models: dict[str, str] | None = None) -> None:
        self.vocab = vocab
        self.models = models

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        for match in _TOKEN.finditer(text):
            piece = match[0]
            if piece.isspace() and words and not spaces[-1] and piece.startswith(" "):
                spaces[-1] = True
                piece = piece[1:]
            if piece:
                words.append(piece)
                spaces.append(False)
        doc = Doc(self.vocab, words=words, spaces=spaces)
        if self.models is not None:
            doc._.models = self.models
        return doc

    def to_bytes(self, **_: Any) -> bytes:
        return b""

    def from_bytes(self, _data: bytes, **_options: Any) -> ExactTokenizer:
        return self

    def to_disk(self, _path: Any, **_: Any) -> None:
        return None

    def from_disk(self, _path: Any, **_options: Any) -> ExactTokenizer:
        return self


def make_tokenizer() -> Callable[[Language], ExactTokenizer]:
    """Return the tokenizer factory that is registered as `twosessions.exact.v1`."""

    def create(nlp: Language) -> ExactTokenizer:
        return ExactTokenizer(nlp.vocab)

    return create


def set_extensions() -> None:
    """Declare the `Doc` extensions; calling it again changes nothing."""
    if Doc.has_extension("records"):
        return
    Doc.set_extension("article", default=None)
    Doc.set_extension("entities", default=None)
    Doc.set_extension("proposals", default=None)
    Doc.set_extension("models", default=None)
    Doc.set_extension("records", getter=records)


def make_doc(nlp: Language, article: Article) -> Doc:
    """Return the unprocessed `Doc` of an article, its metadata in `doc._.article`."""
    # Not `nlp.make_doc`: its limit on the length is for parsers, and no article is refused for its length here.
    doc = nlp.tokenizer(article.text)
    doc._.article = {field.name: getattr(article, field.name) for field in fields(Article) if field.name != "text"}
    return doc


def article_of(doc: Doc) -> Article:
    """Return the article of a `Doc`; one that was made from bare text has its pipeline's language and a hash of the
    text for an id.
    """
    known = doc._.article or {"id": stable_hash(doc.text), "lang": doc.lang_ or None}
    return Article(text=doc.text, **known)


def character_span(doc: Doc, start: int, end: int, label: str = "") -> DocSpan:
    """Return the smallest span of tokens that covers the characters from `start` to `end`."""
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is None:
        raise ValueError(f"{article_of(doc).id}: no tokens between offsets {start} and {end}")
    return span


def token_lines(doc: Doc) -> list[tuple[int, int]]:
    """Return the token ranges of a document's lines, without the white space between them."""
    lines = []
    start = 0
    for index, token in enumerate(doc):
        if token.is_space and any(mark in token.text for mark in "\n\r\u2028\u2029"):
            if start < index:
                lines.append((start, index))
            start = index + 1
    if start < len(doc):
        lines.append((start, len(doc)))
    return lines


def set_mentions(doc: Doc, mentions: Iterable[Mention]) -> None:
    """Store mentions in the document; of two that overlap the better scored one stays."""
    chosen: list[tuple[DocSpan, float]] = []
    for mention in sorted(mentions, key=lambda m: (-m.score, m.start - m.end, m.start)):
        span = character_span(doc, mention.start, mention.end, mention.label)
        at = bisect(chosen, span.start, key=lambda entry: entry[0].start)
        if (at == 0 or chosen[at - 1][0].end <= span.start) and (at == len(chosen) or span.end <= chosen[at][0].start):
            chosen.insert(at, (span, float(mention.score)))
    spans = [span for span, _ in chosen]
    doc.spans[MENTIONS] = SpanGroup(doc, name=MENTIONS, spans=spans, attrs={"scores": [score for _, score in chosen]})
    doc.set_ents([span for span in spans if span.label_ != REFERENCE])


def mentions_of(doc: Doc) -> list[Mention]:
    """Return the stored mentions, in text order."""
    return _group(doc, MENTIONS)


def set_statements(doc: Doc, statements: Iterable[Mention]) -> None:
    """Store statement spans (label PROPOSAL or SAYING), in text order."""
    ordered = sorted(statements, key=lambda s: (s.start, s.end))
    doc.spans[STATEMENTS] = SpanGroup(
        doc,
        name=STATEMENTS,
        spans=[character_span(doc, s.start, s.end, s.label) for s in ordered],
        attrs={"scores": [float(s.score) for s in ordered]},
    )


def statements_of(doc: Doc) -> list[Mention]:
    """Return the stored statement spans, in text order."""
    return _group(doc, STATEMENTS)


def _group(doc: Doc, name: str) -> list[Mention]:
    if name not in doc.spans:
        return []
    group = doc.spans[name]
    scores = group.attrs.get("scores") or [1.0] * len(group)
    return [
        Mention(span.start_char, span.end_char, span.text, span.label_, score)
        for span, score in zip(group, scores, strict=True)
    ]


def _spans(text: str, offsets: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple(Span(start, end, text[start:end]) for start, end in sorted(map(tuple, offsets)))


def records(doc: Doc) -> list[Record]:
    """Return the records of a processed document, each once, in the order of their first span."""
    article = article_of(doc)
    entities = doc._.entities or []
    found: dict[str, Record] = {}
    for entry in doc._.proposals or []:
        spans = _spans(article.text, entry["spans"])
        if not spans:
            continue
        delegate = _delegate(article, entities[entry["entity"]], entry.get("link_score", 1.0))
        stance = entry.get("stance") or {"label": "neither", "promote": 0.0, "regulate": 0.0}
        proposal = Proposal(
            id=stable_hash("proposal", article.id, *((span.start, span.end) for span in spans)),
            text=_joined(spans),
            spans=spans,
            topics=tuple(TopicScore(topic["label"], topic["score"]) for topic in entry.get("topics") or []),
            stance=Stance(**stance),
        )
        record = Record(
            schema_version=SCHEMA_VERSION,
            record_id=stable_hash("record", article.id, delegate.name, proposal.id),
            document_id=article.id,
            document=document_info(article),
            delegate=delegate,
            proposal=proposal,
            score=round(float(entry["score"]), 4),
            provenance=Provenance(pipeline=__version__, models=dict(doc._.models or {})),
        )
        found.setdefault(record.record_id, record)
    return sorted(found.values(), key=lambda record: (record.proposal.spans[0].start, record.record_id))


def _joined(spans: Sequence[Span]) -> str:
    """Return the texts of spans in one, with a space between them but for scripts that are written without."""
    text = spans[0].text
    for span in spans[1:]:
        text += ("" if UNSPACED.match(text[-1:]) and UNSPACED.match(span.text[:1]) else " ") + span.text
    return text


def _delegate(article: Article, entity: dict[str, Any], score: float) -> Delegate:
    return Delegate(
        id=delegate_id(entity["kind"], entity["name"], entity.get("body")),
        name=entity["name"],
        name_zh=entity.get("name_zh"),
        kind=entity["kind"],
        body=entity.get("body"),
        score=round(float(score), 4),
        roles=_roles(article.text, entity.get("roles") or []),
        mentions=_spans(article.text, entity["mentions"]),
    )


def _roles(text: str, entries: Sequence[dict[str, Any]]) -> tuple[Role, ...]:
    """Return each post once, where the article names it first; at no organization only where it is at none of all."""
    found: dict[tuple[str, str | None], Role] = {}
    for entry in sorted(entries, key=lambda entry: entry["start"]):
        role = Role(text[entry["start"] : entry["end"]], entry.get("organization"), entry["start"], entry["end"])
        found.setdefault((role.title.casefold(), role.organization), role)
    placed = {title for title, organization in found if organization}
    return tuple(role for (title, organization), role in found.items() if organization or title not in placed)


set_extensions()
