"""The action, run by `act` with a real gate: what each event and each verdict leave behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.github_action.conftest import TRUST, Credit
from tests.support.act import merge_group, pull_request
from tests.support.github_api import TOKEN, GitHub
from tests.support.laws import nightly

TOKENS = {"GITHUB_TOKEN": TOKEN}


def test_what_is_met_is_signed_and_verifies_before_a_deployment(
    credit: Credit, signing_key: Path
) -> None:
    """The gate's step passes; the verify action accepts its evidence, and no line shows the key."""
    (credit.work / "trust.yaml").write_text(TRUST)
    public = signing_key.with_suffix(".key.pub").read_bytes()
    (credit.work / "gate.key.pub").write_bytes(public)
    step = """\
    - id: verify
      uses: aims-gate/aims-gate/github-action/verify@0123456789abcdef0123456789abcdef01234567
      with:
        model: model
        evidence: ${{ steps.gate.outputs.evidence-path }}
        stage: production
        version: 0.1.0
    """
    credit.workflow("key: SIGNING_KEY", job=step)
    credit.commit()
    head = credit.commit("change")
    ran = credit.run(
        "pull_request",
        pull_request(head),
        secrets={"SIGNING_KEY": signing_key.read_text(encoding="utf-8")},
    )
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("passed", "0"), ran.log
    assert ran.results == {"0": "success", "gate": "success", "verify": "success"}, ran.log
    assert "authentic: signed by ci@acme.example" in ran.log
    for line in signing_key.read_text(encoding="utf-8").splitlines()[1:-1]:
        assert line not in ran.log
    assert ran.outputs["cache-key"].startswith("aims-gate-Linux-X64-3.")
    for name in ("evidence-digest", "model-digest"):
        assert re.fullmatch("sha256:[0-9a-f]{64}", ran.outputs[name]), ran.outputs
    assert ran.outputs["report-json"].endswith("/report.json")
    assert ran.outputs["report-markdown"].endswith("/report.markdown")
    assert "production" in ran.summary
    assert "no difference" not in ran.summary


def test_a_refusal_fails_the_step(credit: Credit) -> None:
    credit.hold("biased")
    credit.commit()
    ran = credit.run("pull_request", pull_request(credit.commit("change")))
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("refused", "1"), ran.log
    assert ran.results["gate"] == ran.job == "failure"


@nightly
def test_observing_fails_no_step_and_says_the_same(credit: Credit) -> None:
    credit.hold("biased")
    credit.workflow("mode: observe")
    credit.commit()
    ran = credit.run("push", {"ref": "refs/heads/main"})
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("refused", "1"), ran.log
    assert ran.results["gate"] == ran.job == "success"


@nightly
@pytest.mark.parametrize(
    ("case", "inputs", "verdict", "code"),
    [
        ("met", ("model: file:nothing",), "undecided", "3"),
        ("unknown-check", (), "undecided", "2"),
        ("met", ("stage: moon",), "undecided", "2"),
    ],
)
def test_every_end_has_outputs(
    credit: Credit, case: str, inputs: tuple[str, ...], verdict: str, code: str
) -> None:
    credit.hold(case)
    credit.workflow(*inputs)
    credit.commit()
    ran = credit.run("pull_request", pull_request(credit.commit("change")))
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == (verdict, code), ran.log
    assert ran.results["gate"] == ran.job == "failure"
    assert ran.summary


@nightly
@pytest.mark.parametrize("actor", ["stranger", "dependabot[bot]"])
def test_a_change_from_outside_is_never_signed(
    credit: Credit, signing_key: Path, actor: str
) -> None:
    """Whether or not a secret is there: it is judged, its evidence verifies nowhere."""
    credit.workflow("key: SIGNING_KEY")
    credit.commit()
    source = "stranger/credit" if actor == "stranger" else "acme/credit"
    ran = credit.run(
        "pull_request",
        pull_request(credit.commit("change"), repository=source),
        actor=actor,
        secrets={"SIGNING_KEY": signing_key.read_text(encoding="utf-8")},
    )
    assert ran.outputs["verdict"] == "passed", ran.log
    assert "unsigned" in ran.log


@nightly
def test_a_merge_queue_is_judged_by_the_base(credit: Credit) -> None:
    base = credit.commit()
    credit.edit("at_least: 0.70", "at_least: 0.95")
    ran = credit.run("merge_group", merge_group(credit.commit("queue"), base))
    assert ran.outputs["verdict"] == "passed", ran.log
    assert "tightened" in ran.log


@nightly
def test_a_merge_queue_takes_a_loosened_policy_only_with_an_owners_approval(
    credit: Credit,
) -> None:
    """Of the pull request that its branch names, by GitHub's word for that one's head and author.

    There is a summary, and no comment.
    """
    (credit.work / "CODEOWNERS").write_text("* @bo\n", encoding="utf-8")
    base = credit.commit()
    credit.edit("at_least: 0.70", "at_least: 0.10")
    head = credit.commit("queue")
    with GitHub() as hub:
        event, environ = merge_group(head, base), {"GITHUB_API_URL": hub.url}

        def end(reason: str) -> None:
            ran = credit.run("merge_group", event, environ=environ, secrets=TOKENS)
            verdict, code = ("undecided", "2") if reason else ("passed", "0")
            assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == (verdict, code), ran.log
            assert reason in ran.summary
            assert "loosened" in ran.summary
            assert hub.comments == []

        hub.pull = {"head": {"sha": "d" * 40}, "user": {"login": "ada"}}
        end("no owner approved that")
        hub.reviews.append({"user": {"login": "bo"}, "state": "APPROVED", "commit_id": "d" * 40})
        end("")
        hub.pull = {"message": "Not Found"}
        end("whether an owner approved that cannot be read")
        event["merge_group"]["head_ref"] = "refs/heads/queue"
        end("whether an owner approved that cannot be read")


