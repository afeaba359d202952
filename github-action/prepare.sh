#!/usr/bin/env bash
# Refuse inputs that mean nothing, and say where downloads may be cached.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# the last step ends with 2; the value is not repeated, because anybody may have chosen it
refuse() {
  printf '::error title=aims-gate::%s\n' "$1"
  output exit-code 2
  exit 0
}

[ "$GITHUB_EVENT_NAME" != pull_request_target ] ||
  refuse 'pull_request_target hands secrets to the code of strangers: use pull_request'
[[ "$IN_MODE" =~ ^(enforce|observe)$ ]] || refuse 'the input mode is enforce or observe'
[[ "$IN_COMMENT" =~ ^(true|false)$ ]] || refuse 'the input comment is true or false'
[[ "$IN_SARIF" =~ ^(true|false)$ ]] || refuse 'the input sarif is true or false'
[[ "$IN_REPORTS" =~ ^[a-z\ ]*$ ]] || refuse 'the input reports is names with spaces between them'
[[ "$IN_EXTRAS" =~ ^[a-z0-9\ ]*$ ]] || refuse 'the input extras is names with spaces between them'
[[ "$IN_VERSION" =~ ^([0-9]+(\.[0-9a-z]+)*)?$ ]] || refuse 'the input version is no version'
[[ "$IN_KEY" =~ ^([A-Za-z_][A-Za-z0-9_]*|[a-z0-9]+:[^[:space:]]+)?$ ]] ||
  refuse 'the input key is the name of an environment variable, keyless, or an address: never a key'
command -v -- "$IN_PYTHON" > /dev/null || refuse 'the input python names no program'
"$IN_PYTHON" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  refuse 'aims-gate needs Python 3.11 or newer: name one with the input python'

locks="$(cat "$(dirname "${BASH_SOURCE[0]}")/../locks/gate.txt" 2> /dev/null || true)"
digest="$(printf '%s\n%s\n%s' "$locks" "$IN_VERSION" "$IN_EXTRAS" | git hash-object --stdin)"
python="$("$IN_PYTHON" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
output cache-key "aims-gate-$RUNNER_OS-$RUNNER_ARCH-$python-$digest"
output cache-path "$RUNNER_TEMP/aims-gate-pip"
