# Install aims-gate into an environment of its own, in $RUNNER_TEMP, with hashes where it is our checkout.
# shellcheck shell=bash
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$RUNNER_TEMP/aims-gate-venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

# find_gate: take the stated version where it is installed already, or prepare the environment
find_gate() {
  GATE="$(command -v aims-gate || true)"
  if [ -n "$IN_VERSION" ] && [ -n "$GATE" ]; then
    [ "$("$GATE" --version)" != "aims-gate $IN_VERSION" ] || return 0
  fi
  GATE="$VENV/bin/aims-gate"
  # isolated: this folder is the change's, and its venv.py is not the library's
  [ -d "$VENV" ] || "$IN_PYTHON" -I -m venv "$VENV"
}

# installs: whether there is anything to install
installs() { [ "$GATE" = "$VENV/bin/aims-gate" ]; }

# install_gate EXTRA…: install with these extras; run and gate have locks, and only what has a hash may
# come from a cache
install_gate() {
  local extras=" $* " lock=core names="$*"
  installs || return 0
  names="${names// /,}"
  if [ -n "$IN_VERSION" ]; then
    "$VENV/bin/pip" install --quiet --no-cache-dir "aims-gate${names:+[$names]}==$IN_VERSION"
    return
  fi
  [[ "$extras" != *' run '* ]] || lock=run
  [[ "$extras" != *' gate '* ]] || lock=gate
  "$VENV/bin/pip" install --quiet --no-deps --require-hashes -r "$HERE/locks/$lock.txt"
  "$VENV/bin/pip" install --quiet --no-deps --no-build-isolation --no-index "$HERE"
  [[ "${extras// /}" =~ ^(run|gate)?$ ]] ||
    "$VENV/bin/pip" install --quiet --no-cache-dir --no-build-isolation "${HERE}[$names]"
}
