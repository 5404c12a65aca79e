"""Outside sets of named entities as more examples for the mention tagger; what they don't annotate stays open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from ..document import ExactTokenizer, character_span
from ..evaluation.gold import GoldArticle, load_gold
from ..heads import MENTION_TYPES, TokenSpan
from ..windows import split_pieces
from .examples import OPEN, Example, tag_tokens

# Sentences of such sets stand alone; so many make an example as long as a short article.
_SENTENCES = 12


def outside_examples(paths: Iterable[Path], tokenizer: Tokenizer, vocab: Vocab) -> list[Example]:
    """Return the examples of BIO files or folders of them; raise `GoldError` for those that are none."""
    found = []
    for path in paths:
        gold = load_gold(path, "bio")
        for at in range(0, len(gold.articles), _SENTENCES):
            found.append(_example(gold.articles[at : at + _SENTENCES], gold.labels, tokenizer, vocab))
    return found


def _example(sentences: Sequence[GoldArticle], labels: Iterable[str], tokenizer: Tokenizer, vocab: Vocab) -> Example:
    """Return sentences, a line each, as an example whose unmarked tokens may be anything but the set's own labels."""
    annotated = {MENTION_TYPES.index(label) for label in labels}
    others = (0, *(1 + 4 * t + k for t in range(len(MENTION_TYPES)) if t not in annotated for k in range(4)))
    doc = ExactTokenizer(vocab)("\n".join(sentence.article.text for sentence in sentences))
    spans: list[TokenSpan] = []
    start = 0
    for sentence in sentences:
        for tag in sentence.mentions or ():
            span = character_span(doc, start + tag.start, start + tag.end)
            if not spans or span.start >= spans[-1].end:
                spans.append(TokenSpan(span.start, span.end, MENTION_TYPES.index(tag.label), 0))
        start += len(sentence.article.text) + 1
    tags = tag_tokens(len(doc), spans, np.array([not token.text.strip() for token in doc], dtype=bool))
    tags[tags == 0] = OPEN
    return Example(
        id=sentences[0].article.id,
        pieces=split_pieces(doc, tokenizer),
        tokens=len(doc),
        mention_tags=tags,
        statement_tags=np.full(len(doc), -100, dtype=np.int64),
        open_tags=others,
    )
