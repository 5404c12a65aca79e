"""Mentions by gazetteers and patterns: bodies, posts, names, organizations, in that order of trust."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from spacy.tokens import Doc

from ..document import set_mentions
from ..schema import REFERENCE, Mention
from ..scripts import chinese
from ..sentences import line_ranges
from .lexicon import Lexicon, load_lexicon

# A label that ends in a name is no longer than this, in characters of English.
_LONGEST_LABEL = 300
_NAME_WORD = re.compile(r"[\w’'&.-]+")


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
    for match in lexicon.pronouns.finditer(text):
        take(match.start(), match.end(), REFERENCE)
    return sorted(found, key=lambda mention: mention.start)


def _inside_organization(text: str, end: int, lexicon: Lexicon) -> bool:
    """Tell whether a name runs on into an organization ("Fang Hua Hospital")."""
    following = lexicon.organization_goes_on.match(text[end : end + 40])
    return bool(following and following[1] in lexicon.organization_suffixes)


def _list_names(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield the name before the colon of a list label, whatever language it is from."""
    for start, end in line_ranges(text):
        colon = lexicon.label.search(text, start, end)
        if colon is None or colon.start() - start > lexicon.reach(_LONGEST_LABEL):
            continue
        name = lexicon.label_name.search(text[start : colon.start()])
        if name is None or lexicon.organization_suffixes & set(name[0].split()):
            continue
        if any(pattern.search(text, start, colon.start()) for _, pattern in lexicon.bodies):
            yield start + name.start(), colon.start()


def _organizations(text: str, taken: bytearray, found: list[Mention], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    posts = [mention for mention in found if mention.label == "ROLE"]
    bridges = [lexicon.behind_post.match(text, post.end) for post in posts]
    behind_post = {bridge.end() for bridge in bridges if bridge}
    # Where no space stands between, a name runs on into the post there ("腾讯董事长").
    before_post = {post.start for post in posts}
    at = 0
    while match := lexicon.organization.search(text, at):
        start, end = _untaken(match.start(), match.end(), taken)
        if start >= end:
            at = match.end()
            continue
        at = max(end, match.start() + 1)
        words = [(word.start() + start, word.end() + start) for word in _NAME_WORD.finditer(text[start:end])]
        while words and text[slice(*words[0])] in lexicon.not_first:
            words = words[1:]
        while words and text[slice(*words[-1])] in lexicon.not_last:
            words.pop()
        if not words:
            continue
        start, end = words[0][0], words[-1][1]
        if text[end - 1] == "." and text[start:end].rsplit(maxsplit=1)[-1] not in lexicon.dotted:
            end -= 1
        company = lexicon.legal_form.match(text[end : end + 12])
        if company and not any(taken[end : end + company.end()]):
            end += company.end()
        if _has_suffix([text[a:b] for a, b in words], lexicon) or start in behind_post or end in before_post:
            comma = lexicon.other_organization.search(text[start:end])
            if comma:
                end = start + comma.start()
            yield start, end


def _has_suffix(words: Sequence[str], lexicon: Lexicon) -> bool:
    """Tell whether a name is an organization's by its words: by one of several, or by the end of a Chinese one."""
    suffixes = lexicon.organization_suffixes
    if len(words) > 1 and any(word.rstrip(".,") in suffixes for word in words):
        return True
    last = words[-1]
    return chinese(last[-1]) and last not in suffixes and last.endswith(tuple(suffixes))


def _untaken(start: int, end: int, taken: bytearray) -> tuple[int, int]:
    """Return the first stretch inside a range that no mention has taken."""
    while start < end and taken[start]:
        start += 1
    stop = start
    while stop < end and not taken[stop]:
        stop += 1
    return start, stop


def _later_mentions(text: str, found: list[Mention], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield what stands for a person behind the first full mention: a surname alone, or a Chinese name again."""
    first: dict[str, int] = {}
    for mention in sorted(found, key=lambda m: m.start):
        if mention.label == "PERSON":
            surname = mention.text.split()[0]
            if surname in lexicon.surnames or chinese(surname):
                first.setdefault(surname, mention.end)
    for surname, since in first.items():
        for match in lexicon.named_again(surname).finditer(text[since:]):
            yield since + match.start(), since + match.end()
