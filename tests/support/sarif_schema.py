"""The official schema of SARIF 2.1.0, with the formats that it names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMA = json.loads(
    Path(__file__).with_name("schemas").joinpath("sarif-schema-2.1.0.json").read_bytes()
)
_FORMATS = jsonschema.FormatChecker()


def _is_reference(value: object) -> bool:
    """Tell whether it has only the characters of RFC 3986; the library checks no URI by itself."""
    known = r"([A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
    return not isinstance(value, str) or re.fullmatch(known, value) is not None


for _name in ("uri", "uri-reference"):
    _FORMATS.checks(_name)(_is_reference)
_VALIDATOR = jsonschema.Draft4Validator(_SCHEMA, format_checker=_FORMATS)


def sarif_log(text: str) -> Any:
    """Read a SARIF log; AssertionError with every place that the schema refuses."""
    log = json.loads(text)
    assert log["$schema"] == _SCHEMA["id"]
    wrong = [f"{error.json_path}: {error.message}" for error in _VALIDATOR.iter_errors(log)]
    assert not wrong, "\n".join(wrong)
    return log
