"""The store → what a report shows: plain values, counted and sorted; reads only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import tables
from .query import stored_records
from .schema import BODIES, STANCES, Record, stable_hash

Key = TypeVar("Key")


@dataclass(frozen=True)
class Source:
    """An article as the tables of a report name it; `records` is how many come from it."""

    id: str
    title: str | None = None
    outlet: str | None = None
    url: str | None = None
    published: str | None = None
    lang: str | None = None
    year: int | None = None
    run: int | None = None
    records: int = 0

    @property
    def file(self) -> str:
        """The stem of the file with the article's text; an id may hold what no file name does."""
        return stable_hash("article", self.id)


@dataclass(frozen=True)
class Person:
    """A proponent over all articles; what several articles say of it stands in the order of how often they do."""

    id: str
    name: str
    name_zh: str | None
    kind: str
    bodies: tuple[str, ...]
    organizations: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A record as a row of the proposals table; `source` and `person` are ids, `same_as` the first report of it."""

    id: str
    source: str
    person: str
    body: str | None
    year: int | None
    topics: tuple[str, ...]
    stance: str
    promote: float
    regulate: float
    score: float
    text: str
    same_as: str


@dataclass(frozen=True)
class Run:
    """One call of `twosessions run`, with the inputs that it could not read and why."""

    id: int
    started: str
    finished: str | None
    pipeline: str
    models: Mapping[str, str]
    articles: int
    unchanged: int
    failures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything that the pages and tables show, but for the texts of the articles."""

    store: str
    made: str
    sources: tuple[Source, ...] = ()
    people: tuple[Person, ...] = ()
    entries: tuple[Entry, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def years(self) -> tuple[int, ...]:
        """The session years of the records, every year between the first and the last."""
        known = {entry.year for entry in self.entries if entry.year is not None}
        return tuple(range(min(known), max(known) + 1)) if known else ()

    @property
    def silent(self) -> tuple[Source, ...]:
        """The articles that were read and gave no record."""
        return tuple(source for source in self.sources if not source.records)


@dataclass(frozen=True)
class Split:
    """How many records have each stance, in the order of `STANCES`."""

    counts: tuple[int, ...] = (0,) * len(STANCES)

    def of(self, stance: str) -> int:
        """Return the count of one stance."""
        return self.counts[STANCES.index(stance)]

    @property
    def total(self) -> int:
        """All records."""
        return sum(self.counts)


def split_by(entries: Iterable[Entry], keys: Callable[[Entry], Iterable[Key]]) -> dict[Key, Split]:
    """Count the stances of the entries under each of their keys; an entry counts once under each."""
    counts: dict[Key, Counter[str]] = {}
    for entry in entries:
        for key in keys(entry):
            counts.setdefault(key, Counter())[entry.stance] += 1
    return {key: Split(tuple(found[stance] for stance in STANCES)) for key, found in counts.items()}


def by_topic(report: Report) -> dict[str, Split]:
    """Return the stances of each topic, the most frequent topic first."""
    found = split_by(report.entries, lambda entry: entry.topics)
    return dict(sorted(found.items(), key=lambda item: (-item[1].total, item[0])))


def by_year(report: Report) -> dict[int | None, Split]:
    """Return the stances of each session year, years without records too; None holds the records without a year."""
    found = split_by(report.entries, lambda entry: (entry.year,))
    every: list[int | None] = [*report.years, *([None] if None in found else [])]
    return {year: found.get(year, Split()) for year in every}


def by_topic_and_year(report: Report) -> dict[tuple[str, int | None], Split]:
    """Return the stances of each topic in each session year that has any."""
    return split_by(report.entries, lambda entry: [(topic, entry.year) for topic in entry.topics])


def by_body(report: Report) -> dict[str | None, Split]:
    """Return the stances of each body, in the order of `BODIES`; None holds the proponents without one."""
    found = split_by(report.entries, lambda entry: (entry.body,))
    return {body: found[body] for body in (*BODIES, None) if body in found}


def distinct(report: Report) -> int:
    """Return the number of proposals, where several articles that report the same one count once."""
    return len({entry.same_as for entry in report.entries})


@dataclass
class _Seen:
    """What the records say of one proponent, counted."""

    bodies: Counter[str] = field(default_factory=Counter)
    organizations: Counter[str] = field(default_factory=Counter)
    titles: Counter[str] = field(default_factory=Counter)


def compile_report(
    records: Iterable[Record], sources: Sequence[Source], same_as: Mapping[str, str], empty: Report
) -> Report:
    """Return `empty` filled with records and their articles; `same_as` maps a record to the first one like it."""
    entries: list[Entry] = []
    named: dict[str, Person] = {}
    seen: dict[str, _Seen] = {}
    for record in records:
        who = record.delegate
        known = seen.setdefault(who.id, _Seen())
        known.bodies.update([who.body] if who.body else [])
        # A role that is named in two records of one article counts twice: it is only an order.
        known.organizations.update(role.organization for role in who.roles if role.organization)
        known.titles.update(_post(role.title, role.organization) for role in who.roles)
        named[who.id] = Person(who.id, who.name, who.name_zh, who.kind, (), (), ())
        entries.append(_entry(record, same_as.get(record.record_id, record.record_id)))
    counts = Counter(entry.source for entry in entries)
    return Report(
        store=empty.store,
        made=empty.made,
        sources=tuple(replace(source, records=counts[source.id]) for source in sources),
        people=tuple(
            replace(
                person,
                bodies=_ordered(seen[person.id].bodies),
                organizations=_ordered(seen[person.id].organizations),
                titles=_ordered(seen[person.id].titles),
            )
            for person in sorted(named.values(), key=lambda person: (person.name.casefold(), person.id))
        ),
        entries=tuple(entries),
        runs=empty.runs,
    )


def _entry(record: Record, same_as: str) -> Entry:
    proposal = record.proposal
    return Entry(
        id=record.record_id,
        source=record.document_id,
        person=record.delegate.id,
        body=record.delegate.body,
        year=record.document.session_year,
        topics=tuple(topic.label for topic in proposal.topics),
        stance=proposal.stance.label,
        promote=proposal.stance.promote,
        regulate=proposal.stance.regulate,
        score=record.score,
        text=proposal.text,
        same_as=same_as,
    )


def _post(title: str, organization: str | None) -> str:
    return f"{title}, {organization}" if organization else title


def _ordered(counts: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def read_report(connection: Connection, name: str, made: datetime | None = None) -> Report:
    """Return the report of a store; `name` is how it calls the store."""
    empty = Report(
        store=name,
        made=(made or datetime.now(UTC)).isoformat(timespec="seconds"),
        runs=tuple(_runs(connection)),
    )
    same_as = {
        row.id: row.same_as for row in connection.execute(sa.select(tables.proposal.c.id, tables.proposal.c.same_as))
    }
    return compile_report(stored_records(connection), list(_sources(connection)), same_as, empty)


def _sources(connection: Connection) -> Iterator[Source]:
    article = tables.article
    rows = connection.execute(
        sa.select(
            *(column for column in article.c if column is not article.c.text), tables.outlet.c.name.label("outlet")
        )
        .join(tables.outlet, tables.outlet.c.id == article.c.outlet_id, isouter=True)
        .order_by(article.c.id)
    )
    for row in rows:
        yield Source(
            row.id, row.title, row.outlet, row.url, row.published, row.lang, row.session_year, row.run_id
        )  # fmt: skip


def _runs(connection: Connection) -> Iterator[Run]:
    failures: dict[int, list[tuple[str, str]]] = {}
    for row in connection.execute(sa.select(tables.failure).order_by(tables.failure.c.run_id, tables.failure.c.source)):
        failures.setdefault(row.run_id, []).append((row.source, row.reason))
    for row in connection.execute(sa.select(tables.run).order_by(tables.run.c.id.desc())):
        yield Run(
            id=row.id,
            started=row.started,
            finished=row.finished,
            pipeline=row.pipeline,
            models=json.loads(row.models),
            articles=row.articles,
            unchanged=row.unchanged,
            failures=tuple(failures.get(row.id, ())),
        )


def read_articles(connection: Connection) -> Iterator[tuple[str, str, list[Record]]]:
    """Yield each article that has records: its id, its text, and the records in the order of the text."""
    for article_id, records in groupby(stored_records(connection), key=lambda record: record.document_id):
        found = list(records)
        text = connection.scalar(sa.select(tables.article.c.text).where(tables.article.c.id == article_id))
        yield article_id, text or "", found
