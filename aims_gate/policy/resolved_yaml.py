"""Canonical YAML of a resolved policy: the one text that is written, hashed and in evidence.

Equal policies have equal bytes: parents are merged, defaults are written, comments and the order
of keys in the files are gone. The text is a policy file itself, in YAML that readers of YAML 1.1
and 1.2 understand alike, and reading it gives the same rules again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from aims_gate import canonical
from aims_gate.policy.grammar import (
    POLICY,
    AdoptedText,
    AppliesText,
    BaselineText,
    DataText,
    JoinText,
    MetadataText,
    PolicyText,
    RequireText,
    RuleText,
    WaiversText,
)
from aims_gate.policy.model import (
    AppliesTo,
    Baseline,
    DataSpec,
    Policy,
    PolicyTest,
    Rule,
    Threshold,
    WaiverTerms,
)
from aims_gate.policy.tightness import Order, free

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that some reader of YAML takes for something else than text."""
_REWORDED = frozenset(
    info.alias or name
    for name, info in RuleText.model_fields.items()
    if any(isinstance(one, Order) and one.holds is free for one in info.metadata)
)
"""Keys of a rule that decide nothing: a new title ends no waiver."""
_ESCAPED = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_HIDDEN = re.compile("[\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def write(policy: Policy, sources: Sequence[tuple[str, str]] = ()) -> bytes:
    """Write *policy* as YAML.

    Args:
        policy: The policy; its `extends`, `uri`, `folder`, places, `document` and digests are not
            part of the text.
        sources: The policies it was merged from, as URI and SHA-256; written as comments.
    """
    lines = [f"# from {_origin(uri)} sha256:{digest}" for uri, digest in sources]
    lines += _block(_tree(policy), "")
    return ("\n".join(lines) + "\n").encode()


def inline(value: Any) -> str:
    """A scalar, list or mapping on one line, as in a resolved policy."""
    return _flow(value)


def _origin(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    # `parents` follows no address with a character that does not print
    return f"pack {_text(rest)}" if scheme == "pack" else uri


def _tree(policy: Policy) -> dict[str, Any]:
    return _written(
        PolicyText,
        policy,
        apiVersion="aims-gate/v1",
        kind=POLICY.name,
        metadata=_written(MetadataText, policy),
        extends=None,
        adopted=[_written(AdoptedText, one) for one in policy.adopted],
        sources=_stated(allow=list(policy.sources_allow)),
        records=_stated(system=policy.records_system, org=policy.records_org),
        waivers=_waivers(policy.waivers),
        data={role.value: _data(spec) for role, spec in policy.data.items()},
        rules=[_rule(rule) for rule in policy.rules],
        tests=[_test(test) for test in policy.tests],
    )


def _waivers(terms: WaiverTerms) -> dict[str, Any]:
    """Write what differs from what is meant where nothing is said, so that old digests hold."""
    usual = WaiverTerms()
    stated = _written(WaiversText, terms)
    return {
        key: value for key, value in stated.items() if getattr(terms, key) != getattr(usual, key)
    }


def _rule(rule: Rule) -> dict[str, Any]:
    parameters = dict(sorted(rule.parameters.items()))
    return _written(RuleText, rule, **{"with": parameters}, require=_threshold(rule.require))


def rule_digest(rule: Rule, policy: Policy) -> str:
    """SHA-256 of what a resolved rule asks, in canonical JSON: the rule and the policy's data.

    Words that decide nothing are left out; what columns mean decides as much as a limit.
    """
    tree = {key: value for key, value in _rule(rule).items() if key not in _REWORDED}
    data = {role.value: _data(spec) for role, spec in policy.data.items()}
    return canonical.sha256(canonical.encode({"rule": tree, "data": data}))


def _threshold(threshold: Threshold | None) -> dict[str, Any]:
    if threshold is None:
        return {}
    limits = [threshold.at_least, threshold.at_most]
    one = {} if None in limits else {"at_least": None, "at_most": None, "between": limits}
    return _written(RequireText, threshold, **{"between": None, **one})


def _data(spec: DataSpec) -> dict[str, Any]:
    answered = spec.prediction or spec.predictions
    return _written(
        DataText,
        spec,
        score=dict(sorted(spec.score.items())) if isinstance(spec.score, Mapping) else spec.score,
        threshold=None if answered else spec.threshold,
        join=[_written(JoinText, join) for join in spec.join],
        window=_stated(days=spec.window_days),
    )


def _test(test: PolicyTest) -> dict[str, Any]:
    given = {
        rule: [
            _stated(slice=cell.slice, low=cell.low, high=cell.high, rows=cell.rows)
            | {"value": cell.value}
            for cell in cells
        ]
        or "absent"
        for rule, cells in test.given.items()
    }
    return _stated(
        name=test.name,
        given=given,
        at=_plain(test.at),
        stage=test.stage,
        expect=dict(test.expect),
    )


def _written(model: type[BaseModel], value: Any, **others: Any) -> dict[str, Any]:
    """Write the fields of *value* under the keys of *model*, in its order; *others* as given."""
    keys = [info.alias or name for name, info in model.model_fields.items()]
    fields = {key: others[key] if key in others else _plain(getattr(value, key)) for key in keys}
    return _stated(**fields)


def _stated(**keys: Any) -> dict[str, Any]:
    """Leave out what is not stated; 0 and false are."""
    return {key: value for key, value in keys.items() if value not in (None, "", [], {})}


def _plain(value: Any) -> Any:
    """Write a value of the model as the tree that it was read from."""
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case AppliesTo():
            return _written(AppliesText, value)
        case Baseline():
            return _written(BaselineText, value)
        case _:
            return value


def _block(tree: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Write a mapping, one key a line; lists of mappings get an item a paragraph."""
    for key, value in tree.items():
        head = f"{indent}{_text(key)}:"
        if isinstance(value, Mapping) and value:
            yield head
            yield from _block(value, f"{indent}  ")
        elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            yield head
            for item in value:
                yield from _item(item, f"{indent}  ")
        else:
            yield f"{head} {_flow(value)}"


def _item(item: Mapping[str, Any], indent: str) -> Iterator[str]:
    if not item:
        yield f"{indent}- {{}}"
        return
    first, *others = _block(item, f"{indent}  ")
    yield f"{indent}- {first.lstrip(' ')}"
    yield from others


def _flow(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return _number(value)
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case _:
            return f"{{{', '.join(f'{_text(k)}: {_flow(v)}' for k, v in value.items())}}}"


def _number(value: float) -> str:
    """Write a float so that YAML 1.1 readers take it for one too: `1.0e-05`, not `1e-05`."""
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def _text(value: str) -> str:
    if _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _HIDDEN.sub(_escape, _ESCAPED.sub(_escape, quoted))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
