"""The whole training of a language's models, from a recipe: joint fine-tuning, calibration, export, scores."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from spacy.language import Language
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from .. import __version__
from ..corpus import AnnotatedArticle, load_topics
from ..corpus_proposals import LabelledProposal
from ..document import ExactTokenizer
from ..encode import OnnxRuntime
from ..resources import resource
from ..windows import Batch, WindowOptions, cut_windows, make_batch, split_pieces
from .backbone import new_model
from .calibrate import calibrate, quick_scores
from .draw import draw_examples
from .examples import Example
from .export import assemble, assemble_from_memory, export_onnx, head_weights, write_pipeline
from .joint import Checkpoint, CheckpointError, Joint, JointOptions, start_from, train, weights_digest
from .lexical import lexical_weights
from .load import corpus_digest, load_data
from .quantize import quantize
from .recipe import Recipe, TrainingError, rounded_options
from .rounding import even_factors, rounded

Log = Callable[[str], None]
# So many articles show how far the encoder's activations reach.
_SAMPLE = 40


def train_all(
    recipe: Recipe, out: Path, work: Path, keep_torch: bool = False, log: Log = print, start: Path | None = None
) -> dict[str, Any]:
    """Train everything and write the model folder `out`; `work` holds checkpoints, from which a killed training
    resumes.

    With `start`, the `joint.pt` of an earlier training, the joint epochs are left out: its weights learn the data in
    the rounded epochs alone. Returns the scores on dev that are also written to `metrics.json`.
    """
    if start is not None and not recipe.joint.rounded_epochs:
        raise TrainingError(f"nothing to train behind {start}: rounded_epochs is 0")
    # The pipeline around the model is built behind the first epochs: hours too late to miss its config.
    resource("configs", f"{recipe.lang}.cfg")
    keep_memory()
    topics = load_topics()
    corpus, dev, proposals = load_data(recipe, topics)
    model, tokenizer = new_model(recipe, topics)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    log(
        f"{len(corpus)} training articles and {len(proposals)} single proposals, {len(dev)} dev articles,"
        f" backbone {recipe.backbone}, on {model.device}"
    )
    work.mkdir(parents=True, exist_ok=True)

    def score(current: Joint) -> float:
        nlp = assemble_from_memory(current, tokenizer, recipe.joint.window, {}, recipe.lang)
        scores = quick_scores(nlp, dev, topics)
        log("  dev " + ", ".join(f"{name} {score:.4f}" for name, score in scores.items()))
        return sum(scores.values()) / len(scores)

    draw = draw_examples(recipe, corpus, tokenizer, proposals)
    # Dev chooses the best epoch. What a training starts from is known by the first digest.
    data = f"{corpus_digest([*corpus, *proposals], recipe.outside)} {corpus_digest(dev)}"
    started_from: dict[str, Any] = {}
    try:
        if start is None:
            # What comes behind the joint epochs doesn't change them.
            alone = replace(recipe, joint=replace(recipe.joint, rounded_epochs=0, rounded_rate=0.0))
            _fit(model, recipe.joint, draw, score, Checkpoint(work / "joint.pt", f"{data} {topics} {alone}"), log)
        else:
            started_from = {"start": start_from(model, start).split()[0], "epochs": 0}
            log(f"started from {start}")
        if recipe.joint.rounded_epochs:
            origin = f"{data} {topics} {recipe} behind {weights_digest(model)}"
            checkpoint = Checkpoint(work / "rounded.pt", origin, gives_way=True)
            factors = even_factors(model.encoder, sample_batches(model, tokenizer, corpus, recipe.joint.window))
            if not factors:
                raise TrainingError(f"backbone {recipe.backbone} has no products to round: set rounded_epochs to 0")
            with rounded(model.encoder, factors):
                _fit_rounded(model, recipe.joint, draw, score, checkpoint, log)
    except CheckpointError as error:
        raise TrainingError(str(error)) from None
    written = finish(recipe, model.to("cpu"), tokenizer, (corpus, proposals), dev, work, log)
    written.meta["training"].update(started_from)
    written.write(out, keep_torch)
    return written.scores


Draw = Callable[[int], list[Example]]
Score = Callable[[Joint], float]


def _fit(model: Joint, options: JointOptions, draw: Draw, score: Score, checkpoint: Checkpoint, log: Log) -> None:
    def after_epoch(epoch: int, current: Joint) -> float:
        return score(current) if epoch >= options.epochs // 2 else 0.0

    train(model, draw, options, checkpoint, after_epoch, log)


def _fit_rounded(
    model: Joint, options: JointOptions, draw: Draw, score: Score, checkpoint: Checkpoint, log: Log
) -> None:
    log("with the rounding of int8:")

    def after_epoch(epoch: int, current: Joint) -> float:
        # The last epoch counts, with whose rate the weights have settled: thresholds are not fitted yet, and between
        # one epoch and the next dev differs by less than they are worth.
        score(current)
        return float(epoch)

    # The articles are augmented in other ways than in the epochs before.
    train(model, lambda epoch: draw(options.epochs + epoch), rounded_options(options), checkpoint, after_epoch, log)


@dataclass(frozen=True)
class Finished:
    """A trained, exported and calibrated model, before it is written."""

    model: Joint
    weights: dict[str, Any]
    tokenizer: Tokenizer
    window: WindowOptions
    encoder: Path
    settings: dict[str, Any]
    scores: dict[str, float]
    meta: dict[str, Any]
    lang: str

    def write(self, out: Path, keep_torch: bool = False) -> None:
        """Write the model folder, with the scores and what they were reached with beside the weights."""
        trained = (self.model, self.weights)
        inputs = (self.encoder, self.tokenizer, trained, self.window, self.settings, self.meta, self.lang)
        write_pipeline(out, *inputs, keep_torch)
        metrics = {"dev": self.scores, "training": self.meta["training"]}
        (out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def finish(
    recipe: Recipe,
    model: Joint,
    tokenizer: Tokenizer,
    data: tuple[Sequence[AnnotatedArticle], Sequence[LabelledProposal]],
    dev: Sequence[AnnotatedArticle],
    work: Path,
    log: Log,
) -> Finished:
    """Export a model that was trained on articles and single proposals, and calibrate it on dev, with the exported
    encoder.
    """
    corpus, proposals = data
    full, small = work / "encoder.fp32.onnx", work / "encoder.int8.onnx"
    export_onnx(model.encoder, full)
    quantize(full, small, sample_batches(model, tokenizer, corpus, recipe.joint.window))
    log(f"encoder: {full.stat().st_size / 1e6:.1f} MB fp32, {small.stat().st_size / 1e6:.1f} MB int8")
    runtime = OnnxRuntime(small.read_bytes())
    words = lexical_weights(corpus, model.topics, proposals)
    weights, window = {**head_weights(model), **words}, recipe.joint.window

    def make(settings: dict[str, dict[str, Any]]) -> Language:
        merged = {**settings, "classify": {"topics": list(model.topics), **settings.get("classify", {})}}
        return assemble(runtime, tokenizer, model.special, window, weights, merged, recipe.lang)

    settings, scores = calibrate(make, dev, model.topics, log)
    training = {
        "data": corpus_digest([*corpus, *proposals], recipe.outside),
        "dev_data": corpus_digest(dev),
        "articles": len(corpus),
        "proposals": len(proposals),
        "backbone": recipe.backbone,
        "seed": recipe.joint.seed,
        "epochs": recipe.joint.epochs,
        "rounded_epochs": recipe.joint.rounded_epochs,
        "code": __version__,
    }
    meta = {
        "name": "two_sessions",
        "version": __version__,
        "description": "Who proposes what at China's Two Sessions",
        "license": "MIT",
        "training": training,
    }
    return Finished(model, weights, tokenizer, window, small, settings, scores, meta, recipe.lang)


def sample_batches(
    model: Joint, tokenizer: Tokenizer, corpus: Sequence[AnnotatedArticle], window: WindowOptions
) -> Iterator[Batch]:
    """Yield what the encoder reads of some articles, spread over the corpus."""
    tokenize = ExactTokenizer(Vocab())
    for gold in corpus[:: max(1, len(corpus) // _SAMPLE)]:
        pieces = split_pieces(tokenize(gold.article.text), tokenizer)
        yield make_batch([(pieces, part) for part in cut_windows(len(pieces.ids), window)], *model.special)


def keep_memory() -> None:
    """Let the allocator of glibc keep what it has: giving large blocks back after each step costs half the time on
    CPUs.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        libc = ctypes.CDLL(None)
        for parameter, value in ((-4, 0), (-1, 2**31 - 1), (-2, 1 << 28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
            libc.mallopt(parameter, value)
    except (AttributeError, OSError):
        return
