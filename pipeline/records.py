"""Statements → records: who most probably made each, whether that person proposes, which of them are one record."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

import numpy as np

from .entities import Entity, Reading, organization_of
from .heads import (
    ORG,
    Parameters,
    linear,
    pair_scores,
    perceptron,
    same_features,
    sigmoid,
    softmax,
    source_candidates,
    source_features,
    verdict_features,
)
from .rules.lexicon import Lexicon
from .schema import BODIES
from .scripts import word_count
from .sentences import is_stop

_SENTENCE_END = re.compile("[.!?。！？]")
# An attribution inside of a sentence is no longer than this, in characters, and in Chinese than so many of them.
_ATTRIBUTION, _CHINESE_ATTRIBUTION = 40, 20
# The words that announce another proposal stand so near to its begin, in characters of English.
_ANNOUNCEMENT = 90


@dataclass(frozen=True)
class Judged:
    """A statement with an entity that may have made it, and the scores for that."""

    statement: int
    entity: int
    source: float
    verdict: float
    proposes: float


def judge(
    reading: Reading, entities: list[Entity], owner: dict[int, int], weights: Parameters, joint_share: float
) -> list[Judged]:
    """Return each statement with its most probable source, or sources where it is a joint one."""
    candidates = [source_candidates(statement, reading.mentions) for statement in reading.statements]
    pairs = [(index, c) for index, found in enumerate(candidates) for c in found]
    if not pairs:
        return []
    left, right = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    features = source_features(reading.statements, reading.mentions, left, right)
    scores = pair_scores(weights, "source", reading.statement_vectors, reading.mention_vectors, left, right, features)
    nobody = linear(weights, "source_none", reading.statement_vectors)[:, 0]
    chosen: list[tuple[int, int, int, float]] = []
    at = 0
    for index, found in enumerate(candidates):
        probs = softmax(np.append(scores[at : at + len(found)], nobody[index]))
        at += len(found)
        shares: dict[int, float] = {}
        nearest: dict[int, tuple[float, int]] = {}
        for candidate, prob in zip(found, probs, strict=False):
            entity = owner.get(candidate)
            if entity is None:
                if reading.mentions[candidate].type != ORG or prob < joint_share / 2:
                    continue
                entity = organization_of(reading, candidate, entities, owner)
            shares[entity] = shares.get(entity, 0.0) + float(prob)
            nearest[entity] = max(nearest.get(entity, (0.0, 0)), (float(prob), candidate))
        ranked = sorted(shares, key=lambda key: -shares[key])
        for rank, entity in enumerate(ranked[:3]):
            if rank == 0 or shares[entity] >= joint_share:
                chosen.append((index, entity, nearest[entity][1], shares[entity]))
    if not chosen:
        return []
    rows = np.stack(
        [
            np.concatenate(
                [
                    reading.statement_vectors[index],
                    reading.mention_vectors[mention],
                    verdict_features(
                        reading.statements[index].score,
                        entities[entity].kind == "organization",
                        True,
                        entities[entity].body,
                        entities[entity].has_body,
                    ),
                ]
            )
            for index, entity, mention, _ in chosen
        ]
    )
    verdicts = sigmoid(perceptron(weights, "verdict", rows)[:, 0])
    return [
        Judged(index, entity, min(share, 1.0), float(verdict), reading.statements[index].score)
        for (index, entity, _, share), verdict in zip(chosen, verdicts, strict=True)
    ]


def imply(entities: Sequence[Entity], found: Sequence[Judged], groups: Collection[str], threshold: float) -> None:
    """Seat those who surely propose something, without a membership of their own, in an article about members.

    "Ninety political advisers left for Beijing. Deng Shaoyi called for …": that Deng is one of them goes without
    saying. They sit where the `groups` do, if those name one body.
    """
    named = [label for label in groups if label in BODIES]
    for item in found if groups else ():
        entity = entities[item.entity]
        # Whoever is introduced by a post is somebody else: an official, a lawyer, a company's man.
        introduced = entity.has_body or entity.roles or entity.organizations
        if entity.kind == "person" and not introduced and min(item.verdict, item.source) >= threshold:
            entity.has_body, entity.body = True, named[0] if len(named) == 1 else None


def announced(text: str, places: Sequence[tuple[int, int]], lexicon: Lexicon | None) -> set[int]:
    """Return which statements, given as character ranges, are announced as another proposal in their own line: "The
    adviser's second proposal concerns …".
    """
    if lexicon is None or lexicon.opens_record is None:
        return set()
    found = set()
    near = lexicon.reach(_ANNOUNCEMENT)
    before = 0
    for index, (start, end) in enumerate(places):
        line = text.rfind("\n", 0, start) + 1
        window = text[max(before, line, start - near) : min(end, start + near // 2)]
        if lexicon.opens_record.search(window):
            found.add(index)
        before = end
    return found


def group(
    reading: Reading, chosen: list[Judged], weights: Parameters, threshold: float, apart: Container[int] = ()
) -> list[list[Judged]]:
    """Return the judged statements as records: each joins the record of its proponent that it most probably continues.

    Those in `apart` (entries of a list, by the index of the statement) open a record of their own.
    """
    groups: list[list[Judged]] = []
    for item in chosen:
        mine = [members for members in groups if members[0].entity == item.entity]
        if item.statement in apart:
            mine = []
        best, best_score = None, threshold
        for members in mine[-4:]:
            left = np.array([member.statement for member in members[-4:]], dtype=np.int64)
            right = np.full(len(left), item.statement, dtype=np.int64)
            scores = sigmoid(
                pair_scores(
                    weights,
                    "same",
                    reading.statement_vectors,
                    reading.statement_vectors,
                    left,
                    right,
                    same_features(reading.statements, left, right),
                )
            )
            score = float(scores.max())
            if score >= best_score:
                best, best_score = members, score
        if best is None:
            groups.append([item])
        else:
            best.append(item)
    return groups


def join_split_sentences(
    text: str, spans: Sequence[list[int]], abbreviations: frozenset[str] = frozenset()
) -> list[list[int]]:
    """Return a record's spans with those made one that an attribution splits inside of a sentence.

    "The budget, she argued, should pay": what stands between them is short and ends no sentence, for which the full
    stop behind one of the `abbreviations` does not count.
    """
    joined: list[list[int]] = []
    for start, end in sorted(spans):
        if joined:
            between = text[joined[-1][1] : start]
            marks = _SENTENCE_END.finditer(text, max(joined[-1][1] - 2, 0), start)
            ended = "\n" in between or any(is_stop(text, mark.start(), abbreviations) for mark in marks)
            # Words of a script with spaces are never as many in as few characters.
            if not ended and len(between) <= _ATTRIBUTION and word_count(between) <= _CHINESE_ATTRIBUTION:
                joined[-1][1] = max(joined[-1][1], end)
                continue
        joined.append([start, end])
    return joined
