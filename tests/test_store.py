"""The database: one transaction an article, the same after two runs, open to readers, safe from a crash."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import RecordMaker
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine
from strategies import any_text

from pipeline import store, tables
from pipeline.database.articles import insert_article
from pipeline.database.statements import upsert
from pipeline.extract import Extractor, article_records
from pipeline.languages import Languages
from pipeline.read import Failure
from pipeline.schema import Article, Record
from pipeline.store import StoreError, Summary, Writer, open_store, writing

MODELS = {"en": "digest"}
TEXT = "Ma Lan, an NPC deputy, proposed that schools be open on Sundays."


def english(name: str, text: str = TEXT, year: int | None = 2022, **more: Any) -> Article:
    return Article(name, text, lang="en", session_year=year, **more)


def put(engine: Engine, *pairs: tuple[Article, Sequence[Record]], models: dict[str, str] = MODELS) -> Summary:
    """Run the articles into the store as `twosessions run` does."""
    with writing(engine, models) as writer:
        for article, records in pairs:
            if not writer.holds(article):
                writer.write(article, records)
        return writer.finish()


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows, but for those that tell of the runs."""
    with engine.connect() as connection:
        return {
            table.name: sorted(
                (
                    tuple(value for key, value in row.items() if key != "run_id")
                    for row in connection.execute(table.select()).mappings()
                ),
                key=repr,
            )
            for table in tables.metadata.sorted_tables
            if table.name not in ("run", "failure")
        }


def count(engine: Engine, table: sa.Table) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


# --- opening ---


def test_new_store_has_its_version_and_can_be_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    for _ in range(2):
        engine = open_store(url)
        with engine.connect() as connection:
            assert ("store_version", str(tables.STORE_VERSION)) in connection.execute(tables.meta.select()).all()
        engine.dispose()


def test_store_of_another_version_is_refused(tmp_path: Path, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(tables.meta.update().values(value="999"))
    with pytest.raises(StoreError, match=r"store\.db: has version 999; this program reads version"):
        open_store(str(engine.url))


def test_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    for statements in (["CREATE TABLE song (id INTEGER)"], ["CREATE TABLE meta (key TEXT, value TEXT)"]):
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        with pytest.raises(StoreError, match=r"other\.db: holds tables that are not this program's"):
            open_store(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {"song", "meta"}


def test_store_whose_making_was_cut_off_is_completed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    half = sa.create_engine(url)
    tables.metadata.create_all(half, tables=[tables.meta, tables.run])
    half.dispose()
    engine = open_store(url)
    assert set(sa.inspect(engine).get_table_names()) == set(tables.metadata.tables)
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["nonsense", "sqlite:////no/such/folder/a.db", "nosuchdb://host/name", "postgresql://host:port/name"],
)
def test_address_that_cannot_be_opened(url: str) -> None:
    with pytest.raises(StoreError, match=url.split("://")[0]):
        open_store(url)


def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("hello " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{tmp_path / 'a.db'}")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://user:secret@host/a.db",
        "nosuchdb://user:secret@host/name",
        "postgresql://user:secret@host:port/name",
        "postgresql://user:se@cr:secret@host/name",
    ],
)
def test_password_is_not_shown(url: str) -> None:
    with pytest.raises(StoreError, match=r"user:\*\*\*@host") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


# --- writing ---


def test_summary_counts(engine: Engine, make_record: RecordMaker) -> None:
    a, b = english("a"), english("b", TEXT.replace("Ma Lan", "Wu Bo "))
    with writing(engine, MODELS) as writer:
        writer.write(a, [make_record(a, topics=("education", "health"))])
        writer.write(b, [make_record(b, "Wu Bo", "CPPCC"), make_record(b, "Wu Bo", "CPPCC", span=(7, 20))])
        writer.fail(Failure("c.txt", "empty"))
        summary = writer.finish()
    assert summary == Summary(
        written=2,
        unchanged=0,
        failures=(Failure("c.txt", "empty"),),
        articles=2,
        records=3,
        delegates=2,
        topics=(("education", "promote", 3), ("health", "promote", 1)),
    )


def test_summary_counts_the_articles_without_a_session_year(engine: Engine, make_record: RecordMaker) -> None:
    dated, undated = english("a"), english("b", year=None)
    assert put(engine, (dated, [make_record(dated)])).undated == 0
    assert put(engine, (dated, [make_record(dated)]), (undated, [])).undated == 1


