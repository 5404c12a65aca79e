"""The annotated articles and single proposals of a recipe, and a digest that tells them from others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..corpus import AnnotatedArticle, load_xml
from ..corpus_proposals import LabelledProposal, load_proposals
from .recipe import Recipe, TrainingError

#: About as many single proposals fill a window of the encoder.
PAGE = 5


def load_data(
    recipe: Recipe, topics: Sequence[str]
) -> tuple[list[AnnotatedArticle], list[AnnotatedArticle], list[LabelledProposal]]:
    """Return the articles to train and to choose on, and the single proposals of a recipe.

    Raises `TrainingError` where one of the first two has no proposals, or articles in another language than the
    recipe's, and `CorpusError` for what can't be read.
    """
    corpus, dev = load_xml(recipe.train, topics), load_xml(recipe.dev, topics)
    for path, articles in ((recipe.train, corpus), (recipe.dev, dev)):
        if not any(statement.n for gold in articles for statement in gold.statements):
            raise TrainingError(f"no annotated articles with proposals in {path}")
        others = [gold.article for gold in articles if gold.article.lang != recipe.lang]
        if others:
            count = f"{len(others)} of {len(articles)} articles are" if len(others) > 1 else "an article is"
            raise TrainingError(
                f"{path}: {count} not in {recipe.lang!r}, which the config trains: {others[0].id}.xml is in"
                f" {others[0].lang!r}"
            )
    return corpus, dev, load_all_proposals(recipe, topics)


def load_all_proposals(recipe: Recipe, topics: Sequence[str]) -> list[LabelledProposal]:
    """Return the single proposals of a recipe; raise `CorpusError` for a file that can't be read."""
    return [proposal for path in recipe.proposals for proposal in load_proposals(path, topics)]


def corpus_digest(data: Iterable[object], files: Iterable[Path] = ()) -> str:
    """Return a digest of articles, single proposals or examples, and of what is in `files` and folders of them."""
    digest = hashlib.sha256()
    for item in data:
        digest.update(repr(item).encode("utf-8"))
    for path in files:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()[:16]
