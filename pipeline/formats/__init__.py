"""The formats of annotators' tools, one module each: `read(path, labels)` and `write(articles, path)`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ..corpus import CorpusError, files_in

#: Name of a format → its module.
FORMATS = {
    "xml": "authored",
    "jsonl": "compiled",
    "label-studio": "label_studio",
    "prodigy": "prodigy",
    "doccano": "doccano",
    "brat": "brat",
    "iob": "iob",
    "docbin": "docbin",
}

_IOB_SUFFIXES = frozenset({".iob", ".iob2", ".conll", ".bio", ".bmes", ".tsv"})
_SUFFIXES = {".xml": "xml", ".ann": "brat", ".json": "label-studio", ".spacy": "docbin"}


def format_module(name: str) -> ModuleType:
    """Return the module of a format; raise `CorpusError` that lists them for a name that is none."""
    if name not in FORMATS:
        raise CorpusError(f"no format {name!r}; there is: {', '.join(FORMATS)}")
    return import_module(f".{FORMATS[name]}", __name__)


def guess_format(path: Path) -> str:
    """Return the format of a file or folder, from its suffixes and the first line of its content.

    A brat export keeps `.txt` and `.json` files beside its `.ann` files, and a compiled corpus keeps DocBins beside
    its JSONL: these companions don't count. Raises `CorpusError` where nothing fits or several formats are mixed.
    """
    if not path.exists():
        raise CorpusError(f"{path}: there is no such file or folder")
    if path.is_file():
        found = _guess_file(path)
        if found is None:
            raise CorpusError(f"{path}: can't tell its format; name one of: {', '.join(FORMATS)}")
        return found
    files = files_in(path)
    suffixes = {file.suffix.lower() for file in files}
    if ".ann" in suffixes:
        return "brat"
    formats = {guess for file in files if (guess := _guess_file(file))}
    if "jsonl" in formats:
        formats.discard("docbin")
    if len(formats) != 1:
        what = f"holds several formats ({', '.join(sorted(formats))})" if formats else "holds no annotated file"
        raise CorpusError(f"{path}: {what}; name one of: {', '.join(FORMATS)}")
    return formats.pop()


def _guess_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if suffix in _IOB_SUFFIXES:
        return "iob"
    if suffix in (".jsonl", ".ndjson"):
        return _guess_lines(path)
    if suffix == ".txt":
        if path.with_suffix(".ann").exists():
            return "brat"
        lines = [columns_of(line) for line in _head(path) if line.strip() and not line.startswith("#")]
        tagged = [words for words in lines if len(words) >= 2 and (words[-1] == "O" or words[-1][1:2] == "-")]
        return "iob" if lines and len(tagged) == len(lines) else None
    return None


def columns_of(line: str) -> list[str]:
    """Return the columns of a line of tagged words: tabs part them where there is one, or else spaces.

    Not `split()`: U+2028 and the like may be a word of their own.
    """
    line = line.rstrip(" \t\r\n")
    return line.split("\t") if "\t" in line else re.split(" +", line.lstrip(" "))


def _guess_lines(path: Path) -> str | None:
    line = next((line for line in _head(path) if line.strip()), "")
    try:
        first = json.loads(line)
    except ValueError:
        return None
    if not isinstance(first, dict):
        return None
    if {"mentions", "statements"} <= set(first):
        return "jsonl"
    if {"spans", "tokens", "answer", "_input_hash"} & set(first):
        return "prodigy"
    return "doccano" if {"entities", "label", "labels"} & set(first) else None


def _head(path: Path, count: int = 20) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        return [line for line, _ in zip(stream, range(count), strict=False)]


def files_of(path: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return a file itself, or the files of a folder (and below) with these suffixes, sorted; raise for none."""
    wanted = set(suffixes)
    found = files_in(path, wanted)
    if not found:
        raise CorpusError(f"{path}: no file {' or '.join(sorted(wanted))} there")
    return found


def file_stem(article_id: str, taken: set[str]) -> str:
    """Return an article's id as the stem of a file name, and add it to `taken`; raise where another one has it."""
    stem = re.sub(r"[^\w.-]+", "_", article_id).strip(".") or "article"
    # Some file systems take "A" and "a" for one.
    if stem.casefold() in taken:
        raise CorpusError(f"{article_id}: another article has the file name {stem!r}")
    taken.add(stem.casefold())
    return stem


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file with its line ends as they are; raise `CorpusError` for other bytes."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8, at byte {error.start}") from None


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (file and line, object) for each line of a JSONL file that isn't empty."""
    # Not splitlines(): U+2028 and the like may stand unescaped inside a JSON string.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise CorpusError(f"{place}: not JSON: {error}") from None
        if not isinstance(value, dict):
            raise CorpusError(f"{place}: not a JSON object")
        yield place, value


@contextmanager
def well_formed(place: str) -> Iterator[None]:
    """Raise `CorpusError` that names the place for what a value of the wrong type or shape sets off inside."""
    try:
        yield
    except CorpusError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise CorpusError(f"{place}: not as this format has it: {error}") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file takes the place of `path` when the block ends without an error.

    Makes the folders above it. Raises `CorpusError` where it can't be placed there.
    """
    from ..exporters.atomic import whole_file
    from ..exporters.source import ExportError

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        # A pipe or /dev/stdout is written to, not replaced.
        yield path
        return
    try:
        with whole_file(path.resolve()) as made:
            yield made
    except ExportError as error:
        raise CorpusError(str(error)) from None


@contextmanager
def encodable(source: str) -> Iterator[None]:
    """Raise `CorpusError` that names the source for text that UTF-8 can't hold: half of a surrogate pair."""
    try:
        yield
    except UnicodeEncodeError as error:
        words = error.object[max(0, error.start - 30) : error.end]
        raise CorpusError(f"{source}: no file can hold the last character of {words!r}: {error.reason}") from None


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write one JSON object a line, characters as they are."""
    with replacing(path) as made, made.open("w", encoding="utf-8", newline="\n") as stream:
        for number, row in enumerate(rows, 1):
            with encodable(f"{path}: row {number}"):
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
