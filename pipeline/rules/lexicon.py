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
from ..scripts import chinese, whole_words

# What matches nothing, for patterns that a language has no use for.
_NEVER = "(?!)"


@dataclass(frozen=True)
class Lexicon:
    """Compiled patterns; each attribute is named after its use in the rule stages."""

    density: float
    surnames: frozenset[str]
    name: re.Pattern[str]
    again: str
    not_given: frozenset[str]
    pronouns: re.Pattern[str]
    references: re.Pattern[str]
    bodies: tuple[tuple[str, re.Pattern[str]], ...]
    named_bodies: Mapping[str, re.Pattern[str]]
    groups: Mapping[str, re.Pattern[str]]
    bare_body: re.Pattern[str] | None
    role: re.Pattern[str]
    organization: re.Pattern[str]
    organization_suffixes: frozenset[str]
    organization_goes_on: re.Pattern[str]
    behind_post: re.Pattern[str]
    not_first: frozenset[str]
    not_last: frozenset[str]
    legal_form: re.Pattern[str]
    other_organization: re.Pattern[str]
    dotted: frozenset[str]
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
    trailing: re.Pattern[str]
    modal: re.Pattern[str]
    quotes: tuple[tuple[str, str], ...]
    label: re.Pattern[str]
    label_name: re.Pattern[str]
    glue: frozenset[str]
    post_at_organization: re.Pattern[str]
    organization_behind_post: re.Pattern[str]
    organization_begins: re.Pattern[str]
    stance: dict[str, re.Pattern[str]]

    @cached_property
    def folded_surnames(self) -> frozenset[str]:
        """The surnames in lower case."""
        return frozenset(name.casefold() for name in self.surnames)

    def reach(self, characters: int) -> int:
        """Return how many characters of this language say as much as so many of English do."""
        return round(characters / self.density)

    def named_again(self, known: str) -> re.Pattern[str]:
        """Return the pattern of what stands for a person later on, by the first word of the name."""
        return re.compile(self.again.format(known=re.escape(known)))

    def says(self, word: str) -> bool:
        """Tell whether a word is a verb of saying or proposing, or a run of Chinese characters holds one."""
        verbs = (self.say, self.propose)
        if chinese(word):
            return any(verb.search(word) for verb in verbs)
        return any(verb.fullmatch(word) for verb in verbs)

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
    person, body, role, org, cue, entry = (
        data[key] for key in ("person", "body", "role", "organization", "cue", "list")
    )
    surnames = _word_list(folder / person["surnames"])
    parts = {key: body[key] for key in ("congress", "conference", "member")}
    bodies = tuple(
        (label, re.compile(whole_words(pattern.format(**parts))))
        for label in ("local", "NPC", "CPPCC")
        for pattern in body["patterns"][label]
    )
    legal_forms = _alternatives(org.get("legal_forms", ()))
    return Lexicon(
        density=data.get("density", 1),
        surnames=surnames,
        name=re.compile(person["pattern"].format(surname=_alternatives(surnames), given=person["given"])),
        again=person["again"],
        not_given=frozenset(person.get("not_given", ())),
        pronouns=re.compile(whole_words(person["pronoun"])),
        references=re.compile(whole_words(_alternatives(person["references"])), re.IGNORECASE),
        bodies=bodies,
        named_bodies={label: re.compile(pattern) for label, pattern in body["named"].items()},
        groups={label: re.compile(pattern) for label, pattern in body.get("groups", {}).items()},
        bare_body=re.compile(body["bare"]) if "bare" in body else None,
        role=re.compile(role["pattern"].format(**role)),
        organization=re.compile(org["pattern"].format(**org)),
        organization_suffixes=frozenset(org["suffixes"]),
        organization_goes_on=re.compile(org.get("goes_on", _NEVER)),
        behind_post=re.compile(org.get("behind_post", _NEVER)),
        not_first=frozenset(org.get("not_first", ())),
        not_last=frozenset(org.get("not_last", ())),
        legal_form=re.compile(rf"\.?,? ?(?:{legal_forms})\b\.?"),
        other_organization=re.compile(rf",(?! (?:{legal_forms})\b)"),
        dotted=frozenset(org.get("dotted", ())),
        parties=re.compile(whole_words(org["parties"])),
        no_proponents=re.compile(org["no_proponents"]),
        submits=re.compile(org["submits"]) if "submits" in org else None,
        opens_record=re.compile(data["record"]["opens"]) if "record" in data else None,
        sentence_end=re.compile(data["sentence"]["end"]),
        abbreviations=frozenset(data["sentence"].get("abbreviations", ())),
        propose=re.compile(whole_words(cue["propose"])),
        say=re.compile(whole_words(cue["say"])),
        after_cue=re.compile(cue["after"]),
        according=re.compile(cue.get("according", _NEVER)),
        passive=re.compile(cue.get("passive", _NEVER)),
        trailing=re.compile(cue.get("trailing", _NEVER)),
        modal=re.compile(cue["modal"]),
        quotes=tuple((pair[0], pair[1]) for pair in cue["quotes"]),
        label=re.compile(cue["label"]),
        label_name=re.compile(entry.get("name", _NEVER)),
        glue=frozenset(entry["glue"]),
        post_at_organization=re.compile(entry.get("post_at_organization", _NEVER)),
        organization_behind_post=re.compile(entry.get("organization_behind_post", _NEVER)),
        organization_begins=re.compile(entry.get("organization_begins", _NEVER)),
        stance={
            label: re.compile(whole_words(_alternatives(data["stance"][label])), re.IGNORECASE)
            for label in ("promote", "regulate")
        },
    )


def _word_list(path: Path) -> frozenset[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _alternatives(words: Any) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) or _NEVER
