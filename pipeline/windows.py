"""Tokens → word pieces → overlapping windows, the same way for training and for running.

A window holds the piece ids, a shape id a piece (the encoder may be uncased and does not see line breaks, so case
and layout come beside the text), and which of its pieces count: where windows overlap, each piece is taken from the
window in which it stands farthest from an edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from tokenizers import Tokenizer

IntArray = NDArray[np.int64]

_CASES = 7
_LAYOUTS = 3
SHAPES = _CASES * _LAYOUTS


@dataclass(frozen=True)
class WindowOptions:
    """The longest window in pieces, its two special tokens included, and by how many pieces neighbours overlap."""

    size: int = 384
    overlap: int = 96


@dataclass(frozen=True)
class Pieces:
    """The word pieces of one document.

    `ids` and `shapes` are (pieces,); `first` is (tokens,): the index of each token's first piece, of the piece that
    it stands inside of where one covers several tokens, and for a token without any (white space, control characters)
    that of the token before it.
    """

    ids: IntArray
    shapes: IntArray
    first: IntArray


@dataclass(frozen=True)
class Window:
    """One input of the encoder: pieces `start` to `end` of a document, of which `keep_start` to `keep_end` count."""

    start: int
    end: int
    keep_start: int
    keep_end: int


def token_shapes(doc: Doc) -> IntArray:
    """Return a shape id a token: its case class, times whether it opens a line or stands behind an empty one."""
    shapes = np.zeros(len(doc), dtype=np.int64)
    layout = 2
    for index, token in enumerate(doc):
        text = token.text
        if text.isspace():
            breaks = text.count("\n") or text.count("\r")
            layout = max(layout, min(breaks, 2))
            continue
        shapes[index] = _case(text) + _CASES * layout
        layout = 0
    return shapes


def _case(text: str) -> int:
    if text.isalpha():
        if text.islower():
            return 0
        if text.isupper():
            return 2 if len(text) > 1 else 3
        if text.istitle():
            return 1
        # Letters of a script without case are all alike.
        return 4 if text.lower() != text.upper() else 0
    if text[0].isdigit():
        return 5
    return 6


def split_pieces(doc: Doc, tokenizer: Tokenizer) -> Pieces:
    """Return the word pieces of a document; none is dropped, however long it is."""
    encoding = tokenizer.encode(doc.text, add_special_tokens=False)
    owner = np.zeros(len(doc.text) + 1, dtype=np.int64)
    starts = np.array([token.idx for token in doc], dtype=np.int64)
    owner[starts] = 1
    owner = np.cumsum(owner) - 1
    ids = np.array(encoding.ids, dtype=np.int64)
    if not len(ids):
        return Pieces(ids, ids, np.full(len(doc), -1, dtype=np.int64))
    begins, ends = _piece_ranges(doc.text, encoding.offsets)
    solid = np.cumsum([0, *(not char.isspace() for char in doc.text)])
    blank = solid[begins] == solid[ends]
    tokens = owner[begins]
    first = np.full(len(doc), -1, dtype=np.int64)
    # A mark of a word's begin that is a piece of its own covers no token.
    marks = np.append((begins[:-1] == begins[1:]) & (ends[:-1] < ends[1:]), False) | blank
    seen, index = np.unique(tokens[~marks], return_index=True)
    first[seen] = np.flatnonzero(~marks)[index]
    inside = np.flatnonzero(first < 0)
    before = np.searchsorted(begins, starts[inside], side="right") - 1
    covered = (before >= 0) & (ends[before] > starts[inside])
    first[inside[covered]] = before[covered]
    first = np.maximum(np.maximum.accumulate(first), 0)
    return Pieces(ids, token_shapes(doc)[tokens], first)


def _piece_ranges(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[IntArray, IntArray]:
    """Return where each piece begins and ends, (pieces,) each: a space that some tokenizers count to the piece behind
    it is left out.
    """
    begins, ends = np.array(offsets, dtype=np.int64).reshape(-1, 2).T
    solid = np.array([place for place, char in enumerate(text) if not char.isspace()], dtype=np.int64)
    next_solid = np.append(solid, len(text))[np.searchsorted(solid, begins)]
    return np.where(next_solid < ends, next_solid, begins), ends


def cut_windows(count: int, options: WindowOptions) -> list[Window]:
    """Return windows that cover `count` pieces, and keep each piece exactly once."""
    size = options.size - 2
    if count <= size:
        return [Window(0, count, 0, count)] if count else []
    step = size - options.overlap
    number = 1 + -(-(count - size) // step)
    # Spread the windows evenly, so that the last is no sliver of new text behind a long overlap.
    starts = [round(index * (count - size) / (number - 1)) for index in range(number)]
    cuts = [0]
    for left, right in itertools.pairwise(starts):
        cuts.append((right + left + size) // 2)
    cuts.append(count)
    return [
        Window(start, start + size, keep_start, keep_end)
        for start, keep_start, keep_end in zip(starts, cuts, cuts[1:], strict=False)
    ]


@dataclass(frozen=True)
class Batch:
    """Inputs of the encoder, each (windows, longest): piece ids, shape ids and the mask of real pieces."""

    ids: IntArray
    shapes: IntArray
    mask: IntArray


def make_batch(entries: Sequence[tuple[Pieces, Window]], cls_id: int, sep_id: int, pad_id: int) -> Batch:
    """Return the padded inputs of some windows, special tokens added at both ends."""
    longest = max(window.end - window.start for _, window in entries) + 2
    ids = np.full((len(entries), longest), pad_id, dtype=np.int64)
    shapes = np.zeros((len(entries), longest), dtype=np.int64)
    mask = np.zeros((len(entries), longest), dtype=np.int64)
    for row, (pieces, window) in enumerate(entries):
        count = window.end - window.start
        ids[row, 0] = cls_id
        ids[row, 1 : count + 1] = pieces.ids[window.start : window.end]
        ids[row, count + 1] = sep_id
        shapes[row, 1 : count + 1] = pieces.shapes[window.start : window.end]
        mask[row, : count + 2] = 1
    return Batch(ids, shapes, mask)
