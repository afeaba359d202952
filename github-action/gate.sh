#!/usr/bin/env bash
# Judge the model. Whatever happens the exit code is an output, and the last step shows it.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=install.sh
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"
# shellcheck source=base.sh
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

FOLDER="$(mktemp -d "$RUNNER_TEMP/aims-gate.XXXXXX")"
output folder "$FOLDER"
export PIP_CACHE_DIR="$RUNNER_TEMP/aims-gate-pip"
BASE='' UNSIGNED='' SECRET='' CODE=3
# how the step ends is the last one's to say, also where this one crashes or is cancelled
trap 'output exit-code "$CODE"; exit 0' EXIT
export -n IN_TOKEN # what is installed, and the gate itself, need none

# stop CODE WHAT: nothing is measured
stop() {
  CODE="$1"
  printf '%s\n' "$2" > "$FOLDER/note.txt"
  say "$2"
  exit 0
}

# whose change this is: one from outside has no secrets and may write nothing
stranger() {
  [ -n "$EVENT_NUMBER" ] || return 1
  [ "$EVENT_FROM" != "$GITHUB_REPOSITORY" ] || [ "$GITHUB_ACTOR" = 'dependabot[bot]' ]
}

# the signing key, for the gate's own process only: no package that is installed sees it
take_key() {
  KEY=(--unsigned)
  [ -n "$IN_KEY" ] && [ -z "$UNSIGNED" ] || return 0
  case "$IN_KEY" in
    keyless) KEY=(--key sigstore:) ;;
    *:*) KEY=(--key "$IN_KEY") ;;
    *)
      [ -n "${!IN_KEY:-}" ] || stop 2 "the variable that the input key names is empty: hand it over with env"
      mask "${!IN_KEY}"
      SECRET="${!IN_KEY}"
      unset "$IN_KEY"
      KEY=()
      ;;
  esac
}

# judge_change PATH: the change to the policy, shown; refused where it loosens and no owner approved
judge_change() {
  local code=0
  if [ -f "$IN_POLICY" ]; then
    "$GATE" policy diff --fail-on-loosen --policy-base "$BASE" -- "$IN_POLICY" "$IN_POLICY" \
      > "$FOLDER/diff.txt" 2>&1 || code=$?
  else
    echo 'the change removes the policy' > "$FOLDER/diff.txt"
    code=1
  fi
  quietly cat "$FOLDER/diff.txt"
  ! grep -qx 'no difference' "$FOLDER/diff.txt" || rm "$FOLDER/diff.txt" # reviewers see changes only
  [ "$code" -le 1 ] || stop 2 'the change makes a policy that is refused'
  [ "$code" = 0 ] || judge_loosening "$1"
}

# judge_loosening PATH: refused unless an owner of the policy approved this very change
judge_loosening() {
  local code=0
  approved "$1" || code=$?
  case "$code" in
    0) ;;
    1) stop 2 'the change loosens the policy, and no owner approved that (or the base was tightened: update the branch)' ;;
    *) stop 2 'the change loosens the policy, and whether an owner approved that cannot be read: the log says why' ;;
  esac
}

# approved PATH: whether an owner by the base's CODEOWNERS approved this head; in a merge queue, the
# head of the pull request that GitHub names in the branch that it made
approved() {
  local words=(--number "$EVENT_NUMBER" --head "$EVENT_HEAD" --author "$EVENT_AUTHOR")
  if [ -z "$EVENT_NUMBER" ]; then
    if ! [[ "$EVENT_QUEUED" =~ ^refs/heads/gh-readonly-queue/.+/pr-([0-9]+)-[^/]+$ ]]; then
      say 'the branch of the merge queue names no pull request'
      return 3
    fi
    words=(--number "${BASH_REMATCH[1]}")
  fi
  owners_of > "$FOLDER/CODEOWNERS"
  GITHUB_TOKEN="$IN_TOKEN" quietly "$GATE" github approved --codeowners "$FOLDER/CODEOWNERS" "${words[@]}" -- "$1"
}

# policy_of_base: take the policy from the base; without any there, bootstrap with our own
policy_of_base() {
  local path
  fetch_base || stop 3 'the base branch cannot be fetched: the job needs contents: read'
  AT=(--policy-base "$BASE")
  [[ "$IN_POLICY" != pack:* ]] || return 0
  path="$(git ls-tree -z --full-name --name-only "$BASE" -- "$IN_POLICY" 2> /dev/null | tr -d '\0')" || path=''
  if [ -n "$path" ]; then
    judge_change "$path"
  elif [ -n "$(policies_of "$BASE")" ]; then
    stop 2 'the base branch has policies, and not the one that the input policy names'
  else
    AT=() BOOTSTRAP=yes UNSIGNED=yes
  fi
}

# records_beside: whether there may be records of the management system
records_beside() {
  local folder
  folder="$(dirname -- "$IN_POLICY")"
  [ -d "$folder/aims" ] || [ -d "$folder/org" ] || grep -qs '^records:' -- "$IN_POLICY"
}

AT=() BOOTSTRAP=''
[ -z "$IN_TRACKING_URI" ] || export MLFLOW_TRACKING_URI="$IN_TRACKING_URI"
if stranger; then UNSIGNED=yes; fi
take_key
find_gate
output gate "$GATE"
install_gate
if [ -n "$EVENT_BASE" ]; then policy_of_base; fi
[ -z "$UNSIGNED" ] || { KEY=(--unsigned) SECRET=''; }
if installs; then
  case "${KEY[*]}" in
    *sigstore:) IN_EXTRAS+=' sigstore' ;;
    *:*) IN_EXTRAS+=' kms' ;;
  esac
  read -ra extras <<< "$("$GATE" policy extras "${AT[@]}" -- "$IN_POLICY" 2> /dev/null || echo run) $IN_EXTRAS"
  install_gate "${extras[@]}"
fi

words=("${AT[@]}" --model "${IN_MODEL:-commit:$(git rev-parse HEAD)}" --out "$FOLDER/evidence")
words+=(--report "json=$FOLDER/report.json" "${KEY[@]}")
[ -z "$IN_STAGE" ] || words+=(--stage "$IN_STAGE")
[ -z "$IN_EXPERIMENT" ] || words+=(--experiment "$IN_EXPERIMENT")
[ -z "$IN_TRUST" ] || words+=(--trust "$IN_TRUST")
while IFS= read -r line; do
  [ -z "${line// /}" ] || words+=(--data "$line")
done <<< "$IN_DATA"
[ "$IN_SARIF" = false ] || IN_REPORTS+=' sarif'
for format in $IN_REPORTS; do
  [ "$format" = json ] || words+=(--report "$format=$FOLDER/report.$format")
done
if [ -n "$IN_TOKEN" ] && records_beside; then
  if GITHUB_TOKEN="$IN_TOKEN" quietly "$GATE" github reviews "${AT[@]}" --out "$FOLDER/reviews.json" -- "$IN_POLICY"; then
    words+=(--reviews "$FOLDER/reviews.json")
  else
    say 'who reviewed the records cannot be read, so no review of them counts: the log says why'
  fi
fi
code=0
AIMS_GATE_SIGNING_KEY="$SECRET" quietly "$GATE" run "${words[@]}" -- "$IN_POLICY" || code=$?
CODE="$code" # not before: a run that is cancelled has no exit code
if [ -n "$BOOTSTRAP" ] && [ "$CODE" = 0 ]; then
  stop 3 'the base branch has no policy yet: this is the verdict of the change on itself'
fi
