"""How far two annotations of the same texts agree, beyond what chance would give.

Tokens are the words of a text: punctuation marks count as little here as they do at the edges of a span.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..corpus import AnnotatedArticle, CorpusError
from ..schema import MENTION_LABELS, PROPOSAL, SAYING
from ..scripts import WORD
from .gold import GoldArticle, from_annotated
from .intervals import Tally
from .scores import (
    Claim,
    Match,
    Party,
    Tag,
    assign,
    likeness,
    match_claims,
    mention_tallies,
    span_tallies,
    topic_tallies,
)

Pairs = Counter[tuple[str, str]]
Both = Sequence[tuple[GoldArticle, GoldArticle]]


@dataclass(frozen=True)
class Agreement:
    """One row: over how many units two annotations agree, and the F1 of one against the other.

    `pairs` counts the answers (first, second) for each unit; `tally` holds what both have, what the first has and
    what the second has. Either may be empty where it makes no sense.
    """

    name: str
    units: str
    pairs: Pairs = field(default_factory=Counter)
    f1_of: str = ""
    tally: Tally = field(default_factory=Tally)

    @property
    def raw(self) -> float | None:
        """The share of units with one answer; None where there is no unit."""
        total = self.pairs.total()
        return sum(count for (a, b), count in self.pairs.items() if a == b) / total if total else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa of the answers."""
        return cohen_kappa(self.pairs)


@dataclass(frozen=True)
class Comparison:
    """Two annotations side by side: how much there was to compare, and a row for each question."""

    articles: int
    tokens: int
    records: tuple[int, int]
    rows: tuple[Agreement, ...]


def cohen_kappa(pairs: Pairs) -> float | None:
    """Return Cohen's kappa of (first, second) answers, (observed - expected) / (1 - expected).

    None where it isn't defined: without units, and where both give one and the same answer throughout.
    """
    total = pairs.total()
    if not total:
        return None
    first, second = Counter[str](), Counter[str]()
    for (a, b), count in pairs.items():
        first[a] += count
        second[b] += count
    # Whole numbers up to the division, so that "expected is 1" is seen for sure.
    expected = sum(first[label] * second[label] for label in first)
    observed = sum(count for (a, b), count in pairs.items() if a == b) * total
    return (observed - expected) / (total * total - expected) if expected < total * total else None


def compare(first: Iterable[AnnotatedArticle], second: Iterable[AnnotatedArticle], topics: Sequence[str]) -> Comparison:
    """Return the agreement of two annotations over the articles, by id, that both have.

    Raises `CorpusError` where they share no article, or an article's text differs.
    """
    ours = {item.article.id: item for item in first}
    theirs = {item.article.id: item for item in second}
    shared = [article_id for article_id in ours if article_id in theirs]
    if not shared:
        raise CorpusError("the two annotations have no article in common")
    for article_id in shared:
        if ours[article_id].article.text != theirs[article_id].article.text:
            raise CorpusError(f"{article_id}: the two annotations have different texts")
    both = [(from_annotated(ours[article_id]), from_annotated(theirs[article_id])) for article_id in shared]
    proponents = Counter[tuple[str, str]]()
    for article_id in shared:
        proponents += proponent_pairs(named(ours[article_id]), named(theirs[article_id]))
    matched = [_matched(one, other) for one, other in both]
    pairs = [pair for found in matched for pair in found[1]]
    sizes = (_records(one for one, _ in both), _records(other for _, other in both))
    found = sum(match.found for matches, _ in matched for match in matches)
    exact = sum(match.exact for matches, _ in matched for match in matches)
    tokens = sum(len(WORD.findall(one.article.text)) for one, _ in both)
    rows = [
        *(_token_row(label, both) for label in (*MENTION_LABELS, PROPOSAL, SAYING)),
        _proponent_row(proponents),
        Agreement("stance", "matched records", Counter((one.stance or "", other.stance or "") for one, other in pairs)),
        _topic_row(pairs, topics),
        Agreement("records", "", f1_of="overlap at least 0.5", tally=Tally(found, *sizes)),
        Agreement("records, exact", "", f1_of="exact spans", tally=Tally(exact, *sizes)),
    ]
    return Comparison(len(shared), tokens, sizes, tuple(rows))


def _matched(one: GoldArticle, other: GoldArticle) -> tuple[tuple[Match, ...], list[tuple[Claim, Claim]]]:
    ours, theirs = one.claims or (), other.claims or ()
    matches = match_claims(one.article.text, ours, theirs)
    return matches, [(ours[match.gold], theirs[match.predicted]) for match in matches]


def _records(articles: Iterable[GoldArticle]) -> int:
    return sum(len(article.claims or ()) for article in articles)


