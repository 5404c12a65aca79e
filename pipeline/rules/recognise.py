"""Mentions by gazetteers and patterns: bodies, posts, names, organizations, in that order of trust."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc

from ..document import set_mentions
from ..schema import REFERENCE, Mention
from ..sentences import line_ranges
from .lexicon import Lexicon, load_lexicon

_CAPITALISED = re.compile(r"(?:[A-Z][\w’'-]+)(?: [A-Z][\w’'-]+){1,3}$")
_NOT_FIRST = frozenset({"The", "A", "An", "In", "At", "For", "But", "And", "of", "and", "for", "the", "&", "-", "."})
_OF_THE = re.compile(r"\s+(?:of|at|for|from|with)\s+(?:the\s+)?|,\s+(?=[A-Z])")


class RulesRecogniser:
    """The component: writes PERSON, ROLE, ORG, BODY and REF mentions into the document."""

    def __init__(self, lang: str) -> None:
        self.lexicon = load_lexicon(lang)

    def __call__(self, doc: Doc) -> Doc:
        set_mentions(doc, recognise(doc.text, self.lexicon))
        return doc


def recognise(text: str, lexicon: Lexicon) -> list[Mention]:
    """Return the mentions of a text, in order and without overlaps."""
    taken = bytearray(len(text))
    found: list[Mention] = []

    def take(start: int, end: int, label: str) -> None:
        if start < end and not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Mention(start, end, text[start:end], label))

    for _, pattern in lexicon.bodies:
        for match in pattern.finditer(text):
            take(match.start(), match.end(), "BODY")
    for match in lexicon.role.finditer(text):
        take(match.start(), match.end(), "ROLE")
    for match in lexicon.parties.finditer(text):
        take(match.start(), match.end(), "ORG")
    not_given = lexicon.not_given | lexicon.organization_suffixes
    for match in lexicon.name.finditer(text):
        if match[2].split("-")[0] not in not_given and not _inside_organization(text, match.end(), lexicon):
            take(match.start(), match.end(), "PERSON")
    for start, end in _list_names(text, lexicon):
        take(start, end, "PERSON")
    for start, end in _organizations(text, taken, found, lexicon):
        take(start, end, "ORG")
    for start, end in _later_mentions(text, found, lexicon):
        take(start, end, "PERSON")
    for match in lexicon.references.finditer(text):
        take(match.start(), match.end(), REFERENCE)
    for match in re.finditer(r"\w+", text):
        if match[0] in lexicon.pronouns:
            take(match.start(), match.end(), REFERENCE)
    return sorted(found, key=lambda mention: mention.start)


def _inside_organization(text: str, end: int, lexicon: Lexicon) -> bool:
    """Tell whether a name runs on into an organization ("Fang Hua Hospital")."""
    following = re.match(r" ([A-Z]\w+)", text[end : end + 40])
    return bool(following and following[1] in lexicon.organization_suffixes)


def _list_names(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield the capitalised words before the colon of a list label, whatever language the name is from."""
    for start, end in line_ranges(text):
        colon = lexicon.label.search(text, start, end)
        if colon is None or colon.start() - start > 300:
            continue
        name = _CAPITALISED.search(text[start : colon.start()])
        words = name[0].split() if name else []
        if not words or lexicon.organization_suffixes & set(words):
            continue
        if any(pattern.search(text, start, colon.start()) for _, pattern in lexicon.bodies):
            begin = start + name.start() if name else start
            if begin == start or text[begin - 2 : begin] in (", ", ") "):
                yield begin, colon.start()


def _organizations(text: str, taken: bytearray, found: list[Mention], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    posts = sorted(mention.end for mention in found if mention.label == "ROLE")
    behind_post = set()
    for end in posts:
        bridge = _OF_THE.match(text, end)
        if bridge and "," not in bridge[0]:
            behind_post.add(bridge.end())
    at = 0
    while match := lexicon.organization.search(text, at):
        start, end = _untaken(match.start(), match.end(), taken)
        if start >= end:
            at = match.end()
            continue
        at = max(end, match.start() + 1)
        words = [(word.start() + start, word.end() + start) for word in re.finditer(r"[\w’'&.-]+", text[start:end])]
        while words and text[slice(*words[0])] in _NOT_FIRST:
            words = words[1:]
        while words and text[slice(*words[-1])] in ("of", "and", "for", "the", "&"):
            words.pop()
        if not words:
            continue
        start, end = words[0][0], words[-1][1]
        if text[end - 1] == "." and text[start:end].rsplit(maxsplit=1)[-1] not in ("Co.", "Ltd.", "Inc.", "Corp."):
            end -= 1
        company = re.match(r"\.?,? ?(?:Ltd|Limited|Inc|LLC)\b\.?", text[end : end + 12])
        if company and not any(taken[end : end + company.end()]):
            end += company.end()
        has_suffix = len(words) > 1 and any(text[a:b].rstrip(".,") in lexicon.organization_suffixes for a, b in words)
        if has_suffix or start in behind_post:
            comma = re.search(r",(?! (?:Ltd|Limited|Inc|LLC)\b)", text[start:end])
            if comma:
                end = start + comma.start()
            yield start, end


def _untaken(start: int, end: int, taken: bytearray) -> tuple[int, int]:
    """Return the first stretch inside a range that no mention has taken."""
    while start < end and taken[start]:
        start += 1
    stop = start
    while stop < end and not taken[stop]:
        stop += 1
    return start, stop


def _later_mentions(text: str, found: list[Mention], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield surnames alone, and names repeated in a case the pattern does not know, behind the first full mention."""
    first: dict[str, int] = {}
    for mention in sorted(found, key=lambda m: m.start):
        if mention.label == "PERSON":
            surname = mention.text.split()[0]
            if surname in lexicon.surnames:
                first.setdefault(surname, mention.end)
    for surname, since in first.items():
        for match in re.finditer(rf"(?<![\w’'-]){re.escape(surname)}(?![\w-])(?! [A-Z])", text[since:]):
            yield since + match.start(), since + match.end()