@nightly
def test_without_a_policy_on_the_base_nothing_passes(credit: Credit) -> None:
    """Bootstrap: the change is judged by itself, unsigned, and the verdict is open."""
    policy = credit.work / "policy.yaml"
    text = policy.read_text()
    policy.unlink()
    credit.commit()
    policy.write_text(text)
    ran = credit.run("pull_request", pull_request(credit.commit("change")))
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("undecided", "3"), ran.log
    assert "policy met" in ran.log
    assert ran.results["gate"] == "failure"
    assert "the base branch has no policy yet" in ran.summary
    for rule in re.findall(r"id: ([A-Z]+-[0-9]+)", text):
        assert f"`{rule}`" in ran.summary
    assert "unsigned, so it never verifies" in ran.summary


def test_another_policy_than_those_of_the_base_is_refused(credit: Credit) -> None:
    """A name that the base does not know starts no bootstrap."""
    (credit.work / "policy.yaml").rename(credit.work / "mine.yaml")
    credit.workflow("policy: mine.yaml")
    ran = credit.run("pull_request", pull_request(credit.commit("change")))
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("undecided", "2"), ran.log


def test_a_loosened_policy_is_refused_until_an_owner_approves_it(credit: Credit) -> None:
    """Before anything is measured; the one comment says so, and the base's policy still judges."""
    (credit.work / "CODEOWNERS").write_text("* @ada\n/policy.yaml @bo\n", encoding="utf-8")
    credit.commit()
    credit.edit("at_least: 0.70", "at_least: 0.10")
    (credit.work / "CODEOWNERS").write_text("* @ada\n", encoding="utf-8")
    head = credit.commit("change")
    with GitHub() as hub:
        bo = {"user": {"login": "bo"}, "state": "APPROVED", "commit_id": head}
        hub.reviews.append(bo | {"user": {"login": "ada"}})
        event, environ, secrets = pull_request(head), {"GITHUB_API_URL": hub.url}, TOKENS
        ran = credit.run("pull_request", event, environ=environ, secrets=secrets)
        assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("undecided", "2"), ran.log
        assert "rule 1 of" not in ran.log
        (comment,) = hub.comments
        assert "no owner approved that" in comment["body"]
        assert "loosened" in comment["body"]
        assert "stop-commands" not in comment["body"]
        hub.reviews.append(bo)
        ran = credit.run("pull_request", event, environ=environ, secrets=secrets)
        assert ran.outputs["verdict"] == "passed", ran.log
        (comment,) = hub.comments
        assert "no owner approved that" not in comment["body"]
        assert ">= 0.7" in ran.log
        assert TOKEN not in ran.log


@nightly
def test_a_comment_that_is_not_allowed_fails_nothing(credit: Credit) -> None:
    credit.workflow("reports: html junit", 'sarif: "true"')
    head = credit.commit("change")
    with GitHub(status=403) as hub:
        ran = credit.run(
            "pull_request",
            pull_request(head, repository="stranger/credit"),
            environ={"GITHUB_API_URL": hub.url},
            secrets=TOKENS,
        )
        assert hub.comments == []
    assert ran.outputs["verdict"] == "passed", ran.log
    assert "the comment was not written, the verdict stands" in ran.log
    for name in ("json", "html", "junit", "sarif"):
        assert ran.outputs[f"report-{name}"].endswith(f"/report.{name}")
    assert ran.outputs["report-markdown"] == ""
    assert "production" in ran.summary


@nightly
def test_a_model_in_service_has_one_issue_until_it_passes(credit: Credit) -> None:
    """Opened by a refusal, updated by the next, closed by a pass; an observing step never fails."""
    credit.workflow("issue: credit", "mode: observe")
    with GitHub() as hub:
        for case, verdict, state in (
            ("biased", "refused", "open"),
            ("biased", "refused", "open"),
            ("met", "passed", "closed"),
        ):
            credit.hold(case)
            credit.commit()
            ran = credit.run(
                *("push", {"ref": "refs/heads/main"}),
                environ={"GITHUB_API_URL": hub.url},
                secrets=TOKENS,
            )
            assert ran.outputs["verdict"] == verdict, ran.log
            assert ran.results["gate"] == "success"
            assert [issue["state"] for issue in hub.issues] == [state], ran.log


@nightly
def test_a_removed_policy_is_a_loosened_one(credit: Credit) -> None:
    (credit.work / "policy.yaml").unlink()
    ran = credit.run("pull_request", pull_request(credit.commit("change")))
    assert ran.outputs["exit-code"] == "2", ran.log
    assert "the change removes the policy" in ran.log


def test_pull_request_target_is_refused(credit: Credit) -> None:
    ran = credit.run("pull_request_target", pull_request(credit.commit("change")))
    assert ran.outputs["exit-code"] == "2", ran.log
    assert ran.results["gate"] == "failure"
