"""Content of a text: whether it says anything, in a section, in a key, in an answer of the log.

A dot, `n/a`, `tbd` or a bare `none` fills a place and answers nothing; `none: and why` does.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from aims_gate.documents import keys as k

SAYS_NOTHING = "says_nothing"
"""Type of the error over a text that says nothing."""
_UNSEEN = re.compile(
    r"(?m)&#?\w+;|^ {0,3}\[[^]\n]*\]:.*$|^#+ .*$|</?[A-Za-z][^>\n]*>|\]\([^)\n]*\)"
)
"""What a reader sees no word of: entities, definitions and targets of links, tags, headings."""
_HIDDEN = re.compile(
    r"(?is)<!--.*?(-->|$)|<![a-z][^>]*>|<\?.*?(\?>|$)|<(template|script|style|title)\b.*?(</\3|$)"
)
"""What a browser shows nothing of: comments, declarations, instructions, and elements for none."""
_BLANK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Characters without a shape: default ignorable ones of Unicode, and fillers that are letters."""
_WORD = re.compile(r"[^\W_]+")
_FILLER = re.compile(
    "above|applicable|as|at|be|below|decided|defined|determined|done|fine|filled|follow|for|good|"
    "here|in|is|it|known|later|moment|na|nil|no|none|not|nothing|now|null|ok|okay|pending|same|"
    r"see|so|tb[acd]|the|there|this|to|todo|unknown|yes|yet|([\x00-\x7f])\1*"
)


def says(text: str) -> bool:
    """Tell whether a text has a word that answers anything; fillers and single letters do not."""
    seen = _UNSEEN.sub(" ", _HIDDEN.sub(" ", _BLANK.sub("", text)))
    words = _WORD.findall(seen.casefold())
    return any(_FILLER.fullmatch(one) is None for one in words)


def telling(value: object) -> str:
    """Read text that says something."""
    text = k.as_text(value)
    if not says(text):
        raise PydanticCustomError(SAYS_NOTHING, "says nothing; write what is so, or none and why")
    return text


def _all_telling(value: object) -> list[str]:
    return [*map(telling, k.as_words(value))]


Telling = Annotated[str, PlainValidator(telling), WithJsonSchema(k.TEXT_SCHEMA)]
"""A text that answers something."""
Tellings = Annotated[list[str], PlainValidator(_all_telling), WithJsonSchema(k.WORDS_SCHEMA)]
