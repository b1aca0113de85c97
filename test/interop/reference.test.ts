/** The library's reference: made of what is exported, each name with its words and its declaration. */
import { describe, expect, test } from "vitest";
import { apiReference } from "../../runtimes/apireference.mjs";

describe("the reference", () => {
  // It refuses to be made while a name that is exported has no place in it.
  const text = apiReference();
  const entries = text.split(/^### /m).slice(1).map((part) => {
    const [, name, words, code] = /^(\w+)\n\n([^]*?)\n*```ts\n([^]*?)```/.exec(part) ?? [];
    return { name, words, code };
  });

  test("has words and a declaration for every name", () => {
    expect(entries.length).toBeGreaterThan(80);
    for (const { name, words, code } of entries) {
      expect(words?.length, name).toBeGreaterThan(10);
      expect(code).toMatch(new RegExp(`\\b(interface|type|class|const|function) ${name}\\b`));
      expect(code).not.toMatch(/^\s*private /m);
    }
  });

  test("lists rsync's options one by one, and what a browser alone has", () => {
    const options = entries.find((one) => one.name === "TransferOptions")!;
    expect(options.code).toMatch(/\/\*\* --link-dest: [^\n]+\n +readonly linkDest\?: Argument;/);
    expect(entries.find((one) => one.name === "DirectoryFiles")!.words).toMatch(/In browsers only\.$/);
  });

  test("leads nowhere that is not there", () => {
    const anchors = new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")));
    for (const [, anchor] of text.matchAll(/\]\(#([^)]+)\)/g)) expect([...anchors]).toContain(anchor);
  });
});
