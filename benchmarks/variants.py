"""Trainings that differ in one thing each, on a part of the training articles, scored on dev: what is worth having.

    python benchmarks/variants.py [--every 3] [--epochs 4] [VARIANT ...]

Every variant trains from scratch on each n-th article, with the same seed; thresholds are fitted on dev for each.
Single proposals, each n-th too, are only in the variants that are about them: without them a training is short.
Prints a Markdown table, a row as soon as it is known. `OUTSIDE` names the folder of outside sets for "outside sets",
which is left out without it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spacy.language import Language

from pipeline.corpus import AnnotatedArticle, load_topics, load_xml
from pipeline.corpus_proposals import LabelledProposal
from pipeline.document import make_doc
from pipeline.evaluation.gold import from_annotated
from pipeline.evaluation.intervals import Tally
from pipeline.evaluation.predictions import read_doc
from pipeline.evaluation.scores import Tag, mention_tallies
from pipeline.schema import MENTION_LABELS
from pipeline.training.augment import Rates
from pipeline.training.backbone import new_model
from pipeline.training.calibrate import Settings, calibrate, calibrate_classes, calibrate_mentions, encode_all
from pipeline.training.draw import draw_examples
from pipeline.training.export import ModuleRuntime, assemble, head_weights
from pipeline.training.joint import train
from pipeline.training.lexical import lexical_weights
from pipeline.training.load import load_all_proposals
from pipeline.training.recipe import Recipe, load_recipe
from pipeline.training.run import keep_memory

_NO_SETTINGS: Settings = {"recognise": {}, "attribute": {}, "link": {}, "classify": {}}
_LINKS = ("parent", "source", "body", "same", "verdict")


def only(recipe: Recipe, *kept: str) -> Recipe:
    """Return the recipe with the loss of the other heads off: a model of its own for some."""
    losses = ("mention", "statement", *_LINKS, "topic", "stance")
    weights = {name: 0.0 for name in losses if name not in kept}
    return replace(recipe, joint=replace(recipe.joint, weights=weights))


def articles(recipe: Recipe) -> Recipe:
    """Return the recipe without single proposals."""
    return replace(recipe, proposals=(), proposal_parts=0)


def outside_files() -> tuple[Path, ...]:
    """Return the files of the outside sets."""
    return tuple(sorted(Path(os.environ["OUTSIDE"]).rglob("*.txt")))


OUTSIDE = "outside sets"
#: What each variant makes of the config's recipe.
VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "articles alone": articles,
    "single proposals too": lambda recipe: replace(recipe, proposal_parts=0),
    "single proposals in the joint training too": lambda recipe: recipe,
    "no augmentation": lambda recipe: replace(articles(recipe), augment=None),
    "posts and places too": lambda recipe: replace(articles(recipe), augment=Rates(posts=0.3, places=0.3, years=0.3)),
    "list order and noise too": lambda recipe: replace(articles(recipe), augment=Rates(order=0.3, noise=0.3)),
    "no case feature": lambda recipe: replace(articles(recipe), shapes=False),
    "no statement negatives": lambda recipe: replace(articles(recipe), sayings=False),
    OUTSIDE: lambda recipe: replace(articles(recipe), outside=outside_files()),
    "encoder of its own for mentions": lambda recipe: only(articles(recipe), "mention"),
    "encoder of its own for topics and stance": lambda recipe: only(articles(recipe), "topic", "stance"),
}


def chosen(names: list[str]) -> list[str]:
    """Return the variants to train, all where none is named, but for one whose data nobody gave; say which that is."""
    names = names or list(VARIANTS)
    if OUTSIDE in names and "OUTSIDE" not in os.environ:
        print(f"{OUTSIDE}: left out, for OUTSIDE names no folder of them", file=sys.stderr)
        return [name for name in names if name != OUTSIDE]
    return names


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", choices=VARIANTS, metavar="VARIANT", help="of: %(choices)s")
    parser.add_argument("--config", type=Path, default=Path("configs/train.en.toml"))
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    keep_memory()
    recipe = load_recipe(arguments.config, epochs=arguments.epochs)
    corpus, dev = load_xml(recipe.train)[:: arguments.every], load_xml(recipe.dev)
    print(f"{len(corpus)} articles, {arguments.epochs} epochs, scores on {len(dev)} dev articles\n")
    print("| | attribution F1 | topics | stance | " + " | ".join(MENTION_LABELS) + " | minutes |")
    print("|---" * (5 + len(MENTION_LABELS)) + "|")
    for name in chosen(arguments.variants):
        started = time.perf_counter()
        changed = VARIANTS[name](recipe)
        proposals = load_all_proposals(changed, load_topics())[:: arguments.every]
        found = score_variant(changed, (corpus, proposals), dev)
        scores = " | ".join("" if score is None else f"{100 * score:.1f}" for score in found)
        print(f"| {name} | {scores} | {(time.perf_counter() - started) / 60:.0f} |", flush=True)


def score_variant(
    recipe: Recipe, data: tuple[list[AnnotatedArticle], list[LabelledProposal]], dev: list[AnnotatedArticle]
) -> list[float | None]:
    """Return attribution F1 (None without trained links), topic micro F1, stance accuracy and strict F1 of each mention
    label on dev.
    """
    corpus, proposals = data
    topics = load_topics()
    model, tokenizer = new_model(recipe, topics)
    train(model, draw_examples(recipe, corpus, tokenizer, proposals), recipe.joint, log=lambda line: None)
    weights = {**head_weights(model), **lexical_weights(corpus, topics, proposals)}
    runtime, window = ModuleRuntime(model.encoder.eval()), recipe.joint.window

    def make(settings: Settings) -> Language:
        merged = {**settings, "classify": {"topics": list(topics), **settings.get("classify", {})}}
        return assemble(runtime, tokenizer, model.special, window, weights, merged, recipe.lang)

    if recipe.joint.weights.get("verdict") == 0:
        # Links that nobody trained give every statement to everybody: hours to score, and nothing learned from it.
        settings, scores = calibrate_apart(make(_NO_SETTINGS), dev, topics)
    else:
        settings, scores = calibrate(make, dev, topics, lambda line: None)
    nlp = make(settings)
    sums = dict.fromkeys(MENTION_LABELS, Tally())
    for gold in dev:
        tallies = mention_tallies(from_annotated(gold).mentions or (), recognised(nlp, gold))
        sums = {label: tally + tallies[f"mention.strict/{label}"] for label, tally in sums.items()}
    return [
        scores.get("attribution_f1"), scores["topic_micro_f1"], scores["stance_accuracy"],
        *(tally.f1 or 0.0 for tally in sums.values()),
    ]  # fmt: skip


def calibrate_apart(
    nlp: Language, dev: list[AnnotatedArticle], topics: tuple[str, ...]
) -> tuple[Settings, dict[str, float]]:
    """Return the settings of mentions, topics and stance, each from gold before it, and what they reach on dev."""
    tensors = encode_all(nlp, dev)
    classes, scores = calibrate_classes(nlp, dev, tensors, topics)
    return {**_NO_SETTINGS, "recognise": {"score": calibrate_mentions(nlp, dev, tensors)}, "classify": classes}, scores


def recognised(nlp: Language, gold: AnnotatedArticle) -> tuple[Tag, ...]:
    """Return the mentions of an article; no later stage runs."""
    doc = make_doc(nlp, gold.article)
    for name in ("encode", "recognise"):
        doc = nlp.get_pipe(name)(doc)
    return read_doc(doc).mentions


if __name__ == "__main__":
    main()
