"""Annotated articles: the authored XML, its checks, and the compiled form that training and evaluation read."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any

from lxml import etree

from .languages import Languages, load_languages
from .people import is_name_like, same_name, surname
from .resources import resource
from .schema import BODIES, REFERENCE, STANCES, Article
from .scripts import SHARED_MARKS, UNSPACED, WORD, chinese

SHAPES = (
    "list", "report", "quote-page", "profile", "brief", "interview",
    "caption", "background", "plans", "government", "newsletter",
)  # fmt: skip
SPLITS = ("train", "dev", "test")
#: A Chinese character says less than a word: so many of them are as long as one.
CHARACTERS_A_WORD = 1.6
_MENTION_TAGS = {"per": "PERSON", "ref": REFERENCE, "role": "ROLE", "org": "ORG", "body": "BODY"}
_STATEMENT_TAGS = ("prop", "say")
_ARTICLE_ATTRIBUTES = frozenset(
    ("id", "lang", "title", "outlet", "url", "published", "session_year", "shape", "breaks")
)
# A line of the file that ends inside of what is written without spaces.
_WRAPPED = re.compile(
    rf"(?<={UNSPACED.pattern})[ \t]*[\r\n][ \t\r\n]*(?={UNSPACED.pattern}|[{SHARED_MARKS}])"
    rf"|(?<=[{SHARED_MARKS}])[ \t]*[\r\n][ \t\r\n]*(?={UNSPACED.pattern})"
)
# What opens the brackets around a name in the other script.
_BRACKET = re.compile(r"\s*[(（\[［【]\s*")


class CorpusError(ValueError):
    """An annotated article that breaks the format; the message names the file and the place."""


@dataclass(frozen=True)
class Entity:
    """A named person, or an organization that makes a statement."""

    id: str
    kind: str
    name: str
    name_zh: str | None = None
    body: str | None = None


@dataclass(frozen=True)
class GoldMention:
    """An annotated mention; `of` holds the ids of the entities it belongs to (itself, for a name).

    `is_` is set on a BODY: NPC, CPPCC, local or unknown.
    """

    start: int
    end: int
    label: str
    of: tuple[str, ...] = ()
    is_: str | None = None


@dataclass(frozen=True)
class GoldStatement:
    """One span of a statement; `n` is None where it proposes nothing."""

    start: int
    end: int
    by: tuple[str, ...]
    n: str | None = None
    topics: tuple[str, ...] = ()
    stance: str | None = None


@dataclass(frozen=True)
class AnnotatedArticle:
    """An article with everything that must be found in it."""

    article: Article
    shape: str | None
    entities: tuple[Entity, ...]
    mentions: tuple[GoldMention, ...]
    statements: tuple[GoldStatement, ...]

    def entity(self, entity_id: str) -> Entity:
        """Return an entity by its id; raise `KeyError` where there is none."""
        for entity in self.entities:
            if entity.id == entity_id:
                return entity
        raise KeyError(entity_id)


@dataclass(frozen=True)
class Problem:
    """Something that the checks object to; an `error` makes the corpus unfit, a `warning` asks for a look."""

    source: str
    message: str
    level: str = "error"

    def __str__(self) -> str:
        return f"{self.source}: {self.level}: {self.message}"


class _Builder:
    """Walks one article element and collects its text and its annotations."""

    def __init__(self, source: str, topics: frozenset[str], unnamed: re.Pattern[str] | None) -> None:
        self.source = source
        self.topics = topics
        self.unnamed = unnamed
        self.text = ""
        self.problems: list[str] = []
        self.names: dict[str, tuple[str, str]] = {}
        self.mentions: list[GoldMention] = []
        self.statements: list[GoldStatement] = []
        self.bodies: dict[str, str] = {}
        self.names_zh: dict[str, str] = {}

    def complain(self, element: Any, message: str) -> None:
        words = " ".join("".join(element.itertext()).split())[:60]
        self.problems.append(f"line {element.sourceline}, <{element.tag}> '{words}': {message}")

    def paragraph(self, element: Any) -> None:
        if element.tag != "p":
            self.complain(element, "only <p> stands directly in an article")
            return
        start = len(self.text)
        _unwrap(element)
        self._content(element, ())
        if self.text[start:] != self.text[start:].rstrip():
            self.text = self.text.rstrip()
        if len(self.text) == start:
            self.complain(element, "an empty paragraph")

    def _content(self, element: Any, above: tuple[str, ...]) -> None:
        self._append(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self._child(child, (*above, element.tag))
            elif child.tag is etree.Entity:
                self.problems.append(f"line {child.sourceline}: {child.text} is no character; write it out")
            self._append(child.tail)

    def _append(self, text: str | None) -> None:
        piece = re.sub(r"[ \t\r\n]+", " ", text or "")
        if piece.startswith(" ") and (not self.text or self.text[-1] in " \n"):
            piece = piece[1:]
        self.text += piece

    def _child(self, element: Any, above: tuple[str, ...]) -> None:
        tag = element.tag
        if tag not in _MENTION_TAGS and tag not in _STATEMENT_TAGS:
            self.complain(element, "no such tag")
            return
        if any(parent in _MENTION_TAGS for parent in above):
            self.complain(element, "a mention holds text only")
        if tag in _STATEMENT_TAGS and any(parent in _STATEMENT_TAGS for parent in above):
            self.complain(element, "a statement inside a statement")
        start = len(self.text)
        self._content(element, above)
        end = len(self.text)
        text = self.text[start:end]
        if not text.strip() or text != text.strip():
            self.complain(element, "empty, or with a space at its edge")
            start += len(text) - len(text.lstrip())
            end = start + len(text.strip())
        if start < end:
            (self._mention if tag in _MENTION_TAGS else self._statement)(element, start, end)

    def _mention(self, element: Any, start: int, end: int) -> None:
        tag, text = element.tag, self.text[start:end]
        own = element.get("id")
        of = tuple((element.get("to") or element.get("of") or "").split())
        allowed = {"per": {"id"}, "ref": {"to"}, "role": {"of"}, "org": {"id", "of"}, "body": {"of", "is"}}[tag]
        for name in sorted(set(element.attrib) - allowed):
            self.complain(element, f"attribute {name!r} does not belong here")
        if tag in ("per", "role", "ref", "body") and not (own or of):
            self.complain(element, "needs " + {"per": "an id", "ref": "to"}.get(tag, "of"))
        if own:
            if own in self.names:
                self.complain(element, f"id {own!r} is taken; a later mention is a <ref>")
            self.names[own] = (text, "person" if tag == "per" else "organization")
        label = _MENTION_TAGS[tag]
        if tag == "body":
            value = element.get("is")
            if value not in (*BODIES, "unknown"):
                self.complain(element, f"is={value!r}; one of {', '.join(BODIES)}, unknown")
            for person in of:
                if value in BODIES and self.bodies.get(person) not in BODIES:
                    self.bodies[person] = value
                else:
                    self.bodies.setdefault(person, "unknown")
        holders = (own,) if own and tag == "per" else (own, *of) if own else of
        self.mentions.append(GoldMention(start, end, label, holders, element.get("is")))

    def _statement(self, element: Any, start: int, end: int) -> None:
        by = tuple((element.get("by") or "").split())
        if element.tag == "say":
            for name in sorted(set(element.attrib) - {"by"}):
                self.complain(element, f"attribute {name!r} does not belong here")
            self.statements.append(GoldStatement(start, end, by))
            return
        topics = tuple((element.get("topics") or "").split())
        stance, number = element.get("stance"), element.get("n")
        for name in sorted(set(element.attrib) - {"by", "n", "topics", "stance"}):
            self.complain(element, f"attribute {name!r} does not belong here")
        if not by:
            self.complain(element, "needs by")
        if not number:
            self.complain(element, "needs n")
        if stance not in STANCES:
            self.complain(element, f"stance={stance!r}; one of {', '.join(STANCES)}")
        if not topics:
            self.complain(element, "needs topics")
        for topic in topics:
            if topic not in self.topics:
                self.complain(element, f"no topic {topic!r} in configs/topics.toml")
        if len(set(topics)) < len(topics):
            self.complain(element, "a topic twice")
        self.statements.append(GoldStatement(start, end, by, number or "1", topics, stance))

    def _names_organization(self, text: str) -> bool:
        """Tell whether the words of a reference name their organization: not in lower case, nor as its language says
        of words that don't; where letters have no case, only the language knows.
        """
        if text[0].islower() or (self.unnamed is None and not text[0].isupper()):
            return False
        return self.unnamed is None or not self.unnamed.match(text)

    def settle(self) -> None:
        """Check what can be known only at the end: references, proponents, records."""
        posts = [self._words(mention) for mention in self.mentions if mention.label in ("ROLE", "BODY")]
        spellings = {key: [name] for key, (name, _) in self.names.items()}
        for index, mention in enumerate(self.mentions):
            text = self._words(mention)
            for target in mention.of:
                if target not in self.names:
                    self.problems.append(
                        f"'{text}' at {mention.start} points to {target!r}, which no <per> or <org> has"
                    )
            if mention.label == REFERENCE and mention.of and mention.of[0] in self.names:
                key = mention.of[0]
                name, kind = self.names[key]
                if kind == "organization":
                    named = self._names_organization(text)
                elif _bare_title(text, posts):
                    named = False
                elif self._in_other_script(index, name):
                    named = True
                    spellings[key].append(text)
                    if chinese(text):
                        self.names_zh.setdefault(key, text)
                else:
                    named = any(_shares(text, spelling) for spelling in spellings[key])
                if named:
                    self.mentions[index] = replace(mention, label="PERSON" if kind == "person" else "ORG")
        labels: dict[tuple[str, str], tuple[Any, ...]] = {}
        for statement in self.statements:
            text = self.text[statement.start : statement.end]
            if "\n" in text:
                self.problems.append(f"'{text[:40]}' crosses a paragraph border")
            for source in statement.by:
                if source not in self.names:
                    self.problems.append(f"'{text[:40]}' is by {source!r}, which no <per> or <org> has")
                elif statement.n and self.names[source][1] == "person" and source not in self.bodies:
                    self.problems.append(
                        f"{self.names[source][0]} proposes but has no <body>; use <say>, or mark the membership"
                    )
                if statement.n:
                    value = (tuple(sorted(statement.topics)), statement.stance)
                    if labels.setdefault((source, statement.n), value) != value:
                        self.problems.append(
                            f"record {source}/{statement.n} has different topics or stance in its spans"
                        )

    def _words(self, mention: GoldMention) -> str:
        return self.text[mention.start : mention.end]

    def _in_other_script(self, index: int, name: str) -> bool:
        """Tell whether a `<ref>` is a person's name in Chinese characters, or in others where it has these.

        It stands behind a mention by name, as Latin letters do in brackets alone; Chinese characters may also stand
        anywhere in a text of another script.
        """
        mention = self.mentions[index]
        text = self._words(mention)
        if chinese(text) == chinese(name) or (chinese(text) and not is_name_like(text)):
            return False
        before = self.text[max(mention.start - 1, 0) : mention.start]
        behind = self.text[mention.end : mention.end + 1]
        if chinese(text) and not (UNSPACED.match(before) or UNSPACED.match(behind)):
            return True
        last = self.mentions[index - 1] if index else None
        if last is None or last.label != "PERSON" or last.of != mention.of:
            return False
        between = self.text[last.end : mention.start]
        return bool(_BRACKET.fullmatch(between)) or (chinese(text) and not between.strip(" "))


def _unwrap(paragraph: Any) -> None:
    """Take the line breaks of the file out of what is written without spaces; others stand for a space."""
    pieces = paragraph.xpath(".//text()")
    gone = {at for wrap in _WRAPPED.finditer("".join(pieces)) for at in range(*wrap.span())}
    at = 0
    for piece in pieces if gone else ():
        kept = "".join(char for place, char in enumerate(piece, at) if place not in gone)
        setattr(piece.getparent(), "text" if piece.is_text else "tail", kept)
        at += len(piece)


def first_body(values: Iterable[str | None]) -> str | None:
    """Return the body that a person's BODY mentions, in text order, say: the first that is known."""
    return next((value for value in values if value in BODIES), None)


