"""Trained weights → the files that ship: ONNX (int8), heads, and the spaCy pipeline around them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from tokenizers import Tokenizer

from ..build import build
from ..encode import MODEL, WORD_PIECES, Encode, OnnxRuntime, Runtime
from ..resources import resource
from ..stage import SETTINGS, ModelFileError, TrainedStage
from ..windows import Batch, WindowOptions
from .joint import Joint
from .model import Encoder

CHECKSUMS = "checksums.json"


class ModuleRuntime:
    """Runs a PyTorch encoder that is in memory; for training, and to compare runtimes."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the vectors, (windows, longest, width)."""
        with torch.inference_mode():
            device = self.encoder.shapes.weight.device
            inputs = (torch.from_numpy(x).to(device) for x in (batch.ids, batch.shapes, batch.mask))
            return self.encoder(*inputs).float().cpu().numpy()


class _Exported(torch.nn.Module):
    """The encoder with the shape table looked up inside, under names that the runtime uses."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, shapes: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(ids, shapes, mask)


def export_onnx(encoder: Encoder, path: Path) -> None:
    """Write the encoder as fp32 ONNX with dynamic numbers of windows and pieces."""
    exported = _Exported(encoder).eval()
    batch, length = torch.export.Dim("windows", min=1, max=4096), torch.export.Dim("pieces", min=2, max=512)
    # Three tensors of their own: one that serves twice would be taken for one input.
    samples = tuple(torch.full((2, 16), value, dtype=torch.long) for value in (1, 0, 1))
    shape = {0: batch, 1: length}
    program = torch.onnx.export(
        exported,
        samples,
        input_names=["ids", "shapes", "mask"],
        output_names=["vectors"],
        dynamic_shapes=(shape, shape, shape),
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    assert program is not None
    program.save(str(path), external_data=False)


def head_weights(model: Joint) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of the heads as arrays, under the names that `pipeline.heads` uses."""
    return {name: value.detach().float().cpu().numpy() for name, value in model.heads.state_dict().items()}


def assemble(
    runtime: Runtime,
    tokenizer: Tokenizer,
    special: tuple[int, int, int],
    window: WindowOptions,
    weights: Mapping[str, NDArray[np.float32]],
    settings: Mapping[str, dict[str, Any]],
    lang: str = "en",
    files: Mapping[str, bytes] | None = None,
) -> Language:
    """Return a language's pipeline with these weights in its stages; `settings` are by stage name."""
    nlp = build(resource("configs", f"{lang}.cfg"))
    encode = nlp.get_pipe("encode")
    assert isinstance(encode, Encode)
    encode.load(runtime, tokenizer, window, special)
    encode._files = dict(files or {})
    for name, stage in nlp.pipeline:
        if isinstance(stage, TrainedStage):
            stage.load(dict(weights), settings.get(name))
    return nlp


def assemble_from_memory(
    model: Joint, tokenizer: Tokenizer, window: WindowOptions, settings: Mapping[str, Any], lang: str = "en"
) -> Language:
    """Return a pipeline that runs a model under training."""
    topics = {"topics": list(model.topics)}
    merged = {**settings, "classify": {**topics, **settings.get("classify", {})}}
    return assemble(ModuleRuntime(model.encoder), tokenizer, model.special, window, head_weights(model), merged, lang)


def write_pipeline(
    folder: Path,
    onnx_file: Path,
    tokenizer: Tokenizer,
    trained: tuple[Joint, Mapping[str, NDArray[np.float32]]],
    window: WindowOptions,
    settings: Mapping[str, Any],
    meta: Mapping[str, Any],
    lang: str = "en",
    keep_torch: bool = False,
) -> None:
    """Write a model folder that `spacy.load` reads, with the checksums of its files.

    `trained` is the model and the weights of all stages, those that are no part of the joint model among them.
    With `keep_torch` the encoder is written a second time, in fp32 for `--runtime torch`. Of another model in the
    folder nothing is left but its card.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model, weights = trained
    files = {MODEL: onnx_file.read_bytes(), WORD_PIECES: tokenizer.to_str().encode("utf-8")}
    merged = {**settings, "classify": {"topics": list(model.topics), **settings.get("classify", {})}}
    nlp = assemble(OnnxRuntime(files[MODEL]), tokenizer, model.special, window, weights, merged, lang, files)
    nlp.meta.update(meta)
    folder.mkdir(parents=True, exist_ok=True)
    clear_stages(folder)
    nlp.to_disk(folder, exclude=["vocab"])
    if keep_torch:
        save_torch(model.encoder, folder / "encode" / "torch")
    write_checksums(folder)


def clear_stages(folder: Path) -> None:
    """Remove the stages of the model that is in a folder, so that none of its files is taken for one of the next."""
    for path in folder.iterdir():
        if (path / SETTINGS).is_file():
            shutil.rmtree(path)


def write_checksums(folder: Path) -> None:
    """Write down the SHA-256 of every file of a model folder, but of the card and the metrics."""
    left_out = {CHECKSUMS, "README.md", "metrics.json"}
    sums = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in left_out
    }
    (folder / CHECKSUMS).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")


def save_torch(encoder: Encoder, folder: Path) -> None:
    """Write an encoder for `--runtime torch`: the backbone's config, and all weights as safetensors."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    encoder.backbone.config.save_pretrained(folder)
    save_file(
        {name: value.contiguous() for name, value in encoder.state_dict().items()}, folder / "encoder.safetensors"
    )


def load_torch(folder: Path) -> ModuleRuntime:
    """Return the runtime of an encoder that `save_torch` wrote; raise `ModelFileError` that names what is missing."""
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    weights = folder / "encoder.safetensors"
    if not weights.exists():
        raise ModelFileError(
            f"{weights} is missing: this model was written for ONNX Runtime only (train with --keep-torch)"
        )
    encoder = Encoder(AutoModel.from_config(AutoConfig.from_pretrained(folder)))
    encoder.load_state_dict(load_file(weights))
    return ModuleRuntime(encoder.eval())
