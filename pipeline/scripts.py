"""What the script of a text tells without knowing its language: what a word is, and where no spaces stand between."""

from __future__ import annotations

import re

#: Chinese characters, as a range for the brackets of a pattern.
HAN = r"\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: A character of a script that is written without spaces, or of its punctuation.
UNSPACED = re.compile(rf"[{HAN}\u3000-\u303f\uff00-\uffef]")
#: Marks that scripts with spaces between words have, and Chinese, too.
SHARED_MARKS = "“”‘’—…·"
#: A word, for comparisons; a Chinese character is one, as it is a token of `document`.
WORD = re.compile(rf"[{HAN}]|[^\W{HAN}]+")
# A word as people count them: what stands between spaces ("state-owned"), or a Chinese character.
_COUNTED = re.compile(rf"[{HAN}]|[^\W{HAN}][^\s{HAN}]*")
_HAN = re.compile(f"[{HAN}]")
# A character of a word of a script that has spaces between its words.
_LETTER = rf"[^\W{HAN}]"


def word_count(text: str) -> int:
    """Return how many words a text has: those between spaces, and each Chinese character, punctuation left out."""
    return sum(1 for _ in _COUNTED.finditer(text))


def chinese(text: str) -> bool:
    """Tell whether a text has a Chinese character."""
    return _HAN.search(text) is not None


def whole_words(pattern: str) -> str:
    """Return a pattern that matches no part of a word; between Chinese characters words begin and end anywhere."""
    return rf"(?:(?<!{_LETTER})|(?=[{HAN}]))(?:{pattern})(?:(?!{_LETTER})|(?<=[{HAN}]))"
