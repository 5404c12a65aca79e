"""Joint fine-tuning of the encoder and its heads, on annotated articles."""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..heads import (
    STATEMENT_TYPES,
    parent_features,
    same_features,
    source_features,
    span_edges,
    verdict_features,
)
from ..windows import WindowOptions, cut_windows, make_batch
from .examples import OPEN, Choice, Example
from .model import Encoder, Heads


@dataclass(frozen=True)
class JointOptions:
    """How to train; rates are those of AdamW at the peak."""

    epochs: int = 12
    batch: int = 6
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.1
    dropout: float = 0.2
    seed: int = 1
    #: So many epochs without a better score on dev end the training; 0: none do.
    patience: int = 0
    freeze_layers: int = 0
    #: So many further epochs train with the rounding of int8, at `rounded_rate` times the rates above.
    rounded_epochs: int = 0
    rounded_rate: float = 0.2
    window: WindowOptions = field(default_factory=WindowOptions)
    body_dropout: float = 0.1
    weights: dict[str, float] = field(default_factory=dict)


@dataclass
class Joint:
    """The model under training: encoder, heads, and the order of the topics."""

    encoder: Encoder
    heads: Heads
    topics: tuple[str, ...]
    special: tuple[int, int, int]

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.heads.topic_scale.device

    def to(self, device: str | torch.device) -> Joint:
        """Move all parameters, and return the model."""
        self.encoder.to(device)
        self.heads.to(device)
        return self


class CheckpointError(ValueError):
    """A checkpoint that can't be used: of another training, or no whole one; the message names the file."""


