"""The issue of a model in service: a refusal opens it, the next keeps it, a pass closes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.github.conftest import reported
from tests.github.test_publish import outputs, publish
from tests.reports.cases import CASES, HOSTILE, hostile_verdict
from tests.support.github_api import BOT, GitHub


@pytest.fixture
def scheduled(step: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A step of a workflow that a clock started."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", "schedule")
    return step


def states(hub: GitHub) -> list[str]:
    return [issue["state"] for issue in hub.issues]


def test_a_refusal_opens_one_issue_which_the_next_pass_closes(scheduled: Path, hub: GitHub) -> None:
    for case, wanted in [
        ("passed", []),
        ("refused", ["open"]),
        ("undecided", ["open"]),
        ("refused", ["open"]),
        ("passed", ["closed"]),
        ("passed", ["closed"]),
        ("refused", ["closed", "open"]),
    ]:
        code = reported(CASES[case], scheduled)
        assert publish(code, "--issue") == code
        assert states(hub) == wanted
    first, last = hub.issues
    assert first["title"] == "✓ aims-gate: credit-risk 7 may go to production"
    assert first["state_reason"] == "completed"
    assert last["title"] == "✗ aims-gate: credit-risk 7 may not go to production"
    assert "`BIAS-02`" in last["body"]


def test_a_run_that_could_not_decide_closes_nothing(scheduled: Path, hub: GitHub) -> None:
    publish(reported(CASES["refused"], scheduled), "--issue")
    (scheduled / "report.json").unlink()
    assert publish(0, "--issue") == 3
    assert states(hub) == ["open"]
    assert "not decided" in hub.issues[0]["title"]


def test_models_have_an_issue_each(scheduled: Path, hub: GitHub) -> None:
    for name in ("credit", "churn", "credit"):
        publish(reported(CASES["refused"], scheduled), "--issue", "--comment-id", name)
    assert states(hub) == ["open", "open"]


@pytest.mark.parametrize(
    "forged", [{"user": {"login": "eve", "type": "User"}}, {"pull_request": {}}]
)
def test_what_somebody_else_opened_is_not_touched(
    scheduled: Path, hub: GitHub, forged: dict[str, object]
) -> None:
    """Nor a pull request, which GitHub lists among the issues."""
    publish(reported(CASES["refused"], scheduled), "--issue")
    hub.issues[0].update(forged)
    publish(reported(CASES["passed"], scheduled), "--issue")
    assert states(hub) == ["open"]
    publish(reported(CASES["refused"], scheduled), "--issue")
    assert states(hub) == ["open", "open"]
    assert hub.issues[1]["user"] == BOT


def test_a_pull_request_opens_no_issue(step: Path, hub: GitHub) -> None:
    publish(reported(CASES["refused"], step), "--issue")
    assert not hub.seen


def test_an_issue_that_is_refused_changes_no_verdict(
    scheduled: Path, hub: GitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.status = 403
    assert publish(reported(CASES["refused"], scheduled), "--issue") == 1
    assert outputs(scheduled)["verdict"] == "refused"
    told = capfd.readouterr().out
    assert "the issue was not written, the verdict stands" in told
    assert "issues: write" in told


@pytest.mark.parametrize("text", HOSTILE)
def test_a_title_is_one_harmless_line(scheduled: Path, hub: GitHub, text: str) -> None:
    publish(reported(hostile_verdict(text * 20), scheduled), "--issue")
    title = hub.issues[0]["title"]
    assert title.isprintable()
    assert len(title) <= 256
