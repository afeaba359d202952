"""The action hands reviews of records to the gate, and they stand in its evidence."""

from __future__ import annotations

from tests.github_action.conftest import Credit
from tests.support.github_api import TOKEN, GitHub
from tests.support.laws import nightly
from tests.support.records import write_records

RISKS, HEAD = "aims/risks.yaml", "c" * 40
SHOWN = """\
    - run: cat "$REPORT"
      env:
        REPORT: ${{ steps.gate.outputs.report-json }}
    """


@nightly
def test_reviews_of_records_stand_in_the_evidence_and_none_is_made_up(credit: Credit) -> None:
    write_records(credit.work)
    credit.workflow('comment: "false"', job=SHOWN)
    credit.commit()
    with GitHub() as hub:
        hub.changes = {RISKS: [{"sha": "a" * 40}]}
        hub.contents = {(RISKS, HEAD): (credit.work / RISKS).read_bytes()}
        pull = {"number": 7, "merged_at": "2026-11-20T10:00:00Z", "user": {"login": "ada-l"}}
        hub.merged = [pull | {"head": {"sha": HEAD}}]
        said = {"state": "APPROVED", "commit_id": HEAD, "submitted_at": "2026-11-20T09:00:00Z"}
        hub.reviews = [said | {"user": {"login": "bo-b"}}]

        def log() -> str:
            ran = credit.run(
                "push",
                {"ref": "refs/heads/main"},
                environ={"GITHUB_API_URL": hub.url},
                secrets={"GITHUB_TOKEN": TOKEN},
            )
            assert ran.outputs["verdict"] == "passed", ran.log
            assert f'"record:{RISKS}": ' in ran.log
            return ran.log

        told = f"pull request 7 of acme/credit at {HEAD[:12]}, approved by github:bo-b"
        assert f'"review:credit/risks": "{told}"' in log()
        hub.merged = [{"number": 7}]
        told = log()
        assert "review:credit/risks" not in told
        assert "no review of them counts" in told
