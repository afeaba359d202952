"""The base from which the policy comes, run by `act`: by any spelling of its path, and fresh."""

from __future__ import annotations

from tests.github_action.conftest import Credit
from tests.support.act import git, pull_request
from tests.support.github_api import TOKEN, GitHub
from tests.support.laws import nightly


@nightly
def test_a_path_of_the_policy_may_be_spelt_as_people_do(credit: Credit) -> None:
    """It is that of the base, below the working directory, and its owner is found by it."""
    (credit.work / "models").mkdir()
    for name in ("policy.yaml", "model", "evaluation.csv"):
        (credit.work / name).rename(credit.work / "models" / name)
    (credit.work / "CODEOWNERS").write_text("/models/policy.yaml @bo\n", encoding="utf-8")
    credit.workflow("working-directory: models", "policy: ./policy.yaml")
    credit.commit()
    credit.edit("at_least: 0.70", "at_least: 0.10", "models/policy.yaml")
    head = credit.commit("change")
    with GitHub() as hub:
        hub.reviews.append({"user": {"login": "bo"}, "state": "APPROVED", "commit_id": head})
        ran = credit.run(
            *("pull_request", pull_request(head)),
            environ={"GITHUB_API_URL": hub.url},
            secrets={"GITHUB_TOKEN": TOKEN},
        )
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("passed", "0"), ran.log
    assert "approved by bo" in ran.log


def test_a_base_that_cannot_be_fetched_is_not_an_older_one(credit: Credit) -> None:
    """As on a runner that keeps its folders: what was fetched before is no base of today."""
    head = credit.commit("change")
    git(credit.work, "update-ref", "refs/remotes/origin/aims-gate-base", head)
    event = pull_request(head)
    event["pull_request"]["base"]["ref"] = "gone"
    ran = credit.run("pull_request", event)
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("undecided", "3"), ran.log
    assert "the base branch cannot be fetched" in ran.log
