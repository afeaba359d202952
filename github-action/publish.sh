#!/usr/bin/env bash
# Show the verdict and write every output, however the gate ended.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

code="${IN_EXIT_CODE:-${IN_REFUSED:-3}}"
if [ ! -x "$IN_GATE" ]; then
  # an input was refused, or nothing could be installed: the log above says which
  output exit-code "$code"
  output verdict undecided
  printf '### aims-gate: undecided (exit code %s)\nThe log says why.\n' "$code" >> "$GITHUB_STEP_SUMMARY"
  [ "$IN_MODE" = observe ] || exit "$code"
  exit 0
fi

words=(--report "$IN_FOLDER/report.json" --exit-code "$code" --mode "$IN_MODE")
[ "$IN_COMMENT" = false ] || words+=(--comment)
[ -z "$IN_ISSUE" ] || words+=(--issue --comment-id "$IN_ISSUE")
[ ! -f "$IN_FOLDER/diff.txt" ] || words+=(--policy-diff "$IN_FOLDER/diff.txt")
[ ! -f "$IN_FOLDER/note.txt" ] || words+=(--because "$(cat "$IN_FOLDER/note.txt")")
for format in markdown html junit sarif; do
  [ ! -f "$IN_FOLDER/report.$format" ] || words+=(--also "$format=$IN_FOLDER/report.$format")
done
GITHUB_TOKEN="$IN_TOKEN" "$IN_GATE" github publish "${words[@]}"
