"""IOB and CoNLL columns: one token a line, its tag last, a blank line between sentences. Mentions only.

Written as IOB2 with two tab-separated columns and comments (`# newdoc id = …`, `# text = …`) from which the text comes
back exactly. Read as well: IOB1, BIOES and BMES tags, several columns, `-DOCSTART-` lines. Without comments the
text is the tokens with spaces between them (none before closing punctuation), one sentence a line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ..corpus import AnnotatedArticle, CorpusError
from ..schema import REFERENCE
from ..scripts import SHARED_MARKS, UNSPACED
from . import columns_of, encodable, files_of, read_text, replacing
from .graph import Graph, GraphSpan, from_graph

if TYPE_CHECKING:
    from ..document import ExactTokenizer

_SUFFIXES = (".iob", ".iob2", ".conll", ".bio", ".bmes", ".tsv", ".txt")
_COMMENT = re.compile(r"#\s*(newdoc id|text)\s*=(?: (.*))?$")
_STARTS, _GOES_ON = "BSUbsu", "IMELimel"
_CLOSING, _OPENING = frozenset(",.;:!?)]}%’”'"), frozenset("([{“‘$")
_log = logging.getLogger(__name__)


@dataclass
class _Sentence:
    """The tokens and tags of a sentence, with the line of the first, and its own text where that is known."""

    line: int
    tokens: list[tuple[str, str]] = field(default_factory=list)
    text: str | None = None


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the articles of a file or folder with their mentions; a file without document borders is one article."""
    found = []
    for file in files_of(path, _SUFFIXES):
        for number, (name, sentences) in enumerate(_documents(file), 1):
            graph = _graph(sentences, name or (f"{file.stem}-{number}"), str(file))
            found.append(from_graph(graph, str(file), labels))
    return found


def _documents(file: Path) -> Iterator[tuple[str | None, list[_Sentence]]]:
    name: str | None = None
    sentences: list[_Sentence] = []
    current: _Sentence | None = None
    lines = read_text(file).split("\n")
    # Where the other lines end in "\n" alone, the "\r" at the end of a "# text" is the text's own.
    windows = any(line.endswith("\r") for line in lines if not _is_text(line))
    for number, line in enumerate(lines, 1):
        if windows or not _is_text(line):
            line = line.removesuffix("\r")
        comment = _COMMENT.match(line)
        starts = line.startswith("-DOCSTART-") or (comment is not None and comment[1] == "newdoc id")
        if starts:
            if sentences:
                yield name, sentences
            name = comment[2] if comment else None
            sentences, current = [], None
        elif comment:
            current = _Sentence(number, text=comment[2] or "")
            sentences.append(current)
        elif not line.strip():
            current = None
        elif line.startswith("#") and len(line.split()) != 2:
            continue
        else:
            columns = columns_of(line)
            if len(columns) < 2 or not columns[0] or not (columns[-1] == "O" or columns[-1][1:2] == "-"):
                raise CorpusError(
                    f"{file}:{number}: {line!r} is no token with a tag (O, B-PERSON, I-PERSON, …) behind it"
                )
            if current is None:
                current = _Sentence(number)
                sentences.append(current)
            current.tokens.append((columns[0], columns[-1]))
    if sentences:
        yield name, sentences


def _is_text(line: str) -> bool:
    comment = _COMMENT.match(line)
    return comment is not None and comment[1] == "text"


def _graph(sentences: list[_Sentence], name: str, source: str) -> Graph:
    lines: list[str] = []
    spans: list[list] = []
    offset = 0
    for sentence in sentences:
        words = [token for token, _ in sentence.tokens]
        text = sentence.text if sentence.text is not None else _join(words)
        at, label = 0, "O"
        for token, tag in sentence.tokens:
            start = text.find(token, at)
            if start < 0:
                raise CorpusError(f"{source}:{sentence.line}: the token {token!r} is not in the sentence's text")
            at = start + len(token)
            kind, _, tagged = tag.partition("-")
            if tag != "O" and kind not in _STARTS + _GOES_ON:
                raise CorpusError(
                    f"{source}:{sentence.line}: the tag {tag!r} begins with none of B, I, O, E, M, S, L, U"
                )
            if tag != "O" and (kind in _STARTS or tagged != label):
                spans.append([offset + start, offset + at, tagged])
            elif tag != "O":
                spans[-1][1] = offset + at
            label = tagged if tag != "O" and kind not in "ELSUelsu" else "O"
        lines.append(text)
        offset += len(text) + 1
    return Graph(
        "\n".join(lines),
        tuple(GraphSpan(f"T{i}", start, end, label) for i, (start, end, label) in enumerate(spans, 1)),
        (),
        {"id": name},
    )


def run_on(text: str, word: str) -> bool:
    """Tell whether a word follows a text without a space: Chinese parts neither words nor punctuation marks by any."""
    ours, theirs = UNSPACED.match(text.rstrip(SHARED_MARKS)[-1:]) is not None, UNSPACED.search(word) is not None
    mark = len(word) == 1 and word in SHARED_MARKS
    return (ours and (theirs or mark)) or (theirs and text.endswith(tuple(SHARED_MARKS)))


def _join(words: list[str]) -> str:
    text = ""
    for word in words:
        close = word[0] in _CLOSING or (text and text[-1] in _OPENING) or run_on(text, word)
        text += word if not text or close else f" {word}"
    return text


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write the mentions of annotated articles to one file; the log says that all else is lost."""
    from spacy.vocab import Vocab

    from ..document import ExactTokenizer

    tokenizer = ExactTokenizer(Vocab())
    lost = 0
    with replacing(path) as made, made.open("w", encoding="utf-8", newline="\n") as stream:
        for annotated in articles:
            lost += len(annotated.statements)
            with encodable(f"{path}: {annotated.article.id}"):
                stream.writelines(_lines(annotated, tokenizer))
    _log.warning("%s: IOB holds mentions only: %d statements, all links and metadata are lost", path, lost)


def _lines(annotated: AnnotatedArticle, tokenizer: ExactTokenizer) -> Iterator[str]:
    article, start = annotated.article, 0
    yield f"# newdoc id = {article.id}\n"
    for line in article.text.split("\n"):
        yield f"# text = {line}\n" if line else "# text =\n"
        for token in tokenizer(line):
            yield from _rows(annotated, start + token.idx, token.text)
        yield "\n"
        start += len(line) + 1


def _rows(annotated: AnnotatedArticle, start: int, token: str) -> Iterator[str]:
    """Yield the lines of a token; one that a mention ends inside of is parted there."""
    end = start + len(token)
    cuts = {start, end}
    inside = [m for m in annotated.mentions if m.start < end and m.end > start and m.label != REFERENCE]
    cuts |= {cut for m in inside for cut in (m.start, m.end) if start < cut < end}
    edges = sorted(cuts)
    for first, last in pairwise(edges):
        piece = token[first - start : last - start]
        if not piece.strip():
            continue
        mention = next((m for m in inside if m.start <= first and last <= m.end), None)
        tag = "O" if mention is None else f"{'B' if first == mention.start else 'I'}-{mention.label}"
        yield f"{piece}\t{tag}\n"
