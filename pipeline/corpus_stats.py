"""The spread of a corpus: how many articles, records, labels, years, outlets and shapes, by split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .corpus import SHAPES, AnnotatedArticle
from .schema import MENTION_LABELS, REFERENCE, STANCES
from .scripts import word_count

if TYPE_CHECKING:
    from rich.table import Table

#: Outlets that fewer articles than this have are counted together in the table.
_COMMON_OUTLET = 5
_PLACES = {"hong kong", "new york", "machine translated"}


@dataclass
class SplitStats:
    """The counts of one split; `records` counts one proponent and one proposal, so a joint proposal counts for each."""

    articles: int = 0
    words: int = 0
    records: int = 0
    proposal_spans: int = 0
    sayings: int = 0
    people: int = 0
    organizations: int = 0
    without_records: int = 0
    with_sayings: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    stances: Counter[str] = field(default_factory=Counter)
    years: Counter[str] = field(default_factory=Counter)
    outlets: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)


def count(articles: Iterable[AnnotatedArticle]) -> SplitStats:
    """Return the counts of some articles."""
    stats = SplitStats()
    for annotated in articles:
        records = {(holder, s.n): s for s in annotated.statements if s.n is not None for holder in (s.by or ("",))}
        sayings = sum(s.n is None for s in annotated.statements)
        stats.articles += 1
        stats.words += word_count(annotated.article.text)
        stats.records += len(records)
        stats.proposal_spans += len(annotated.statements) - sayings
        stats.sayings += sayings
        stats.people += sum(entity.kind == "person" for entity in annotated.entities)
        stats.organizations += sum(entity.kind == "organization" for entity in annotated.entities)
        stats.without_records += not records
        stats.with_sayings += sayings > 0
        stats.mentions.update(mention.label for mention in annotated.mentions)
        for statement in records.values():
            stats.topics.update(statement.topics)
            stats.stances[statement.stance or "none"] += 1
        stats.years[str(annotated.article.session_year or "none")] += 1
        stats.outlets[outlet_kind(annotated.article.outlet)] += 1
        stats.shapes[annotated.shape or "none"] += 1
    return stats


def outlet_kind(outlet: str | None) -> str:
    """Return the first word of an outlet in lower case (two for "Hong Kong"): "provincial daily" is "provincial"."""
    words = (outlet or "").casefold().replace(",", " ").split() or ["none"]
    pair = " ".join(words[:2])
    return pair if pair in _PLACES else words[0]


def to_dict(splits: Mapping[str, SplitStats]) -> dict[str, Any]:
    """Return the counts of the splits as plain dicts and numbers."""
    return {
        name: {key: dict(value) if isinstance(value, Counter) else value for key, value in vars(stats).items()}
        for name, stats in splits.items()
    }


def rows(splits: Mapping[str, SplitStats], topics: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the rows of the table, label first, then one cell a split and, for several, the total.

    A row with one cell is the heading of a group; shares are of the split's articles or records.
    """
    columns = list(splits.values())
    if len(columns) > 1:
        columns.append(_total(columns))
    found: list[tuple[str, ...]] = [
        ("articles", *(f"{c.articles}" for c in columns)),
        ("words", *(f"{c.words}" for c in columns)),
        ("records", *(f"{c.records}" for c in columns)),
        ("people", *(f"{c.people}" for c in columns)),
        ("organizations with an id", *(f"{c.organizations}" for c in columns)),
        ("proposal spans", *(f"{c.proposal_spans}" for c in columns)),
        ("other statements", *(f"{c.sayings}" for c in columns)),
        ("articles without records", *(_share(c.without_records, c.articles) for c in columns)),
        ("articles with look-alike statements", *(_share(c.with_sayings, c.articles) for c in columns)),
    ]
    groups: tuple[tuple[str, str, Sequence[str], str], ...] = (
        ("mentions", "mentions", (*MENTION_LABELS, REFERENCE), ""),
        ("records by topic", "topics", topics, "records"),
        ("records by stance", "stances", STANCES, "records"),
        ("articles by session year", "years", (), ""),
        ("articles by shape", "shapes", SHAPES, "articles"),
        ("articles by outlet, first word", "outlets", (), "articles"),
    )
    for heading, name, order, of in groups:
        found.append((heading,))
        counters = [getattr(column, name) for column in columns]
        for label in _order(name, order, counters[-1] if len(counters) > 1 else counters[0]):
            cells = (
                _share(c[label], getattr(s, of)) if of else f"{c[label]}"
                for c, s in zip(counters, columns, strict=True)
            )
            found.append((f"  {label}", *cells))
        if name == "outlets":
            rare = [{k: n for k, n in c.items() if counters[-1][k] < _COMMON_OUTLET} for c in counters]
            found.append((f"  {len(rare[-1])} rarer ones", *(f"{sum(r.values())}" for r in rare)))
    return found


def _order(name: str, order: Sequence[str], counter: Counter[str]) -> list[str]:
    if name == "outlets":
        return [label for label, number in counter.most_common() if number >= _COMMON_OUTLET]
    return [*order, *sorted(label for label in counter if label not in order)]


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else f"{part}"


def _total(columns: Sequence[SplitStats]) -> SplitStats:
    total = SplitStats()
    for column in columns:
        for key, value in vars(column).items():
            setattr(total, key, getattr(total, key) + value)
    return total


def table(splits: Mapping[str, SplitStats], topics: Sequence[str]) -> Table:
    """Return the counts of the splits as a table for the terminal."""
    from rich.markup import escape
    from rich.table import Table

    view = Table(show_edge=False)
    view.add_column("")
    for name in (*splits, *(["total"] if len(splits) > 1 else [])):
        view.add_column(escape(name), justify="right")
    for row in rows(splits, topics):
        if len(row) == 1:
            view.add_section()
            view.add_row(f"[bold]{row[0]}[/bold]")
        else:
            # An outlet or a label may hold brackets, which would be read as markup.
            view.add_row(*map(escape, row))
    return view
