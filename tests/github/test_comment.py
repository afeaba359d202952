"""The sticky comment, against a stand-in of GitHub's API: made, kept up to date, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.github.rest import API_VERSION
from aims_gate.verdict import Decision
from tests.github.conftest import reported
from tests.github.test_publish import outputs, publish
from tests.reports.cases import BIAS, CASES, verdict_of
from tests.support.github_api import BOT, GitHub


def writes(hub: GitHub) -> list[str]:
    return [method for method, _ in hub.seen if method != "GET"]


def test_the_first_run_comments_and_the_next_updates_it_in_place(step: Path, hub: GitHub) -> None:
    hub.add("nice work", {"login": "ann", "type": "User"})
    publish(reported(CASES["refused"], step), "--comment")
    publish(reported(CASES["passed"], step), "--comment")
    assert writes(hub) == ["POST", "PATCH"]
    assert len(hub.comments) == 2
    mark, first, *_ = hub.comments[1]["body"].splitlines()
    assert mark.startswith("<!-- aims-gate:")
    assert first.startswith("### ✓ aims-gate: `credit-risk 7` may go to")
    assert hub.versions == {API_VERSION}


def test_a_run_that_could_not_decide_takes_the_place_of_a_pass(step: Path, hub: GitHub) -> None:
    """The marker does not depend on what is only known when all goes well."""
    publish(reported(CASES["passed"], step), "--comment")
    publish(reported(CASES["ended"], step), "--comment")
    (step / "report.json").unlink()
    publish(3, "--comment")
    assert writes(hub) == ["POST", "PATCH", "PATCH"]
    assert "not decided" in hub.comments[0]["body"].splitlines()[1]


def test_the_comment_is_found_on_a_later_page(step: Path, hub: GitHub) -> None:
    publish(reported(CASES["refused"], step), "--comment")
    ours = hub.comments.pop()
    for number in range(250):
        hub.add(f"comment {number}", {"login": "ann", "type": "User"})
    hub.comments.append({**ours, "id": 5})
    publish(reported(CASES["passed"], step), "--comment")
    assert hub.seen[-1] == ("PATCH", "/repos/acme/credit/issues/comments/5")
    assert len(hub.comments) == 251


@pytest.mark.parametrize(
    "author",
    [
        {"login": "eve", "type": "User"},
        {"login": "github-actions[bot]", "type": "User"},
        {"login": "other-app[bot]", "type": "Bot"},
        None,
        "github-actions[bot]",
    ],
)
def test_a_marker_that_somebody_else_wrote_is_not_followed(
    step: Path, hub: GitHub, author: object
) -> None:
    publish(reported(CASES["refused"], step), "--comment")
    forged = hub.comments.pop()["body"].splitlines()[0] + "\n### ✓ passed"
    hub.add(forged, author)
    assert publish(reported(CASES["refused"], step), "--comment") == 1
    assert [comment["user"] for comment in hub.comments] == [author, BOT]


def test_a_long_comment_is_short_enough_for_github(step: Path, hub: GitHub) -> None:
    many = [replace(BIAS, rule=f"BIAS-{n}", reason="wörd " * 300) for n in range(300)]
    publish(reported(verdict_of(*many, decision=Decision.REFUSED), step), "--comment")
    assert 50_000 < len(hub.comments[0]["body"].encode()) <= 60_000


def test_two_gates_of_one_job_have_a_comment_each(step: Path, hub: GitHub) -> None:
    for name in ("credit", "churn", "credit"):
        publish(reported(CASES["refused"], step), "--comment", "--comment-id", name)
    assert writes(hub) == ["POST", "POST", "PATCH"]


@pytest.mark.parametrize("identity", ["--><script>", "x" * 5_000, "\u202e\ud800"])
def test_no_identity_leaves_its_marker(step: Path, hub: GitHub, identity: str) -> None:
    publish(reported(CASES["refused"], step), "--comment", "--comment-id", identity)
    mark = hub.comments[0]["body"].splitlines()[0]
    assert len(mark) == len("<!-- aims-gate:0123456789abcdef -->")


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 422, 500])
@pytest.mark.parametrize("case", ["passed", "refused"])
def test_a_comment_that_is_refused_changes_no_verdict(
    step: Path, hub: GitHub, status: int, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.status = status
    code = reported(CASES[case], step)
    assert publish(code, "--comment") == code
    assert outputs(step)["verdict"] == case
    told = capfd.readouterr().out
    assert "::warning title=aims-gate::the comment was not written, the verdict stands" in told
    assert ("pull-requests: write" in told) is (status in {401, 403, 404})
    assert not [path for _, path in hub.seen if "elsewhere" in path]


def test_a_busy_github_is_asked_again_and_told_nothing_twice(step: Path, hub: GitHub) -> None:
    hub.busy = [503, 429]
    assert publish(reported(CASES["refused"], step), "--comment") == 1
    assert [method for method, _ in hub.seen] == ["GET", "GET", "GET", "POST"]
    assert len(hub.comments) == 1


def test_a_comment_is_not_sent_again_to_a_busy_github(
    step: Path, hub: GitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may have been written all the same."""
    hub.status = 503
    assert publish(reported(CASES["refused"], step), "--comment") == 1
    assert writes(hub) == ["POST"]
    assert "the comment was not written, the verdict stands" in capfd.readouterr().out


