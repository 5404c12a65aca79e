"""The compiled corpus as a `datasets.DatasetDict`, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpus import AnnotatedArticle, CorpusError, splits_of
from ..formats.compiled import from_row, to_row
from ..formats.compiled import read as read_compiled

if TYPE_CHECKING:
    from datasets import DatasetDict, Features


def features() -> Features:
    """Return the types of a compiled article's columns; `datasets.load_dataset("json", …)` takes them too."""
    from datasets import Features, List, Value

    text, number = Value("string"), Value("int64")
    names = ("id", "text", "lang", "title", "outlet", "url", "published", "shape")
    place = {"start": number, "end": number}
    return Features(
        {
            **dict.fromkeys(names, text),
            "session_year": number,
            "entities": List({"id": text, "kind": text, "name": text, "name_zh": text, "body": text}),
            "mentions": List({**place, "label": text, "of": List(text), "is": text}),
            "statements": List({**place, "by": List(text), "n": text, "topics": List(text), "stance": text}),
        }
    )


def load_dataset(path: Path | str) -> DatasetDict:
    """Return the splits of a compiled corpus (a folder with `<split>.jsonl`, or one such file) as typed datasets.

    They are held in memory, without a cache on disk. Raises `CorpusError` where there is no compiled split.
    """
    from datasets import Dataset, DatasetDict

    types = features()
    found = {}
    for split, file in splits_of(Path(path)).items():
        if file.suffix != ".jsonl":
            raise CorpusError(f"{file}: not compiled; run: twosessions corpus compile {path} --out FOLDER")
        rows = [to_row(annotated) for annotated in read_compiled(file)]
        found[split] = Dataset.from_list(rows, features=types)
    return DatasetDict(found)


def to_articles(dataset: Iterable[Mapping[str, Any]]) -> list[AnnotatedArticle]:
    """Return the annotated articles of a split, equal to those that were compiled."""
    return [from_row(row, str(row.get("id", number))) for number, row in enumerate(dataset)]
