"""Exports are whole or not there, whatever happens to them, and of one moment of the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from conftest import RecordMaker
from exports import FILES, FOLDERS, READERS, ROOT, fill, from_csv, in_store
from sqlalchemy.engine import Engine

from pipeline.export import ExportError, export_store, exportable
from pipeline.exporters import atomic
from pipeline.schema import Article
from pipeline.selection import Selection
from pipeline.store import Writer, open_store
from pipeline.views import RELATIONS


@pytest.fixture
def filled(engine: Engine, make_record: RecordMaker) -> Engine:
    """A small store."""
    fill(engine, make_record)
    return engine


def contents(place: Path) -> dict[str, bytes]:
    if place.is_file():
        return {"": place.read_bytes()}
    return {path.name: path.read_bytes() for path in place.iterdir()}


@pytest.mark.parametrize("target", [*FILES, *FOLDERS])
def test_killed_export_leaves_the_old_one_whole(filled: Engine, tmp_path: Path, target: str) -> None:
    place = tmp_path / "feeds" / "out"
    place.parent.mkdir()
    export_store(filled, target, str(place), Selection(session_years=(2022,)))
    before = contents(place)
    # Stops for ever after the first rows are out, in the middle of the export.
    script = textwrap.dedent("""
        import sys, time
        from pipeline.export import existing_store, export_store
        def tick(name, rows):
            if name in ("proposal", "records"):
                print("half-way", flush=True)
                time.sleep(600)
        export_store(existing_store(sys.argv[1]), sys.argv[2], sys.argv[3], progress=lambda total: tick)
    """)
    command = [sys.executable, "-c", script, filled.url.render_as_string(), target, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert contents(place) == before
    assert len(list(place.parent.iterdir())) == 2, "what the killed one left"
    export_store(filled, target, str(place))
    assert [path.name for path in place.parent.iterdir()] == ["out"], "the next one sweeps it away"
    assert contents(place) != before


@pytest.mark.parametrize("target", [*FILES, *FOLDERS])
def test_failed_export_leaves_the_old_one_whole(filled: Engine, tmp_path: Path, target: str) -> None:
    place = tmp_path / "feeds" / "out"
    place.parent.mkdir()
    export_store(filled, target, str(place))
    before = contents(place)

    def fail(name: str, rows: int) -> None:
        if name in ("proposal", "records"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_store(filled, target, str(place), progress=lambda total: fail)
    assert contents(place) == before
    assert [path.name for path in place.parent.iterdir()] == ["out"]


def test_reader_never_misses_the_folder(filled: Engine, tmp_path: Path) -> None:
    place = tmp_path / "out"
    export_store(filled, "csv", str(place))
    done = threading.Event()
    missed = []

    def look() -> None:
        while not done.is_set():
            if not (place / "datapackage.json").exists():
                missed.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for _ in range(5):
            export_store(filled, "csv", str(place))
    finally:
        done.set()
        reader.join()
    if sys.platform == "linux":
        assert not missed


def test_folder_is_replaced_where_the_system_cannot_exchange(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_exchange", lambda first, second: False)
    export_store(filled, "csv", str(tmp_path / "out"), Selection(session_years=(2022,)))
    export_store(filled, "csv", str(tmp_path / "out"))
    assert from_csv(tmp_path / "out") == in_store(filled)


def test_two_exports_at_once_leave_each_other_alone(filled: Engine, tmp_path: Path) -> None:
    with atomic.whole_file(tmp_path / "out") as first:
        first.write_text("one")
        with atomic.whole_file(tmp_path / "out") as second:
            second.write_text("two")
        assert first.exists()
    assert (tmp_path / "out").read_text() == "one"


@pytest.mark.parametrize("target", FOLDERS)
def test_folder_with_other_things_is_never_replaced(filled: Engine, tmp_path: Path, target: str) -> None:
    place = tmp_path / "out"
    place.mkdir()
    (place / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportError, match="no earlier export"):
        export_store(filled, target, str(place))
    (place / "thesis.txt").unlink()
    export_store(filled, target, str(place))
    (place / "notes.txt").write_text("more work")
    with pytest.raises(ExportError, match=r"holds notes\.txt beside"):
        export_store(filled, target, str(place))
    assert (place / "notes.txt").read_text() == "more work"
    (place / "notes.txt").unlink()
    (place / "datapackage.json").write_text('{"name": "theirs", "resources": []}')
    with pytest.raises(ExportError, match="somebody else's"):
        export_store(filled, target, str(place))


def test_the_store_itself_is_no_destination(filled: Engine) -> None:
    with pytest.raises(ExportError, match="the store itself"):
        export_store(filled, "sqlite", str(filled.url.database))


@pytest.mark.parametrize(("target", "suffix"), [("sqlite", "-wal"), ("sqlite", "-journal"), ("duckdb", ".wal")])
def test_database_in_use_is_not_replaced(filled: Engine, tmp_path: Path, target: str, suffix: str) -> None:
    (tmp_path / f"out.db{suffix}").touch()
    with pytest.raises(ExportError, match="in use"):
        export_store(filled, target, str(tmp_path / "out.db"))
    assert not (tmp_path / "out.db").exists()


@pytest.mark.parametrize("target", FILES)
def test_folder_is_no_file(filled: Engine, tmp_path: Path, target: str) -> None:
    with pytest.raises(ExportError, match="name a file"):
        export_store(filled, target, str(tmp_path))


@pytest.mark.parametrize("target", FILES)
def test_pipe_is_not_replaced(filled: Engine, tmp_path: Path, target: str) -> None:
    os.mkfifo(tmp_path / "out")
    with pytest.raises(ExportError, match="out: no regular file; for standard output use -"):
        export_store(filled, target, str(tmp_path / "out"))
    assert (tmp_path / "out").is_fifo()


@pytest.mark.parametrize("target", [*FILES, *FOLDERS])
def test_link_stays_and_what_it_leads_to_is_replaced(filled: Engine, tmp_path: Path, target: str) -> None:
    link, real = tmp_path / "link", tmp_path / "feeds" / "real"
    real.parent.mkdir()
    link.symlink_to("feeds/real")
    # At first there is nothing yet where the link leads to.
    export_store(filled, target, str(link), Selection(session_years=(2022,)))
    before = contents(real)
    export_store(filled, target, str(link))
    assert link.is_symlink()
    assert contents(real) != before
    assert [path.name for path in real.parent.iterdir()] == ["real"]


@pytest.mark.parametrize("target", FILES)
def test_link_is_called_as_the_user_calls_it(filled: Engine, tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "no" / "out")
    with pytest.raises(ExportError, match=rf"^{tmp_path}/link: there is no folder {tmp_path}/no$"):
        export_store(filled, target, str(tmp_path / "link"))


def test_database_in_use_behind_a_link_is_not_replaced(filled: Engine, tmp_path: Path) -> None:
    (tmp_path / "real.db-wal").touch()
    (tmp_path / "link").symlink_to("real.db")
    with pytest.raises(ExportError, match=r"link: a database in use \(real\.db-wal is beside it\)"):
        export_store(filled, "sqlite", str(tmp_path / "link"))


@pytest.mark.parametrize("target", [*FILES, *FOLDERS])
@pytest.mark.parametrize("name", ["what?.sqlite", "50%25.sqlite", "a#b &c='d'.sqlite", "两会.sqlite"])
def test_odd_name(filled: Engine, tmp_path: Path, target: str, name: str) -> None:
    place = tmp_path / "feeds" / name
    place.parent.mkdir()
    if target == "duckdb" and "?" in name:
        with pytest.raises(ExportError, match=r"what\?\.sqlite: DuckDB can't write to a path with a question mark"):
            export_store(filled, target, str(place))
        assert os.listdir(place.parent) == []
        return
    export_store(filled, target, str(place))
    assert os.listdir(place.parent) == [name]
    if target in READERS:
        assert READERS[target](place) == in_store(filled)


@pytest.mark.parametrize("target", FOLDERS)
def test_file_is_no_folder(filled: Engine, tmp_path: Path, target: str) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(ExportError, match="writes a folder"):
        export_store(filled, target, str(tmp_path / "out"))


@pytest.mark.parametrize("target", FOLDERS)
def test_the_folder_one_stands_in_is_not_replaced(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ExportError, match="name a new folder"):
        export_store(filled, target, ".")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("target", [*FILES, *FOLDERS])
def test_missing_parent_is_named(filled: Engine, tmp_path: Path, target: str) -> None:
    with pytest.raises(ExportError, match="there is no folder"):
        export_store(filled, target, str(tmp_path / "no" / "out"))


# One moment of the store


def test_rows_written_meanwhile_are_not_in_the_snapshot(filled: Engine, make_record: RecordMaker) -> None:
    before = in_store(filled)
    article = Article("later", "Ma Lan proposed tea.", session_year=2024, outlet="New")
    relations = iter(RELATIONS)
    with exportable(filled) as source:
        first = next(relations)
        found = {first.name: {tuple(row) for batch in source.batches(first) for row in batch}}
        writer = Writer(filled, {"en": "three"})
        writer.write(article, [make_record(article, name="Somebody New", topics=("tea",))])
        writer.finish()
        for relation in relations:
            found[relation.name] = {tuple(row) for batch in source.batches(relation) for row in batch}
        assert all(record.document_id != "later" for record in source.records())
    assert found == before
    assert in_store(filled) != before


@pytest.mark.parametrize("target", READERS)
def test_export_while_a_run_writes_is_consistent(
    engine: Engine, tmp_path: Path, make_record: RecordMaker, target: str
) -> None:
    other = open_store(engine.url.render_as_string())
    writer = Writer(other, {})
    stop = threading.Event()
    writes: list[int] = []

    def write() -> None:
        while not stop.is_set():
            # New articles, and old ones in place of themselves.
            number = len(writes)
            article = Article(f"a{number % 40}", f"Ma Lan proposed {number}.", session_year=2024)
            writer.write(article, [make_record(article), make_record(article, name="Wu Jun")])
            writes.append(number)

    run = threading.Thread(target=write)
    run.start()
    try:
        while not writes and run.is_alive():
            time.sleep(0.01)
        before = len(writes)
        assert before
        for number in range(3):
            place = tmp_path / f"out{number}"
            export_store(engine, target, str(place))
            found = READERS[target](place)
            articles = {row[0] for row in found["article"]}
            assert len(found["proposal"]) == 2 * len(articles)
            assert len(found["span"]) == len(found["proposal_topic"]) == len(found["proposal"])
            assert {row[3] for row in found["proposal"]} == articles
            assert len(found["v_records"]) == len(found["proposal"])
            assert articles
        assert len(writes) > before, "nothing was written meanwhile"
    finally:
        stop.set()
        run.join()
        other.dispose()
