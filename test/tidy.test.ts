/** The rules of the house, applied to the whole tree, and proof that each rule can fail. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "./_programs.ts";
import * as tidy from "./_tidy.ts";

/** What the rules tolerate, by place; figures only go down. TIDY_UPDATE=1 writes the present ones. */
type RatchetName = "functionLines" | "fileLines" | "wideLines" | "undocumented" | "glossary";
type Ratchets = Record<RatchetName, Record<string, number>>;
const ratchetPath = join(projectRoot, "test/tidy.ratchet.json");
const ratchets = JSON.parse(readFileSync(ratchetPath, "utf8")) as Ratchets;

const packageJson = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
  dependencies: Record<string, string>; devDependencies: Record<string, string>;
};

/** Packages that src/, runtimes/ and assembly/ may import. */
const packages = [...Object.keys(packageJson.dependencies), "@assemblyscript/loader"];

const files = ["src", "runtimes", "assembly", "test", "bench"].flatMap((top) =>
  readdirSync(join(projectRoot, top), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(ts|mjs)$/.test(path) && !/\.d\.m?ts$/.test(path))
    .map((path) => tidy.parse(`${top}/${path}`, readFileSync(join(projectRoot, top, path), "utf8"))));
const under = (...tops: string[]): tidy.SourceFile[] =>
  files.filter((file) => tops.some((top) => file.path.startsWith(`${top}/`)));

/** What starts a chain of imports in the product. */
const isProductEntry = (path: string): boolean =>
  /^(src\/(index|binding|deltaparts|manual|cli)\.ts|runtimes\/[^_]|assembly\/(index\.ts|build))/.test(path);
/** Files whose exports are for people or tools rather than for other files. */
const hasOutsideUsers = (path: string): boolean => isProductEntry(path)
  || /^test\/(vitest\.config|_globalsetup)/.test(path);

/** Holds sizes against one table of the ratchet, or rewrites that table. */
function expectRatchet(name: RatchetName, sizes: ReadonlyMap<string, number>, limit: number, unit: string): void {
  if (process.env.TIDY_UPDATE !== undefined) {
    const over = [...sizes].filter(([, size]) => size > limit).sort(([a], [b]) => (a < b ? -1 : 1));
    ratchets[name] = Object.fromEntries(over);
    writeFileSync(ratchetPath, `${JSON.stringify(ratchets, null, 2)}\n`);
  }
  expect(tidy.ratchet(sizes, limit, ratchets[name], unit)).toEqual([]);
}

/** How many findings each file has. */
function perFile(findings: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of findings) {
    const path = line.slice(0, line.indexOf(":"));
    counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return counts;
}

