"""`twosessions export`: its options, its errors, its progress bar."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import RecordMaker
from exports import READERS, ROOT, fill
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.commands.export import BodyName, StanceName, TargetName
from pipeline.export import TARGETS, ExportError, export_store
from pipeline.schema import BODIES, STANCES


@pytest.fixture
def filled(engine: Engine, make_record: RecordMaker) -> Engine:
    """A small store."""
    fill(engine, make_record)
    return engine


def url(engine: Engine) -> str:
    return engine.url.render_as_string()


def test_command_names_agree_with_the_code() -> None:
    assert tuple(TARGETS) == tuple(name.value for name in TargetName)
    assert tuple(name.value for name in StanceName) == STANCES
    assert tuple(name.value for name in BodyName) == BODIES


def test_command_with_every_filter(filled: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = CliRunner().invoke(
        app,
        [
            "export", "--to", "jsonl", str(out), "--store", url(filled), "--session-year", "2022", "--session-year",
            "2023", "--topic", "transport", "--stance", "regulate", "--body", "local", "--min-score", "0.9",
            "--since-run", "1",
        ],
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, f"{out}: 2 records\n")
    assert {json.loads(line)["document_id"] for line in out.read_text().splitlines()} == {"a0", "a1"}


def test_command_prints_jsonl_to_standard_output(filled: Engine) -> None:
    result = CliRunner().invoke(app, ["export", "--to", "jsonl", "-", "--store", url(filled)])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 7


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--to", "jsonl", "{tmp}/o", "--store", "sqlite:///{tmp}/no.db"], 2, "there is no such store"),
        (["--to", "jsonl", "{tmp}/o", "--store", "nonsense"], 2, "not a database address"),
        (["--to", "jsonl", "{tmp}/o", "--store", "postgresql://u:pass@h:x/d"], 2, "//u:***@h:x/d: not a database"),
        (["--to", "jsonl", "{tmp}/no/o", "--store", "{url}"], 1, "there is no folder"),
        (["--to", "jsonl", "{tmp}/o", "--store", "{url}", "--topic", "tea"], 1, "no such topic"),
        (["--to", "postgres", "nonsense", "--store", "{url}"], 1, "not a database address"),
        (["--to", "postgres", "postgresql://u:pass@h:x/d", "--store", "{url}"], 1, "//u:***@h:x/d: not a database"),
        (["--to", "postgres", "mysql://u@h/d", "--store", "{url}"], 1, "not PostgreSQL"),
        (["--to", "xlsx", "{tmp}/o", "--store", "{url}"], 2, "xlsx"),
    ],
)
def test_command_errors(filled: Engine, tmp_path: Path, arguments: list[str], status: int, message: str) -> None:
    filledin = [argument.format(tmp=tmp_path, url=url(filled)) for argument in arguments]
    result = CliRunner().invoke(app, ["export", *filledin])
    assert (result.exit_code, message in result.stderr) == (status, True), result.stderr
    assert not (tmp_path / "no.db").exists(), "a mistyped store must not be made"


@pytest.mark.parametrize(("target", "module"), [("parquet", "pyarrow"), ("duckdb", "duckdb"), ("postgres", "psycopg")])
def test_missing_library_names_the_extra(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    destination = "postgresql://nobody@localhost/none" if target == "postgres" else str(tmp_path / "out")
    with pytest.raises(ExportError, match=rf"--to {target} needs {module}.*two-sessions\[export\]"):
        export_store(filled, target, destination)


def test_help_is_light() -> None:
    script = (
        "import sys\nfrom pipeline.cli import app\n"
        "try: app(['export', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'spacy', 'duckdb', 'pyarrow', 'psycopg', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def test_progress_counts_to_the_end(filled: Engine, tmp_path: Path) -> None:
    for target in READERS | {"jsonl": None}:
        seen: dict[str, int] = {"total": 0, "rows": 0}

        def start(total: int, seen: dict[str, int] = seen) -> Callable[[str, int], None]:
            seen["total"] = total

            def tick(name: str, rows: int) -> None:
                seen["rows"] += rows

            return tick

        export_store(filled, target, str(tmp_path / target), progress=start)
        assert seen["total"] == seen["rows"] > 0


def test_progress_bar_on_a_terminal(filled: Engine, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = [
        sys.executable, "-c", "from pipeline.cli import main; main()", "export", "--to", "csv", str(tmp_path / "out"),
        "--store", url(filled),
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=theirs, cwd=ROOT, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(theirs)
        shown = b"".join(_read_all(ours))
    assert process.returncode == 0
    assert b"7 records" in shown
    assert "━".encode() in shown


def _read_all(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            block = os.read(descriptor, 4096)
        except OSError:
            return
        if not block:
            return
        yield block
