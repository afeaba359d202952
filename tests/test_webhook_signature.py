"""Webhook signatures against MLflow's own and a published vector, and the secrets they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.errors import UsageError
from aims_gate.webhook_signature import PREVIOUS, VARIABLE, is_fresh, is_signed, read_secrets, sign

GOOD = "0123456789abcdef"


def test_the_vector_of_standard_webhooks_holds() -> None:
    """Of its reference library: the secret `MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw` in base64."""
    import base64

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_mlflow_signs_as_we_do() -> None:
    """The function of the MLflow that is installed, as oracle."""
    from mlflow.webhooks.delivery import _generate_hmac_signature

    theirs = _generate_hmac_signature("ein Geheimnis: äöü", "id-1", "1795421789", '{"a": "ü"}')
    body = '{"a": "ü"}'.encode()
    assert sign("ein Geheimnis: äöü".encode(), "id-1", "1795421789", body) == theirs


def test_one_of_two_secrets_is_enough_and_neither_part_may_move_into_another() -> None:
    made = sign(b"two", "a", "1", b"2.x")
    assert is_signed(made, (b"one", b"two"), "a", "1", b"2.x")
    assert not is_signed(made, (b"one",), "a", "1", b"2.x")
    assert not is_signed(made, (), "a", "1", b"2.x")
    assert not is_signed(made, (b"two",), "a", "1", b"2.y")


def test_a_timestamp_is_fresh_for_five_minutes_either_way() -> None:
    assert is_fresh("1000", 1300.0)
    assert is_fresh("1000", 700.0)
    assert not is_fresh("1000", 1300.5)
    assert not is_fresh("1000", 699.0)
    assert not is_fresh("", 0.0)
    assert not is_fresh("0x1", 0.0)


def test_secrets_come_from_variables_or_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{GOOD}-file\n", encoding="utf-8")
    assert read_secrets({VARIABLE: GOOD}) == (GOOD.encode(),)
    both = {f"{VARIABLE}_FILE": str(file), PREVIOUS: GOOD}
    assert read_secrets(both) == (f"{GOOD}-file".encode(), GOOD.encode())


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "no secret"),
        ({VARIABLE: ""}, "no secret"),
        ({PREVIOUS: GOOD}, "no secret"),
        ({VARIABLE: "short"}, "16 to 4096"),
        ({VARIABLE: GOOD, PREVIOUS: "x" * 4097}, "16 to 4096"),
        ({VARIABLE: GOOD, f"{VARIABLE}_FILE": "/x"}, "both set"),
        ({f"{VARIABLE}_FILE": "/nowhere"}, "cannot read"),
        ({f"{VARIABLE}_FILE": "/dev/null"}, "cannot read"),
    ],
)
def test_without_a_good_secret_nothing_starts(environ: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        read_secrets(environ)
    assert GOOD not in str(refused.value)
