"""A policy to the one text that is written out, hashed and named in evidence.

Equal policies have equal bytes: parents are merged, defaults are written, comments and the order
of keys in the files are gone. The text is a policy file itself, in YAML that readers of YAML 1.1
and 1.2 understand alike, and reading it gives the same rules again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aims_gate.policy.model import (
    AppliesTo,
    Baseline,
    DataSpec,
    Policy,
    PolicyTest,
    Rule,
    Threshold,
)

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that some reader of YAML takes for something else than text."""
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
    """Write a scalar, list or mapping on one line, as it stands in a resolved policy."""
    return _flow(value)


def _origin(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    # `parents` follows no address with a character that does not print
    return f"pack {_text(rest)}" if scheme == "pack" else uri


def _tree(policy: Policy) -> dict[str, Any]:
    return _stated(
        apiVersion="aims-gate/v1",
        kind="Policy",
        metadata=_stated(
            id=policy.id,
            version=policy.version,
            owner=policy.owner,
            expires=_instant(policy.expires),
        ),
        stages=list(policy.stages),
        applies_to=_scope(policy.applies_to),
        sources=_stated(allow=list(policy.sources_allow)),
        engine=policy.engine,
        alpha=policy.alpha,
        alpha_scope=policy.alpha_scope,
        alpha_families=[list(ids) for ids in policy.alpha_families],
        on_insufficient=_word(policy.on_insufficient),
        data={role.value: _data(spec) for role, spec in policy.data.items()},
        declare=list(policy.declare),
        overridable=list(policy.overridable),
        rules=[_rule(rule) for rule in policy.rules],
        tests=[_test(test) for test in policy.tests],
    )


def _rule(rule: Rule) -> dict[str, Any]:
    return _stated(
        id=rule.id,
        title=rule.title,
        check=rule.check,
        **{"with": dict(sorted(rule.parameters.items()))},
        on=_word(rule.on),
        require=_threshold(rule.require),
        decide_on=_word(rule.decide_on),
        severity=_word(rule.severity),
        serious=rule.serious,
        effective_from=_instant(rule.effective_from),
        baseline=_baseline(rule.baseline),
        applies_to=_scope(rule.applies_to),
        max_age_days=rule.max_age_days,
        grace_days=rule.grace_days,
        controls=list(rule.controls),
        why=rule.why,
        approved_by=rule.approved_by,
        on_insufficient=_word(rule.on_insufficient),
        engine=rule.engine,
        overridable=list(rule.overridable),
    )


def _baseline(baseline: Baseline | None) -> dict[str, Any]:
    if baseline is None:
        return {}
    return {
        "value": baseline.value,
        "owner": baseline.owner,
        "expires": _instant(baseline.expires),
    }


def _threshold(threshold: Threshold | None) -> dict[str, Any]:
    if threshold is None:
        return {}
    low, high = threshold.at_least, threshold.at_most
    both = low is not None and high is not None
    return _stated(
        at_least=None if both else low,
        at_most=None if both else high,
        between=[low, high] if both else None,
        warn_below=threshold.warn_below,
        warn_above=threshold.warn_above,
    )


def _data(spec: DataSpec) -> dict[str, Any]:
    return _stated(
        source=spec.source,
        label=spec.label,
        prediction=spec.prediction,
        predictions=spec.predictions,
        environment=spec.environment,
        score=dict(sorted(spec.score.items())) if isinstance(spec.score, Mapping) else spec.score,
        threshold=None if spec.prediction or spec.predictions else spec.threshold,
        positive=spec.positive,
        task=_word(spec.task),
        key=spec.key,
        query=spec.query,
        weight=spec.weight,
        time=spec.time,
        sensitive={
            column: None if edges is None else list(edges)
            for column, edges in spec.sensitive.items()
        },
        types=dict(spec.types),
        nulls=None if spec.nulls is None else list(spec.nulls),
        join=[
            _stated(source=join.source, on=join.on, columns=list(join.columns))
            for join in spec.join
        ],
        window=_stated(days=spec.window_days),
        sha256=spec.sha256,
        min_rows=spec.min_rows,
        max_age_days=spec.max_age_days,
        max_null_labels=spec.max_null_labels,
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
        at=_instant(test.at),
        stage=test.stage,
        expect=dict(test.expect),
    )


def _scope(scope: AppliesTo | None) -> dict[str, Any]:
    if scope is None:
        return {}
    return _stated(models=list(scope.models), stages=list(scope.stages))


def _stated(**keys: Any) -> dict[str, Any]:
    """Leave out what is not stated; 0 and false are."""
    return {key: value for key, value in keys.items() if value not in (None, "", [], {})}


def _word(word: Any) -> str | None:
    return None if word is None else str(word.value)


def _instant(instant: datetime | None) -> str | None:
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
