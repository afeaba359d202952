// Verifies Sigstore bundles with npm's @sigstore/verify: node verify_bundle.cjs TRUST BUNDLE...
// TRUST is a public key in PEM, or a trusted root (.json) for the identity in SUBJECT and ISSUER.
const fs = require("fs");
const { createPublicKey, createHash } = require("crypto");
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");

function ofKey(text) {
  const key = createPublicKey(text);
  const spki = key.export({ type: "spki", format: "der" });
  const hint = createHash("sha256").update(spki).digest("base64");
  const none = { tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
  const find = (asked) => {
    if (asked !== hint) throw new Error(`key not found: ${asked}`);
    return { publicKey: key, validFor: () => true };
  };
  const nothing = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
  return [new Verifier(toTrustMaterial(none, find), nothing), undefined];
}

function ofRoot(text) {
  const { SUBJECT, ISSUER } = process.env;
  const policy = { subjectAlternativeName: SUBJECT, extensions: { issuer: ISSUER } };
  return [new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(text)))), policy];
}

const [trust, ...bundles] = process.argv.slice(2);
const [verifier, policy] = (trust.endsWith(".json") ? ofRoot : ofKey)(fs.readFileSync(trust, "utf8"));
for (const name of bundles) {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(name)));
  verifier.verify(toSignedEntity(bundle), policy);
  console.log(JSON.parse(bundle.content.dsseEnvelope.payload).predicateType);
}
