"""`MLmodel` is a stranger's text: read as strictly as a policy, and always quickly."""

from __future__ import annotations

import contextlib
import time

import pytest

from aims_gate.errors import SourceError
from aims_gate.sources.mlmodel import parse_mapping, parse_mlmodel

GENUINE = b"""artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    python_version: 3.11.7
  sklearn: {code: null, pickled_model: model.pkl, serialization_format: cloudpickle}
mlflow_version: 3.17.2
model_id: m-0123456789abcdef
run_id: 0123456789abcdef0123456789abcdef
signature:
  inputs: '[{"type": "double", "name": "income", "required": true}, {"type": "long"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
utc_time_created: '2026-11-29 17:21:07.123456'
"""


def test_what_mlflow_writes_is_read() -> None:
    """Flavours, named inputs and where it came from."""
    read = parse_mlmodel(GENUINE)
    assert sorted(read.flavors) == ["python_function", "sklearn"]
    assert read.signature is not None
    assert read.signature.inputs == (("income", "double", True),)
    assert (read.model_id, read.run_id[:4]) == ("m-0123456789abcdef", "0123")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: !!int x", "tag tag:yaml.org,2002:int"),
        (b"a: !!bool x", "tag tag:yaml.org,2002:bool"),
        (b"a: !!timestamp x", "tag tag:yaml.org,2002:timestamp"),
        (b"a: !!python/object/apply:os.system [id]", "tag tag:yaml.org,2002:python"),
        (b"a: {b: 1, b: 2}", "duplicate key 'b'"),
        (b"a: &x 1\nb: *x", "anchor &x"),
        (b"[" * 40, "nested more than 32 levels deep"),
        (b"\x00", "not allowed"),
        (b"\xff", "not UTF-8"),
        (b"a: 1\n---\nb: 2", "a second document"),
        (b"- a", "not a mapping"),
        (b"", "empty"),
    ],
)
def test_whatever_is_not_plain_is_an_unreadable_file(text: bytes, said: str) -> None:
    """Exit code 3 with a reason, and never a crash."""
    with pytest.raises(SourceError, match=said) as caught:
        parse_mapping(text, where="MLmodel")
    assert caught.value.where.startswith("MLmodel")


@pytest.mark.parametrize(
    "text",
    [
        b"a: 1" + b":0" * 499_990,
        b"a: " + b"1" * 999_990,
        b"a: ." + b"0" * 999_980 + b"1",
        b"a: " + "\u2028".encode() * 333_000,
        ("\n\u2028" * 240_000).encode(),
        b"a: {" + b"a," * 400_000,
    ],
)
def test_a_long_text_costs_no_more_than_its_length(text: bytes) -> None:
    """One of these took 21 seconds, another never ended."""
    started = time.process_time()
    with contextlib.suppress(SourceError):
        parse_mapping(text, where="MLmodel")
    assert time.process_time() - started < 5
