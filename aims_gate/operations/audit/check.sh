#!/usr/bin/env bash
# Checks this audit pack with bash, coreutils, jq and openssl: bash annex/check.sh [SHA256]
# SHA256 is that of manifest.sha256, as whoever made the pack told you by another way.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
if [ $# -gt 0 ]; then
  [ "$(sha256sum manifest.sha256 | cut -c1-64)" = "$1" ] || { echo "another manifest" >&2; exit 1; }
fi
sha256sum --check --strict --quiet manifest.sha256
test -z "$(find . ! -type d ! -type f)"
diff <(find . -type f ! -path ./manifest.sha256 | cut -c3- | sort) \
  <(cut -c67- manifest.sha256 | sort)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declare -A ed25519
for key in annex/keys/*.pem; do
  ed25519[$key]=$(openssl pkey -pubin -in "$key" -noout -text | grep -c ED25519 || true)
done
signed_by() { # whether a listed key signed $work/signed
  local key
  for key in "${!ed25519[@]}"; do
    if [ "${ed25519[$key]}" -gt 0 ]; then
      openssl pkeyutl -verify -rawin -pubin -inkey "$key" -sigfile "$work/signature" \
        -in "$work/signed" > "$work/log" 2>&1 || continue
    else
      openssl dgst -sha256 -verify "$key" -signature "$work/signature" "$work/signed" \
        > "$work/log" 2>&1 || continue
    fi
    return 0
  done
  return 1
}
count=0
while IFS= read -r -d '' envelope; do
  type=$(jq -er .payloadType "$envelope")
  jq -er .payload "$envelope" | base64 -d > "$work/payload"
  { printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(stat -c %s "$work/payload")"
    cat "$work/payload"; } > "$work/signed"
  jq -er '.signatures[0].sig' "$envelope" | base64 -d > "$work/signature"
  signed_by || { echo "no key of annex/keys signed $envelope" >&2; exit 1; }
  statement="${envelope%.dsse.json}.statement.json"
  if [ -e "$statement" ]; then cmp "$work/payload" "$statement"; fi
  count=$((count + 1))
done < <(find . -name '*.dsse.json' -print0)
while IFS= read -r -d '' alone; do
  [ -e "${alone%.*.json}.dsse.json" ] || { echo "nobody signed $alone" >&2; exit 1; }
done < <(find . \( -name '*.statement.json' -o -name '*.sigstore.json' \) -print0)
echo "every file has its digest; $count signatures hold"
