"""The command from end to end, with the rule pipeline."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from click.testing import Result
from conftest import ROOT
from typer.testing import CliRunner

from pipeline import __version__, read
from pipeline.build import load_pipeline
from pipeline.cli import app
from pipeline.schema import stable_hash
from pipeline.stage import ModelFileError
from pipeline.store import open_store
from pipeline.topics import topic_table

RULES = ("--model", "en-rules")
TEXT = "Ma Lan, an NPC deputy and mayor of Linhai, proposed that schools be open on Sundays.\n"
OTHER = "CPPCC member and chairman of Harbour Group, Wu Bo: Support blockchain in all the ports of the coast.\n"
CHINESE = "马兰代表建议，支持学校在星期日上午开放，并尽快完善相关法律法规，加强对未成年人的保护。"
RAW = ROOT / "data" / "raw"


def call(*args: object, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    """Return the decoded output; anything but JSON objects, one a line, is an error."""
    assert result.stdout == "" or result.stdout.endswith("\n")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(isinstance(value, dict) for value in found)
    return found


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with two good articles."""
    folder = tmp_path / "coverage"
    folder.mkdir()
    (folder / "2022-a.txt").write_text(TEXT, encoding="utf-8")
    (folder / "2022-z.md").write_text(OTHER, encoding="utf-8")
    return folder