def _bare_title(text: str, posts: Iterable[str]) -> bool:
    """Tell whether Chinese words are a title alone, which may begin as a surname does (董事长).

    A title that stands for somebody was marked as a post or a membership before, as the guidelines have it.
    """
    return chinese(text) and len(text) > 1 and any(text in post for post in posts)


def _shares(text: str, name: str) -> bool:
    """Tell whether words hold a part of a name: a word of it; of a Chinese one two characters, or its surname first."""
    words = {word.lower() for word in WORD.findall(name) if len(word) > 1}
    if words & {word.lower() for word in WORD.findall(text)}:
        return True
    if not chinese(name):
        return False
    pair = any(first + second in text for first, second in pairwise(name))
    return pair or same_name(name, text) or text.startswith(surname(name))


@cache
def _shipped_languages() -> Languages:
    return load_languages()


def parse_xml(
    data: bytes, source: str, topics: Iterable[str], languages: Languages | None = None
) -> tuple[AnnotatedArticle | None, list[Problem]]:
    """Return the annotated article of an XML file, and what is wrong with it.

    `source` names the file in the problems; `topics` are the labels that may occur, `languages` by default the shipped
    ones. The article is None where the XML itself can't be read. That it has no outlet or shape is a warning.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        return None, [Problem(source, f"not well-formed: {error}")]
    if root.tag != "article":
        return None, [Problem(source, f"the root is <{root.tag!s}>, not <article>")]
    entry = (languages or _shipped_languages()).table.get(root.get("lang") or "", {})
    builder = _Builder(source, frozenset(topics), re.compile(entry["unnamed"]) if "unnamed" in entry else None)
    gap = "\n" if root.get("breaks") == "1" else "\n\n"
    if (root.text or "").strip():
        builder.problems.append("text outside of a <p>")
    for element in root:
        outside = (element.tail or "").strip()
        if isinstance(element.tag, str):
            if builder.text:
                builder.text += gap
            builder.paragraph(element)
            if outside:
                builder.complain(element, "text outside of a <p> behind this")
        elif outside or element.tag is etree.Entity:
            words = " ".join((outside or element.text or "").split())[:60]
            builder.problems.append(f"line {element.sourceline}: '{words}': text outside of a <p>")
    builder.settle()
    problems = [*_attribute_problems(root, source), *(Problem(source, message) for message in builder.problems)]
    year = root.get("session_year") or ""
    article = Article(
        id=root.get("id") or Path(source).stem,
        text=builder.text,
        lang=root.get("lang"),
        title=root.get("title"),
        outlet=root.get("outlet"),
        url=root.get("url"),
        published=root.get("published"),
        session_year=int(year) if year.isdigit() else None,
    )
    entities = tuple(
        Entity(
            key,
            kind,
            name,
            builder.names_zh.get(key),
            builder.bodies.get(key) if builder.bodies.get(key) in BODIES else None,
        )
        for key, (name, kind) in builder.names.items()
    )
    mentions = tuple(sorted(builder.mentions, key=lambda mention: (mention.start, mention.end)))
    statements = tuple(sorted(builder.statements, key=lambda statement: (statement.start, statement.end)))
    return AnnotatedArticle(article, root.get("shape"), entities, mentions, statements), problems


def _attribute_problems(root: Any, source: str) -> Iterator[Problem]:
    for name in sorted(set(root.attrib) - _ARTICLE_ATTRIBUTES):
        yield Problem(source, f"attribute {name!r} does not belong on <article>")
    if root.get("id") != Path(source).stem:
        yield Problem(source, f"id {root.get('id')!r} is not the file's stem")
    if not re.fullmatch(r"[a-z]{2}", root.get("lang") or ""):
        yield Problem(source, f"lang {root.get('lang')!r} is no language code")
    if not re.fullmatch(r"(19|20)\d\d", root.get("session_year") or ""):
        yield Problem(source, f"session_year {root.get('session_year')!r} is no year")
    for name in ("outlet", "shape"):
        if not (root.get(name) or "").strip():
            yield Problem(source, f"{name} is missing", "warning")
        elif name == "shape" and root.get(name) not in SHAPES:
            yield Problem(source, f"shape {root.get('shape')!r}; one of {', '.join(SHAPES)}")
    published = (root.get("published") or "").strip()
    try:
        date.fromisoformat(published)
    except ValueError:
        yield Problem(source, f"published {published!r} is no date" if published else "published is missing")


def near_duplicates(texts: dict[str, str], threshold: float = 0.2, width: int = 5) -> list[tuple[str, str, float]]:
    """Return the pairs of texts that share more than `threshold` of the shorter one's word `width`-grams.

    Of a Chinese text, a gram has as many characters as `width` words are long.
    Containment rather than Jaccard, so that a short article inside a long one is found. Grams that occur in
    more than ten different texts are idiom ("according to the National People's Congress") and do not count. Texts of
    the same words are one text there, so that many copies of it are no idiom; each two of them are a pair.
    """
    copies: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, text in texts.items():
        if words := tuple(word.lower() for word in WORD.findall(text)):
            copies[words].append(key)
    same = {keys[0]: sorted(keys) for keys in copies.values()}
    found = [(*pair, 1.0) for keys in same.values() for pair in combinations(keys, 2)]
    grams: dict[str, set[tuple[str, ...]]] = {}
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for words, (key, *_) in copies.items():
        size = round(width * CHARACTERS_A_WORD) if 2 * sum(map(chinese, words)) > len(words) else width
        grams[key] = {words[at : at + size] for at in range(len(words) - size + 1)}
        for gram in grams[key]:
            holders[gram].append(key)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for keys in holders.values():
        if 1 < len(keys) <= 10:
            keys = sorted(keys)
            for at, first in enumerate(keys):
                for second in keys[at + 1 :]:
                    shared[first, second] += 1
    for (first, second), count in shared.items():
        share = count / max(1, min(len(grams[first]), len(grams[second])))
        if share > threshold:
            pairs = product(same[first], same[second])
            found += [(min(pair), max(pair), round(share, 3)) for pair in pairs]
    return sorted(found, key=lambda pair: -pair[2])


def load_topics(path: Path | None = None) -> tuple[str, ...]:
    """Return the topic labels of a config, by default the shipped one, in its order."""
    return tuple(tomllib.loads((path or resource("configs", "topics.toml")).read_text(encoding="utf-8")))


def files_in(path: Path, suffixes: Collection[str] = ()) -> list[Path]:
    """Return a file itself, or the files of a folder and below, sorted, of some suffixes or of any; no hidden ones."""
    if path.is_file():
        return [path]
    return [
        file
        for file in sorted(path.rglob("*"))
        if (not suffixes or file.suffix.lower() in suffixes)
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]


def load_xml(path: Path, topics: Iterable[str] | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of an XML file, or of a folder and below, sorted by their paths.

    Raises `CorpusError` for a file with an error.
    """
    labels = tuple(topics or load_topics())
    found = []
    for file in files_in(path, (".xml",)):
        annotated, problems = parse_xml(file.read_bytes(), file.name, labels)
        errors = [str(problem) for problem in problems if problem.level == "error"]
        if annotated is None or errors:
            raise CorpusError("; ".join(errors))
        found.append(annotated)
    return found


