"""What a training reads: articles that can't train the recipe's language are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.corpus import load_topics
from pipeline.training.load import load_data
from pipeline.training.recipe import Recipe, TrainingError, load_recipe
from tests.tiny_backbone import write_config, write_corpus

pytestmark = pytest.mark.slow


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """The recipe of a training on a few articles."""
    write_corpus(tmp_path / "corpus" / "train", (2019, 2020))
    write_corpus(tmp_path / "corpus" / "dev", (2021,))
    return load_recipe(write_config(tmp_path / "train.toml", tmp_path / "corpus", tmp_path / "backbone", 1))


def test_dev_without_proposals_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="no annotated articles with proposals"):
        load_data(replace(recipe, dev=tmp_path / "empty"), load_topics())


def test_articles_in_another_language_are_refused(recipe: Recipe) -> None:
    load_data(recipe, load_topics())
    with pytest.raises(TrainingError, match=r"train: 2 of 2 articles are not in 'zh', .*: 2019-tiny\.xml is in 'en'"):
        load_data(replace(recipe, lang="zh"), load_topics())
    path = recipe.dev / "2021-tiny.xml"
    path.write_text(path.read_text(encoding="utf-8").replace('lang="en"', 'lang="zh"'), encoding="utf-8")
    with pytest.raises(TrainingError, match=r"dev: an article is not in 'en', .*: 2021-tiny\.xml is in 'zh'"):
        load_data(recipe, load_topics())