# What `torch.load` raises for a file that is none of its own, or one that was cut off.
_UNREADABLE = (OSError, EOFError, RuntimeError, UnpicklingError, LookupError)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds the state of a training behind each epoch.

    `origin` says what the training is made of. Only a training of the same origin resumes from it; one that `gives_way`
    is replaced by another's.
    """

    path: Path
    origin: str
    gives_way: bool = False

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the state, or None where nothing is written yet; raise `CheckpointError`."""
        if not self.path.exists():
            return None
        advice = "remove it, or name another folder for checkpoints with --work"
        try:
            state: dict[str, Any] = torch.load(self.path, weights_only=True, map_location=device)
        except _UNREADABLE as error:
            raise CheckpointError(f"{self.path} is no whole checkpoint: {advice} ({_reason(error)})") from None
        if not isinstance(state, dict) or state.get("origin") != self.origin:
            if self.gives_way:
                return None
            raise CheckpointError(f"{self.path} is of a training with other data, topics or settings: {advice}")
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state."""
        part = self.path.with_suffix(".part")
        torch.save({**state, "origin": self.origin}, part)
        part.replace(self.path)


def start_from(model: Joint, path: Path) -> str:
    """Load the best weights of another training's checkpoint, and return the origin of that training.

    Raises `CheckpointError` for a file that is no checkpoint, or one of a model of other parts or topics.
    """
    try:
        state = torch.load(path, weights_only=True, map_location=model.device)
        if tuple(state["topics"]) != model.topics:
            raise LookupError(f"its topics are {', '.join(state['topics'])}")
        _restore(model, state["best"] or state["model"])
        return str(state["origin"])
    except (*_UNREADABLE, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of a training with this backbone and these topics: {_reason(error)}"
        ) from None


def weights_digest(model: Joint) -> str:
    """Return a digest of all parameters."""
    digest = hashlib.sha256()
    for part in _state(model).values():
        for name in sorted(part):
            digest.update(name.encode() + part[name].cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def encode(model: Joint, examples: Sequence[Example], options: WindowOptions) -> list[Tensor]:
    """Return the token vectors, (tokens, width), of each example; one pass for all windows."""
    entries = [
        (index, window) for index, ex in enumerate(examples) for window in cut_windows(len(ex.pieces.ids), options)
    ]
    batch = make_batch([(examples[index].pieces, window) for index, window in entries], *model.special)
    hidden = model.encoder(*(torch.from_numpy(x).to(model.device) for x in (batch.ids, batch.shapes, batch.mask)))
    parts: list[list[Tensor]] = [[] for _ in examples]
    for (index, window), row in zip(entries, hidden, strict=True):
        shift = 1 - window.start
        parts[index].append(row[window.keep_start + shift : window.keep_end + shift])
    return [
        torch.cat(rows)[torch.from_numpy(example.pieces.first)] for rows, example in zip(parts, examples, strict=True)
    ]


def _mention_vectors(vectors: Tensor, spans: Sequence[Any]) -> Tensor:
    starts = torch.tensor([span.start for span in spans], dtype=torch.long)
    ends = torch.tensor([span.end for span in spans], dtype=torch.long)
    return torch.cat([vectors[starts], vectors[ends - 1]], dim=1)


def _statement_vectors(vectors: Tensor, spans: Sequence[Any]) -> Tensor:
    starts = np.array([span.start for span in spans], dtype=np.int64)
    ends = np.array([span.end for span in spans], dtype=np.int64)
    first, last, before, behind = (torch.from_numpy(x) for x in span_edges(starts, ends, len(vectors)))
    means = torch.stack([vectors[a:b].mean(dim=0) for a, b in zip(starts, ends, strict=True)])
    return torch.cat([vectors[first], vectors[last], vectors[before], vectors[behind], means], dim=1)


def _choice_loss(choices: Sequence[Choice], scores: Tensor, nobody: Tensor) -> list[Tensor]:
    """Return the loss of each choice: minus the log of the probability of all right candidates, or of nobody."""
    losses = []
    at = 0
    for choice in choices:
        count = len(choice.candidates)
        log_probs = functional.log_softmax(torch.cat([scores[at : at + count], nobody[choice.child].view(1)]), dim=0)
        at += count
        right = torch.tensor([*choice.right, not any(choice.right)])
        losses.append(-torch.logsumexp(log_probs[right], dim=0))
    return losses


def _pairs(choices: Sequence[Choice]) -> tuple[Any, Any]:
    left = np.array([choice.child for choice in choices for _ in choice.candidates], dtype=np.int64)
    right = np.array([c for choice in choices for c in choice.candidates], dtype=np.int64)
    return left, right


def losses(model: Joint, example: Example, vectors: Tensor, options: JointOptions) -> dict[str, list[Tensor]]:
    """Return the losses of one example by head: one tensor a decision, to be averaged over the batch."""
    heads, device = model.heads, vectors.device
    vectors = heads.dropout(vectors)
    found: dict[str, list[Tensor]] = {}
    mention_logits = heads.mention_tags(vectors)
    statement_logits = heads.statement_tags(vectors)
    for name, logits, tags in (
        ("mention", mention_logits, example.mention_tags),
        ("statement", statement_logits, example.statement_tags),
    ):
        found[name] = _tag_loss(logits, torch.from_numpy(tags).to(device), example.open_tags)
    mentions, statements = example.mentions, example.statements
    spoken = _mention_vectors(vectors, mentions) if mentions else vectors.new_zeros((0, 2 * vectors.shape[1]))
    if any(choice.candidates for choice in example.parents):
        left, right = _pairs(example.parents)
        features = torch.from_numpy(parent_features(mentions, left, right)).to(device)
        scores = heads.parent(spoken[torch.from_numpy(left)], spoken[torch.from_numpy(right)], features)
        found["parent"] = _choice_loss(example.parents, scores, heads.parent_none(spoken)[:, 0])
    if example.bodies:
        index, label = (torch.tensor(side, device=device) for side in zip(*example.bodies, strict=True))
        found["body"] = [functional.cross_entropy(heads.body(spoken[index]), label, reduction="none")]
    if example.records:
        found.update(_record_losses(model, example, vectors))
    if not statements:
        return found
    said = _statement_vectors(vectors, statements)
    if any(choice.candidates for choice in example.sources):
        left, right = _pairs(example.sources)
        features = torch.from_numpy(source_features(statements, mentions, left, right)).to(device)
        scores = heads.source(said[torch.from_numpy(left)], spoken[torch.from_numpy(right)], features)
        found["source"] = _choice_loss(example.sources, scores, heads.source_none(said)[:, 0])
    if example.pairs:
        left, right = (np.array([pair[side] for pair in example.pairs], dtype=np.int64) for side in (0, 1))
        features = torch.from_numpy(same_features(statements, left, right)).to(device)
        scores = heads.same(said[torch.from_numpy(left)], said[torch.from_numpy(right)], features)
        target = torch.tensor([float(pair[2]) for pair in example.pairs], device=device)
        found["same"] = [functional.binary_cross_entropy_with_logits(scores, target, reduction="none")]
    found["verdict"] = _verdict_loss(model, example, said, spoken, statement_logits, options)
    return found


def _record_losses(model: Joint, example: Example, vectors: Tensor) -> dict[str, list[Tensor]]:
    heads, device = model.heads, vectors.device
    pooled = []
    for record in example.records:
        inside = torch.cat([vectors[a:b] for a, b in record.spans])
        pooled.append(torch.cat([inside.mean(dim=0), inside.max(dim=0).values]))
    rows = torch.stack(pooled)
    wanted = torch.tensor([[float(t in r.topics) for t in model.topics] for r in example.records], device=device)
    sides = torch.tensor([r.stance for r in example.records], device=device)
    entropy = functional.binary_cross_entropy_with_logits
    return {
        "topic": [entropy(heads.topic_logits(rows), wanted, reduction="none").sum(dim=1)],
        "stance": [entropy(heads.stance(rows), sides, reduction="none").sum(dim=1)],
    }


def _tag_loss(logits: Tensor, target: Tensor, open_tags: Sequence[int]) -> list[Tensor]:
    """Return the loss of each tagged token; of an open one minus the log of the probability of all its tags."""
    known = target >= 0
    parts = [functional.cross_entropy(logits[known], target[known], reduction="none")]
    is_open = target == OPEN
    if is_open.any():
        log_probs = functional.log_softmax(logits[is_open], dim=1)
        parts.append(-torch.logsumexp(log_probs[:, list(open_tags)], dim=1))
    return parts


def _verdict_loss(
    model: Joint, example: Example, said: Tensor, spoken: Tensor, logits: Tensor, options: JointOptions
) -> list[Tensor]:
    rows, target = [], []
    shares = torch.softmax(logits.detach(), dim=1)[:, 1:].reshape(len(logits), len(STATEMENT_TYPES), 4).sum(dim=2)
    for verdict in example.verdicts:
        if verdict.source is None:
            continue
        span = example.statements[verdict.statement]
        inside = shares[span.start : span.end].mean(dim=0)
        proposes = float(inside[0] / inside.sum().clamp(min=1e-9))
        kind = example.mentions[verdict.source].type
        has_body = verdict.has_body and random.random() >= options.body_dropout
        features = verdict_features(proposes, kind == 2, True, verdict.body, has_body)
        known = torch.from_numpy(features).to(said.device)
        rows.append(torch.cat([said[verdict.statement], spoken[verdict.source], known]))
        target.append(float(verdict.proposes))
    if not rows:
        return []
    scores = model.heads.verdict(torch.stack(rows))[:, 0]
    wanted = torch.tensor(target, device=scores.device)
    return [functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")]


DEFAULT_WEIGHTS = {
    "mention": 6.0, "statement": 6.0, "parent": 1.0, "source": 1.0, "body": 0.3,
    "same": 0.5, "verdict": 0.7, "topic": 1.0, "stance": 1.0,
}  # fmt: skip


def train(
    model: Joint,
    draw: Callable[[int], list[Example]],
    options: JointOptions,
    checkpoint: Checkpoint | None = None,
    after_epoch: Callable[[int, Joint], float] | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Train a model in place.

    `draw(epoch)` gives the examples of an epoch (augmented anew each time). From `checkpoint` a killed training
    resumes, as if it had not been killed. `after_epoch` scores the model on dev; the best
    weights are kept in the end, where it is given.
    """
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    first = draw(0)
    steps = math.ceil(len(first) / options.batch) * options.epochs
    optimizer, schedule = _optimizer(model, options, steps)
    begin = 0
    best: tuple[float, dict[str, dict[str, Tensor]] | None] = (-1.0, None)
    best_epoch = 0
    state = checkpoint.load(model.device) if checkpoint is not None else None
    if state is not None:
        _restore(model, state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["chance"][0].cpu())
        random.setstate(_as_tuple(state["chance"][1]))
        begin = state["epoch"] + 1
        best, best_epoch = (state["best_score"], state["best"]), state["best_epoch"]
        log(f"resumed behind epoch {begin}")
    for epoch in range(begin, options.epochs):
        # Here and not behind the epoch, so that a training which has stopped is not taken up again.
        if options.patience and epoch - 1 - best_epoch >= options.patience:
            log(f"no better score for {options.patience} epochs: stopped")
            break
        examples = first if epoch == 0 else draw(epoch)
        started = time.time()
        totals = _epoch(model, examples, optimizer, schedule, options, epoch)
        parts = " ".join(f"{name} {value:.4f}" for name, value in totals.items())
        log(f"epoch {epoch + 1}/{options.epochs} {time.time() - started:.0f}s {parts}")
        if after_epoch is not None:
            score = after_epoch(epoch, model)
            if score >= best[0]:
                best, best_epoch = (score, _state(model)), epoch
        if checkpoint is not None:
            checkpoint.save({
                "model": _state(model), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
                "epoch": epoch, "best_score": best[0], "best": best[1], "best_epoch": best_epoch,
                "topics": list(model.topics), "chance": [torch.get_rng_state(), random.getstate()],
            })  # fmt: skip
    if best[1] is not None:
        _restore(model, best[1])


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list | tuple) else value


