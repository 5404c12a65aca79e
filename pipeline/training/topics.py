"""The topic head alone: for users who add a topic, on top of an encoder that stays as it is."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from .. import __version__
from ..build import load_pipeline
from ..classify import Classify
from ..corpus import load_topics
from ..corpus_proposals import pages
from ..heads import record_vector
from ..resources import resource
from ..stage import TrainedStage, read_json
from .calibrate import calibrate_classes, class_data, encode_all
from .export import clear_stages, write_checksums
from .lexical import TOPIC_LEAST, Words, fit_lexical
from .load import PAGE, corpus_digest, load_data
from .model import Heads
from .recipe import Recipe, TrainingError

#: The parameters of the topic head, by the first part of their names.
TOPIC_PARTS = ("topics", "topic_labels", "topic_scale")


def train_topics(recipe: Recipe, model: str, out: Path, log: Callable[[str], None] = print) -> dict[str, float]:
    """Train the topic head for the labels of `configs/topics.toml` and write the model with it to `out`.

    A topic's `examples` there count as records of that topic, beside those of the annotated articles. Returns the
    dev scores. Raises `TrainingError` for a model that classifies by rules, for `examples` that are no list of texts,
    and for a topic that is new to the model and has neither records nor examples.
    """
    nlp = load_pipeline(model)
    if nlp.lang != recipe.lang:
        raise TrainingError(f"{model} is of language {nlp.lang!r}, the config of {recipe.lang!r}")
    source = Path(str(nlp.path))
    labels = load_topics()
    examples = load_examples(labels)
    corpus, dev, proposals = load_data(recipe, labels)
    classify = nlp.get_pipe("classify")
    if not isinstance(classify, Classify):
        raise TrainingError(f"{model} classifies by rules; --model names a trained one")
    data = class_data(nlp.make_doc, corpus, labels)
    shown = {labels[at] for at in np.flatnonzero(data.topics.sum(axis=0))} | {label for label, _ in examples}
    for label in labels:
        if label not in shown and label not in classify.settings["topics"]:
            raise TrainingError(
                f"topics.toml: {label} is new to {model} and has no records in {recipe.train}: give it `examples`"
            )
    log(f"encoding {len(corpus)} articles; words of {len(proposals)} single proposals")
    tensors = encode_all(nlp, corpus)
    words: list[Words] = [(data.docs[at], spans) for at, spans in data.places]
    vectors = [record_vector(tensors[at], spans) for at, spans in data.places]
    wanted = data.topics
    encode = nlp.get_pipe("encode")
    for label, text in examples:
        doc = encode(nlp.make_doc(text))
        words.append((doc, [(0, len(doc))]))
        vectors.append(record_vector(np.asarray(doc.tensor, dtype=np.float32), [(0, len(doc))]))
        wanted = np.concatenate([wanted, [[float(label == other) for other in labels]]])
    single = class_data(nlp.make_doc, pages(proposals, PAGE), labels)
    head = fit_head(np.array(vectors, dtype=np.float32), wanted.astype(np.float32), classify, recipe, labels)
    words += [(single.docs[at], spans) for at, spans in single.places]
    labelled = np.concatenate([wanted, single.topics.reshape(-1, len(labels))])
    lexical = fit_lexical("topics", words, labelled, TOPIC_LEAST)
    others = {name: value for name, value in classify.weights.items() if name.split(".")[0] not in TOPIC_PARTS}
    classify.load({**others, **head, **lexical}, classify.settings)
    settings, scores = calibrate_classes(nlp, dev, encode_all(nlp, dev), labels)
    classify.load(classify.weights, settings)
    before = read_json(source / "metrics.json") if (source / "metrics.json").exists() else {}
    if out.resolve() != source.resolve():
        out.mkdir(parents=True, exist_ok=True)
        clear_stages(out)
        # The card tells of the model before.
        shutil.copytree(source, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md"))
    classify.to_disk(out / "classify")
    write_checksums(out)
    training = {
        "data": corpus_digest([*corpus, *proposals, *examples]),
        "dev_data": corpus_digest(dev),
        "articles": len(corpus),
        "proposals": len(proposals),
        "examples": len(examples),
        "seed": recipe.joint.seed,
        "epochs": recipe.topics.epochs,
        "code": __version__,
    }
    written = json.dumps(metrics(before, scores, training), indent=1)
    (out / "metrics.json").write_text(written + "\n", encoding="utf-8")
    return scores


def metrics(before: dict[str, Any], scores: dict[str, float], training: dict[str, Any]) -> dict[str, Any]:
    """Return what is written beside a model whose topics were trained anew: the new scores, and of what they were made.

    What the model `before` was made of, all but its topics, stands beside it.
    """
    return {
        "dev": {**before.get("dev", {}), **scores},
        "training": training,
        "trained": "topics",
        "before": before.get("before", before.get("training")),
    }


def load_examples(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the examples that `configs/topics.toml` gives for its topics, each behind its label.

    Raises `TrainingError` that names the topic whose `examples` are no list of texts.
    """
    table = tomllib.loads(resource("configs", "topics.toml").read_text(encoding="utf-8"))
    found = []
    for label in labels:
        texts = table.get(label, {}).get("examples", [])
        if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
            raise TrainingError(f'topics.toml: the examples of {label} must be a list of texts: examples = ["…", "…"]')
        found += [(label, text) for text in texts]
    return found


def fit_head(
    vectors: Any, wanted: Any, classify: TrainedStage, recipe: Recipe, labels: tuple[str, ...]
) -> dict[str, Any]:
    """Return the weights of a topic head fitted to record vectors, (records, 2 × width).

    Topics that the old head knows start from its rows; a new one starts from the mean of its records' vectors.
    """
    torch.manual_seed(recipe.joint.seed)
    old = {label: row for row, label in enumerate(classify.settings["topics"])}
    inputs, target = torch.from_numpy(vectors), torch.from_numpy(wanted)
    heads = Heads(vectors.shape[1] // 2, len(labels), dropout=0.3)
    with torch.no_grad():
        for name, value in heads.named_parameters():
            if name.split(".")[0] not in TOPIC_PARTS:
                continue
            known = torch.from_numpy(classify.weights[name])
            if name in ("topics.3.weight", "topics.3.bias", "topic_labels.weight", "topic_labels.bias"):
                for row, label in enumerate(labels):
                    if label in old:
                        value[row] = known[old[label]]
                    elif name == "topic_labels.weight" and target[:, row].any():
                        mean = inputs[target[:, row] > 0][:, : vectors.shape[1] // 2].mean(dim=0)
                        value[row] = functional.normalize(mean, dim=0)
            else:
                value.copy_(known)
    parameters = [p for name, p in heads.named_parameters() if name.split(".")[0] in TOPIC_PARTS]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.topics.rate, weight_decay=0.05)
    heads.train()
    for _ in range(recipe.topics.epochs):
        for rows in torch.randperm(len(inputs)).split(64):
            logits = heads.topic_logits(inputs[rows])
            loss = functional.binary_cross_entropy_with_logits(logits, target[rows], reduction="none").sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    state = heads.state_dict().items()
    return {name: value.detach().numpy() for name, value in state if name.split(".")[0] in TOPIC_PARTS}
