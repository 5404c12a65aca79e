"""The shared encoder: token vectors, one pass an article, by ONNX Runtime (or PyTorch where it is installed)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from tokenizers import Tokenizer

from .stage import SETTINGS, ModelFileError, read_json
from .windows import Batch, Pieces, Window, WindowOptions, cut_windows, make_batch, split_pieces

MODEL, WORD_PIECES = "model.onnx", "tokenizer.json"
# Windows of at most this many pieces in all go through the encoder at a time: enough to fill the cores.
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
        """Encode documents, the windows of each together, `batch_size` documents before the first of them goes on.

        The threads of the runtime stay awake for a while behind each, and would hold up those of NumPy in the stages
        to come.
        """
        if self.runtime is None or self.tokenizer is None:
            raise ValueError(f"{self.name}: not trained; load a model, or train one with `twosessions train`")
        docs = iter(stream)
        while group := list(islice(docs, batch_size)):
            for doc in group:
                pieces = split_pieces(doc, self.tokenizer)
                doc.tensor = encode_pieces(self.runtime, pieces, self.options, self.special)  # type: ignore[assignment]
            yield from group

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the encoder's files into a folder; raise `ValueError` where it has none, being under training."""
        if not self._files:
            raise ValueError(f"{self.name}: not exported, so there is no file of it to write")
        folder = Path(path)
        for name, data in {**self._files, SETTINGS: self._settings()}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Encode:
        """Read the encoder's files; raise `ModelFileError` that names a missing or damaged one."""
        folder = Path(path)
        settings = read_json(folder / SETTINGS)
        names = [MODEL, WORD_PIECES]
        if self.runtime_name == "torch":
            names += [str(file.relative_to(folder)) for file in sorted(folder.glob("torch/*"))]
        for name in names:
            try:
                self._files[name] = (folder / name).read_bytes()
            except OSError as error:
                reason = "is missing" if isinstance(error, FileNotFoundError) else f"can't be read: {error.strerror}"
                raise ModelFileError(f"{folder / name} {reason}") from None
        return self._start(settings, folder)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the encoder's files as bytes; raise `ValueError` as `to_disk` does."""
        from safetensors.numpy import save

        with TemporaryDirectory() as folder:
            self.to_disk(folder)
            paths = [path for path in Path(folder).rglob("*") if path.is_file()]
            return save({str(p.relative_to(folder)): np.frombuffer(p.read_bytes(), dtype=np.uint8) for p in paths})

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Encode:
        """Take over what `to_bytes` gave."""
        from safetensors.numpy import load

        with TemporaryDirectory() as folder:
            for name, content in load(data).items():
                path = Path(folder) / name
                if not path.resolve().is_relative_to(Path(folder).resolve()):
                    raise ModelFileError(f"{name} is no file of an encoder")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.tobytes())
            return self.from_disk(folder)

    def _settings(self) -> bytes:
        settings = {"size": self.options.size, "overlap": self.options.overlap, "special": list(self.special)}
        return (json.dumps(settings, indent=1) + "\n").encode("utf-8")

    def _start(self, settings: dict[str, Any], where: Path) -> Encode:
        try:
            tokenizer = Tokenizer.from_str(self._files[WORD_PIECES].decode("utf-8"))
        except Exception as error:
            raise ModelFileError(f"{where / WORD_PIECES} is damaged: {error}") from None
        runtime: Runtime
        if self.runtime_name == "torch":
            try:
                from .training.export import load_torch
            except ImportError as error:
                raise ModelFileError(f"{where}: --runtime torch needs PyTorch and transformers: {error}") from None
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


def encode_pieces(
    runtime: Runtime, pieces: Pieces, options: WindowOptions, special: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Return a row a token, (tokens, width); without columns where the text has no word piece at all (white space
    alone).
    """
    rows: NDArray[np.float32] | None = None
    for windows, batch in window_batches(pieces, options, special):
        for window, output in zip(windows, runtime.run(batch), strict=True):
            if rows is None:
                rows = np.empty((len(pieces.ids), output.shape[1]), dtype=np.float32)
            shift = 1 - window.start
            rows[window.keep_start : window.keep_end] = output[window.keep_start + shift : window.keep_end + shift]
    return np.zeros((len(pieces.first), 0), dtype=np.float32) if rows is None else rows[pieces.first]


def window_batches(
    pieces: Pieces, options: WindowOptions, special: tuple[int, int, int]
) -> Iterator[tuple[list[Window], Batch]]:
    """Yield the windows of one document in batches of a bounded number of pieces.

    They are of one length, so nothing is padded. No batch holds windows of two documents: the int8 encoder rounds by
    what a batch holds, and what is found in an article must not depend on the articles beside it.
    """
    windows = cut_windows(len(pieces.ids), options)
    if not windows:
        return
    size = max(1, _BATCH_PIECES // (windows[0].end - windows[0].start + 2))
    for at in range(0, len(windows), size):
        group = windows[at : at + size]
        yield group, make_batch([(pieces, window) for window in group], *special)
