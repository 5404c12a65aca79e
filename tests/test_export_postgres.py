"""Exports to PostgreSQL, against a real server that is started here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import RecordMaker
from exports import (
    FILTERS,
    Rows,
    fill,
    in_store,
    names,
    nasty_article,
    nasty_record,
    unique,
    with_nul,
    without_provenance,
)  # fmt: skip
from postgres_server import NoServerError, postgres_server
from sqlalchemy.engine import Engine

from pipeline import tables
from pipeline.export import ExportError, export_store
from pipeline.exporters.to_postgres import postgres_url
from pipeline.query import snapshot, stored_records
from pipeline.read import Failure
from pipeline.schema import Article, Record
from pipeline.selection import Selection
from pipeline.store import Writer, open_store

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server; the test is skipped where there is none, unless one is required."""
    try:
        with postgres_server() as url:
            yield url
    except NoServerError as error:
        if os.environ.get("TWOSESSIONS_REQUIRE_POSTGRES") == "1":
            pytest.fail(f"PostgreSQL is required here, but there is {error}")
        pytest.skip(f"NOT TESTED against PostgreSQL: {error}")


@pytest.fixture
def database(server: str) -> str:
    """The address of an empty database."""
    engine = sa.create_engine(postgres_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS feed WITH (FORCE)")
        connection.exec_driver_sql("CREATE DATABASE feed")
    engine.dispose()
    return server.replace("/postgres?", "/feed?")


@pytest.fixture
def filled(engine: Engine, make_record: RecordMaker) -> Engine:
    fill(engine, make_record)
    return engine


def in_postgres(url: str) -> Rows:
    engine = sa.create_engine(postgres_url(url))
    with engine.connect() as connection:
        found = {name: unique(connection.execute(sa.text(f'SELECT * FROM "{name}"'))) for name in names()}
    engine.dispose()
    return found


def system_columns(url: str) -> set[tuple[str, str]]:
    """Which row versions the tables have: an update makes a new one, even where nothing changes."""
    engine = sa.create_engine(postgres_url(url))
    with engine.connect() as connection:
        found = {
            (relation.name, str(value))
            for relation in tables.TABLES
            for value in connection.scalars(sa.text(f'SELECT (xmin, ctid) FROM "{relation.name}"'))
        }
    engine.dispose()
    return found


def test_reads_back_equal_and_twice_changes_nothing(filled: Engine, database: str) -> None:
    export_store(filled, "postgres", database)
    assert in_postgres(database) == in_store(filled)
    before = system_columns(database)
    export_store(filled, "postgres", database)
    assert system_columns(database) == before


def test_empty_store(engine: Engine, database: str) -> None:
    export_store(engine, "postgres", database)
    assert in_postgres(database) == in_store(engine)


def test_awkward_text(engine: Engine, make_record: RecordMaker, database: str) -> None:
    writer = Writer(engine, {})
    for number, text in enumerate(("=1+1", "\\N", "\\.", "a\tb\nc\r\nd", "\u202e'\"", "全国 𠀀", "\\")):
        article = nasty_article(number, text)
        writer.write(article, [nasty_record(make_record, article, text)])
    writer.finish()
    export_store(engine, "postgres", database)
    assert in_postgres(database) == in_store(engine)
    with_nul(engine)
    export_store(engine, "postgres", database)
    assert "a�b" in {row[2] for row in in_postgres(database)["article"]}


@pytest.mark.parametrize("name", ["topic", "several", "none", "run"])
def test_filters(filled: Engine, database: str, name: str) -> None:
    selection = FILTERS[name][0]
    export_store(filled, "postgres", database, selection)
    found, expected = in_postgres(database), in_store(filled, selection)
    if selection.selects_records:
        # The database is a store, and says of articles which lack records that they are to be read again.
        assert found["article"] != expected["article"]
        found["article"], expected["article"] = (without_provenance(rows["article"]) for rows in (found, expected))
    assert found == expected


def test_filtered_exports_add_up(filled: Engine, database: str) -> None:
    for year in (2022, 2023):
        export_store(filled, "postgres", database, Selection(session_years=(year,)))
    assert in_postgres(database)["proposal"] == in_store(filled, Selection(session_years=(2022, 2023)))["proposal"]


def test_what_the_store_no_longer_has_goes(filled: Engine, make_record: RecordMaker, database: str) -> None:
    export_store(filled, "postgres", database)
    writer = Writer(filled, {"en": "three"})
    article = Article("a0", "Wu Jun proposed tea.", session_year=2022)
    writer.write(article, [make_record(article, name="Wu Jun", span=(16, 19))])
    writer.fail(Failure("other.txt", "empty"))
    writer.finish()
    export_store(filled, "postgres", database)
    assert in_postgres(database) == in_store(filled)


def test_update_since_a_run_replaces_the_articles_of_it(
    filled: Engine, make_record: RecordMaker, database: str
) -> None:
    export_store(filled, "postgres", database)
    writer = Writer(filled, {"en": "three"})
    article = Article("a0", "Ma Lan proposed tea.", session_year=2022)
    record = make_record(article, span=(16, 19))
    writer.write(article, [replace(record, score=0.25)])
    writer.finish()
    export_store(filled, "postgres", database, Selection(since_run=3))
    found, expected = in_postgres(database), in_store(filled)
    for name in ("article", "proposal", "span", "proposal_topic", "membership", "mention", "post", "v_records", "run"):
        assert found[name] == expected[name], name


def test_article_that_no_longer_passes_the_filter_loses_its_old_rows(
    filled: Engine, make_record: RecordMaker, database: str
) -> None:
    selection = Selection(topics=("transport",))
    export_store(filled, "postgres", database, selection)
    assert "a0" in {row[3] for row in in_postgres(database)["proposal"]}
    writer = Writer(filled, {"en": "three"})
    article = Article("a0", "Ma Lan proposed tea.", session_year=2022)
    writer.write(article, [make_record(article, span=(16, 19))])
    writer.finish()
    export_store(filled, "postgres", database, selection)
    found, expected = in_postgres(database), in_store(filled, selection)
    for name in ("proposal", "span", "proposal_topic", "membership", "mention", "post", "v_records"):
        assert found[name] == expected[name], name


def test_article_of_another_year_stays_as_it_was(filled: Engine, make_record: RecordMaker, database: str) -> None:
    export_store(filled, "postgres", database, Selection(session_years=(2022,)))
    before = in_postgres(database)
    writer = Writer(filled, {"en": "three"})
    article = Article("a0", "Nothing is proposed here any more.", session_year=2022)
    writer.write(article, [])
    writer.finish()
    export_store(filled, "postgres", database, Selection(session_years=(2023,)))
    found = in_postgres(database)
    for name in ("article", "proposal", "span", "mention", "v_records"):
        assert before[name] < found[name], name


@pytest.fixture
def halves(engine: Engine, make_record: RecordMaker) -> dict[Article, list[Record]]:
    """Two articles of a store with their records: one of two topics, and one of a single topic."""
    both, one = (Article(name, "Ma Lan proposed tea and rice.", session_year=2024) for name in ("both", "one"))
    records = {
        both: [make_record(both, topics=("health",), span=(16, 19)), make_record(both, span=(24, 28))],
        one: [make_record(one, span=(16, 19))],
    }
    write(engine, records)
    return records


def write(engine: Engine, records: dict[Article, list[Record]], model: str = "one") -> list[str]:
    """Run articles into a store and return the ids of those that it didn't hold."""
    writer = Writer(engine, {"en": model})
    new = [article for article in records if not writer.holds(article)]
    for article in new:
        writer.write(article, records[article])
    writer.finish()
    return [article.id for article in new]


def test_run_into_a_filtered_database_brings_back_what_is_missing(
    engine: Engine, halves: dict[Article, list[Record]], database: str
) -> None:
    export_store(engine, "postgres", database, Selection(topics=("education",)))
    loaded = open_store(postgres_url(database))
    assert write(loaded, halves) == ["both"]
    assert write(loaded, halves) == []
    with snapshot(engine) as old, snapshot(loaded) as new:
        assert {r.record_id for r in stored_records(new)} == {r.record_id for r in stored_records(old)}
    loaded.dispose()


def test_exports_of_two_topics_add_up_and_each_twice_changes_nothing(
    engine: Engine, halves: dict[Article, list[Record]], database: str
) -> None:
    for topic, count in (("education", 2), ("health", 3), ("education", 3)):
        export_store(engine, "postgres", database, Selection(topics=(topic,)))
        before = system_columns(database)
        export_store(engine, "postgres", database, Selection(topics=(topic,)))
        assert system_columns(database) == before
        assert len(in_postgres(database)["proposal"]) == count
    # Nothing counts what is there: the article is read again all the same.
    loaded = open_store(postgres_url(database))
    assert write(loaded, halves) == ["both"]
    loaded.dispose()


def test_article_that_is_there_whole_stays_so_under_a_filter(
    engine: Engine, halves: dict[Article, list[Record]], database: str
) -> None:
    export_store(engine, "postgres", database, Selection(topics=("education",)))
    export_store(engine, "postgres", database)
    assert in_postgres(database) == in_store(engine)
    before = system_columns(database)
    export_store(engine, "postgres", database, Selection(topics=("education",)))
    assert system_columns(database) == before


@pytest.mark.parametrize("emptied", [False, True])
def test_article_that_lost_its_rows_to_a_filter_is_read_again(
    engine: Engine, halves: dict[Article, list[Record]], database: str, emptied: bool
) -> None:
    export_store(engine, "postgres", database)
    write(engine, {article: [] if emptied else records for article, records in halves.items()}, model="two")
    selection = Selection(topics=("health",))
    export_store(engine, "postgres", database, selection)
    assert in_postgres(database)["proposal"] == in_store(engine, selection)["proposal"]
    before = system_columns(database)
    export_store(engine, "postgres", database, selection)
    assert system_columns(database) == before
    loaded = open_store(postgres_url(database))
    assert write(loaded, halves) == ["both", "one"]
    loaded.dispose()


def test_value_that_postgres_refuses_is_told_and_nothing_is_loaded(filled: Engine, database: str) -> None:
    with filled.begin() as connection:
        connection.execute(tables.article.update().where(tables.article.c.id == "a0").values(session_year=2**40))
    with pytest.raises(ExportError, match="out of range"):
        export_store(filled, "postgres", database)
    assert in_postgres(database)["article"] == set()


def test_killed_export_leaves_the_old_rows(filled: Engine, database: str) -> None:
    export_store(filled, "postgres", database, Selection(session_years=(2022,)))
    before = in_postgres(database)
    script = textwrap.dedent("""
        import sys, time
        from pipeline.export import existing_store, export_store
        def tick(name, rows):
            if name == "span":
                print("half-way", flush=True)
                time.sleep(600)
        export_store(existing_store(sys.argv[1]), "postgres", sys.argv[2], progress=lambda total: tick)
    """)
    command = [sys.executable, "-c", script, filled.url.render_as_string(), database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        process.send_signal(signal.SIGKILL)
    assert in_postgres(database) == before
    export_store(filled, "postgres", database)
    assert in_postgres(database) == in_store(filled)


def test_failed_export_rolls_back(filled: Engine, database: str) -> None:
    export_store(filled, "postgres", database, Selection(session_years=(2022,)))
    before = in_postgres(database)

    def fail(name: str, rows: int) -> None:
        if name == "span":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_store(filled, "postgres", database, progress=lambda total: fail)
    assert in_postgres(database) == before


def test_loaded_database_is_a_store(filled: Engine, make_record: RecordMaker, database: str, tmp_path: Path) -> None:
    export_store(filled, "postgres", database)
    loaded = open_store(postgres_url(database))
    with snapshot(filled) as old, snapshot(loaded) as new:
        assert list(stored_records(new)) == list(stored_records(old))
    # A run into it gets a new id, and an export out of it reads back equal.
    writer = Writer(loaded, {"en": "three"})
    assert writer.id == 3
    article = Article("c", "Ma Lan proposed tea.", session_year=2024)
    writer.write(article, [make_record(article)])
    writer.finish()
    export_store(loaded, "sqlite", str(tmp_path / "out.db"))
    assert in_store(open_store(f"sqlite:///{tmp_path / 'out.db'}")) == in_store(loaded)
    for selection, fits in FILTERS.values():
        with snapshot(loaded) as connection:
            found = {record.record_id for record in stored_records(connection, selection)}
            everything = stored_records(connection)
            if selection != FILTERS["run"][0]:
                assert found == {record.record_id for record in everything if fits(record)}
        assert {row[0] for row in in_store(loaded, selection)["proposal"]} == found
    with pytest.raises(ExportError, match="the store itself"):
        export_store(loaded, "postgres", database)
    loaded.dispose()


def test_snapshot_of_a_postgres_store_is_of_one_moment(filled: Engine, make_record: RecordMaker, database: str) -> None:
    export_store(filled, "postgres", database)
    loaded = open_store(postgres_url(database))
    with snapshot(loaded) as connection:
        before = connection.scalar(sa.select(sa.func.count()).select_from(tables.proposal))
        writer = Writer(loaded, {})
        article = Article("c", "Ma Lan proposed tea.", session_year=2024)
        writer.write(article, [make_record(article)])
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.proposal)) == before
    loaded.dispose()


def test_other_tables_are_left_alone(filled: Engine, database: str) -> None:
    engine = sa.create_engine(postgres_url(database))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id int)")
    engine.dispose()
    with pytest.raises(ExportError, match="holds tables that are not this program's"):
        export_store(filled, "postgres", database)


def test_server_that_is_not_there_is_named_without_the_password(filled: Engine) -> None:
    with pytest.raises(ExportError) as caught:
        export_store(filled, "postgres", "postgresql://user:secret@127.0.0.1:1/none")
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)