def test_tables_hold_what_a_record_says(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a", outlet="Gazette", title="T", published="2022-03-05")
    record = make_record(article, organization="Harbour Group", name_zh="马兰")
    put(engine, (article, [record]))
    rows = content(engine)
    key = record.delegate.id
    assert rows["delegate"] == [(key, "person", "Ma Lan", "马兰", "lan ma")]
    assert rows["membership"] == [(key, "NPC", 2022, "a")]
    assert [row[1:5] for row in rows["post"]] == [("a", 0, 8, "chairman")]
    assert [row[1] for row in rows["organization"]] == ["Harbour Group"]
    assert [row[1] for row in rows["outlet"]] == ["Gazette"]
    assert rows["mention"] == [(key, "a", 0, 6)]
    assert rows["span"] == [(record.record_id, 0, 6)]
    assert rows["proposal_topic"] == [(record.record_id, "education", 0, 0.8)]
    assert rows["article"][0][0] == "a"
    assert TEXT in rows["article"][0]


def test_running_twice_changes_nothing(engine: Engine, make_record: RecordMaker) -> None:
    articles = [english(name, outlet="Gazette") for name in "abc"]
    pairs = [(article, [make_record(article, organization="Harbour Group")]) for article in articles]
    first = put(engine, *pairs)
    before = content(engine)
    second = put(engine, *pairs)
    assert content(engine) == before
    assert (first.written, first.unchanged) == (3, 0)
    assert (second.written, second.unchanged) == (0, 3)
    assert (second.articles, second.records, second.delegates) == (first.articles, first.records, first.delegates)


@pytest.mark.parametrize(
    "change", [{"text": TEXT + " It rained."}, {"title": "New"}, {"session_year": 2023}, {"outlet": "Gazette"}]
)
def test_changed_article_is_written_again(engine: Engine, make_record: RecordMaker, change: dict[str, Any]) -> None:
    old = english("a", outlet="Ledger")
    put(engine, (old, [make_record(old), make_record(old, span=(8, 21))]))
    new = replace(old, **change)
    summary = put(engine, (new, [make_record(new)]))
    assert (summary.written, summary.unchanged, summary.articles, summary.records) == (1, 0, 1, 1)
    rows = content(engine)
    assert len(rows["span"]) == len(rows["proposal_topic"]) == 1
    assert [row[1] for row in rows["outlet"]] == [new.outlet]


def test_new_models_write_again(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    put(engine, (article, [make_record(article)]))
    summary = put(engine, (article, [make_record(article)]), models={"en": "other"})
    assert (summary.written, summary.articles, summary.records) == (1, 1, 1)


def test_another_least_score_writes_again(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    for min_score, held in ((0.9, False), (0.9, True), (0.0, False), (0, True)):
        with writing(engine, MODELS, min_score) as writer:
            assert writer.holds(article) is held
            writer.write(article, [make_record(article)])


def test_nobody_stays_whom_no_article_names(engine: Engine, make_record: RecordMaker) -> None:
    old = english("a", outlet="Ledger")
    put(engine, (old, [make_record(old, organization="Harbour Group")]))
    new = replace(old, text="Nothing was proposed.", outlet=None)
    summary = put(engine, (new, []))
    assert (summary.articles, summary.records, summary.delegates) == (1, 0, 0)
    assert [count(engine, table) for table in (tables.organization, tables.outlet, tables.mention, tables.post)] == [
        0
    ] * 4


def test_failures_are_written_down_once(engine: Engine) -> None:
    with writing(engine, MODELS) as writer:
        writer.fail(Failure("a.txt", "empty"))
        writer.fail(Failure("a.txt", "binary, not text"))
        writer.fail(Failure("caf\udce9\0.txt", "empty"))
        writer.finish()
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.failure.c.source, tables.failure.c.reason)).all()
    assert sorted(map(tuple, rows)) == [("a.txt", "binary, not text"), ("caf��.txt", "empty")]


def test_nul_is_kept_out_and_lengths_stay(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a", "Ma Lan\0 spoke.")
    put(engine, (article, [make_record(article, span=(0, 8))]))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(tables.article.c.text)) == "Ma Lan� spoke."
        assert connection.scalar(sa.select(tables.proposal.c.text)) == "Ma Lan� "
    assert put(engine, (article, [])).unchanged == 1


# --- delegates over articles ---


def test_same_person_over_years_is_one_delegate(engine: Engine, make_record: RecordMaker) -> None:
    first, second, third = english("a", year=2019), english("b", year=2022), english("c", year=2023)
    put(
        engine,
        (first, [make_record(first, organization="Harbour Group")]),
        (second, [make_record(second, "LAN MA", organization="Harbour Group Co., Ltd.")]),
        (third, [make_record(third, body="CPPCC", name_zh="马兰")]),
    )
    rows = content(engine)
    assert [row[2:4] for row in rows["delegate"]] == [("Ma Lan", "马兰")]
    assert sorted((body, year) for _, body, year, _ in rows["membership"]) == [
        ("CPPCC", 2023), ("NPC", 2019), ("NPC", 2022),
    ]  # fmt: skip


def test_namesakes_are_two_delegates(engine: Engine, make_record: RecordMaker) -> None:
    a, b, c = english("a"), english("b"), english("c")
    put(
        engine,
        (a, [make_record(a, organization="Harbour Group")]),
        (b, [make_record(b, organization="River University")]),
        (c, [make_record(c, body="CPPCC")]),
    )
    assert count(engine, tables.delegate) == 3
    # Another run on more of the same adds to them and makes no fourth.
    d = english("d")
    put(engine, (d, [make_record(d, organization="River University")]))
    assert count(engine, tables.delegate) == 3


def test_one_person_of_an_article_is_one_delegate_also_among_namesakes(
    engine: Engine, make_record: RecordMaker
) -> None:
    articles = [english(name) for name in "abc"]
    put(
        engine,
        (articles[0], [make_record(articles[0], organization="Harbour Group")]),
        (articles[1], [make_record(articles[1], organization="River University")]),
        # She may be either of the two, so she is neither; both of her proposals are hers.
        (articles[2], [make_record(articles[2]), make_record(articles[2], span=(0, 20))]),
    )
    assert count(engine, tables.delegate) == 3
    assert len(delegates_of(engine, "c")) == 1


def delegates_of(engine: Engine, article: str) -> set[str]:
    with engine.connect() as connection:
        column = tables.proposal.c.delegate_id
        return set(connection.scalars(sa.select(column).where(tables.proposal.c.article_id == article)))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_new_models_leave_everybody_who_they_are(
    engine: Engine, make_record: RecordMaker, order: tuple[int, ...]
) -> None:
    kinds: list[dict[str, Any]] = [
        {"organization": "Harbour Group"}, {}, {"organization": "River University"}, {"body": "CPPCC"},
    ]  # fmt: skip
    articles = [english(f"a{index}") for index in order]
    pairs = [(item, [make_record(item, **kinds[index])]) for item, index in zip(articles, order, strict=True)]
    put(engine, *pairs)
    before = content(engine)
    put(engine, *pairs, models={"en": "another"})
    after = content(engine)
    # What tells of the model is all that differs.
    assert after.pop("article") != before.pop("article")
    assert after == before


def test_namesakes_of_one_article_do_not_change_places(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    pair = [make_record(article), make_record(article, body="CPPCC", span=(0, 20))]
    put(engine, (article, pair))
    with engine.connect() as connection:
        columns = (tables.proposal.c.id, tables.proposal.c.delegate_id)
        before = set(connection.execute(sa.select(*columns)))
        put(engine, (article, pair[::-1]), models={"en": "another"})
        assert set(connection.execute(sa.select(*columns))) == before
    assert len({key for _, key in before}) == 2


def test_a_corrected_chinese_name_is_no_other_person(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    put(engine, (article, [make_record(article, name_zh="马兰")]))
    before = delegates_of(engine, "a")
    corrected = replace(article, title="Corrected")
    put(engine, (corrected, [make_record(corrected, name_zh="马岚")]))
    assert delegates_of(engine, "a") == before
    assert [row[3] for row in content(engine)["delegate"]] == ["马岚"]


def test_a_correction_that_speaks_against_others_makes_another_person(engine: Engine, make_record: RecordMaker) -> None:
    a, b = english("a"), english("b")
    put(engine, (a, [make_record(a, organization="Harbour Group")]), (b, [make_record(b)]))
    assert delegates_of(engine, "a") == delegates_of(engine, "b")
    corrected = replace(b, title="Corrected")
    put(engine, (corrected, [make_record(corrected, organization="River University")]))
    assert delegates_of(engine, "a") != delegates_of(engine, "b")


def test_joint_proposal_is_one_proposal_of_two_delegates(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    first, second = make_record(article), make_record(article, "Wu Bo", "CPPCC")
    put(engine, (article, [first, second]))
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.proposal.c.id, tables.proposal.c.proposal_id)).all()
    assert {row.id for row in rows} == {first.record_id, second.record_id}
    assert {row.proposal_id for row in rows} == {first.proposal.id}


def test_one_proposal_reported_twice_points_to_the_first(engine: Engine, make_record: RecordMaker) -> None:
    whole = (TEXT.index("schools"), len(TEXT))
    articles = [english("a"), english("b", TEXT + " It rained."), english("c", year=2023)]
    records = [make_record(article, span=whole) for article in articles]
    put(engine, *((article, [record]) for article, record in zip(articles, records, strict=True)))
    assert same_as(engine) == {
        records[0].record_id: records[0].record_id,
        records[1].record_id: records[0].record_id,
        records[2].record_id: records[2].record_id,
    }
    # Where the first goes, the next stands for itself.
    put(engine, (replace(articles[0], text="Nothing was proposed."), []))
    assert same_as(engine)[records[1].record_id] == records[1].record_id


def test_reports_of_one_proposal_stay_together_where_the_first_changes(
    engine: Engine, make_record: RecordMaker
) -> None:
    whole = (TEXT.index("schools"), len(TEXT))
    articles = [english("a"), english("b", TEXT + " It rained."), english("c", TEXT + " It snowed.")]
    records = [make_record(article, span=whole) for article in articles]
    put(engine, *((article, [record]) for article, record in zip(articles, records, strict=True)))
    assert set(same_as(engine).values()) == {records[0].record_id}
    text = "Yesterday " + TEXT
    corrected = replace(articles[0], text=text)
    record = make_record(corrected, span=(text.index("schools"), len(text)))
    put(engine, (corrected, [record]))
    ids = [record.record_id, records[1].record_id, records[2].record_id]
    assert same_as(engine) == dict.fromkeys(ids, min(ids))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT records, proposals FROM v_topic_stance_by_year")).all() == [(3, 1)]


@pytest.mark.parametrize("change", [{"session_year": 2023}, {"session_year": None}])
def test_reports_leave_a_first_one_that_is_of_another_year(
    engine: Engine, make_record: RecordMaker, change: dict[str, Any]
) -> None:
    whole = (TEXT.index("schools"), len(TEXT))
    articles = [english("a"), english("b", TEXT + " It rained."), english("c", TEXT + " It snowed.")]
    records = [make_record(article, span=whole) for article in articles]
    put(engine, *((article, [record]) for article, record in zip(articles, records, strict=True)))
    # Its record keeps its id, for the words and their place are the same.
    corrected = replace(articles[0], **change)
    first = make_record(corrected, span=whole)
    assert first.record_id == records[0].record_id
    put(engine, (corrected, [first]))
    others = [record.record_id for record in records[1:]]
    assert same_as(engine) == {first.record_id: first.record_id, **dict.fromkeys(others, min(others))}


def same_as(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.proposal.c.id, tables.proposal.c.same_as))
        return {row.id: row.same_as for row in rows}


# --- crashes and readers ---


def test_article_is_written_whole_or_not_at_all(
    engine: Engine, make_record: RecordMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = english("a"), english("b")
    records = [make_record(b), make_record(b, span=(8, 21))]
    insert = store.insert_proposal

    def crash(connection: sa.Connection, record: Record, key: str) -> None:
        insert(connection, record, key)
        if record is records[1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(store, "insert_proposal", crash)
    with pytest.raises(KeyboardInterrupt):
        put(engine, (a, [make_record(a)]), (b, records))
    with engine.connect() as connection:
        assert connection.scalars(sa.select(tables.article.c.id)).all() == ["a"]
        assert set(connection.scalars(sa.select(tables.proposal.c.article_id))) == {"a"}
        row = connection.execute(sa.select(tables.run.c.finished, tables.run.c.articles)).one()
        assert tuple(row) == (None, 1)
    monkeypatch.undo()
    summary = put(engine, (a, [make_record(a)]), (b, records))
    assert (summary.written, summary.unchanged, summary.records) == (1, 1, 3)


def test_crash_while_an_article_is_replaced_keeps_the_old_one(
    engine: Engine, make_record: RecordMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = english("a")
    put(engine, (old, [make_record(old)]))
    before = content(engine)

    def crash(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(store, "insert_proposal", crash)
    new = replace(old, text=TEXT + " It rained.")
    with pytest.raises(RuntimeError, match="disk full"):
        put(engine, (new, [make_record(new)]))
    assert content(engine) == before


KILLED = """
import json, os, signal, sys
from pipeline import store, tables
from pipeline.schema import Article, record_from_dict

engine = store.open_store(sys.argv[1])
insert = store.insert_proposal

def insert_and_die(connection, record, key):
    insert(connection, record, key)
    if record.document_id == "b":
        os.kill(os.getpid(), signal.SIGKILL)

store.insert_proposal = insert_and_die
with store.writing(engine, {"en": "digest"}) as writer:
    for article, record in json.load(sys.stdin):
        writer.write(Article(**article), [record_from_dict(record)])
"""


def test_killed_run_is_resumed(tmp_path: Path, make_record: RecordMaker) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    articles = [english(name) for name in "abc"]
    records = [make_record(article) for article in articles]
    lines = [[vars(article), record.to_dict()] for article, record in zip(articles, records, strict=True)]
    done = subprocess.run([sys.executable, "-c", KILLED, url], input=json.dumps(lines), text=True, check=False)
    assert done.returncode == -9
    engine = open_store(url)
    assert [row[0] for row in content(engine)["article"]] == ["a"]
    assert len(content(engine)["proposal"]) == 1
    summary = put(engine, *((article, [record]) for article, record in zip(articles, records, strict=True)))
    assert (summary.written, summary.unchanged, summary.records) == (2, 1, 3)
    engine.dispose()


def test_readers_read_while_a_run_writes(engine: Engine, make_record: RecordMaker) -> None:
    a, b = english("a"), english("b")
    put(engine, (a, [make_record(a)]))
    reader = open_store(str(engine.url))
    with reader.connect() as reading, engine.begin() as writing_connection:
        assert reading.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        insert_article(writing_connection, b, 1, "provenance")
        assert reading.scalars(sa.select(tables.article.c.id)).all() == ["a"]
    with reader.connect() as reading:
        assert sorted(reading.scalars(sa.select(tables.article.c.id))) == ["a", "b"]
    reader.dispose()


def test_references_between_tables_are_enforced(engine: Engine) -> None:
    row = {"delegate_id": "nobody", "article_id": "nothing", "start": 0, "end": 1}
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(tables.mention.insert().values(**row))


def test_tables_and_statements_are_postgresql_too() -> None:
    dialect = postgresql.dialect()
    for table in tables.metadata.sorted_tables:
        assert table.name in str(sa.schema.CreateTable(table).compile(dialect=dialect))

    statements = []

    class Connection:
        def __init__(self) -> None:
            self.dialect = dialect

        def execute(self, statement: sa.Executable) -> None:
            statements.append(str(statement.compile(dialect=dialect)))  # type: ignore[attr-defined]

    upsert(Connection(), tables.outlet, {"id": "x"}, {"name": "Gazette"})  # type: ignore[arg-type]
    upsert(Connection(), tables.mention, {"delegate_id": "x", "article_id": "a", "start": 0})  # type: ignore[arg-type]
    assert "ON CONFLICT (id) DO UPDATE SET name" in statements[0]
    assert "ON CONFLICT (delegate_id, article_id, start) DO NOTHING" in statements[1]


# --- any text ---


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    """A store in memory, made once, for many examples."""
    engine = open_store("sqlite://")
    yield engine
    engine.dispose()


@settings(max_examples=20)
@given(st.lists(any_text().filter(str.strip), max_size=3))
def test_run_twice_is_run_once(rules: Language, languages: Languages, memory: Engine, texts: list[str]) -> None:
    with memory.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name not in ("meta", "topic"):
                connection.execute(table.delete())
    articles = [english(f"{number}", text) for number, text in enumerate(texts)]

    def run() -> Summary:
        # Not `writing`, which lets go of the database at its end: one in memory would be lost.
        writer = Writer(memory, MODELS)
        extractor = Extractor(languages, load=lambda name: rules)
        for doc in extractor.docs(articles, skip=writer.holds):
            assert not isinstance(doc, Failure), doc
            writer.write(*article_records(doc))
        return writer.finish()

    first = run()
    before = content(memory)
    second = run()
    assert content(memory) == before
    assert (first.written, second.written, second.unchanged) == (len(texts), 0, len(texts))


# --- files of one name ---

FIRST = (
    "Ma Lan, an NPC deputy, proposed that schools be open on Sundays. She has taught in Dalian for twenty years, and "
    "knows how many parents work at weekends."
)
OTHER = (
    "Buses in the county run once a day. Xu Ping, a member of the CPPCC National Committee, wants four of them, and a "
    "subsidy for the drivers who live far from the depot."
)


CORRECTED = OTHER.replace("four of them", "five of them")


def filed(name: str, text: str, **more: Any) -> Article:
    """An article that came in a file of this name."""
    return english(name, text, file=name, **more)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    """A store with nothing in it."""
    engine = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    yield engine
    engine.dispose()


def run_in(rules: Language, languages: Languages, engine: Engine, *articles: Article) -> dict[str, str]:
    """Run articles into the store, and return the texts that it then has, by id."""
    writer = Writer(engine, MODELS)
    extractor = Extractor(languages, load=lambda name: rules)
    for doc in extractor.docs(articles, skip=writer.holds, known=writer):
        assert not isinstance(doc, Failure), doc
        writer.write(*article_records(doc))
    writer.finish()
    with engine.connect() as connection:
        return {row.id: row.text for row in connection.execute(sa.select(tables.article.c.id, tables.article.c.text))}


def test_another_file_of_the_same_name_replaces_nothing(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, filed("01", FIRST))
    held = run_in(rules, languages, empty, filed("01", OTHER))
    assert sorted(held.values()) == sorted([FIRST, OTHER])
    assert held["01"] == FIRST
    for again in ([OTHER], [FIRST], [OTHER, FIRST], [FIRST, OTHER]):
        assert run_in(rules, languages, empty, *(filed("01", text) for text in again)) == held


def test_files_of_one_name_stay_apart_over_runs(rules: Language, languages: Languages, empty: Engine) -> None:
    held = run_in(rules, languages, empty, filed("01", FIRST), filed("01", OTHER))
    assert sorted(held.values()) == sorted([FIRST, OTHER])
    then = run_in(rules, languages, empty, filed("01", FIRST), filed("01", CORRECTED))
    assert then == {name: CORRECTED if text == OTHER else text for name, text in held.items()}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_old_copy_beside_its_correction_replaces_nothing(
    rules: Language, languages: Languages, empty: Engine, order: tuple[int, ...]
) -> None:
    run_in(rules, languages, empty, filed("01", FIRST), filed("01", OTHER))
    run_in(rules, languages, empty, filed("01", FIRST), filed("01", CORRECTED))
    texts = (FIRST, CORRECTED, OTHER)
    held = run_in(rules, languages, empty, *(filed("01", texts[at]) for at in order))
    assert sorted(held.values()) == sorted(texts)
    for again in permutations(texts):
        assert run_in(rules, languages, empty, *(filed("01", text) for text in again)) == held


def test_a_corrected_file_replaces_its_first_version(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, filed("01", FIRST))
    corrected = FIRST.replace("Sundays", "Saturdays")
    assert run_in(rules, languages, empty, filed("01", corrected)) == {"01": corrected}


def test_a_digest_that_holds_an_article_is_another(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, filed("01", FIRST))
    digest = f"{OTHER}\n\n{FIRST}\n\n{OTHER.replace('Buses', 'Ferries')}"
    held = run_in(rules, languages, empty, filed("01", digest))
    assert sorted(held.values()) == sorted([FIRST, digest])


def test_one_text_at_two_addresses_is_two_articles(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, filed("index", FIRST, url="https://a.example/1"))
    near = FIRST.replace("Sundays", "Saturdays")
    held = run_in(rules, languages, empty, filed("index", near, url="https://b.example/1"))
    assert sorted(held.values()) == sorted([FIRST, near])


def test_an_id_that_the_article_gives_is_its_own(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, english("01", FIRST))
    assert run_in(rules, languages, empty, english("01", OTHER)) == {"01": OTHER}


def test_names_that_only_begin_alike_are_others(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, filed("01-%", FIRST), filed("01-20220305", OTHER))
    held = run_in(rules, languages, empty, filed("01", FIRST.replace("Sundays", "Saturdays")), filed("01", CORRECTED))
    assert len(held) == 4


def test_a_file_is_known_without_reading_the_whole_store(rules: Language, languages: Languages, empty: Engine) -> None:
    run_in(rules, languages, empty, filed("01", FIRST))
    with empty.connect() as connection:
        query = sa.select(tables.article.c.id).where(tables.article.c.file == "01", tables.article.c.text == FIRST)
        plan = str(connection.execute(sa.text(f"EXPLAIN QUERY PLAN {_literal(query)}")).all())
    assert "USING INDEX" in plan


def _literal(query: sa.Select[Any]) -> str:
    return str(query.compile(compile_kwargs={"literal_binds": True}))
