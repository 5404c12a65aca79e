"""What an epoch reads: of articles, and of single proposals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.corpus import load_topics, load_xml
from pipeline.corpus_proposals import LabelledProposal
from pipeline.heads import MENTION_TAGS, STATEMENT_TYPES
from pipeline.schema import PROPOSAL
from pipeline.training.backbone import new_model
from pipeline.training.draw import draw_examples
from pipeline.training.examples import OPEN, Example
from pipeline.training.joint import encode, losses, train
from pipeline.training.recipe import Recipe, load_recipe
from tests.tiny_backbone import write_backbone, write_config, write_corpus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The recipe of a training on a tiny backbone."""
    root = tmp_path_factory.mktemp("untrained")
    write_corpus(root / "corpus" / "train", (2019, 2020))
    return load_recipe(write_config(root / "train.toml", root / "corpus", write_backbone(root / "backbone"), 1))


def test_without_sayings_only_proposals_are_learned(recipe: Recipe) -> None:
    recipe = replace(recipe, sayings=False)
    topics = load_topics()
    _, tokenizer = new_model(recipe, topics)
    examples = draw_examples(recipe, load_xml(recipe.train, topics), tokenizer)(0)
    assert {span.type for example in examples for span in example.statements} == {STATEMENT_TYPES.index(PROPOSAL)}
    assert all(verdict.proposes for example in examples for verdict in example.verdicts)


def test_single_proposals_teach_what_is_known_of_them(recipe: Recipe) -> None:
    recipe = replace(recipe, proposal_parts=2)
    topics = load_topics()
    model, tokenizer = new_model(recipe, topics)
    single = [LabelledProposal(f"Give village {n} a clinic.", ("health",), "promote") for n in range(20)]
    draw = draw_examples(recipe, [], tokenizer, single)
    first, second = draw(0), draw(1)
    assert [len(example.records) for example in first] == [5, 5]
    assert {tuple(ids) for ids in _record_pieces(first)}.isdisjoint(tuple(ids) for ids in _record_pieces(second))
    assert len(_record_pieces(first)) + len(_record_pieces(second)) == 20
    (example,) = first[:1]
    # Each is a proposal from its first token to its last, and may name organizations, but nobody else.
    assert np.bincount(example.statement_tags[example.statement_tags > 0]).tolist() == [0, 5, 5 * 4, 5]
    assert set(example.mention_tags.tolist()) == {OPEN, -100}
    assert [MENTION_TAGS[tag] for tag in example.open_tags] == ["O", "B-ORG", "I-ORG", "L-ORG", "U-ORG"]
    (vectors,) = encode(model, [example], recipe.joint.window)
    found = losses(model, example, vectors, recipe.joint)
    known = {"mention", "statement", "topic", "stance"}
    assert {name for name, values in found.items() if sum(map(len, values))} == known
    train(model, draw, replace(recipe.joint, epochs=1), log=lambda line: None)
    assert draw_examples(replace(recipe, proposal_parts=0), [], tokenizer, single)(0) == []


def _record_pieces(examples: list[Example]) -> list[list[int]]:
    """The word pieces of each record, its first token's first piece to its last token's."""
    return [
        [int(x) for x in example.pieces.ids[example.pieces.first[a] : example.pieces.first[b - 1]]]
        for example in examples
        for record in example.records
        for a, b in record.spans
    ]
