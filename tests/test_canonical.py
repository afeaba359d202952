"""Canonical JSON and digests."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate import canonical
from tests.support.laws import law

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, width=64),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
).filter(lambda value: "inf" not in repr(value))


@given(JSON)
@law()
def test_what_is_encoded_is_parsed_again(value: Any) -> None:
    """parse(encode(v)) == v, and encoding again gives the same bytes."""
    data = canonical.encode(value)
    assert canonical.parse(data) == value
    assert canonical.encode(canonical.parse(data)) == data


def test_equal_mappings_have_equal_bytes_whatever_their_order() -> None:
    """Keys are sorted and no white space is written."""
    assert canonical.encode({"b": 1, "a": [1, 2]}) == b'{"a":[1,2],"b":1}'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, {"a": [math.nan]}])
def test_what_is_not_finite_is_not_encoded(value: Any) -> None:
    """NaN and infinity are no JSON."""
    with pytest.raises(ValueError, match="JSON"):
        canonical.encode(value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"result": "FAILED", "result": "PASSED"}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b"[Infinity]",
        b"{",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_text_that_two_readers_could_read_differently_is_refused(text: bytes) -> None:
    """Duplicate keys, NaN, infinity, broken and bottomless text all raise ValueError."""
    with pytest.raises(ValueError):
        canonical.parse(text)


def test_a_file_hashes_to_what_its_bytes_hash_to(tmp_path: Path) -> None:
    """Reading in chunks gives the digest of the whole."""
    data = b"0123456789" * 250_000
    path = tmp_path / "f"
    path.write_bytes(data)
    assert canonical.sha256_file(path) == canonical.sha256(data) == hashlib.sha256(data).hexdigest()


@given(st.floats(allow_nan=False, allow_infinity=False))
@law()
def test_decimal_strings_keep_twelve_digits(value: float) -> None:
    """The string reads back within 12 significant digits."""
    text = canonical.decimal(value)
    assert text is not None
    assert math.isclose(float(text), value, rel_tol=1e-11, abs_tol=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_not_a_number_has_no_decimal_string(value: float | None) -> None:
    """NaN, infinity and nothing give None, never a string that looks like a number."""
    assert canonical.decimal(value) is None
