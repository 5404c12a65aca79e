"""spaCy's own small named-entity recogniser, trained on the same mentions: what the encoder has to beat.

    python benchmarks/spacy_ner.py [--train DIR] [--dev DIR] [--epochs 12]

A blank pipeline with the usual convolutional `tok2vec` and transition-based `ner`, no pretrained vectors, in the
pipeline's tokens. Prints strict F1 on dev by label behind each epoch.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from pipeline.corpus import AnnotatedArticle, load_xml
from pipeline.document import ExactTokenizer, character_span
from pipeline.evaluation.gold import from_annotated
from pipeline.evaluation.intervals import Tally
from pipeline.evaluation.scores import Tag, mention_tallies
from pipeline.schema import MENTION_LABELS

ROOT = Path(__file__).parent.parent / "data" / "annotated"
_CONFIG: dict[str, Any] = {
    "tok2vec": {"model": {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 96,
                          "depth": 4, "embed_size": 2000, "window_size": 1, "maxout_pieces": 3,
                          "subword_features": True}},
    "ner": {"model": {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner",
                      "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True,
                      "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96,
                                  "upstream": "tok2vec"}}},
}  # fmt: skip


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, default=ROOT / "train")
    parser.add_argument("--dev", type=Path, default=ROOT / "dev")
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    train, dev = load_xml(arguments.train), load_xml(arguments.dev)
    nlp = spacy.blank("en")
    nlp.tokenizer = ExactTokenizer(nlp.vocab)
    for name, config in _CONFIG.items():
        nlp.add_pipe(name, config=config)
    examples = [example_of(nlp, gold) for gold in train]
    optimizer = nlp.initialize(lambda: examples)
    print(f"{len(train)} articles, {sum(len(e.reference) for e in examples)} tokens")
    print("| epoch | seconds | " + " | ".join(MENTION_LABELS) + " |")
    print("|---" * (2 + len(MENTION_LABELS)) + "|")
    chance = random.Random(1)
    started = time.perf_counter()
    for epoch in range(1, arguments.epochs + 1):
        chance.shuffle(examples)
        for batch in minibatch(examples, 8):
            nlp.update(batch, sgd=optimizer, drop=0.1)
        scores = " | ".join(f"{score:.1f}" for score in strict_f1(nlp, dev))
        print(f"| {epoch} | {time.perf_counter() - started:.0f} | {scores} |", flush=True)


def example_of(nlp: Language, gold: AnnotatedArticle) -> Example:
    """Return an article with its mentions as entities."""
    doc = nlp.make_doc(gold.article.text)
    reference = doc.copy()
    spans = []
    for mention in gold.mentions:
        if mention.label in MENTION_LABELS:
            span = character_span(reference, mention.start, mention.end)
            if not spans or span.start >= spans[-1].end:
                spans.append(reference[span.start : span.end])
                spans[-1].label_ = mention.label
    reference.set_ents(spans)
    return Example(doc, reference)


def strict_f1(nlp: Language, dev: list[AnnotatedArticle]) -> list[float]:
    """Return the F1 in % of each mention label, borders and label right."""
    sums = dict.fromkeys(MENTION_LABELS, Tally())
    for gold in dev:
        found = [Tag(span.start_char, span.end_char, span.label_) for span in nlp(gold.article.text).ents]
        tallies = mention_tallies(from_annotated(gold).mentions or (), found)
        sums = {label: tally + tallies[f"mention.strict/{label}"] for label, tally in sums.items()}
    return [100 * (tally.f1 or 0.0) for tally in sums.values()]


if __name__ == "__main__":
    main()
