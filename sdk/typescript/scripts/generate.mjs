// Writes src/generated/: the types of the contract (by openapi-typescript), and a class for each documented error word.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const contract = process.env.ENGAWA_CONTRACT ?? join(here, "../../chalicelib/web/static/openapi.json");
const target = join(here, "src/generated");
const { paths, components } = JSON.parse(readFileSync(contract, "utf8"));

/** Faces that an app calls; the others are for people and for operators. */
const TAGS = ["Persistence", "People", "Pages", "OAuth 2", "Information Sharing", "Web pages"];
/** Words that come in a redirect (docs/reference/protocol/oauth.md), and from any path. */
const ELSEWHERE = ["access_denied", "unsupported_response_type", "method_not_allowed", "unsupported_media_type"];
/** The client's own words. */
const OWN = {
  unreachable: "There was no answer: no connection, or it broke, or it took too long.",
  not_engawa: "There was an answer, but not from an Engawa server: HTML, another JSON, a page of a proxy.",
};

/** Add the words of the property `error` of all schemas within a part of the contract. */
function collect(part, words, seen = new Set()) {
  if (typeof part !== "object" || part === null || seen.has(part)) return words;
  seen.add(part);
  if (typeof part.$ref === "string") {
    collect(part.$ref.split("/").slice(1).reduce((at, name) => at[name], { components }), words, seen);
  }
  const { enum: several, const: one } = part.properties?.error ?? {};
  for (const word of several ?? (one ? [one] : [])) words.add(word);
  for (const each of Object.values(part)) collect(each, words, seen);
  return words;
}

const words = new Set([...ELSEWHERE, ...Object.keys(OWN)]);
for (const path of Object.values(paths)) {
  for (const operation of Object.values(path)) {
    if (TAGS.includes(operation.tags?.[0])) collect(operation.responses, words);
  }
}

const name = (word) => word.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
const lines = [...words].sort().map(
  (word) => `/** ${OWN[word] ?? `The error \`${word}\`.`} */
export const ${name(word)} = /* @__PURE__ */ kind("${word}");
export type ${name(word)} = InstanceType<typeof ${name(word)}>;
`,
);
mkdirSync(target, { recursive: true });
writeFileSync(
  join(target, "words.ts"),
  `// Generated from the contract by scripts/generate.mjs.

import { kind } from "../errors.js";

export { EngawaError } from "../errors.js";

${lines.join("\n")}`,
);
writeFileSync(join(target, "schema.ts"), astToString(await openapiTS(JSON.parse(readFileSync(contract, "utf8")))));
