// Verifies Sigstore bundles with npm's @sigstore/verify: node verify_bundle.cjs KEY.pub BUNDLE...
const fs = require("fs");
const { createPublicKey, createHash } = require("crypto");
const { bundleFromJSON } = require("@sigstore/bundle");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");

const [place, ...bundles] = process.argv.slice(2);
const key = createPublicKey(fs.readFileSync(place));
const hint = createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("base64");
const none = { tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
const find = (asked) => {
  if (asked !== hint) throw new Error(`key not found: ${asked}`);
  return { publicKey: key, validFor: () => true };
};
const verifier = new Verifier(toTrustMaterial(none, find), {
  tlogThreshold: 0,
  ctlogThreshold: 0,
  timestampThreshold: 0,
});
for (const name of bundles) {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(name)));
  verifier.verify(toSignedEntity(bundle));
  const { payload } = bundle.content.dsseEnvelope;
  console.log(JSON.parse(payload).predicateType);
}
