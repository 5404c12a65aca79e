"""Exports: each target reads back equal, filters agree, text survives, frictionless accepts the packages."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import frictionless
import jsonschema
import pytest
import sqlalchemy as sa
from conftest import RecordMaker
from exports import (
    FILTERS,
    FOLDERS,
    NASTY,
    READERS,
    fill,
    from_csv,
    in_store,
    names,
    nasty_article,
    nasty_record,
    with_nul,
    without_provenance,
)
from sqlalchemy.engine import Engine

from pipeline import tables
from pipeline.export import ExportError, export_store
from pipeline.query import snapshot, stored_records
from pipeline.schema import Article, json_schema, record_from_dict
from pipeline.selection import Selection
from pipeline.store import Writer, open_store
from pipeline.views import RELATIONS


@pytest.fixture
def filled(engine: Engine, make_record: RecordMaker) -> Engine:
    """A small store."""
    fill(engine, make_record)
    return engine


@pytest.fixture
def nasty(engine: Engine, make_record: RecordMaker) -> Engine:
    """A store of awkward text."""
    writer = Writer(engine, {"en": "one"})
    for number, text in enumerate(NASTY):
        article = nasty_article(number, text)
        writer.write(article, [nasty_record(make_record, article, text)])
    writer.finish()
    return engine


@pytest.mark.parametrize("target", READERS)
@pytest.mark.parametrize("store", ["filled", "nasty", "engine"])
def test_reads_back_equal(target: str, store: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine = request.getfixturevalue(store)
    written = export_store(engine, target, str(tmp_path / "out"))
    expected = in_store(engine)
    assert READERS[target](tmp_path / "out") == expected
    assert written == {name: len(expected[name]) for name in written}


@pytest.mark.parametrize("store", ["filled", "nasty", "engine"])
def test_jsonl_is_the_output_contract(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine = request.getfixturevalue(store)
    export_store(engine, "jsonl", str(tmp_path / "out.jsonl"))
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    with engine.connect() as connection:
        records = list(stored_records(connection))
    # The same line that `extract` prints, key for key.
    assert lines == [json.dumps(record.to_dict(), ensure_ascii=False) for record in records]
    for line in lines:
        jsonschema.validate(json.loads(line), json_schema())
        record_from_dict(json.loads(line))


def test_views_by_hand(filled: Engine) -> None:
    found = in_store(filled)
    records = next(relation for relation in RELATIONS if relation.name == "v_records")
    columns = [column.name for column in records.fields]
    rows = [dict(zip(columns, row, strict=True)) for row in found["v_records"]]
    assert len(rows) == 3 * (1 + 2) + 1
    (row,) = (row for row in rows if row["document_id"] == "a1" and row["delegate"] == "Ma Lan")
    assert (row["body"], row["role"], row["organization"]) == ("CPPCC", "chairman", "Harbour Group")
    assert (row["topic"], row["topic_rank"], row["cap_major"]) == ("education", 0, 6)
    assert (row["session_year"], row["outlet"], row["stance"], row["proposal"]) == (
        2023,
        "daily",
        "promote",
        "more schools",
    )
    assert (2023, "transport", 10, "regulate", 1, 1, 1, 1) in found["v_topic_stance_by_year"]
    assert (None, "education", 6, "promote", 1, 1, 1, 1) in found["v_topic_stance_by_year"]
    assert sum(row[4] for row in found["v_topic_stance_by_year"]) == len(rows)
    history = {(row[1], row[4]): row[5:] for row in found["v_delegate_history"]}
    # Articles, records, proposals, then promote, regulate, both and neither.
    assert history["Wu Jun", 2022] == ("local", None, None, 1, 1, 1, 0, 1, 0, 0)
    assert sum(row[1:][8] for row in found["v_delegate_history"]) == 7
    assert {key[1] for key in history} == {2022, 2023, None}


def test_topics_carry_cap_codes(filled: Engine) -> None:
    rows = {row[0]: row[1:] for row in in_store(filled)["topic"]}
    assert rows["agriculture-rural"][1] == 4
    assert rows["blockchain"][0].startswith("Distributed ledgers")


def test_topic_of_a_user_is_kept(engine: Engine, make_record: RecordMaker) -> None:
    writer = Writer(engine, {})
    article = Article("a", "Ma Lan proposed tea.", session_year=2024)
    writer.write(article, [make_record(article, topics=("tea",))])
    assert ("tea", None, None) in in_store(engine)["topic"]


@pytest.mark.parametrize("name", FILTERS)
def test_filter_takes_the_right_records(filled: Engine, name: str) -> None:
    selection, fits = FILTERS[name]
    with snapshot(filled) as connection:
        everything = list(stored_records(connection))
        found = list(stored_records(connection, selection))
    assert found == [record for record in everything if fits(record)]
    assert {row[0] for row in in_store(filled, selection)["proposal"]} == {record.record_id for record in found}
    assert {row[0] for row in in_store(filled, selection)["v_records"]} == {record.record_id for record in found}


@pytest.mark.parametrize("name", FILTERS)
def test_filtered_rows_hang_together(filled: Engine, name: str) -> None:
    found = in_store(filled, FILTERS[name][0])
    for relation in tables.TABLES:
        columns = [column.name for column in relation.fields]
        for column, table, target in relation.foreign_keys:
            at = [field.name for field in next(r for r in RELATIONS if r.name == table).fields].index(target)
            values = {row[columns.index(column)] for row in found[relation.name]} - {None}
            assert values <= {row[at] for row in found[table]}, (relation.name, column)


@pytest.mark.parametrize("target", READERS)
@pytest.mark.parametrize("name", ["topic", "body", "several", "none"])
def test_views_of_a_filtered_export_agree(filled: Engine, name: str, target: str, tmp_path: Path) -> None:
    # Databases compute them from the filtered tables, folders from the store: the same must come out.
    selection = FILTERS[name][0]
    export_store(filled, target, str(tmp_path / "out"), selection)
    found, expected = READERS[target](tmp_path / "out"), in_store(filled, selection)
    if target == "sqlite":
        # The file is a store, and says of articles which lack records that they are to be read again.
        found["article"], expected["article"] = (without_provenance(rows["article"]) for rows in (found, expected))
    assert found == expected


def test_filter_keeps_articles_without_records_where_it_asks_nothing_of_records(filled: Engine) -> None:
    assert {row[0] for row in in_store(filled, Selection(session_years=(2022,)))["article"]} == {"a0", "empty"}
    chosen = Selection(session_years=(2022,), stances=("regulate",))
    assert {row[0] for row in in_store(filled, chosen)["article"]} == {"a0"}


def test_unknown_topic_is_named(filled: Engine, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="tea: no such topic; there are: agriculture-rural"):
        export_store(filled, "jsonl", str(tmp_path / "out"), Selection(topics=("tea",)))


# Text


def test_formula_stays_data_and_is_documented(nasty: Engine, tmp_path: Path) -> None:
    export_store(nasty, "csv", str(tmp_path / "out"))
    titles = {row[2] for row in from_csv(tmp_path / "out")["article"]}
    assert titles == set(NASTY)
    note = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))["description"]
    assert "= + - or @" in note


@pytest.mark.parametrize(
    ("target", "kept"), [("csv", "a�b"), ("parquet", "a\0b"), ("duckdb", "a\0b"), ("sqlite", "a\0b")]
)
def test_nul(nasty: Engine, tmp_path: Path, target: str, kept: str) -> None:
    with_nul(nasty)
    export_store(nasty, target, str(tmp_path / "out"))
    assert kept in {row[2] for row in READERS[target](tmp_path / "out")["article"]}


# Data packages


@pytest.mark.parametrize("target", FOLDERS)
@pytest.mark.parametrize("store", ["filled", "nasty", "engine"])
def test_frictionless_accepts_the_package(
    target: str, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine = request.getfixturevalue(store)
    export_store(engine, target, str(tmp_path / "out"))
    report = frictionless.validate(str(tmp_path / "out" / "datapackage.json"))
    assert report.valid, report.flatten(["title", "type", "message"])
    counts = {task.name: task.stats.get("rows") or 0 for task in report.tasks}
    expected = in_store(engine)
    assert counts == {name: len(expected[name]) for name in names()}


@pytest.mark.parametrize("target", FOLDERS)
@pytest.mark.parametrize("name", ["several", "none"])
def test_frictionless_accepts_a_part_of_the_store(filled: Engine, tmp_path: Path, name: str, target: str) -> None:
    selection = FILTERS[name][0]
    export_store(filled, target, str(tmp_path / "out"), selection)
    report = frictionless.validate(str(tmp_path / "out" / "datapackage.json"))
    assert report.valid, report.flatten(["title", "type", "message"])
    counts = {task.name: task.stats.get("rows") or 0 for task in report.tasks}
    expected = in_store(filled, selection)
    assert counts == {name: len(expected[name]) for name in names()}


def test_frictionless_sees_a_damaged_file(filled: Engine, tmp_path: Path) -> None:
    export_store(filled, "csv", str(tmp_path / "out"))
    path = tmp_path / "out" / "span.csv"
    path.write_bytes(path.read_bytes().replace(b"\r\n", b",9\r\n", 2))
    assert not frictionless.validate(str(tmp_path / "out" / "datapackage.json")).valid


def test_package_says_what_was_selected(filled: Engine, tmp_path: Path) -> None:
    export_store(filled, "csv", str(tmp_path / "out"), Selection(session_years=(2022,), min_score=0.5))
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["twosessions"]["filters"] == {"session_years": [2022], "min_score": 0.5}


# DuckDB and SQLite


def test_duckdb_file_is_of_the_storage_version(filled: Engine, tmp_path: Path) -> None:
    export_store(filled, "duckdb", str(tmp_path / "out.duckdb"))
    # Bytes 12 to 19 of the main header: 65 is what DuckDB 1.2 writes and reads.
    header = (tmp_path / "out.duckdb").read_bytes()[:20]
    assert (header[8:12], int.from_bytes(header[12:], "little")) == (b"DUCK", 65)
    with duckdb.connect(str(tmp_path / "out.duckdb"), read_only=True) as connection:
        comments = connection.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'proposal' AND column_name = 'score'"
        ).fetchall()
    assert comments == [("calibrated probability that the record is right",)]


def test_exported_sqlite_file_is_a_store(filled: Engine, tmp_path: Path, make_record: RecordMaker) -> None:
    export_store(filled, "sqlite", str(tmp_path / "out.db"))
    assert [path.name for path in tmp_path.glob("out.db*")] == ["out.db"]
    again = open_store(f"sqlite:///{tmp_path / 'out.db'}")
    with filled.connect() as old, again.connect() as new:
        assert list(stored_records(new)) == list(stored_records(old))
    writer = Writer(again, {})
    article = Article("c", "Ma Lan proposed tea.", session_year=2024)
    writer.write(article, [make_record(article)])
    again.dispose()


def test_run_into_a_filtered_sqlite_file_brings_back_what_is_missing(
    engine: Engine, tmp_path: Path, make_record: RecordMaker
) -> None:
    part, whole = (Article(name, "Ma Lan proposed tea and rice.", session_year=2024) for name in ("part", "whole"))
    records = {
        part.id: [make_record(part, topics=("health",), span=(16, 19)), make_record(part, span=(24, 28))],
        whole.id: [make_record(whole, span=(16, 19))],
    }
    writer = Writer(engine, {"en": "one"})
    for article in (part, whole):
        writer.write(article, records[article.id])
    writer.finish()
    export_store(engine, "sqlite", str(tmp_path / "out.db"), Selection(topics=("education",)))
    again = open_store(f"sqlite:///{tmp_path / 'out.db'}")
    writer = Writer(again, {"en": "one"})
    assert not writer.holds(part)
    assert writer.holds(whole)
    writer.write(part, records[part.id])
    assert writer.holds(part)
    writer.finish()
    with engine.connect() as old, again.connect() as new:
        assert {r.record_id for r in stored_records(new)} == {r.record_id for r in stored_records(old)}
    again.dispose()


def test_sqlite_file_of_some_years_holds_its_articles_as_they_are(filled: Engine, tmp_path: Path) -> None:
    selection = Selection(session_years=(2022,), since_run=1)
    export_store(filled, "sqlite", str(tmp_path / "out.db"), selection)
    assert READERS["sqlite"](tmp_path / "out.db") == in_store(filled, selection)


def test_every_selectable_thing_is_exported(engine: Engine) -> None:
    with engine.connect() as connection:
        there = set(sa.inspect(connection).get_table_names()) | set(sa.inspect(connection).get_view_names())
    assert there - {"meta"} == set(names())
