#!/usr/bin/env bash
# Checks this audit pack with bash, coreutils, jq and openssl: bash annex/check.sh [SHA256]
# SHA256 is that of manifest.sha256, as whoever made the pack told you by another way.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
own=(./manifest.sha256 ./manifest.statement.json ./manifest.dsse.json ./manifest.sigstore.json)
refuse() { echo "$1" >&2; exit 1; }
if [ $# -gt 0 ]; then
  [ "$(sha256sum manifest.sha256 | cut -c1-64)" = "$1" ] || refuse "another manifest"
fi
sha256sum --check --strict --quiet manifest.sha256
test -z "$(find . ! -type d ! -type f)"
diff <(find . -type f | grep -vxF "$(printf '%s\n' "${own[@]}")" | cut -c3- | sort) \
  <(cut -c67- manifest.sha256 | sort)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declare -A ed25519
for key in annex/keys/*.pem; do
  [ -e "$key" ] || continue
  ed25519[$key]=$(openssl pkey -pubin -in "$key" -noout -text | grep -c ED25519 || true)
done
signed_by() { # whether a listed key signed $work/signed; $signer is its file then
  for signer in "${!ed25519[@]}"; do
    if [ "${ed25519[$signer]}" -gt 0 ]; then
      openssl pkeyutl -verify -rawin -pubin -inkey "$signer" -sigfile "$work/signature" \
        -in "$work/signed" > "$work/log" 2>&1 || continue
    else
      openssl dgst -sha256 -verify "$signer" -signature "$work/signature" "$work/signed" \
        > "$work/log" 2>&1 || continue
    fi
    return 0
  done
  return 1
}
der() { # hex of a text in a certificate of Sigstore
  printf '0C%02X%s' "${#1}" "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F)"
}
extension() { # hex of Sigstore's extension number $1 of $work/certificate
  openssl asn1parse -inform DER -in "$work/certificate" | grep -A1 ":1.3.6.1.4.1.57264.1.$1\$" |
    sed -n 's/.*\[HEX DUMP\]://p'
}
certified() { # whether a certificate signed $work/signed that the root issued to a listed identity
  local bundle="${1%.dsse.json}.sigstore.json" about='[.payload, .payloadType, .signatures[0].sig]'
  local root begins name issuer subject workflow
  [ -e "$bundle" ] && [ -e annex/trusted_root.json ] && [ -e annex/identities.json ] || return 1
  jq -er .verificationMaterial.certificate.rawBytes "$bundle" 2> "$work/log" |
    base64 -d > "$work/certificate" || return 1
  [ "$(jq -ce ".dsseEnvelope | $about" "$bundle")" = "$(jq -ce "$about" "$1")" ] || return 1
  openssl x509 -inform DER -in "$work/certificate" -out "$work/leaf" || return 1
  openssl x509 -in "$work/leaf" -noout -pubkey > "$work/key" || return 1
  openssl dgst -sha256 -verify "$work/key" -signature "$work/signature" "$work/signed" \
    > "$work/log" 2>&1 || return 1
  : > "$work/roots"
  for root in $(jq -r '.certificateAuthorities[].certChain.certificates[].rawBytes' \
    annex/trusted_root.json); do
    printf '%s' "$root" | base64 -d | openssl x509 -inform DER >> "$work/roots" || return 1
  done
  begins=$(date -d "$(openssl x509 -in "$work/leaf" -noout -startdate | cut -d= -f2)" +%s)
  openssl verify -attime "$begins" -CAfile "$work/roots" "$work/leaf" > "$work/log" 2>&1 || return 1
  name=$(openssl x509 -in "$work/leaf" -noout -ext subjectAltName | sed -n '2s/^ *//p')
  while read -r issuer && read -r subject && read -r workflow && read -r signer; do
    [ "$name" = "URI:$subject" ] || [ "$name" = "email:$subject" ] || continue
    [ "$(extension 8)" = "$(der "$issuer")" ] || continue
    [ -z "$workflow" ] || [ "$(extension 9)" = "$(der "https://github.com/$workflow")" ] || continue
    return 0
  done < <(jq -r '.[] | .issuer, .subject, .job_workflow_ref, (.roles | join("-")) + "."' \
    annex/identities.json)
  return 1
}
count=0 keyless=0 manifest="unsigned manifest: nobody answers for records and pages but by its digest"
while IFS= read -r -d '' envelope; do
  type=$(jq -er .payloadType "$envelope")
  jq -er .payload "$envelope" | base64 -d > "$work/payload"
  { printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(stat -c %s "$work/payload")"
    cat "$work/payload"; } > "$work/signed"
  jq -er '.signatures[0].sig' "$envelope" | base64 -d > "$work/signature"
  if signed_by; then
    count=$((count + 1))
  elif certified "$envelope"; then
    keyless=$((keyless + 1))
  else
    refuse "no key of annex/keys signed $envelope, and no identity of annex/identities.json"
  fi
  statement="${envelope%.dsse.json}.statement.json"
  if [ -e "$statement" ]; then cmp "$work/payload" "$statement"; fi
  if [ "$envelope" = ./manifest.dsse.json ]; then
    case "-${signer##*/}" in *-records[-.]*) ;; *) refuse "the manifest is signed by no key for records" ;; esac
    jq -e --arg digest "$(sha256sum manifest.sha256 | cut -c1-64)" \
      '.predicateType == "https://aims-gate.dev/attestation/audit-pack/v1" and
       [.subject[].digest.sha256] == [$digest]' "$work/payload" > "$work/log" ||
      refuse "another manifest is signed"
    manifest="signed manifest"
  fi
done < <(find . -name '*.dsse.json' -print0)
while IFS= read -r -d '' alone; do
  [ -e "${alone%.*.json}.dsse.json" ] || refuse "nobody signed $alone"
done < <(find . \( -name '*.statement.json' -o -name '*.sigstore.json' \) -print0)
if [ "$keyless" -gt 0 ]; then
  echo "$keyless signatures are by certificates: chain, identity, signature and digest hold; that" \
    "they were made in the minutes of the certificate, and the logs, are not checked here"
fi
echo "$manifest"
echo "every file has its digest; $((count + keyless)) signatures hold"
