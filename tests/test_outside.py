"""Outside sets: what they annotate is learned, what they leave out stays open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from pipeline.evaluation.gold import GoldError
from pipeline.heads import MENTION_TAGS
from pipeline.training.backbone import load_tokenizer
from pipeline.training.examples import OPEN
from pipeline.training.joint import _tag_loss
from pipeline.training.outside import outside_examples
from tests.tiny_backbone import write_backbone

pytestmark = pytest.mark.slow

TAGGED = "Tony\tB-politician\nBlair\tI-politician\nleads\tO\nLabour\tB-politicalparty\nhere\tO\n"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """The word pieces of a tiny backbone."""
    return load_tokenizer(str(write_backbone(tmp_path_factory.mktemp("backbone"))))[0]


def test_marked_tokens_are_tagged_and_others_open(tmp_path: Path, tokenizer: Tokenizer) -> None:
    file = tmp_path / "set.txt"
    file.write_text(TAGGED + "\n" + "Minister\tO\nBlair\tB-politician\n")
    (example,) = outside_examples([file], tokenizer, Vocab())
    tags = [MENTION_TAGS[tag] if tag >= 0 else int(tag) for tag in example.mention_tags]
    assert tags == ["B-PERSON", "L-PERSON", OPEN, "U-ORG", OPEN, -100, OPEN, "U-PERSON"]
    # "Minister" may be a ROLE or nothing, but no PERSON and no ORG.
    assert {MENTION_TAGS[tag].partition("-")[2] for tag in example.open_tags} == {"", "ROLE", "BODY", "REF"}
    assert (example.statement_tags == -100).all()


def test_long_sets_are_cut_into_examples(tmp_path: Path, tokenizer: Tokenizer) -> None:
    file = tmp_path / "set.txt"
    file.write_text("\n".join([TAGGED] * 30))
    examples = outside_examples([file], tokenizer, Vocab())
    assert len(examples) == 3
    assert sum(MENTION_TAGS[tag] == "U-ORG" for e in examples for tag in e.mention_tags if tag >= 0) == 30


def test_what_can_not_be_read_is_named(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(GoldError, match="nothing-here"):
        outside_examples([tmp_path / "nothing-here.txt"], tokenizer, Vocab())


def test_the_loss_of_an_open_token_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    known, is_open = _tag_loss(logits, torch.tensor([1, OPEN, -100]), (0, 2))
    assert known.tolist() == pytest.approx([-np.log(0.25)])
    assert is_open.tolist() == pytest.approx([-np.log(0.75)])
