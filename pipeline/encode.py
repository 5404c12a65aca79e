"""The shared encoder: token vectors, one pass an article, by ONNX Runtime (or PyTorch where it is installed)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from tokenizers import Tokenizer

from .stage import SETTINGS, ModelFileError, read_json
from .windows import Batch, Pieces, Window, WindowOptions, cut_windows, make_batch, split_pieces

MODEL, WORD_PIECES = "model.onnx", "tokenizer.json"
# Windows of about this many pieces in all go through the encoder at a time: enough to fill the cores, little padding.
_BATCH_PIECES = 3072


class Runtime(Protocol):
    """Something that runs the transformer."""

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the vectors, (windows, longest, width)."""
        ...


class OnnxRuntime:
    """Runs an exported encoder with ONNX Runtime on the CPU."""

    def __init__(self, data: bytes, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the vectors, (windows, longest, width)."""
        inputs = {"ids": batch.ids, "shapes": batch.shapes, "mask": batch.mask}
        return np.asarray(self.session.run(["vectors"], inputs)[0], dtype=np.float32)


class Encode:
    """The component: leaves (tokens, width) vectors in `doc.tensor`."""

    def __init__(self, name: str, runtime: str = "onnx", threads: int = 0) -> None:
        self.name = name
        self.runtime_name = runtime
        self.threads = threads
        self.runtime: Runtime | None = None
        self.tokenizer: Tokenizer | None = None
        self.options = WindowOptions()
        self.special = (101, 102, 0)
        self._files: dict[str, bytes] = {}

    def load(
        self, runtime: Runtime, tokenizer: Tokenizer, options: WindowOptions, special: tuple[int, int, int]
    ) -> None:
        """Take over a runtime and its word pieces; `special` are the ids of the first, last and padding piece."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.runtime, self.tokenizer, self.options, self.special = runtime, tokenizer, options, special

    def __call__(self, doc: Doc) -> Doc:
        return next(iter(self.pipe([doc])))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 16) -> Iterator[Doc]:
        """Encode documents in batches of windows of like length."""
        if self.runtime is None or self.tokenizer is None:
            raise ValueError(f"{self.name}: not trained; load a model, or train one with `twosessions train`")
        docs = iter(stream)
        while group := list(islice(docs, batch_size)):
            for doc, vectors in zip(group, self._encode(group), strict=True):
                doc.tensor = vectors  # type: ignore[assignment]
                yield doc

    def _encode(self, docs: list[Doc]) -> list[NDArray[np.float32]]:
        assert self.runtime is not None
        assert self.tokenizer is not None
        pieces = [split_pieces(doc, self.tokenizer) for doc in docs]
        windows = [
            (index, window)
            for index, found in enumerate(pieces)
            for window in cut_windows(len(found.ids), self.options)
        ]
        windows.sort(key=lambda entry: entry[1].end - entry[1].start)
        rows: list[NDArray[np.float32] | None] = [None] * len(docs)
        for group in group_windows(windows):
            batch = make_batch([(pieces[index], window) for index, window in group], *self.special)
            vectors = self.runtime.run(batch)
            for (index, window), output in zip(group, vectors, strict=True):
                row = rows[index]
                if row is None:
                    row = rows[index] = np.empty((len(pieces[index].ids), output.shape[1]), dtype=np.float32)
                shift = 1 - window.start
                row[window.keep_start : window.keep_end] = output[window.keep_start + shift : window.keep_end + shift]
        return [_token_vectors(row, found) for row, found in zip(rows, pieces, strict=True)]

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the encoder's files into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self._files.items():
            (folder / name).write_bytes(data)
        settings = {"size": self.options.size, "overlap": self.options.overlap, "special": list(self.special)}
        (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Encode:
        """Read the encoder's files; raise `ModelFileError` that names a missing or damaged one."""
        folder = Path(path)
        settings = read_json(folder / SETTINGS)
        for name in (WORD_PIECES,) if self.runtime_name == "torch" else (MODEL, WORD_PIECES):
            try:
                self._files[name] = (folder / name).read_bytes()
            except OSError as error:
                reason = "is missing" if isinstance(error, FileNotFoundError) else f"can't be read: {error.strerror}"
                raise ModelFileError(f"{folder / name} {reason}") from None
        return self._start(settings, folder)

    def _start(self, settings: dict[str, Any], where: Path) -> Encode:
        try:
            tokenizer = Tokenizer.from_str(self._files[WORD_PIECES].decode("utf-8"))
        except Exception as error:
            raise ModelFileError(f"{where / WORD_PIECES} is damaged: {error}") from None
        runtime: Runtime
        if self.runtime_name == "torch":
            from .training.export import load_torch

            runtime = load_torch(where / "torch")
        else:
            try:
                runtime = OnnxRuntime(self._files[MODEL], self.threads)
            except Exception as error:
                raise ModelFileError(f"{where / MODEL} is damaged: {str(error)[:200]}") from None
        options = WindowOptions(int(settings["size"]), int(settings["overlap"]))
        first, last, padding = (int(value) for value in settings["special"])
        self.load(runtime, tokenizer, options, (first, last, padding))
        return self


def group_windows(windows: list[tuple[int, Window]]) -> Iterator[list[tuple[int, Window]]]:
    """Cut windows, sorted by length, into groups of a bounded number of pieces, padding counted."""
    group: list[tuple[int, Window]] = []
    for entry in windows:
        longest = entry[1].end - entry[1].start + 2
        if group and longest * (len(group) + 1) > _BATCH_PIECES:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _token_vectors(rows: NDArray[np.float32] | None, pieces: Pieces) -> NDArray[np.float32]:
    """Return a row a token; without columns where the text has no word piece at all (white space alone)."""
    if rows is None:
        return np.zeros((len(pieces.first), 0), dtype=np.float32)
    return rows[pieces.first]