def _token_row(label: str, both: Both) -> Agreement:
    pairs, tally, mention = Counter[tuple[str, str]](), Tally(), label in MENTION_LABELS
    for one, other in both:
        text = one.article.text
        ours, theirs = ((item.mentions if mention else item.statements) or () for item in (one, other))
        pairs += token_pairs(text, ours, theirs, label)
        spans = [[(tag.start, tag.end) for tag in tags if tag.label == label] for tags in (ours, theirs)]
        tally += (
            mention_tallies(ours, theirs)[f"mention.strict/{label}"]
            if mention
            else span_tallies("span", text, *spans)["span.overlap"]
        )
    return Agreement(label, "tokens", pairs, "exact mentions" if mention else "spans, overlap at least 0.5", tally)


def token_pairs(text: str, first: Iterable[Tag], second: Iterable[Tag], label: str) -> Pairs:
    """Return how often the words of a text lie ("yes") in a range of a label, in two annotations."""
    inside = []
    for tags in (first, second):
        covered = bytearray(len(text))
        for tag in tags:
            if tag.label == label:
                covered[tag.start : tag.end] = b"\1" * (tag.end - tag.start)
        inside.append(covered)
    return Counter((_answer(inside[0][word.start()]), _answer(inside[1][word.start()])) for word in WORD.finditer(text))


def _answer(value: object) -> str:
    return "yes" if value else "no"


def _proponent_row(pairs: Pairs) -> Agreement:
    sizes = [sum(count for answers, count in pairs.items() if answers[at] == "yes") for at in (0, 1)]
    return Agreement("proponent", "persons and organizations", pairs, "proponents", Tally(pairs["yes", "yes"], *sizes))


def proponent_pairs(first: Sequence[tuple[Party, bool]], second: Sequence[tuple[Party, bool]]) -> Pairs:
    """Return how often somebody named in an article is a proponent in two annotations; who is unnamed in one isn't."""
    table = np.array([[likeness(a, b) for b, _ in second] for a, _ in first]).reshape(len(first), len(second))
    joined = assign(table)
    rows, columns = {row for row, _ in joined}, {column for _, column in joined}
    return Counter(
        [
            *((_answer(first[row][1]), _answer(second[column][1])) for row, column in joined),
            *((_answer(proposes), "no") for at, (_, proposes) in enumerate(first) if at not in rows),
            *(("no", _answer(proposes)) for at, (_, proposes) in enumerate(second) if at not in columns),
        ]
    )


def named(annotated: AnnotatedArticle) -> list[tuple[Party, bool]]:
    """Return the persons and organizations that an article names, each once, and whether they propose."""
    text = annotated.article.text
    proposing = {by for statement in annotated.statements if statement.n for by in statement.by}
    found = []
    for entity in annotated.entities:
        label = "PERSON" if entity.kind == "person" else "ORG"
        aliases = [text[m.start : m.end] for m in annotated.mentions if m.label == label and entity.id in m.of]
        found.append((Party(entity.name, entity.kind, tuple(dict.fromkeys(aliases))), entity.id in proposing))
    taken = {name for party, _ in found if party.kind == "organization" for name in (party.name, *party.aliases)}
    names = dict.fromkeys(text[m.start : m.end] for m in annotated.mentions if m.label == "ORG")
    return found + [(Party(name, "organization"), False) for name in names if name not in taken]


def _topic_row(pairs: Sequence[tuple[Claim, Claim]], topics: Sequence[str]) -> Agreement:
    answers = Counter(
        (_answer(topic in one.topics), _answer(topic in other.topics)) for one, other in pairs for topic in topics
    )
    return Agreement("topics", "matched records × topics", answers, "topics", topic_tallies("topics", pairs)["topics"])


def table(comparison: Comparison) -> str:
    """Return a comparison as a Markdown table; "-" where a figure makes no sense."""
    lines = [
        "| | compared over | first / second | raw | kappa | F1 | of |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in comparison.rows:
        units = f"{row.pairs.total()} {row.units}" if row.units else "-"
        sizes = f"{row.tally.gold:.0f} / {row.tally.predicted:.0f}" if row.f1_of else "-"
        figures = " | ".join(_figure(value) for value in (row.raw, row.kappa, row.tally.f1))
        lines.append(f"| {row.name} | {units} | {sizes} | {figures} | {row.f1_of or '-'} |")
    return "\n".join(lines)


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data."""
    rows = {
        row.name: {"units": row.pairs.total(), "raw": row.raw, "kappa": row.kappa, "f1": row.tally.f1}
        for row in comparison.rows
    }
    first, second = comparison.records
    return {
        "articles": comparison.articles,
        "tokens": comparison.tokens,
        "records": {"first": first, "second": second},
        "rows": rows,
    }


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
