"""What the tests of exports share: stores to export, and readers of what was exported."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
from conftest import RecordMaker
from sqlalchemy.engine import Engine

from pipeline import tables
from pipeline.export import exportable
from pipeline.read import Failure
from pipeline.schema import Article, Record, Stance, TopicScore
from pipeline.selection import Selection
from pipeline.store import Writer
from pipeline.views import RELATIONS

ROOT = Path(__file__).parent.parent
FILES = ("jsonl", "duckdb", "sqlite")
FOLDERS = ("csv", "parquet")
Rows = dict[str, set[tuple[Any, ...]]]

# What breaks careless writers: formulas, quotes, line ends of all kinds, direction marks, wide characters.
NASTY = (
    "=SUM(A1:A9)", "+1", "-1", "@cmd|' /C calc'!A0", '"', '""', "'", "a,b;c\td", "line\nline\r\nline\rline", "\u2028",
    "\x85", "\u202eevil\u2066", "<script>alert(1)</script>", "全国人大代表 𠀀 👩‍👩‍👧", "\\N", "NULL", "\\",
    '{"a": 1}', " padded ",
)  # fmt: skip


def fill(engine: Engine, make_record: RecordMaker) -> None:
    """Two runs: five articles of three years, one of them without records, and an input that failed."""
    first = Writer(engine, {"en": "one"})
    for number, year in enumerate((2022, 2023, None)):
        article = Article(
            f"a{number}", "Ma Lan proposed more schools and a law on drones.", lang="en", session_year=year,
            outlet="Daily" if number else None, title=f"Title {number}", published="2022-03-05",
        )  # fmt: skip
        record = make_record(article, body=("NPC", "CPPCC", None)[number], organization="Harbour Group", span=(16, 28))
        other = make_record(article, name="Wu Jun", body="local", topics=("transport", "law-justice"), span=(33, 48))
        stance = Stance("regulate", 0.1, 0.9)
        other = replace(other, score=0.9, proposal=replace(other.proposal, stance=stance))
        first.write(article, [record, other])
    first.write(Article("empty", "Nothing is proposed here at all.", session_year=2022), [])
    first.fail(Failure("broken.txt", "empty"))
    first.finish()
    second = Writer(engine, {"en": "two"})
    article = Article("b0", "Ma Lan proposed subsidies.", lang="en", session_year=2023, outlet="daily")
    second.write(article, [make_record(article, body="CPPCC", topics=("blockchain",), span=(16, 25))])
    second.finish()


def nasty_article(number: int, text: str) -> Article:
    body = f"Ma Lan proposed {text}."
    return Article(f"n{number}", body, lang="en", session_year=2024, title=text, outlet=text, url=text, published=text)


def nasty_record(make_record: RecordMaker, article: Article, text: str) -> Record:
    record = make_record(article, name_zh=text, span=(16, 16 + len(text)), organization=text or None)
    return replace(record, proposal=replace(record.proposal, topics=(TopicScore("data", 0.1 + 0.2),)))


def in_store(engine: Engine, selection: Selection | None = None) -> Rows:
    """What every table and view of a store has."""
    with exportable(engine, selection) as source:
        return {
            relation.name: {tuple(row) for batch in source.batches(relation) for row in batch} for relation in RELATIONS
        }


def from_csv(place: Path) -> Rows:
    package = json.loads((place / "datapackage.json").read_text(encoding="utf-8"))
    found: Rows = {}
    for entry in package["resources"]:
        kinds: list[Callable[[str], Any]] = [
            {"string": str, "integer": int, "number": float}[column["type"]] for column in entry["schema"]["fields"]
        ]
        with (place / entry["path"]).open(encoding="utf-8", newline="") as stream:
            header, *lines = csv.reader(stream)
        assert header == [column["name"] for column in entry["schema"]["fields"]]
        rows = [tuple(None if c == "" else kind(c) for kind, c in zip(kinds, line, strict=True)) for line in lines]
        found[entry["name"]] = unique(rows)
    return found


def from_parquet(place: Path) -> Rows:
    found = {}
    for path in place.glob("*.parquet"):
        table = pyarrow.parquet.read_table(path)
        found[path.stem] = unique(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return found


def from_sqlite(place: Path) -> Rows:
    with sqlite3.connect(place) as connection:
        return {name: unique(connection.execute(f'SELECT * FROM "{name}"')) for name in names()}


def from_duckdb(place: Path) -> Rows:
    with duckdb.connect(str(place), read_only=True) as connection:
        return {name: unique(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names()}


def names() -> list[str]:
    return [relation.name for relation in RELATIONS]


def unique(rows: Iterable[Iterable[Any]]) -> set[tuple[Any, ...]]:
    found = [tuple(row) for row in rows]
    assert len(found) == len(set(found))
    return set(found)


READERS = {"csv": from_csv, "parquet": from_parquet, "sqlite": from_sqlite, "duckdb": from_duckdb}


FILTERS: dict[str, tuple[Selection, Callable[[Record], bool]]] = {
    "year": (Selection(session_years=(2022,)), lambda r: r.document.session_year == 2022),
    "years": (Selection(session_years=(2022, 2023)), lambda r: r.document.session_year in (2022, 2023)),
    "topic": (Selection(topics=("law-justice",)), lambda r: "law-justice" in {t.label for t in r.proposal.topics}),
    "stance": (Selection(stances=("regulate",)), lambda r: r.proposal.stance.label == "regulate"),
    "body": (Selection(bodies=("NPC", "CPPCC")), lambda r: r.delegate.body in ("NPC", "CPPCC")),
    "score": (Selection(min_score=0.7), lambda r: r.score >= 0.7),
    "run": (Selection(since_run=2), lambda r: r.document_id == "b0"),
    "several": (
        Selection(
            session_years=(2023,),
            topics=("transport",),
            stances=("regulate",),
            bodies=("local",),
            min_score=0.9,
            since_run=1,
        ),
        lambda r: r.document_id == "a1" and r.delegate.name == "Wu Jun",
    ),
    "none": (Selection(session_years=(1999,)), lambda r: False),
}


def with_nul(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(tables.article.update().where(tables.article.c.id == "n0").values(title="a\0b"))


def without_provenance(rows: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Return rows of the table `article` but for their `provenance_hash`, in which a part differs from the whole."""
    at = list(tables.article.c).index(tables.article.c.provenance_hash)
    return {(*row[:at], *row[at + 1 :]) for row in rows}