@pytest.fixture
def mixed(good: Path) -> Path:
    """The same folder with all that can be wrong between the good ones."""
    (good / "broken-link.txt").symlink_to(good / "gone.txt")
    (good / "chinese.txt").write_text(CHINESE, encoding="gb18030")
    (good / "empty.txt").write_bytes(b"")
    (good / "image.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
    (good / "oversized.txt").write_text(TEXT * 700, encoding="utf-8")
    (good / "table.xlsx").write_bytes(b"PK\3\4")
    (good / "unreadable.txt").write_text(TEXT, encoding="utf-8")
    return good


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make files named unreadable so, for root too."""
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.stem == "unreadable":
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(read.Path, "read_bytes", refuse)
    return


EXPECTED_FAILURES = {
    "broken-link.txt": "there is no such file or folder",
    "chinese": "in Chinese; there is no model for it",
    "empty.txt": "empty",
    "image.txt": "binary, not text",
    "oversized.txt": "0.1 MB; the limit is 0.05 MB (--max-megabytes)",
    "table.xlsx": "'.xlsx' is no type that is read here",
    "unreadable.txt": "permission denied",
}


def assert_failures_are_named(stderr: str) -> None:
    found = [line.split(": ", 1) for line in stderr.splitlines()]
    assert {Path(source).name for source, _ in found} == set(EXPECTED_FAILURES)
    for source, reason in found:
        assert reason.startswith(EXPECTED_FAILURES[Path(source).name])


# --- extract ---


def test_extract_prints_the_contract(good: Path) -> None:
    result = call("extract", good, *RULES)
    assert result.exit_code == 0
    assert result.stderr == ""
    schema = json.loads(call("schema").stdout)
    found = lines(result)
    assert [value["delegate"]["name"] for value in found] == ["Ma Lan", "Wu Bo"]
    for value, text in zip(found, (TEXT, OTHER), strict=True):
        jsonschema.validate(value, schema)
        for piece in (*value["proposal"]["spans"], *value["delegate"]["mentions"]):
            assert piece["text"] == text[piece["start"] : piece["end"]]
        for role in value["delegate"]["roles"]:
            assert role["title"] == text[role["start"] : role["end"]]
        assert value["document"]["session_year"] == 2022
        assert value["provenance"]["pipeline"] == __version__
        assert list(value["provenance"]["models"]) == ["en"]


def test_extract_of_the_samples_fits_the_schema() -> None:
    result = call("extract", RAW, *RULES)
    assert (result.exit_code, result.stderr) == (0, "")
    validator = jsonschema.Draft202012Validator(json.loads(call("schema").stdout))
    found = lines(result)
    assert len(found) > 30
    for value in found:
        validator.validate(value)
    assert len({value["record_id"] for value in found}) == len(found)


def test_extract_is_the_same_twice(good: Path) -> None:
    assert call("extract", good, *RULES).stdout == call("extract", good, *RULES).stdout


def test_extract_keeps_non_ascii_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT.replace("Sundays", "Sundays – “gratis”"), encoding="utf-8")
    assert "“gratis”" in call("extract", path, *RULES).stdout


def test_extract_of_an_article_without_proposals_prints_nothing() -> None:
    result = call("extract", RAW / "2019-how-motions-travel-background.txt", *RULES)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.usefixtures("locked")
def test_extract_goes_on_past_bad_files(mixed: Path) -> None:
    result = call("extract", mixed, *RULES, "--max-megabytes", "0.05")
    assert result.exit_code == 1
    assert [value["document_id"] for value in lines(result)] == ["2022-a", "2022-z"]
    assert_failures_are_named(result.stderr)


def test_limit_is_an_option(mixed: Path) -> None:
    path = mixed / "oversized.txt"
    assert call("extract", path, *RULES, "--max-megabytes", "0.05").exit_code == 1
    assert call("extract", path, *RULES).exit_code == 0


def test_extract_reads_standard_input() -> None:
    result = call("extract", "-", *RULES, stdin=TEXT.encode())
    assert result.exit_code == 0
    (value,) = lines(result)
    assert (value["document_id"], value["delegate"]["name"]) == (f"stdin-{stable_hash(TEXT)[:8]}", "Ma Lan")


def test_extract_reads_lines_from_standard_input() -> None:
    article = {"id": "x1", "text": TEXT, "outlet": "Gazette", "published": "2021-03-05"}
    result = call("extract", "-", *RULES, stdin=(json.dumps(article) + "\n{bad\n").encode())
    assert result.exit_code == 1
    assert result.stderr.startswith("standard input:2: not JSON")
    (value,) = lines(result)
    assert value["document"] == {
        "title": None, "outlet": "Gazette", "url": None, "published": "2021-03-05", "lang": "en", "session_year": 2021,
    }  # fmt: skip


def test_empty_standard_input_is_a_failure() -> None:
    result = call("extract", "-", *RULES, stdin=b"")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "standard input: empty\n")


def test_line_ends_count_in_the_offsets(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"A title\r\n\r\nBEIJING, March 5, 2022\r\n" + TEXT.encode())
    (value,) = lines(call("extract", path, *RULES))
    (span,) = value["proposal"]["spans"]
    assert path.read_bytes().decode()[span["start"] : span["end"]] == span["text"] == "schools be open on Sundays."


def test_article_that_comes_twice_is_printed_once(good: Path) -> None:
    once = call("extract", good, *RULES)
    assert call("extract", good, good / "2022-a.txt", *RULES).stdout == once.stdout


def test_records_below_a_score_can_be_left_out(good: Path) -> None:
    scores = sorted(value["score"] for value in lines(call("extract", good, *RULES)))
    assert scores[0] < scores[1]
    result = call("extract", good, *RULES, "--min-score", scores[1])
    assert [value["score"] for value in lines(result)] == scores[1:]


def test_language_can_be_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": TEXT, "lang": "zh"}), encoding="utf-8")
    assert call("extract", path, *RULES).exit_code == 1
    assert len(lines(call("extract", path, *RULES, "--lang", "en"))) == 1


# --- run ---


def test_run_fills_the_store_and_sums_up(good: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    result = call("run", good, *RULES, "--store", url)
    assert (result.exit_code, result.stderr) == (0, "")
    words = " ".join(result.stdout.split())
    assert "2 in the store; this run wrote 2, left 0 as is" in words
    assert "records 2" in words
    assert "blockchain" in words
    again = call("run", good, *RULES, "--store", url)
    assert "2 in the store; this run wrote 0, left 2 as is" in " ".join(again.stdout.split())
    with sa.create_engine(url).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM proposal")) == 2
        assert connection.scalar(sa.text("SELECT count(*) FROM run")) == 2


@pytest.mark.usefixtures("locked")
def test_run_goes_on_past_bad_files(mixed: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    result = call("run", mixed, *RULES, "--store", url, "--max-megabytes", "0.05")
    assert result.exit_code == 1
    assert_failures_are_named(result.stderr)
    assert f"failures {len(EXPECTED_FAILURES)}, each named above" in " ".join(result.stdout.split())
    with sa.create_engine(url).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM article")) == 2
        assert connection.scalar(sa.text("SELECT count(*) FROM failure")) == len(EXPECTED_FAILURES)


def test_run_keeps_all_that_standard_input_gave(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    unnamed = json.dumps({"text": TEXT + " It rained."})
    for text in (TEXT, OTHER, unnamed):
        assert call("run", "-", *RULES, "--store", url, stdin=text.encode()).exit_code == 0
    with sa.create_engine(url).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM article")) == 3


def test_run_with_another_least_score_processes_again(good: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    assert "records 0" in " ".join(call("run", good, *RULES, "--store", url, "--min-score", "1").stdout.split())
    words = " ".join(call("run", good, *RULES, "--store", url).stdout.split())
    assert "this run wrote 2, left 0 as is" in words
    assert "records 2" in words


def test_names_of_bad_files_reach_the_terminal_as_symbols(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m\nb.txt").write_bytes(b"")
    assert call("extract", tmp_path, *RULES).stderr == f"{tmp_path}/a␛[31m␊b.txt: empty\n"


def test_model_that_cannot_be_loaded_is_named(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise ModelFileError("models/en: --runtime torch needs PyTorch")

    monkeypatch.setattr("pipeline.build.load_pipeline", load)
    result = call("extract", good, "--runtime", "torch")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "models/en: --runtime torch needs PyTorch\n")


def test_run_prints_a_table_of_the_records(good: Path, tmp_path: Path) -> None:
    result = call("run", good, *RULES, "--store", f"sqlite:///{tmp_path / 's.db'}", "--table")
    assert "mayor, Linhai" in result.stdout
    assert "chairman, Harbour Group" in result.stdout


def test_run_refuses_a_store_it_cannot_open(good: Path, tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("no database " * 100)
    for url in (f"sqlite:///{tmp_path / 's.db'}", "sqlite:////no/such/folder/s.db", "nonsense"):
        result = call("run", good, *RULES, "--store", url)
        assert (result.exit_code, result.stdout) == (2, "")
        assert url in result.stderr


def test_run_says_that_a_store_cannot_be_written(good: Path, tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path / 's.db'}").dispose()
    url = f"sqlite:///file:{tmp_path / 's.db'}?mode=ro&uri=true"
    result = call("run", good, *RULES, "--store", url)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("sqlite:///file")
    assert line.endswith("mode=ro&uri=true: attempt to write a readonly database")


def test_run_counts_the_articles_without_a_session_year(good: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    assert "undated" not in call("run", good, *RULES, "--store", url).stdout
    (good / "undated.txt").write_text("Nothing is proposed here at all, and no day is named.\n", encoding="utf-8")
    words = " ".join(call("run", good, *RULES, "--store", url).stdout.split())
    assert "undated 1 of the articles in the store have no session year" in words


# --- inspect ---


def test_inspect_marks_the_text(good: Path) -> None:
    result = call("inspect", good / "2022-a.txt", *RULES)
    assert result.exit_code == 0
    assert TEXT.strip() in result.stdout
    assert "mayor, Linhai" in result.stdout


def test_inspect_writes_a_page(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = call("inspect", good / "2022-a.txt", *RULES, "--html", out)
    assert (result.exit_code, result.stdout.strip()) == (0, str(out))
    assert "PROPOSAL" in out.read_text(encoding="utf-8")


def test_inspect_says_where_it_cannot_write(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "no" / "page.html"
    result = call("inspect", good / "2022-a.txt", *RULES, "--html", out)
    assert result.exit_code == 2
    assert result.stderr == f"{out}: no such file or directory\n"


@pytest.fixture
def two_lines(tmp_path: Path) -> Path:
    """A file of two articles."""
    path = tmp_path / "two.jsonl"
    values = ({"id": "a", "text": TEXT}, {"id": "b/c", "text": OTHER})
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


@pytest.mark.parametrize("there", [True, False])
def test_inspect_writes_a_page_for_each_article(two_lines: Path, tmp_path: Path, there: bool) -> None:
    out = tmp_path / "pages"
    if there:
        out.mkdir()
    result = call("inspect", two_lines, *RULES, "--html", out)
    assert result.exit_code == 0
    pages = [Path(line) for line in result.stdout.splitlines()]
    assert pages == [out / "a.html", out / f"b-c-{stable_hash('b/c')[:8]}.html"]
    for page, name in zip(pages, ("Ma Lan", "Wu Bo"), strict=True):
        assert name in page.read_text(encoding="utf-8")


def test_inspect_writes_a_page_into_a_folder(good: Path, tmp_path: Path) -> None:
    result = call("inspect", good / "2022-a.txt", *RULES, "--html", tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / '2022-a.html'}\n")


def test_inspect_puts_no_page_in_the_place_of_another(two_lines: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("old")
    result = call("inspect", two_lines, *RULES, "--html", out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{out}: one page, and there are several articles; name a folder\n"
    assert out.read_text() == "old"


def test_inspect_of_a_bad_file(mixed: Path) -> None:
    result = call("inspect", mixed / "empty.txt", *RULES)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{mixed / 'empty.txt'}: empty\n"


def test_inspect_reads_standard_input() -> None:
    result = call("inspect", "-", *RULES, stdin=TEXT.encode())
    assert result.exit_code == 0
    assert "stdin" in result.stdout


# --- report ---


def test_password_of_a_store_is_not_shown(good: Path) -> None:
    address = "postgresql://user:secret@host:port/name"
    for args in (("run", good, *RULES, "--store", address), ("report", "--store", address)):
        result = call(*args)
        assert result.exit_code == 2
        assert result.stderr.startswith("postgresql://user:***@host:port/name: not a database address")


def test_report_of_an_empty_store_shows_no_password(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Served:
        """The empty store, as if a server held it."""

        url = sa.make_url("postgresql://user:secret@host/name")

        def __getattr__(self, name: str) -> Any:
            return getattr(engine, name)

    monkeypatch.setattr("pipeline.export.existing_store", lambda _: Served())
    result = call("report", "--store", "postgresql://user:secret@host/name", "--out", tmp_path / "report")
    assert result.exit_code == 0
    assert result.stderr.startswith("postgresql://user:***@host/name: holds no records yet")


# --- topics ---


@pytest.mark.parametrize("command", ["extract", "run", "inspect"])
def test_topic_that_the_model_does_not_know_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = load_pipeline("en-rules")
    stage = nlp.add_pipe("twosessions_classify")
    monkeypatch.setattr("pipeline.build.load_pipeline", lambda name, runtime=None: nlp)
    store = ("--store", f"sqlite:///{tmp_path / 's.db'}") if command == "run" else ()
    topics = [topic.label for topic in topic_table()]
    empty = "standard input: empty\n"
    stage.settings = {"topics": [topic for topic in topics if topic != "blockchain"]}  # type: ignore[attr-defined]
    line = "topic blockchain: the model en-rules does not know it; `twosessions train topics` teaches it\n"
    assert call(command, "-", *RULES, *store, stdin=b"").stderr == line + empty
    stage.settings = {"topics": topics}  # type: ignore[attr-defined]
    assert call(command, "-", *RULES, *store, stdin=b"").stderr == empty


# --- the README ---


def test_example_of_the_readme_is_true_to_the_character() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.search(r'From \*"(.+?)"\*:', readme)
    block = re.search(r"```json\n(.+?)```", readme, re.DOTALL)
    assert quoted
    assert block
    text, record = quoted[1], json.loads(block[1])
    pieces = [(span["text"], span) for span in (*record["delegate"]["mentions"], *record["proposal"]["spans"])]
    pieces += [(role["title"], role) for role in record["delegate"]["roles"]]
    assert [words for words, _ in pieces] == [text[place["start"] : place["end"]] for _, place in pieces]
    assert len(pieces) == 3
    jsonschema.validate(record, json.loads(call("schema").stdout))


# --- usage ---


def test_schema_is_a_json_schema() -> None:
    result = call("schema")
    assert result.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(result.stdout))


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["bogus"],
        ["extract"],
        ["extract", "--bogus", "x"],
        ["extract", str(RAW), "--lang", "xx"],
        ["extract", str(RAW), "--lang", "zh", *RULES],
        ["extract", str(RAW), "--model", "no-such-model"],
        ["extract", str(RAW), *RULES, "--min-score", "2"],
        ["extract", str(RAW), *RULES, "--max-megabytes", "0"],
        ["run"],
        ["inspect"],
    ],
    ids=" ".join,
)
def test_wrong_usage(args: list[str]) -> None:
    result = call(*args)
    assert result.exit_code == 2
    assert result.stderr or not args


def test_messages_of_wrong_usage_name_what_is_wrong() -> None:
    assert "--lang xx: there is no model for it; there is one for: en" in call("extract", RAW, "--lang", "xx").stderr
    assert "no-such-model" in call("extract", RAW, "--model", "no-such-model").stderr


def test_missing_path_is_a_failed_input() -> None:
    result = call("extract", "no/such.txt", *RULES)
    assert (result.exit_code, result.stderr) == (1, "no/such.txt: there is no such file or folder\n")


def test_version() -> None:
    assert call("--version").stdout.strip() == __version__


@pytest.mark.parametrize("module", ["pipeline", "pipeline.cli"])
def test_runs_as_a_module(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{__version__}\n", "")


HELP = """
import sys
from pipeline.cli import app
for args in (["--help"], ["extract", "--help"], ["run", "--help"], ["inspect", "--help"], ["schema", "--help"]):
    try:
        app(args)
    except SystemExit as stop:
        assert not stop.code, (args, stop.code)
heavy = {"spacy", "torch", "numpy", "sqlalchemy", "onnxruntime", "transformers", "trafilatura", "sklearn"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "who proposes what" in done.stdout


def test_reader_of_the_pipe_may_leave() -> None:
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "extract", *[str(RAW)] * 3, *RULES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        json.loads(process.stdout.readline())
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert process.returncode == 0
    assert errors == ""
