"""The topic head alone: for users who add a topic, on top of an encoder that stays as it is."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from torch.nn import functional

from ..build import load_pipeline
from ..classify import Classify
from ..corpus import load_topics
from ..corpus_proposals import pages
from ..heads import record_vector
from ..resources import resource
from ..stage import TrainedStage, read_json
from .calibrate import calibrate_classes, class_data, encode_all
from .export import clear_stages, write_checksums
from .lexical import Words, fit_lexical
from .model import Heads
from .recipe import PAGE, Recipe, TrainingError, load_data

#: The parameters of the topic head, by the first part of their names.
TOPIC_PARTS = ("topics", "topic_labels", "topic_scale")


def train_topics(recipe: Recipe, model: str, out: Path, log: Callable[[str], None] = print) -> dict[str, float]:
    """Train the topic head for the labels of `configs/topics.toml` and write the model with it to `out`.

    A topic's `examples` there count as records of that topic, beside those of the annotated articles. Returns the
    dev scores.
    """
    nlp = load_pipeline(model)
    source = Path(str(nlp.path))
    labels = load_topics()
    corpus, dev, proposals = load_data(recipe, labels)
    log(f"encoding {len(corpus)} articles; words of {len(proposals)} single proposals")
    classify = nlp.get_pipe("classify")
    if not isinstance(classify, Classify):
        raise TrainingError(f"{model} classifies by rules; --model names a trained one")
    tensors = encode_all(nlp, corpus)
    data = class_data(nlp.make_doc, corpus, labels)
    words: list[Words] = [(data.docs[at], spans) for at, spans in data.places]
    vectors = [record_vector(tensors[at], spans) for at, spans in data.places]
    wanted = data.topics
    for doc, label in example_docs(nlp, labels):
        words.append((doc, [(0, len(doc))]))
        vectors.append(record_vector(np.asarray(doc.tensor, dtype=np.float32), [(0, len(doc))]))
        wanted = np.concatenate([wanted, [[float(label == other) for other in labels]]])
    single = class_data(nlp.make_doc, pages(proposals, PAGE), labels)
    head = fit_head(np.array(vectors, dtype=np.float32), wanted.astype(np.float32), classify, recipe, labels)
    words += [(single.docs[at], spans) for at, spans in single.places]
    lexical = fit_lexical("topics", words, np.concatenate([wanted, single.topics.reshape(-1, len(labels))]))
    others = {name: value for name, value in classify.weights.items() if name.split(".")[0] not in TOPIC_PARTS}
    classify.load({**others, **head, **lexical}, classify.settings)
    settings, scores = calibrate_classes(nlp, dev, encode_all(nlp, dev), labels)
    classify.load(classify.weights, settings)
    if out.resolve() != source.resolve():
        out.mkdir(parents=True, exist_ok=True)
        clear_stages(out)
        shutil.copytree(source, out, dirs_exist_ok=True)
    classify.to_disk(out / "classify")
    write_checksums(out)
    (out / "metrics.json").write_text(json.dumps(metrics(source, scores), indent=1) + "\n", encoding="utf-8")
    return scores


def metrics(source: Path, scores: dict[str, float]) -> dict[str, Any]:
    """Return what is written beside a model whose topics were trained anew: what it was made of, and the new scores."""
    before = read_json(source / "metrics.json") if (source / "metrics.json").exists() else {}
    return {**before, "dev": {**before.get("dev", {}), **scores}, "trained": "topics"}


def example_docs(nlp: Language, labels: tuple[str, ...]) -> Iterator[tuple[Doc, str]]:
    """Yield the encoded examples that `configs/topics.toml` gives for its topics, and their labels."""
    table = tomllib.loads(resource("configs", "topics.toml").read_text(encoding="utf-8"))
    encode = nlp.get_pipe("encode")
    for label in labels:
        for text in table.get(label, {}).get("examples", []):
            yield encode(nlp.make_doc(text)), label


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
    optimizer = torch.optim.AdamW(parameters, lr=float(recipe.topics.get("rate", 1e-3)), weight_decay=0.05)
    heads.train()
    for _ in range(int(recipe.topics.get("epochs", 60))):
        for rows in torch.randperm(len(inputs)).split(64):
            logits = heads.topic_logits(inputs[rows])
            loss = functional.binary_cross_entropy_with_logits(logits, target[rows], reduction="none").sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    state = heads.state_dict().items()
    return {name: value.detach().numpy() for name, value in state if name.split(".")[0] in TOPIC_PARTS}
