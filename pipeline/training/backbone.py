"""The backbone that a training starts from: found, checked, and an untrained model around it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from ..document import ExactTokenizer
from ..resources import resource
from ..windows import cut_windows, make_batch, split_pieces
from .joint import Joint
from .model import Encoder, Heads
from .recipe import Recipe, TrainingError


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