def _epoch(
    model: Joint, examples: list[Example], optimizer: Any, schedule: Any, options: JointOptions, epoch: int
) -> dict[str, float]:
    weights = {**DEFAULT_WEIGHTS, **options.weights}
    model.encoder.train()
    model.heads.train()
    totals: dict[str, float] = {}
    counts: dict[str, int] = {}
    for batch in batches(examples, options.batch, options.seed * 1000 + epoch):
        gathered: dict[str, list[Tensor]] = {}
        for example, vectors in zip(batch, encode(model, batch, options.window), strict=True):
            for name, values in losses(model, example, vectors, options).items():
                gathered.setdefault(name, []).extend(value.reshape(-1) for value in values)
        joined = {name: torch.cat(values) for name, values in gathered.items() if values}
        parts = {name: values.mean() for name, values in joined.items() if len(values)}
        loss = sum((weights[name] * value for name, value in parts.items()), start=torch.zeros(()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*model.encoder.parameters(), *model.heads.parameters()], 1.0)
        optimizer.step()
        schedule.step()
        for name, value in parts.items():
            totals[name] = totals.get(name, 0.0) + float(value.detach())
            counts[name] = counts.get(name, 0) + 1
    model.encoder.eval()
    model.heads.eval()
    return {name: total / counts[name] for name, total in totals.items()}