def test_a_host_that_is_not_there_changes_no_verdict(
    step: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for api in ("http://127.0.0.1:9", "file:///etc/passwd", ""):
        monkeypatch.setenv("GITHUB_API_URL", api)
        assert publish(reported(CASES["passed"], step), "--comment") == 0
        assert "the comment was not written" in capfd.readouterr().out


@pytest.mark.parametrize("token", ["", "wörd ✓", "a\nb: c"])
def test_a_token_that_is_none_changes_no_verdict(
    step: Path,
    hub: GitHub,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    assert publish(reported(CASES["passed"], step), "--comment") == 0
    assert "the comment was not written, the verdict stands" in capfd.readouterr().out
    assert hub.comments == []


def test_what_a_runner_keeps_for_a_host_is_no_token_of_the_workflow(
    step: Path, hub: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password in `.netrc` would write as somebody else, whose comment is never found again."""
    (step / "netrc").write_text("machine 127.0.0.1 login eve password secret\n")
    monkeypatch.setenv("NETRC", str(step / "netrc"))
    publish(reported(CASES["passed"], step), "--comment")
    assert len(hub.comments) == 1


@pytest.mark.parametrize("event", ["push", "merge_group", "schedule", "pull_request_target", ""])
def test_only_a_pull_request_has_a_comment(
    step: Path, hub: GitHub, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge queue's run has its summary only."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    assert publish(reported(CASES["passed"], step), "--comment") == 0
    assert not hub.seen
    assert (step / "summary").is_file()


@pytest.mark.parametrize("event", ["", "[]", "{}", '{"pull_request": {"number": "x"}}'])
def test_an_event_without_a_number_has_no_comment(step: Path, hub: GitHub, event: str) -> None:
    (step / "event.json").write_text(event, encoding="utf-8")
    assert publish(reported(CASES["passed"], step), "--comment") == 0
    assert not hub.seen


def test_no_comment_is_written_unless_it_is_asked_for(step: Path, hub: GitHub) -> None:
    publish(reported(CASES["refused"], step))
    assert not hub.seen


def test_the_token_is_in_no_log_summary_or_comment(
    step: Path, hub: GitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    publish(reported(CASES["refused"], step), "--comment")
    hub.status = 403
    publish(reported(CASES["refused"], step), "--comment")
    shown = [*capfd.readouterr(), json.dumps(hub.comments)]
    shown += [p.read_text(encoding="utf-8") for p in step.iterdir()]
    assert not any("the-workflows-token" in text for text in shown)
