"""The compiled corpus as datasets, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpus import AnnotatedArticle, CorpusError, Entity, GoldMention, GoldStatement
from pipeline.formats import format_module
from pipeline.schema import Article

datasets = pytest.importorskip("datasets")

ARTICLES = [
    AnnotatedArticle(
        Article("a", "Luo Wenqing, deputy: pay.", lang="en", session_year=2024),
        "report",
        (Entity("p1", "person", "Luo Wenqing", "罗文清", "NPC"),),
        (GoldMention(0, 11, "PERSON", ("p1",)), GoldMention(13, 19, "BODY", ("p1",), "NPC")),
        (GoldStatement(21, 24, ("p1",), "1", ("data", "health"), "promote"),),
    ),
    AnnotatedArticle(Article("b", "Nothing here."), None, (), (), ()),
    AnnotatedArticle(Article("c", "So they say."), None, (), (), (GoldStatement(0, 11, ()),)),
]


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    for split, articles in (("train", ARTICLES), ("dev", ARTICLES[1:])):
        format_module("jsonl").write(articles, tmp_path / f"{split}.jsonl")
    return tmp_path


def test_splits_with_types_and_back(compiled: Path) -> None:
    from pipeline.training.data import features, load_dataset, to_articles

    loaded = load_dataset(compiled)
    assert isinstance(loaded, datasets.DatasetDict)
    assert {name: len(split) for name, split in loaded.items()} == {"train": 3, "dev": 2}
    # An empty column keeps its type.
    assert loaded["dev"].features == features() == loaded["train"].features
    assert loaded["train"][0]["mentions"][1] == {"start": 13, "end": 19, "label": "BODY", "of": ["p1"], "is": "NPC"}
    assert to_articles(loaded["train"]) == ARTICLES
    assert to_articles(loaded["dev"]) == ARTICLES[1:]


def test_one_file(compiled: Path) -> None:
    from pipeline.training.data import load_dataset, to_articles

    assert to_articles(load_dataset(compiled / "dev.jsonl")["dev"]) == ARTICLES[1:]


def test_the_library_reads_the_files_by_itself(compiled: Path, tmp_path: Path) -> None:
    from pipeline.training.data import features, to_articles

    files = {"train": str(compiled / "train.jsonl")}
    loaded = datasets.load_dataset("json", data_files=files, features=features(), cache_dir=str(tmp_path / "cache"))
    assert to_articles(loaded["train"]) == ARTICLES


def test_what_is_not_compiled(tmp_path: Path) -> None:
    from pipeline.training.data import load_dataset

    (tmp_path / "train").mkdir()
    with pytest.raises(CorpusError, match="not compiled; run: twosessions corpus compile"):
        load_dataset(tmp_path)
