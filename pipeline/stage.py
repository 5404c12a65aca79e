"""What the trained stages share: weights and settings that save and load, and the refusal to run without them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

WEIGHTS, SETTINGS = "weights.safetensors", "settings.json"


class ModelFileError(OSError):
    """A file of a model is missing or damaged; the message names it."""


class TrainedStage(ABC):
    """A spaCy component around plain functions of NumPy arrays.

    `weights` maps names of parameters to arrays (real numbers are stored in half precision, whole ones as they are),
    `settings` is a JSON object (thresholds, calibration). Both are empty until the stage is loaded or trained.
    """

    needs: tuple[str, ...] = ()
    #: Prefixes of parameters that the stage takes where they are, and does without.
    takes: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.weights: dict[str, NDArray[Any]] = {}
        self.settings: dict[str, Any] = {}

    def load(self, weights: dict[str, NDArray[Any]], settings: dict[str, Any] | None = None) -> None:
        """Take over trained weights; raise `ValueError` where one that the stage needs is missing."""
        missing = [key for key in self.needs if not any(known.startswith(key) for known in weights)]
        if missing:
            raise ValueError(f"{self.name}: no weights for {', '.join(missing)}")
        self.weights = {
            key: value if value.dtype.kind in "iu" else np.asarray(value, dtype=np.float32)
            for key, value in weights.items()
            if key.startswith((*self.needs, *self.takes))
        }
        self.settings = dict(settings or {})

    def __call__(self, doc: Doc) -> Doc:
        if not self.weights:
            raise ValueError(f"{self.name}: not trained; load a model, or train one with `twosessions train`")
        vectors = self.vectors(doc) if len(doc) else np.zeros((0, 0), dtype=np.float32)
        if vectors.size:
            self.process(doc, vectors)
        else:
            self.process_empty(doc)
        return doc

    def pipe(self, stream: Iterable[Doc], batch_size: int = 16) -> Iterator[Doc]:
        """Process documents one by one; the encoder has done the work that gains from batches."""
        for doc in stream:
            yield self(doc)

    @abstractmethod
    def process(self, doc: Doc, vectors: NDArray[np.float32]) -> None:
        """Annotate a document; `vectors` is (tokens, width)."""

    def process_empty(self, doc: Doc) -> None:
        """Annotate a document without words; by default there is nothing to write."""
        return

    def vectors(self, doc: Doc) -> NDArray[np.float32]:
        """Return the token vectors, (tokens, width), that the encoder left; raise `ValueError` where it did not run."""
        vectors = np.asarray(doc.tensor, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(doc):
            raise ValueError(f"{self.name}: the document has no token vectors; the `encode` stage must run before")
        return vectors

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the stage's files into a folder."""
        from safetensors.numpy import save_file

        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        halves = {key: v if v.dtype.kind in "iu" else v.astype(np.float16) for key, v in self.weights.items()}
        save_file(halves, folder / WEIGHTS)
        text = json.dumps(self.settings, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> TrainedStage:
        """Read the stage's files; raise `ModelFileError` that names a missing or damaged one."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        folder = Path(path)
        settings = read_json(folder / SETTINGS)
        try:
            weights = load_file(folder / WEIGHTS)
        except FileNotFoundError:
            raise ModelFileError(f"{folder / WEIGHTS} is missing") from None
        except (SafetensorError, OSError) as error:
            raise ModelFileError(f"{folder / WEIGHTS} is damaged: {error}") from None
        self.load(weights, settings)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the weights and settings as bytes."""
        from safetensors.numpy import save

        return save(self.weights, {"settings": json.dumps(self.settings)})

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> TrainedStage:
        """Take over what `to_bytes` gave."""
        from safetensors.numpy import load

        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        self.load(load(data), json.loads(header.get("__metadata__", {}).get("settings", "{}")))
        return self


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file of a model; raise `ModelFileError` that names a missing or damaged one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelFileError(f"{path} is missing") from None
    except (ValueError, OSError) as error:
        raise ModelFileError(f"{path} is damaged: {error}") from None
    if not isinstance(value, dict):
        raise ModelFileError(f"{path} is damaged: not a JSON object")
    return value
