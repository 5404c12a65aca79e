"""The words and patterns of a language, compiled from `configs/lexicon.<lang>.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from ..resources import resource


@dataclass(frozen=True)
class Lexicon:
    """Compiled patterns; each attribute is named after its use in the rule stages."""

    surnames: frozenset[str]
    name: re.Pattern[str]
    not_given: frozenset[str]
    pronouns: frozenset[str]
    references: re.Pattern[str]
    bodies: tuple[tuple[str, re.Pattern[str]], ...]
    named_bodies: Mapping[str, re.Pattern[str]]
    groups: Mapping[str, re.Pattern[str]]
    bare_body: re.Pattern[str] | None
    role: re.Pattern[str]
    organization: re.Pattern[str]
    organization_suffixes: frozenset[str]
    parties: re.Pattern[str]
    no_proponents: re.Pattern[str]
    submits: re.Pattern[str] | None
    opens_record: re.Pattern[str] | None
    sentence_end: re.Pattern[str]
    abbreviations: frozenset[str]
    propose: re.Pattern[str]
    say: re.Pattern[str]
    after_cue: re.Pattern[str]
    according: re.Pattern[str]
    passive: re.Pattern[str]
    modal: re.Pattern[str]
    quotes: tuple[tuple[str, str], ...]
    label: re.Pattern[str]
    glue: frozenset[str]
    post_at_organization: re.Pattern[str]
    organization_behind_post: re.Pattern[str]
    stance: dict[str, re.Pattern[str]]

    @cached_property
    def folded_surnames(self) -> frozenset[str]:
        """The surnames in lower case."""
        return frozenset(name.casefold() for name in self.surnames)

    def says(self, word: str) -> bool:
        """Tell whether a word is a verb of saying or proposing."""
        return bool(self.say.fullmatch(word) or self.propose.fullmatch(word))

    def may_submit(self, name: str) -> bool:
        """Tell whether an organization may submit proposals, by its name."""
        return bool(self.submits and self.submits.match(name)) or not self.no_proponents.search(name)

    def named_body(self, words: str) -> str | None:
        """Return the body that the words of a membership name; None where they name none, or both chambers."""
        found = [label for label, pattern in self.named_bodies.items() if pattern.search(words)]
        if "local" in found:
            return "local"
        return found[0] if len(found) == 1 else None

    def group_bodies(self, text: str) -> frozenset[str]:
        """Return the bodies whose members an article speaks of as a group, "open" for a group of no named body."""
        return frozenset(label for label, pattern in self.groups.items() if pattern.search(text))


@lru_cache(maxsize=8)
def load_lexicon(lang: str) -> Lexicon:
    """Return the compiled lexicon of a language; raise `FileNotFoundError` where there is none."""
    path = resource("configs", f"lexicon.{lang}.toml")
    return compile_lexicon(tomllib.loads(path.read_text(encoding="utf-8")), path.parent)


def compile_lexicon(data: dict[str, Any], folder: Path) -> Lexicon:
    """Compile a decoded lexicon; `folder` holds the word lists that it names."""
    person, body, role, org, cue = (data[key] for key in ("person", "body", "role", "organization", "cue"))
    surnames = _word_list(folder / person["surnames"])
    parts = {key: body[key] for key in ("congress", "conference", "member")}
    bodies = tuple(
        (label, re.compile(r"(?<!\w)(?:" + pattern.format(**parts) + r")(?!\w)"))
        for label in ("local", "NPC", "CPPCC")
        for pattern in body["patterns"][label]
    )
    title = rf"{role['modifier']}{role['head']}"
    words, joiners = org["words"], org["joiners"]
    return Lexicon(
        surnames=surnames,
        name=re.compile(rf"(?<![\w’'-])({_alternatives(surnames)}) ({person['given']})(?![\w-])"),
        not_given=frozenset(person["not_given"]),
        pronouns=frozenset(person["pronouns"]),
        references=re.compile(rf"(?<!\w)(?:{_alternatives(person['references'])})(?!\w)", re.IGNORECASE),
        bodies=bodies,
        named_bodies={label: re.compile(pattern) for label, pattern in body["named"].items()},
        groups={label: re.compile(pattern) for label, pattern in body.get("groups", {}).items()},
        bare_body=re.compile(body["bare"]) if "bare" in body else None,
        role=re.compile(rf"(?<![\w-])(?:{role['member']}|{title}(?: and {title})*{role['tail']})(?![\w-])"),
        organization=re.compile(rf"(?<!\w){words}(?:[ ,]+(?:{joiners} )?{words})*"),
        organization_suffixes=frozenset(org["suffixes"]),
        parties=re.compile(rf"(?<!\w){org['parties']}(?!\w)"),
        no_proponents=re.compile(rf"\b{org['no_proponents']}"),
        submits=re.compile(org["submits"]) if "submits" in org else None,
        opens_record=re.compile(data["record"]["opens"]) if "record" in data else None,
        sentence_end=re.compile(data["sentence"]["end"]),
        abbreviations=frozenset(data["sentence"]["abbreviations"]),
        propose=re.compile(rf"(?<!\w)(?:{cue['propose']})(?!\w)"),
        say=re.compile(rf"(?<!\w)(?:{cue['say']})(?!\w)"),
        after_cue=re.compile(cue["after"]),
        according=re.compile(cue["according"]),
        passive=re.compile(cue["passive"]),
        modal=re.compile(cue["modal"]),
        quotes=tuple((pair[0], pair[1]) for pair in cue["quotes"]),
        label=re.compile(cue["label"]),
        glue=frozenset(data["list"]["glue"]),
        post_at_organization=re.compile(data["list"]["post_at_organization"]),
        organization_behind_post=re.compile(data["list"]["organization_behind_post"]),
        stance={
            label: re.compile(rf"(?<!\w)(?:{_alternatives(data['stance'][label])})(?!\w)", re.IGNORECASE)
            for label in ("promote", "regulate")
        },
    )


def _word_list(path: Path) -> frozenset[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _alternatives(words: Any) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
