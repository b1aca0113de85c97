import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROOT = new URL("../../../", import.meta.url);
const readme = readFileSync(new URL("src/protocol/README.md", ROOT), "utf8");
const documented = new Set([...readme.matchAll(/`([a-z][a-z0-9-]*)`/g)].map((match) => match[1]));

/** Labels given to errors, and labels that comments cite. `fail` raises protocol errors in the codecs only. */
function labelsIn(path: string): string[] {
  const text = readFileSync(new URL(`src/${path}`, ROOT), "utf8");
  const source = path.startsWith("protocol/") ? text.replaceAll("this.fail(", "ProtocolError(") : text;
  const raisers = "ProtocolError|muxError|readIntBounded|readVarintBounded|readVarintSize|readLine";
  const thrown = source.matchAll(new RegExp(`(?:${raisers})\\([^"();]*"([a-z][a-z0-9-]*)"`, "g"));
  const cited = source.matchAll(/[Ll]abels? (`[a-z0-9-]+`(?:(?:,| and|, and) `[a-z0-9-]+`)*)/g);
  return [
    ...[...thrown].map((match) => match[1]),
    ...[...cited].flatMap((match) => [...match[1].matchAll(/`([a-z0-9-]+)`/g)].map((label) => label[1])),
  ];
}

const sources = readdirSync(new URL("src/", ROOT), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"));

test("every label used in the sources is explained in the wire format's README", () => {
  const missing = sources.flatMap((path) =>
    labelsIn(path)
      .filter((label) => !documented.has(label))
      .map((label) => `${path}: ${label}`));
  expect(missing).toEqual([]);
});

test("labels are found at all", () => {
  const codecs = sources.filter((path) => path.startsWith("protocol/"));
  const labels = new Set(codecs.flatMap((path) => labelsIn(path)));
  expect(labels.size).toBeGreaterThan(30);
});