def batches(examples: Sequence[Example], size: int, seed: int) -> list[list[Example]]:
    """Return shuffled batches of articles of like length, so that little is padding."""
    random_ = random.Random(seed)
    order = sorted(examples, key=lambda example: len(example.pieces.ids) * random_.uniform(0.85, 1.15))
    cut = [list(order[at : at + size]) for at in range(0, len(order), size)]
    random_.shuffle(cut)
    return cut


def _optimizer(model: Joint, options: JointOptions, steps: int) -> tuple[Any, Any]:
    layers = getattr(getattr(model.encoder.backbone, "encoder", None), "layer", [])
    for layer in list(layers)[: options.freeze_layers]:
        layer.requires_grad_(False)
    if options.freeze_layers:
        model.encoder.backbone.get_input_embeddings().requires_grad_(False)
    groups = []
    for module, rate in ((model.encoder, options.encoder_rate), (model.heads, options.head_rate)):
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        shapes = [p for name, p in named if name == "shapes.weight"]
        decayed = [p for name, p in named if p.ndim > 1 and name != "shapes.weight"]
        plain = [p for name, p in named if p.ndim <= 1]
        groups.append({"params": decayed, "lr": rate, "weight_decay": options.weight_decay})
        groups.append({"params": plain, "lr": rate, "weight_decay": 0.0})
        if shapes:
            groups.append({"params": shapes, "lr": options.head_rate, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, fused=True)
    warm = max(1, int(options.warmup * steps))

    def factor(step: int) -> float:
        return (step + 1) / warm if step < warm else max(0.0, (steps - step) / max(1, steps - warm))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def _state(model: Joint) -> dict[str, dict[str, Tensor]]:
    return {
        "encoder": {name: value.detach().clone() for name, value in model.encoder.state_dict().items()},
        "heads": {name: value.detach().clone() for name, value in model.heads.state_dict().items()},
    }


def _restore(model: Joint, state: dict[str, dict[str, Tensor]]) -> None:
    model.encoder.load_state_dict(state["encoder"])
    model.heads.load_state_dict(state["heads"])