describe("the tree", () => {
  it("imports point down the layers", () => {
    expect(tidy.importLayers(files, packages)).toEqual([]);
  });
  it("src/ names no runtime", () => {
    expect(tidy.runtimeMentions(under("src"))).toEqual([]);
  });
  it("has no dead exports", () => {
    expect(tidy.deadExports(files, hasOutsideUsers)).toEqual([]);
  });
  it("has no dead files", () => {
    expect(tidy.deadFiles(under("src", "runtimes", "assembly"), isProductEntry)).toEqual([]);
  });
  it("functions stay under 70 lines, or do not grow", () => {
    const lengths = tidy.functionLengths(under("src", "runtimes", "assembly"));
    expectRatchet("functionLines", lengths, 70, "lines");
  });
  it("files stay under 600 lines, or do not grow", () => {
    const lengths = tidy.fileLengths(under("src", "runtimes", "assembly"));
    expectRatchet("fileLines", lengths, 600, "lines");
  });
  it("half of all functions have fewer than 10 lines", () => {
    const lengths = [...tidy.functionLengths(under("src")).values()].sort((a, b) => a - b);
    expect(lengths[lengths.length >> 1]).toBeLessThan(11);
  });
  it("no mark of unfinished work", () => {
    expect(tidy.unfinishedMarkers(files)).toEqual([]);
  });
  it("no line past 120 columns", () => {
    expectRatchet("wideLines", perFile(tidy.wideLines(files)), 0, "lines past 120 columns");
  });
  it("no focused test", () => {
    expect(tidy.focusedTests(under("test").filter((file) => !file.path.includes("tidy")))).toEqual([]);
  });
  it("no default export, except where a loader wants one", () => {
    expect(tidy.defaultExports(files.filter((file) => file.path !== "test/vitest.config.ts"))).toEqual([]);
  });
  it("no module of a runtime is loaded for its types alone", () => {
    expect(tidy.loadedForTypes(under("runtimes"))).toEqual([]);
  });
  it("every export and every file under src/ is documented", () => {
    expectRatchet("undocumented", perFile(tidy.undocumented(under("src"))), 0, "exports without a doc comment");
  });
  it("no module state under src/", () => {
    expect(tidy.moduleState(under("src"))).toEqual([]);
  });
  it("nothing waits in the synchronous parts", () => {
    const parts = ["protocol", "delta", "checksum", "compress", "filter"].map((part) => `src/${part}`);
    expect(tidy.promises(under(...parts))).toEqual([]);
  });
  it("names follow the glossary, or do not get more", () => {
    expectRatchet("glossary", perFile(tidy.glossaryNames(under("src"))), 0, "names against the glossary");
  });
});

/** One fixture: the rule's result for these files must have this many entries. */
type Fixture = readonly [title: string, judge: (files: tidy.SourceFile[]) => string[], sources: Record<string, string>,
  count: number];

const never = (): boolean => false;
const entry = (path: string): boolean => path === "src/cli.ts";
const layered = (list: tidy.SourceFile[]): string[] => tidy.importLayers(list, ["koffi"]);
const dead = (list: tidy.SourceFile[]): string[] => tidy.deadExports(list, never);
const long = (list: tidy.SourceFile[]): string[] => tidy.ratchet(tidy.functionLengths(list), 3, {}, "lines");
const marker = ["TO", "DO"].join("");

