#!/usr/bin/env bash
# Prove evidence before a deployment: nothing is restored from a cache, and any doubt fails the step.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=install.sh
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"

CODE=3
# shellcheck disable=SC2317 # called by the trap
finish() {
  local verdict=undecided
  case "$CODE" in
    0) verdict=passed ;;
    1) verdict=refused ;;
  esac
  output exit-code "$CODE"
  output verdict "$verdict"
  printf '### aims-gate verify: %s (exit code %s)\n' "$verdict" "$CODE" >> "$GITHUB_STEP_SUMMARY"
}
trap finish EXIT
[[ "$IN_EXTRAS" =~ ^[a-z0-9\ ]*$ ]] || { CODE=2; say 'the input extras is names with spaces between them'; exit 2; }
[[ "$IN_VERSION" =~ ^([0-9]+(\.[0-9a-z]+)*)?$ ]] || { CODE=2; say 'the input version is no version'; exit 2; }

export PIP_NO_CACHE_DIR=1
find_gate
read -ra extras <<< "$IN_EXTRAS"
install_gate "${extras[@]}"
[ -z "$IN_TRACKING_URI" ] || export MLFLOW_TRACKING_URI="$IN_TRACKING_URI"
words=(--trust "$IN_TRUST" --no-defaults)
[ -z "$IN_EVIDENCE" ] || words+=(--model "$IN_MODEL")
[ -z "$IN_STAGE" ] || words+=(--stage "$IN_STAGE")
code=0
quietly "$GATE" verify "${words[@]}" -- "${IN_EVIDENCE:-$IN_MODEL}" || code=$?
CODE="$code" # not before: what is cancelled half-way proved nothing
exit "$CODE"
