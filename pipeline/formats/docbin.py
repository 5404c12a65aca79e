"""spaCy's DocBin: `doc.ents`, the span groups `mentions` and `statements`, entities and proposals in extensions.

`doc._.records` of a loaded `Doc` are the gold records. `doc.user_data["annotation"]` is the compiled form without its
text, so that an annotated article comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpus import AnnotatedArticle, CorpusError
from ..schema import PROPOSAL, REFERENCE, SAYING
from . import encodable, files_of, replacing
from .compiled import from_row, to_row

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_SHARES = {"promote": (1.0, 0.0), "regulate": (0.0, 1.0), "both": (1.0, 1.0), "neither": (0.0, 0.0)}


def gold_doc(annotated: AnnotatedArticle, nlp: Language) -> Doc:
    """Return the `Doc` of an annotated article; spans cover whole tokens, which `nlp` must split exactly."""
    from spacy.tokens import SpanGroup
    from spacy.util import filter_spans

    from ..document import MENTIONS, STATEMENTS, character_span, make_doc

    doc = make_doc(nlp, annotated.article)
    mentions = [character_span(doc, m.start, m.end, m.label) for m in annotated.mentions]
    statements = [
        character_span(doc, s.start, s.end, SAYING if s.n is None else PROPOSAL) for s in annotated.statements
    ]
    for name, spans in ((MENTIONS, mentions), (STATEMENTS, statements)):
        doc.spans[name] = SpanGroup(doc, name=name, spans=spans, attrs={"scores": [1.0] * len(spans)})
    # Two mentions may share a token where a page runs words together; an entity span can't.
    doc.set_ents(filter_spans([span for span in mentions if span.label_ != REFERENCE]))
    doc._.entities = [_entity(annotated, index) for index in range(len(annotated.entities))]
    doc._.proposals = _proposals(annotated)
    row = to_row(annotated)
    doc.user_data["annotation"] = {key: value for key, value in row.items() if key != "text"}
    return doc


def _entity(annotated: AnnotatedArticle, index: int) -> dict[str, Any]:
    entity = annotated.entities[index]
    own = [m for m in annotated.mentions if entity.id in m.of]
    naming = ("PERSON", REFERENCE) if entity.kind == "person" else ("ORG", REFERENCE)
    text = annotated.article.text
    return {
        "id": entity.id,
        "kind": entity.kind,
        "name": entity.name,
        "name_zh": entity.name_zh,
        "body": entity.body,
        "body_score": 1.0,
        "mentions": [[m.start, m.end] for m in own if m.label in naming],
        "roles": [
            {"start": m.start, "end": m.end, "organization": _organization(annotated, entity.id, m.start, text)}
            for m in own
            if m.label == "ROLE"
        ],
    }


def _organization(annotated: AnnotatedArticle, entity: str, start: int, text: str) -> str | None:
    """Return the organization of a person that the post is written together with, as Chinese does, or else the nearest.

    The markup doesn't say which post is where.
    """
    own = [m for m in annotated.mentions if m.label == "ORG" and entity in m.of]
    nearest = min(own, key=lambda m: (m.end != start, abs(m.start - start)), default=None)
    return None if nearest is None else text[nearest.start : nearest.end]


def _proposals(annotated: AnnotatedArticle) -> list[dict[str, Any]]:
    indexes = {entity.id: index for index, entity in enumerate(annotated.entities)}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for statement in annotated.statements:
        if statement.n is None:
            continue
        stance = statement.stance or "neither"
        if stance not in _SHARES or not set(statement.by) <= set(indexes):
            raise CorpusError(
                f"{annotated.article.id}: the statement at {statement.start} has the stance {stance!r} and is by "
                f"{', '.join(statement.by)}: `twosessions corpus check` says what is wrong with it"
            )
        for holder in statement.by:
            entry = found.setdefault(
                (holder, statement.n),
                {
                    "entity": indexes[holder],
                    "spans": [],
                    "score": 1.0,
                    "topics": [{"label": topic, "score": 1.0} for topic in statement.topics],
                    "stance": {"label": stance, "promote": _SHARES[stance][0], "regulate": _SHARES[stance][1]},
                },
            )
            entry["spans"].append([statement.start, statement.end])
    return list(found.values())


def _blank() -> Language:
    import spacy

    from ..document import ExactTokenizer

    nlp = spacy.blank("xx")
    nlp.tokenizer = ExactTokenizer(nlp.vocab)
    return nlp


def read(path: Path, labels: Mapping[str, str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of the DocBins that were written here."""
    from spacy.tokens import DocBin

    nlp = _blank()
    found = []
    for file in files_of(path, [".spacy"]):
        try:
            docs = list(DocBin().from_disk(file).get_docs(nlp.vocab))
        except Exception as error:  # zlib's, msgpack's or spaCy's own, by where the damage is
            raise CorpusError(f"{file}: not a DocBin: {error}") from None
        for number, doc in enumerate(docs, 1):
            row = doc.user_data.get("annotation")
            if row is None:
                raise CorpusError(f"{file}: document {number} holds no annotation of this corpus")
            found.append(from_row({**row, "text": doc.text}, f"{file}: document {number}"))
    return found


def write(articles: Iterable[AnnotatedArticle], path: Path) -> None:
    """Write annotated articles to one DocBin, user data included."""
    from spacy.tokens import DocBin

    nlp = _blank()
    with replacing(path) as made, encodable(str(path)):
        DocBin(docs=[gold_doc(annotated, nlp) for annotated in articles], store_user_data=True).to_disk(made)
