# What the scripts of the action share. Inputs are in variables IN_… and are never part of a script.
# shellcheck shell=bash
set -euo pipefail

say() { printf 'aims-gate: %s\n' "$1"; }

# output NAME VALUE: a value cannot end itself, because nobody can guess the delimiter
output() {
  local end
  end="end-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end" >> "$GITHUB_OUTPUT"
}

# quietly COMMAND…: run it while the runner obeys no line that it prints
quietly() {
  local word code=0
  word="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  printf '::stop-commands::%s\n' "$word"
  "$@" || code=$?
  printf '\n::%s::\n' "$word"
  return "$code"
}

# mask TEXT: hide each of its lines in the log
mask() {
  local line
  while IFS= read -r line; do
    if [ "${#line}" -gt 3 ]; then printf '::add-mask::%s\n' "${line//%/%25}"; fi
  done <<< "$1"
}
