"""The examples of each epoch, drawn from articles, outside sets and single proposals."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace

from spacy.vocab import Vocab
from tokenizers import Tokenizer

from ..corpus import AnnotatedArticle
from ..corpus_paragraphs import background
from ..corpus_proposals import LabelledProposal, pages
from ..resources import resource
from .augment import Gazetteer, augment, make_gazetteer
from .examples import Example, make_example, page_example
from .load import PAGE
from .outside import outside_examples
from .recipe import Recipe


def gazetteer_of(recipe: Recipe, corpus: Sequence[AnnotatedArticle]) -> Gazetteer:
    """Return what augmentation swaps in, for the recipe's language: from the articles alone where it has no lexicon."""
    try:
        path = resource("configs", f"lexicon.{recipe.lang}.toml")
    except FileNotFoundError:
        return make_gazetteer({}, (), corpus)
    lexicon = tomllib.loads(path.read_text(encoding="utf-8"))
    listed = lexicon.get("person", {}).get("surnames")
    lines = (path.parent / listed).read_text(encoding="utf-8").splitlines() if listed else []
    surnames = sorted({word for line in lines if not line.startswith("#") for word in line.split()})
    return make_gazetteer(lexicon, surnames, corpus)


def draw_examples(
    recipe: Recipe,
    corpus: Sequence[AnnotatedArticle],
    tokenizer: Tokenizer,
    proposals: Sequence[LabelledProposal] = (),
) -> Callable[[int], list[Example]]:
    """Return what gives the examples of an epoch: the first as written, the others augmented anew.

    Of the single proposals each epoch has another part, in other company.
    """
    vocab = Vocab()
    if not recipe.sayings:
        corpus = [replace(gold, statements=tuple(s for s in gold.statements if s.n)) for gold in corpus]
    gazetteer = gazetteer_of(recipe, corpus) if recipe.augment is not None else None
    outside = outside_examples(recipe.outside, tokenizer, vocab)
    between = [paragraph for gold in corpus for paragraph in background(gold)]

    def draw(epoch: int) -> list[Example]:
        seed = recipe.joint.seed * 7_919 + epoch
        parts = recipe.proposal_parts
        part = proposals[epoch % parts :: parts] if parts else ()
        made_up = pages(part, PAGE, seed, between)
        single = (page_example(make_example(page, tokenizer, vocab)) for page in made_up)
        articles = corpus
        if gazetteer is not None and epoch > 0:
            articles = [
                augment(gold, gazetteer, seed * 100_003 + index, recipe.augment) for index, gold in enumerate(corpus)
            ]
        return [*(make_example(gold, tokenizer, vocab) for gold in articles), *outside, *single]

    return draw
