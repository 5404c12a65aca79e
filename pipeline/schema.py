"""What the stages pass to each other, and the labels, each written down once.

All offsets are half-open ranges of Unicode code points in `Article.text`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

SCHEMA_VERSION = 1

#: Labels of a mention, as published in `doc.ents` and scored by the evaluation.
MENTION_LABELS = ("PERSON", "ROLE", "ORG", "BODY")
#: A pronoun or a bare title that stands for somebody ("she", "the deputy"); internal to linking.
REFERENCE = "REF"
#: A statement that proposes, and one that does not (or whose source is no proponent).
PROPOSAL, SAYING = "PROPOSAL", "SAYING"

Kind = Literal["person", "organization"]
Body = Literal["NPC", "CPPCC", "local"]
StanceLabel = Literal["promote", "regulate", "both", "neither"]

KINDS: tuple[Kind, ...] = ("person", "organization")
BODIES: tuple[Body, ...] = ("NPC", "CPPCC", "local")
STANCES: tuple[StanceLabel, ...] = ("promote", "regulate", "both", "neither")


@dataclass(frozen=True)
class Article:
    """One piece of coverage; `text` never changes once read.

    `file` is the name, without folder and ending, of the file that the id comes from, which other articles may have
    too; None where the id is the article's own, from its metadata or made from its text.
    """

    id: str
    text: str
    lang: str | None = None
    title: str | None = None
    outlet: str | None = None
    url: str | None = None
    published: str | None = None
    session_year: int | None = None
    file: str | None = None


#: What is told of an article, its id first; where it was read from is not.
ARTICLE_METADATA = ("id", "lang", "title", "outlet", "url", "published", "session_year")


@dataclass(frozen=True)
class Span:
    """A stretch of an article; `text` equals `article.text[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Mention(Span):
    """A span that names something, with the recogniser's calibrated score."""

    label: str
    score: float = 1.0


@dataclass(frozen=True)
class Role:
    """A post of a delegate; `start` and `end` locate the title in the article."""

    title: str
    organization: str | None
    start: int
    end: int


@dataclass(frozen=True)
class Delegate:
    """A proponent as one article shows it: a person with posts, or an organization that submits."""

    id: str
    name: str
    name_zh: str | None
    kind: Kind
    body: Body | None
    score: float
    roles: tuple[Role, ...]
    mentions: tuple[Span, ...]


@dataclass(frozen=True)
class TopicScore:
    """A topic label with the calibrated probability that it applies."""

    label: str
    score: float


@dataclass(frozen=True)
class Stance:
    """Two calibrated probabilities, and the label that follows from them."""

    label: StanceLabel
    promote: float
    regulate: float


@dataclass(frozen=True)
class Proposal:
    """One subject in the exact words of the article, in one span or more."""

    id: str
    text: str
    spans: tuple[Span, ...]
    topics: tuple[TopicScore, ...]
    stance: Stance


@dataclass(frozen=True)
class DocumentInfo:
    """What is known of the article that a record comes from."""

    title: str | None
    outlet: str | None
    url: str | None
    published: str | None
    lang: str | None
    session_year: int | None


@dataclass(frozen=True)
class Provenance:
    """Which code and which models made a record; `models` maps a language to a digest."""

    pipeline: str
    models: dict[str, str]


@dataclass(frozen=True)
class Record:
    """One proponent and one proposal: a line of the output contract."""

    schema_version: int
    record_id: str
    document_id: str
    document: DocumentInfo
    delegate: Delegate
    proposal: Proposal
    score: float
    provenance: Provenance

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and numbers, ready for `json.dumps`."""
        return asdict(self)


def stable_hash(*parts: object) -> str:
    """Return 16 hexadecimal digits that depend on the parts and their order alone."""
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def document_info(article: Article) -> DocumentInfo:
    """Return the metadata of an article as its records carry it."""
    return DocumentInfo(
        title=article.title,
        outlet=article.outlet,
        url=article.url,
        published=article.published,
        lang=article.lang,
        session_year=article.session_year,
    )


def record_from_dict(value: dict[str, Any]) -> Record:
    """Return the record of a decoded JSON line; raise `ValueError` where it breaks the contract."""
    from pydantic import TypeAdapter

    return TypeAdapter(Record).validate_python(value)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record, made from the dataclasses above."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Record).json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["schema_version"]["const"] = SCHEMA_VERSION
    return schema
