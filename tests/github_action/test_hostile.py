"""Text that strangers choose, run by `act`: in inputs, in names, in the event of a pull request."""

from __future__ import annotations

import json
import re

import pytest

from tests.github_action.conftest import Credit
from tests.support.act import ACTION, COMMIT, pull_request
from tests.support.github_api import TOKEN, GitHub
from tests.support.laws import nightly

HOSTILE = "$(touch PWNED)`touch PWNED`';touch PWNED;\"\n::error::no\n"


def test_hostile_inputs_that_mean_nothing_are_refused(credit: Credit) -> None:
    """An observing step ends well even then; where the mode means nothing, nobody observes."""
    names = ("version", "key", "mode", "reports", "python", "extras", "sarif", "comment")
    steps = "".join(
        f"- id: {name}\n  if: always()\n  uses: {ACTION}@{COMMIT}\n"
        f"  with: {json.dumps({'mode': 'observe', name: HOSTILE})}\n"
        for name in names
    )
    ends = "".join(f"${{{{ steps.{name}.outputs.exit-code }}}}" for name in names)
    steps += f"- if: always()\n  env: {{ENDS: '{ends}'}}\n  run: echo \"ends $ENDS\"\n"
    credit.workflow(f"mode: {json.dumps(HOSTILE)}", job=steps)
    ran = credit.run("push", {"ref": "refs/heads/main"})
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("undecided", "2"), ran.log
    assert f"ends {'2' * len(names)}\n" in ran.log
    bad = {name for name in names if ran.results[name] != "success"}
    assert (ran.results["gate"], bad) == ("failure", {"mode"}), ran.log
    assert "PWNED" not in [path.name for path in credit.folder.rglob("*")]


@nightly
def test_hostile_text_in_inputs_is_text(credit: Credit) -> None:
    """No shell reads it, no option comes out of it, no line of the log becomes a command."""
    lines = [f"{name}: '$(touch PWNED)`touch PWNED`\"; touch PWNED'" for name in ("model", "stage")]
    lines += ["policy: --unsigned", "data: |", "  evaluation=$(touch PWNED)", "  x\\n::error::no"]
    credit.workflow(*lines)
    ran = credit.run("push", {"ref": "refs/heads/main"})
    assert ran.outputs["exit-code"] == "2", ran.log
    assert "PWNED" not in [path.name for path in credit.folder.rglob("*")]


@nightly
def test_names_of_strangers_are_text(credit: Credit) -> None:
    """In the log no command comes out of them, and in the summary no markup."""
    name = "x ::error::no <img src=y> @everybody"
    (credit.work / "model").rename(credit.work / name)
    credit.workflow(f"model: {json.dumps('file:' + name)}")
    credit.commit()
    ran = credit.run("push", {"ref": "refs/heads/main"})
    assert ran.outputs["verdict"] == "passed", ran.log
    assert "<img" not in re.sub("`[^`]*`", "", ran.summary)
    assert "@everybody" not in re.sub("`[^`]*`", "", ran.summary)


@nightly
@pytest.mark.parametrize(
    "text",
    ["$(touch PWNED)`touch PWNED`';touch PWNED;\"", "x\n::error::no\nverdict=passed", "--help"],
)
def test_what_a_stranger_calls_things_is_text(credit: Credit, text: str) -> None:
    """Title, branch, label and name of a fork: judged as any other, unsigned, no comment."""
    event = pull_request(credit.commit("change"), repository=text)
    change = event["pull_request"]
    change |= {"title": text, "body": text, "labels": [{"name": text}], "user": {"login": text}}
    change["head"] |= {"ref": text, "label": text}
    with GitHub(status=403) as hub:
        ran = credit.run(
            *("pull_request", event),
            environ={"GITHUB_API_URL": hub.url},
            secrets={"GITHUB_TOKEN": TOKEN},
        )
        assert hub.comments == []
    assert (ran.outputs["verdict"], ran.outputs["exit-code"]) == ("passed", "0"), ran.log
    assert "unsigned" in ran.log
    assert list(credit.folder.rglob("PWNED")) == []
