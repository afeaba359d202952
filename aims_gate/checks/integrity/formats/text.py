"""Text, and what a YAML file would have built from it."""

from __future__ import annotations

import codecs
import re

import yaml

from aims_gate.checks.integrity.formats.kinds import FoundFormat, code, data, unknown
from aims_gate.checks.integrity.formats.view import View

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PIECE = 1 << 20
_MOST_YAML = 1 << 20
_DEEPEST = 64
_MOST_DIRECTIVES = 64
"""With more of either, the time that libyaml takes grows with their square."""
_PLAIN_TAGS = re.compile(r"!|tag:yaml\.org,2002:(bool|float|int|map|null|seq|set|str|timestamp)")


def text(view: View) -> FoundFormat | None:
    """Recognise UTF-8 text without control characters; None if it is not."""
    if view.has(_CONTROL):
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(view), _PIECE):
            decoder.decode(view.read(at, _PIECE))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    if view.read(0, 2) == b"#!":
        return code("a script")
    return data("text")


def yaml_text(view: View) -> FoundFormat:
    """Recognise YAML that builds plain values only, whichever loader reads it."""
    if len(view) > _MOST_YAML:
        return unknown("YAML of more than 1 MiB")
    content, depth = view.read(0, _MOST_YAML), 0
    if content.replace(b"\0", b"").count(b"%TAG") > _MOST_DIRECTIVES:
        return unknown(f"YAML with more than {_MOST_DIRECTIVES} %TAG directives")
    try:
        for event in yaml.parse(content, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return unknown(f"YAML nested more than {_DEEPEST} levels deep")
            tag = getattr(event, "tag", None)
            if tag is not None and not _PLAIN_TAGS.fullmatch(tag):
                return code(f"YAML with the tag {tag[:80]!a}")
    except (yaml.YAMLError, ValueError):
        return text(view) or unknown("not YAML that can be read")
    return data("YAML")
