"""Personal data: an identifier that nobody declared refuses; chance and other columns do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.data.identifiers import IDENTIFIERS
from aims_gate.checks.data.personal import Personal
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import UNSEEN, NoValue
from aims_gate.plan import build
from aims_gate.policy.model import Role
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged

KNOWN = {
    "email": "Ada.Lovelace+x@mail.example.org",
    "phone": "+49 (0)30 901820",
    "iban": "DE89 3704 0044 0532 0130 00",
    "card": "4111-1111-1111-1111",
    "be_national_number": "85.07.30-033 28",
    "ch_ahv": "756.9217.0769.85",
    "de_tax_id": "36 574 261 809",
    "es_dni": "54362315-K",
    "fr_nir": "2 95 10 99 126 111 93",
    "it_codice_fiscale": "RCCMNL83S18D969H",
    "nl_bsn": "111222333",
    "pl_pesel": "44051401359",
    "se_personnummer": "880320-0016",
    "uk_nino": "AB 12 34 56 C",
    "us_ssn": "078-05-1120",
}
"""Examples that the issuers, or texts about them, print."""
CHECKED = sorted(name for name, one in IDENTIFIERS.items() if one.valid is not None)


def test_every_pattern_has_an_example() -> None:
    assert set(KNOWN) == set(IDENTIFIERS)


@pytest.mark.parametrize("name", KNOWN)
def test_one_identifier_in_a_thousand_rows_of_text_refuses(name: str) -> None:
    written = [KNOWN[name], f"call: {KNOWN[name].lower()}, thanks"]
    found = data({"note": ["nothing"] * 998 + written})
    cell = judged(Personal(patterns=(name,)), found)["note"]
    assert (cell.value, cell.reason) == (2.0, f"{name} in 2 rows")
    assert decided({"check": "data.personal"}, found).outcome is Outcome.FAIL


@pytest.mark.parametrize("name", CHECKED)
def test_a_check_digit_that_is_off_by_one_does_not_count(name: str) -> None:
    last = KNOWN[name][-1]
    other = str((int(last) + 1) % 10) if last.isdigit() else ("A" if last != "A" else "B")
    found = data({"note": ["x", KNOWN[name][:-1] + other]})
    assert judged(Personal(patterns=(name,)), found)["note"].value == 0.0


@pytest.mark.parametrize(
    "harmless",
    ["12 May 2026", "version 4.1.1", "v1@2", "078-00-1120", "666-12-3456", "XX12 3456", "+12", ""],
)
def test_what_only_looks_alike_does_not_refuse(harmless: str) -> None:
    assert judged(Personal(), data({"note": [harmless, None]}))["note"].value == 0.0


def test_numbers_are_read_by_their_digits() -> None:
    """A reader of CSV makes numbers of card numbers, and floats where a row is null."""
    whole = data({"n": pa.array([4111111111111111, 7], pa.int64())})
    broken = data({"n": [4111111111111111.0, None, 0.5, float("inf")]})
    for found in (whole, broken):
        assert judged(Personal(), found)["n"].value == 1.0


def test_every_row_counts_and_weights_do() -> None:
    text = ["a@b.example", "a@b.example", "c@d.example", "x"]
    assert judged(Personal(), data({"t": text}))["t"].value == 3.0
    weighted = data({"t": text[:1], "n": [40]}, weight="n")
    assert judged(Personal(columns=("t",)), weighted)["t"].value == 40.0
    assert judged(Personal(), data({"t": pa.array(text).dictionary_encode()}))["t"].value == 3.0


def test_order_numbers_of_which_one_in_ten_passes_by_chance_do_not_refuse() -> None:
    random = np.random.default_rng(7)
    orders = [f"4{number:015d}" for number in random.integers(0, 10**15, 5000)]
    cell = judged(Personal(patterns=("card",)), data({"order": orders}))["order"]
    assert cell.value == 0.0
    assert "of 5,000 different numbers shaped as card pass" in cell.reason
    cards = [number for number in orders if _luhn(number)]
    assert judged(Personal(patterns=("card",)), data({"order": cards}))["order"].value == len(cards)
    few = judged(Personal(patterns=("card",)), data({"order": orders[:99]}))["order"]
    assert few.value == sum(map(_luhn, orders[:99]))


def _luhn(number: str) -> bool:
    """Luhn's check, as the algorithm's table of doubled digits says it."""
    doubled = "0246813579"
    digits = [int(doubled[int(d)]) if i % 2 == 0 else int(d) for i, d in enumerate(number)]
    return sum(digits) % 10 == 0


def test_a_declared_column_may_hold_what_is_declared_and_nothing_else() -> None:
    found = data({"mail": ["a@b.example", "DE89370400440532013000"]})
    check = Personal(declared={"mail": ("email",)})
    cell = judged(check, found)["mail"]
    assert (cell.value, cell.reason) == (1.0, "iban in 1 rows; email in 1 rows, as declared")
    both = Personal(declared={"mail": ("email", "iban")})
    assert judged(both, found)["mail"].value == 0.0


def test_no_value_enters_the_evidence() -> None:
    secret = "ada.lovelace@mail.example"
    result = decided({"check": "data.personal"}, data({"note": [secret, "4111111111111111"]}))
    assert result.outcome is Outcome.FAIL
    said = repr(result)
    assert "email in 1 rows" in said
    assert "lovelace" not in said.lower()
    assert "4111" not in said


def test_it_says_what_it_cannot_see() -> None:
    found = data({"name": ["Ada Lovelace"], "tags": pa.array([["a@b.example"]])})
    assert "names, addresses" in context(Personal(), UNSEEN, found)["what"].reason
    told = decided({"check": "data.personal"}, found)
    assert told.outcome is Outcome.PASS
    assert "names, addresses" in told.reason
    assert "cannot be searched" in told.reason


def test_a_column_that_is_not_there_or_no_text_never_passes() -> None:
    found = data({"note": ["x"], "tags": pa.array([["a@b.example"]])})
    cells = judged(Personal(columns=("notes", "tags")), found)
    assert cells["notes"].lack is NoValue.MISSING
    assert "did you mean 'note'" in cells["notes"].reason
    assert cells["tags"].lack is NoValue.UNDEFINED
    assert judged(Personal(declared={"gone": ("email",)}), found)["gone"].lack is NoValue.MISSING
    (nothing,) = judged(Personal(), data({"flag": [True, False]})).values()
    assert nothing.lack is NoValue.MISSING


def test_without_data_there_is_nothing_to_search() -> None:
    with pytest.raises(NoDataError):
        list(Personal().measure(inputs(data({"a": ["x"]}, Role.REFERENCE))))


@pytest.mark.parametrize(
    "parameters",
    [
        {"patterns": []},
        {"patterns": ["emial"]},
        {"columns": []},
        {"declared": {"mail": []}},
        {"declared": {"mail": ["emial"]}},
    ],
)
def test_parameters_that_look_for_nothing_are_problems(parameters: dict[str, Any]) -> None:
    assert list(problems_of(build("data.personal", parameters)))