const fixtures: readonly Fixture[] = [
  ["an import upwards", layered, { "src/protocol/a.ts": 'import { b } from "../roles/b.ts";' }, 1],
  ["an import sideways", layered, { "src/posix/a.ts": 'import type { b } from "../filter/b.ts";' }, 1],
  ["a re-export upwards", layered, { "src/flist/a.ts": 'export { b } from "../session/b.ts";' }, 1],
  ["a dynamic import upwards", layered, { "src/flist/a.ts": 'const x = () => import("../cli.ts");' }, 1],
  ["an import downwards", layered, { "src/roles/a.ts": 'import { b } from "../protocol/b.ts";' }, 0],
  ["an import within a folder", layered, { "src/roles/a.ts": 'import { b } from "./b.ts";' }, 0],
  ["an unknown folder", layered, { "src/misc/a.ts": 'import { b } from "../errors.ts";' }, 1],
  ["a node: import in src", layered, { "src/files/a.ts": 'import { b } from "node:fs";' }, 1],
  ["a node: import in runtimes", layered, { "runtimes/a.ts": 'import { b } from "node:fs";' }, 0],
  ["runtimes reaching into a folder", layered, { "runtimes/a.ts": 'import { b } from "../src/files/b.ts";' }, 1],
  ["src importing runtimes", layered, { "src/files/a.ts": 'import { b } from "../../runtimes/b.ts";' }, 1],
  ["an import without extension", layered, { "src/files/a.ts": 'import { b } from "./b";' }, 1],
  ["a runtime's name", tidy.runtimeMentions, { "src/a.ts": "export const a = process.pid;" }, 1],
  ["a runtime's name through globalThis", tidy.runtimeMentions, { "src/a.ts": "export const a = globalThis.Deno;" }, 1],
  ["a parameter named like a runtime's global", tidy.runtimeMentions,
    { "src/a.ts": "function f(window) { return window; }" }, 0],
  ["a runtime's name as a label", tidy.runtimeMentions, { "src/a.ts": "export const a = { process: 1 }.process;" }, 0],
  ["an unused export", dead, { "src/a.ts": "export const a = 1;" }, 1],
  ["a used export", dead, { "src/a.ts": "export const a = 1;", "src/b.ts": 'import { a as c } from "./a.ts";' }, 0],
  ["a type used in its own file", dead, { "src/a.ts": "export interface A { b: 1 }\nconst a: A = { b: 1 };" }, 0],
  ["a dead file", (list) => tidy.deadFiles(list, entry), { "src/cli.ts": "", "src/a.ts": "" }, 1],
  ["a live file", (list) => tidy.deadFiles(list, entry), { "src/cli.ts": 'import "./a.ts";', "src/a.ts": "" }, 0],
  ["a long function", long, { "src/a.ts": "function a() {\n\n\n}" }, 1],
  ["a long method", long, { "src/a.ts": "class A { b() {\n\n\n} }" }, 1],
  ["a long arrow function", long, { "src/a.ts": "const a = () => {\n\n\n};" }, 1],
  ["a short function", long, { "src/a.ts": "function a() {\n\n}" }, 0],
  ["a marker", tidy.unfinishedMarkers, { "src/a.ts": `// ${marker}: later` }, 1],
  ["a wide line", tidy.wideLines, { "src/a.ts": `// ${"x".repeat(118)}` }, 1],
  ["a line that just fits", tidy.wideLines, { "src/a.ts": `// ${"x".repeat(117)}` }, 0],
  ["a focused test", tidy.focusedTests, { "test/a.test.ts": 'it.only("x", () => 1);' }, 1],
  ["a module loaded for its types", tidy.loadedForTypes, { "runtimes/a.ts": 'import { type A } from "node:net";' }, 1],
  ["a module not loaded", tidy.loadedForTypes, { "runtimes/a.ts": 'import type { A } from "node:net";' }, 0],
  ["a default export", tidy.defaultExports, { "src/a.ts": "export default 1;" }, 1],
  ["no header and no doc comment", tidy.undocumented, { "src/a.ts": "export const a = 1;" }, 2],
  ["a line comment in place of a doc comment", tidy.undocumented,
    { "src/a.ts": "/** A. */\n\n// b\nexport const a = 1;" }, 1],
  ["a documented export", tidy.undocumented, { "src/a.ts": "/** A. */\n/** b */\nexport const a = 1;" }, 0],
  ["module state", tidy.moduleState, { "src/a.ts": "let a = 1; export let b = 2;" }, 2],
  ["a local variable", tidy.moduleState, { "src/a.ts": "function f() { let a = 1; }" }, 0],
  ["a wait", tidy.promises, { "src/delta/a.ts": "async function f() { await 1; }" }, 2],
  ["a promise", tidy.promises, { "src/delta/a.ts": "function f(): Promise<void> | null { return null; }" }, 1],
  ["a name against the glossary", tidy.glossaryNames, { "src/a.ts": "const fileIndex = 1; function f(nameLen) {}" }, 2],
];

describe("the rules themselves", () => {
  it.each(fixtures)("%s", (_title, judge, sources, count) => {
    const list = Object.entries(sources).map(([path, text]) => tidy.parse(path, text));
    expect(judge(list)).toHaveLength(count);
  });
  it("a ratchet holds, and wants to be lowered", () => {
    const sizes = new Map([["a", 80], ["b", 60]]);
    expect(tidy.ratchet(sizes, 70, { a: 80 }, "lines")).toEqual([]);
    expect(tidy.ratchet(sizes, 70, {}, "lines")).toHaveLength(1);
    expect(tidy.ratchet(sizes, 70, { a: 90 }, "lines")).toHaveLength(1);
  });
  it("a syntax error is no pass", () => {
    expect(() => tidy.parse("src/a.ts", "const = ;")).toThrow("src/a.ts");
  });
});
