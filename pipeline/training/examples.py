"""Annotated articles → what the joint model learns from: tokens, tags, pairs and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from ..corpus import AnnotatedArticle
from ..document import ExactTokenizer, character_span, token_lines
from ..heads import (
    BODY,
    BODY_CLASSES,
    MENTION_TYPES,
    ORG,
    PERSON,
    STATEMENT_TYPES,
    TokenSpan,
    parent_candidates,
    source_candidates,
)
from ..schema import PROPOSAL, SAYING
from ..windows import Pieces, split_pieces

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """A child (a mention or a statement, by index), its candidates (mention indexes), and which of them are right."""

    child: int
    candidates: tuple[int, ...]
    right: tuple[bool, ...]


@dataclass(frozen=True)
class GoldRecord:
    """The spans of one record (token ranges), its topics and its stance as (promote, regulate)."""

    spans: tuple[tuple[int, int], ...]
    topics: tuple[str, ...]
    stance: tuple[float, float]


@dataclass(frozen=True)
class Verdict:
    """A statement, the mention that is its source (or none), and whether it is a proponent's proposal."""

    statement: int
    source: int | None
    body: str | None
    has_body: bool
    proposes: bool


@dataclass(frozen=True)
class Example:
    """One article, ready for the model.

    Tags are -100 where a token carries no loss, and `OPEN` where any of `open_tags` is right.
    """

    id: str
    pieces: Pieces
    tokens: int
    mention_tags: IntArray
    statement_tags: IntArray
    mentions: tuple[TokenSpan, ...] = ()
    statements: tuple[TokenSpan, ...] = ()
    parents: tuple[Choice, ...] = ()
    sources: tuple[Choice, ...] = ()
    pairs: tuple[tuple[int, int, bool], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    bodies: tuple[tuple[int, int], ...] = ()
    records: tuple[GoldRecord, ...] = ()
    open_tags: tuple[int, ...] = ()


_STANCES = {"promote": (1.0, 0.0), "regulate": (0.0, 1.0), "both": (1.0, 1.0), "neither": (0.0, 0.0)}
_PAIR_REACH = 8
#: The tag of a token of which only some labels are known not to fit.
OPEN = -200
# What a token is that belongs to no person: nothing, or part of an organization.
_NO_NAME = (0, *(1 + 4 * ORG + place for place in range(4)))


def make_example(gold: AnnotatedArticle, tokenizer: Tokenizer, vocab: Vocab) -> Example:
    """Return the example of an annotated article; `tokenizer` makes the encoder's word pieces."""
    doc = ExactTokenizer(vocab)(gold.article.text)
    lines = token_lines(doc)
    mentions, owners, kept = _mentions(doc, gold, lines)
    statements = tuple(
        _token_span(doc, s.start, s.end, STATEMENT_TYPES.index(PROPOSAL if s.n else SAYING), lines)
        for s in gold.statements
    )
    blank = np.array([not token.text.strip() for token in doc], dtype=bool)
    mention_tags = tag_tokens(len(doc), mentions, blank)
    statement_tags = tag_tokens(len(doc), statements, blank)
    bodies = {
        entity: gold.mentions[kept[i]].is_
        for i, mention in enumerate(mentions)
        if mention.type == BODY
        for entity in owners[i]
    }
    choices = _sources(gold, statements, mentions, owners)
    return Example(
        id=gold.article.id,
        pieces=split_pieces(doc, tokenizer),
        tokens=len(doc),
        mention_tags=mention_tags,
        statement_tags=statement_tags,
        mentions=mentions,
        statements=statements,
        parents=_parents(mentions, owners),
        sources=choices,
        pairs=_pairs(gold),
        verdicts=_verdicts(gold, choices, bodies),
        bodies=tuple(
            (i, BODY_CLASSES.index(gold.mentions[kept[i]].is_ or "unknown"))
            for i, mention in enumerate(mentions)
            if mention.type == BODY
        ),
        records=_records(gold, statements),
    )


def _token_span(doc: Doc, start: int, end: int, kind: int, lines: Sequence[tuple[int, int]]) -> TokenSpan:
    span = character_span(doc, start, end)
    line = next((index for index, (a, b) in enumerate(lines) if a <= span.start < b), 0)
    return TokenSpan(span.start, span.end, kind, line)


def _mentions(
    doc: Doc, gold: AnnotatedArticle, lines: Sequence[tuple[int, int]]
) -> tuple[tuple[TokenSpan, ...], list[tuple[str, ...]], list[int]]:
    """Return the mentions as token spans, their entities, and their indexes in the gold; overlaps lose the later
    one.
    """
    spans: list[TokenSpan] = []
    owners: list[tuple[str, ...]] = []
    kept: list[int] = []
    for index, mention in enumerate(gold.mentions):
        span = _token_span(doc, mention.start, mention.end, MENTION_TYPES.index(mention.label), lines)
        if spans and span.start < spans[-1].end:
            continue
        spans.append(span)
        owners.append(mention.of)
        kept.append(index)
    return tuple(spans), owners, kept


def page_example(example: Example) -> Example:
    """Return the example of a page of single proposals (see `corpus_proposals.pages`): who proposes is not learned
    from it, and inside of a proposal organizations are not annotated.
    """
    mention_tags = example.mention_tags.copy()
    proposed = np.zeros(example.tokens, dtype=bool)
    for span in example.statements:
        proposed[span.start : span.end] = True
    mention_tags[proposed & (mention_tags == 0)] = OPEN
    return Example(
        id=example.id,
        pieces=example.pieces,
        tokens=example.tokens,
        mention_tags=mention_tags,
        statement_tags=example.statement_tags,
        records=example.records,
        open_tags=_NO_NAME,
    )


def tag_tokens(count: int, spans: Sequence[TokenSpan], blank: NDArray[np.bool_]) -> IntArray:
    """Return the BILOU tags, (count,), of spans; blank tokens outside of all carry no loss."""
    tags = np.zeros(count, dtype=np.int64)
    for span in spans:
        base = 1 + 4 * span.type
        if span.end - span.start == 1:
            tags[span.start] = base + 3
        else:
            tags[span.start : span.end] = base + 1
            tags[span.start] = base
            tags[span.end - 1] = base + 2
    tags[blank & (tags == 0)] = -100
    return tags


def _parents(mentions: Sequence[TokenSpan], owners: Sequence[tuple[str, ...]]) -> tuple[Choice, ...]:
    found = []
    for index, mention in enumerate(mentions):
        if mention.type == PERSON:
            continue
        candidates = parent_candidates(index, mentions)
        mine = set(owners[index])
        right = tuple(
            bool(mine & set(owners[c])) and not (mention.type == ORG and mentions[c].type == ORG) for c in candidates
        )
        found.append(Choice(index, tuple(candidates), right))
    return tuple(found)


def _sources(
    gold: AnnotatedArticle,
    statements: Sequence[TokenSpan],
    mentions: Sequence[TokenSpan],
    owners: Sequence[tuple[str, ...]],
) -> tuple[Choice, ...]:
    organizations = {entity.id for entity in gold.entities if entity.kind == "organization"}
    found = []
    for index, (statement, token_span) in enumerate(zip(gold.statements, statements, strict=True)):
        candidates = source_candidates(token_span, mentions)
        by = set(statement.by)
        right = tuple(
            # An organization's mention may belong to a person as well; it speaks for itself only.
            bool(by & (set(owners[c]) & organizations if mentions[c].type == ORG else set(owners[c])))
            for c in candidates
        )
        found.append(Choice(index, tuple(candidates), right))
    return tuple(found)


def _pairs(gold: AnnotatedArticle) -> tuple[tuple[int, int, bool], ...]:
    proposals = [(i, s) for i, s in enumerate(gold.statements) if s.n]
    found = []
    for at, (i, first) in enumerate(proposals):
        for j, second in proposals[at + 1 : at + 1 + _PAIR_REACH]:
            if set(first.by) & set(second.by):
                found.append((i, j, first.n == second.n))
    return tuple(found)


def _verdicts(
    gold: AnnotatedArticle, choices: Sequence[Choice], bodies: Mapping[str, str | None]
) -> tuple[Verdict, ...]:
    found = []
    for index, statement in enumerate(gold.statements):
        choice = choices[index]
        sources = [c for c, right in zip(choice.candidates, choice.right, strict=True) if right]
        holders = [by for by in statement.by if by in bodies]
        found.append(
            Verdict(
                index,
                sources[-1] if sources else None,
                bodies[holders[0]] if holders else None,
                bool(holders),
                statement.n is not None,
            )
        )
    return tuple(found)


def _records(gold: AnnotatedArticle, statements: Sequence[TokenSpan]) -> tuple[GoldRecord, ...]:
    grouped: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for index, statement in enumerate(gold.statements):
        if statement.n:
            grouped.setdefault((statement.by, statement.n), []).append(index)
    return tuple(
        GoldRecord(
            tuple((statements[i].start, statements[i].end) for i in indexes),
            gold.statements[indexes[0]].topics,
            _STANCES[gold.statements[indexes[0]].stance or "neither"],
        )
        for indexes in grouped.values()
    )
