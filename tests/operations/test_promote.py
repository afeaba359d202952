"""The one door to production, on a real MLflow server: what passes, what does not, what is said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.statement_files import read_statement
from aims_gate.errors import GateError, RecordError, SourceError, TrustError, UsageError
from aims_gate.evidence.predicates import PROMOTION
from aims_gate.operations.revoke import Frozen, Revoking, revoke
from tests.support.promoting import ALIAS, House
from tests.support.proofs import new_signer, refused

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations


@pytest.fixture
def house(mlflow_server: str, tmp_path: Path) -> House:
    return House.build(mlflow_server, tmp_path / "house")


def refuses(house: House, kind: type[GateError], match: str, version: str, **how: Any) -> None:
    """A promotion is refused, dry too, and leaves the alias and no flag."""
    before = house.champion()
    for dry_run in (True, False):
        with pytest.raises(kind, match=match) as caught:
            house.promote(version, dry_run=dry_run, **how)
        assert caught.value.exit_code == kind.exit_code
    assert house.champion() == before
    assert house.flags() == []


def test_who_promoted_what_why_and_in_whose_place_is_signed(house: House) -> None:
    """Here and beside the evidence in MLflow; and doing it again changes nothing."""
    first, second = house.version(), house.version()
    dry = house.promote(first, dry_run=True)
    assert (dry.moved, dry.exit_code, house.champion(), house.tags(first)) == (False, 0, None, {})
    assert house.promote(first).moved
    done = house.promote(second)
    assert (done.moved, done.exit_code, done.previous, done.told) == (True, 0, first, ())
    assert house.champion() == second
    said = house.said(done)
    trust = trust_file.load(house.trust_file)
    assert done.statement is not None
    name = done.statement.name.removesuffix(".dsse.json")
    signed = read_statement(done.statement.parent, name, PROMOTION, trust=trust, now=house.now)
    assert (signed.signer.person, signed.statement.subject) == ("gate", done.verified.model_digest)
    assert {key: said[key] for key in ("action", "alias", "stage", "previous", "why")} == {
        "action": "promote",
        "alias": ALIAS,
        "stage": "production",
        "previous": first,
        "why": "release, CHG-12",
    }
    pointer = house.tags(second)[f"aims_gate.alias.{ALIAS}.promotion"]
    assert pointer == f"sha256:{signed.digest} {said['evidence']['uri']}/promotions/{name}"
    again = house.promote(second)
    assert (again.moved, again.statement, house.champion()) == (False, None, second)
    assert house.tags(second)[f"aims_gate.alias.{ALIAS}.promotion"] == pointer
    assert house.flags() == []


def test_a_candidate_is_promoted_by_the_alias_that_it_has_now(house: House) -> None:
    """Read once: the version is what is verified and moved."""
    version = house.version()
    house.content.client.set_registered_model_alias(house.name, "candidate", version)
    done = house.promote(version, model=f"models:/{house.name}@candidate")
    assert (done.version, house.champion()) == (house.uri(version), version)


def test_an_authentic_refusal_is_an_answer_and_moves_nothing(house: House) -> None:
    """Exit 1, as verify says it."""
    version = house.version(**refused())
    done = house.promote(version)
    assert (done.exit_code, done.moved, done.statement, house.champion()) == (1, False, None, None)


def test_what_is_asked_wrongly_is_a_usage_error(house: House) -> None:
    """No reason, no limit of age, no version, no alias that MLflow would take, no trust file."""
    version = house.version()
    hostile = ("", "latest", "v3", "a b", "../x", "a\nb", "\N{FULLWIDTH LATIN SMALL LETTER C}")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("there is no reason", {"why": "  "}),
        ("cannot read the trust file", {"trust": house.trust_file.with_name("none.yaml")}),
        ("not a model URI", {"model": f"models:/{house.name}/latest"}),
        ("names no version of a registered model", {"model": "models:/m-0123"}),
        ("not a model URI", {"model": f"models:/../{house.name}/1"}),
        ("there is no evidence", {"model": f"models:/{house.name}/77"}),
        ("there is no such model|there is no evidence", {"model": "models:/nobody-knows/1"}),
        ("has no alias 'nobody'", {"model": f"models:/{house.name}@nobody"}),
        ("the stage is empty", {"stage": ""}),
        ("no evidence for stage 'dev'", {"stage": "dev"}),
        *((re.escape(f"{alias!a} is no alias"), {"alias": alias}) for alias in hostile),
    ]
    for match, how in cases:
        refuses(house, UsageError, match, version, **how)
    house.trust(deploy=[{"stage": "production"}])
    refuses(house, UsageError, "nothing says how old the evidence may be", version)
    assert house.promote(version, max_age=timedelta(days=7)).moved


def test_evidence_that_does_not_hold_moves_nothing(house: House) -> None:
    """Too old, of another stage or policy, revoked, of an unlisted key, without approval."""
    version = house.version()
    stranger = new_signer()
    cases: list[tuple[str, dict[str, Any]]] = [
        ("is older than", {"max_age": timedelta(minutes=1)}),
        ("another policy was applied", {"policy_digest": "0" * 64}),
        ("does not descend from", {"floor": f"other@{'0' * 64}"}),
        (r"key SHA256:.* is not in trust\.yaml", {"signer": stranger}),
    ]
    for match, how in cases:
        refuses(house, TrustError, match, version, **how)
    house.trust(deploy=[{"max_age": "1m"}])
    refuses(house, TrustError, r"trust\.yaml:\d+: the evidence of .* is older", version)
    house.trust(deploy=[{"max_age": "7d", "stage": "dev"}])
    refuses(house, UsageError, "no evidence for stage 'dev'", version)
    house.trust(deploy=[{"max_age": "7d", "approvals": ["validator"]}])
    refuses(house, TrustError, "approv", version)
    other = {"person": "jo", "public_key": stranger.key.pem, "roles": ["approver"]}
    house.trust(other)
    refuses(house, TrustError, "may not sign as gate, only as approver", version, signer=stranger)
    revoke(
        Frozen(evidence=house.uri(version)),
        Revoking(
            signer=stranger, why="wrong labels", trust=house.trust_file, environ=house.environ
        ),
        now=house.now,
    )
    refuses(house, TrustError, "was revoked .* by jo with .*: 'wrong labels'", version)
    assert house.promote(house.version()).moved


def test_a_version_that_was_never_gated_is_not_promoted(house: House) -> None:
    """Nor by the evidence of another version, or of the same bytes under another name."""
    good, other = house.version(), house.version(gated=False)
    refuses(house, UsageError, "there is no evidence for stage 'production'", other)
    tags = house.content.client.get_model_version(house.name, good).tags
    key = "aims_gate.production.evidence"
    refuses(
        house,
        TrustError,
        "the evidence is for house-.*@1 on",
        other,
        evidence=tags[key].partition(" ")[2],
    )
    house.content.client.set_model_version_tag(house.name, other, key, tags[key])
    refuses(house, TrustError, "the evidence is for house-.*@1 on", other)


def test_a_rollback_goes_back_version_by_version(house: House) -> None:
    """To the one before, and from there to the one before that; the bad one is off the chain."""
    versions = [house.version() for _ in range(3)]
    for version in versions:
        assert house.promote(version).moved
    done = house.promote(why="complaints")
    assert (done.version, done.previous) == (house.uri(versions[1]), versions[2])
    assert house.champion() == versions[1]
    said = house.said(done)
    assert (said["action"], said["previous"], said["why"]) == (
        "rollback",
        versions[2],
        "complaints",
    )
    fourth = house.version()
    house.promote(fourth)
    assert house.promote().version == house.uri(versions[1]), "not to what was rolled back from"
    assert house.promote(dry_run=True).version == house.uri(versions[0])
    assert house.champion() == versions[1]
    assert house.promote().version == house.uri(versions[0])
    with pytest.raises(TrustError, match="no version before 1 verifies"):
        house.promote()
    assert (house.champion(), house.flags()) == (versions[0], [])


def test_a_rollback_verifies_with_todays_trust_but_of_any_age(house: House) -> None:
    """What was revoked since is passed over, and said; what is merely old is what is wanted."""
    versions = [house.version() for _ in range(3)]
    for version in versions:
        house.promote(version)
    how = Revoking(signer=house.signer, why="x", trust=house.trust_file, environ=house.environ)
    revoke(Frozen(evidence=house.uri(versions[1])), how, now=house.now)
    house.now += timedelta(days=30)
    refuses(house, TrustError, "is older than", versions[0])
    done = house.promote()
    assert (done.version, house.champion()) == (house.uri(versions[0]), versions[0])
    (told,) = done.told
    assert told.startswith(f"version {versions[1]} was passed over: the verdict of this evidence")
    house.by_hand(versions[2])
    with pytest.raises(TrustError, match="is older than"):
        house.promote(max_age=timedelta(days=1))


def test_a_rollback_from_where_somebody_moved_the_alias_by_hand(house: House) -> None:
    """To the newest signed promotion; one that is about something else does not count."""
    first, second, third = house.version(), house.version(), house.version(gated=False)
    house.promote(first)
    house.promote(second)
    house.by_hand(third)
    tag = f"aims_gate.alias.{ALIAS}.promotion"
    tags = house.tags(first)[tag]
    house.content.client.set_model_version_tag(house.name, third, tag, tags)
    done = house.promote()
    assert (done.version, done.previous, house.champion()) == (house.uri(second), third, second)
    assert done.told == (f"the promotion of version {third} is about something else",)
    empty = house.version(gated=False)
    house.by_hand(empty)
    house.content.client.delete_model_version_tag(house.name, first, tag)
    house.content.client.set_model_version_tag(house.name, second, tag, "nonsense")
    with pytest.raises(
        TrustError, match="no version before 4 verifies; the promotion of version 2"
    ):
        house.promote()
    assert house.champion() == empty


def test_what_is_no_rollback_is_a_usage_error(house: House) -> None:
    """Of a version, of an alias that is not there, of nothing."""
    version = house.version()
    for match, how in (
        ("is no alias of", {"model": house.uri(version), "rollback": True}),
        ("evidence was named for a rollback", {"evidence": house.uri(version)}),
        ("no alias 'champion' to take back", {"model": f"models:/{house.name}", "rollback": True}),
    ):
        with pytest.raises(UsageError, match=match):
            house.promote(version, **{"rollback": True, **how})


def test_an_alias_that_was_set_by_hand_is_signed_for(house: House) -> None:
    """It is verified as any other, and from then on there is a record."""
    version = house.version()
    house.by_hand(version)
    done = house.promote(version)
    assert (done.moved, done.told) == (
        False,
        ("it pointed there already, and nobody had signed for it: signed now",),
    )
    assert house.said(done)["previous"] is None
    assert house.promote(version).statement is None


def test_a_statement_that_cannot_be_kept_moves_nothing(house: House, tmp_path: Path) -> None:
    """Neither here nor in MLflow."""
    version = house.version()
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="cannot be made"):
        house.promote(version, out=tmp_path / "file" / "x")
    place = replace(house.asks(version), evidence=house.uri(version))
    assert place.evidence
    assert (house.champion(), house.flags()) == (None, [])
    with pytest.raises(SourceError):
        house.promote(version, environ={"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"})