def load_annotated(
    path: Path, format: str | None = None, labels: Mapping[str, str] | None = None
) -> list[AnnotatedArticle]:
    """Return the annotated articles of a file or folder in any format of `pipeline.formats`.

    Without `format` the suffixes and the content tell. `labels` maps a file's own labels to the ones of
    `pipeline.schema`, and "" leaves one out. Raises `CorpusError` that names the file and the place.
    """
    from .formats import format_module, guess_format

    path = Path(path)
    if not path.exists():
        raise CorpusError(f"{path}: there is no such file or folder")
    return list(format_module(format or guess_format(path)).read(path, labels))


def splits_of(path: Path) -> dict[str, Path]:
    """Return the splits of a corpus folder (or of its compiled files), or the path itself under its own name."""
    found: dict[str, Path] = {}
    for split in SPLITS:
        for candidate in (path / split, path / f"{split}.jsonl"):
            if candidate.exists():
                found.setdefault(split, candidate)
    # "." and ".." have no name to write files under.
    named = path.resolve() if path.name in ("", "..") else path
    return found or {named.stem: path}


def compile_corpus(source: Path, out: Path) -> dict[str, int]:
    """Write `<split>.jsonl` and `<split>.spacy` for each split of a corpus, ordered by id; return their sizes."""
    from .formats import format_module

    sizes = {}
    for split, path in splits_of(source).items():
        articles = sorted(load_annotated(path), key=lambda annotated: annotated.article.id)
        for name, suffix in (("jsonl", "jsonl"), ("docbin", "spacy")):
            format_module(name).write(articles, out / f"{split}.{suffix}")
        sizes[split] = len(articles)
    return sizes
