/**
 * The rules of the house as functions over source text: each takes parsed files and returns `path:line: what is wrong`.
 *
 * test/tidy.test.ts applies them to the tree and proves on small fixtures that each one fails when it should. Parsing
 * is done by the oxc parser inside vite, the only one at hand that keeps comments and module records.
 */
import { posix } from "node:path";
import { parseSync } from "vite";

/** A syntax tree node, as loosely as the rules need it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

interface Comment {
  readonly type: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** An import or re-export of one file. `names` are the imported names; "*" stands for all of them. */
interface Import {
  readonly from: string;
  readonly names: readonly string[];
  readonly line: number;
}

/** A file as the rules see it. Paths are relative to the project, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
}

/** Parses one TypeScript or JavaScript file; throws on a syntax error. */
export function parse(path: string, text: string): SourceFile {
  const result = parseSync(path, withoutDecorators(path, text), { astType: "ts" });
  if (result.errors.length > 0) throw new Error(`${path}: ${result.errors[0].message}`);
  const body = (result.program as unknown as { body: Node[] }).body;
  const comments = result.comments as unknown as Comment[];
  const file = { path, text, body, comments, imports: [] as Import[] };
  visit(body, (node) => {
    const found = importOf(file, node);
    if (found !== null) file.imports.push(found);
  });
  return file;
}

/** AssemblyScript decorates functions and constants, which TypeScript does not allow; blanks keep the offsets. */
function withoutDecorators(path: string, text: string): string {
  return path.startsWith("assembly/") ? text.replace(/@[a-z]+\b/g, (word) => " ".repeat(word.length)) : text;
}

function importOf(file: { path: string; text: string }, node: Node): Import | null {
  const source = (node.source as { value?: unknown } | null | undefined)?.value;
  if (typeof source !== "string") return null;
  if (!/^(Import(Declaration|Expression)|Export(Named|All)Declaration)$/.test(node.type)) return null;
  const path = source.startsWith(".") ? posix.join(posix.dirname(file.path), source) : source;
  // AssemblyScript's compiler adds the extension itself.
  const from = path.startsWith("assembly/") && !/\.\w+$/.test(path) ? `${path}.ts` : path;
  return { from, names: importedNames(node), line: lineAt(file.text, node.start) };
}

function importedNames(node: Node): string[] {
  if (node.type === "ExportAllDeclaration" || node.type === "ImportExpression") return ["*"];
  const nameOf = (value: unknown): string => (value as { name?: string }).name ?? "*";
  return (node.specifiers as Node[]).map((one) => {
    if (one.type === "ImportNamespaceSpecifier") return "*";
    if (one.type === "ImportDefaultSpecifier") return "default";
    return nameOf(one.type === "ExportSpecifier" ? one.local : one.imported);
  });
}

/** Calls `see` for every node below, parents first. `parent` is null at the top. */
export function visit(nodes: readonly Node[], see: (node: Node, parent: Node | null) => void): void {
  const go = (value: unknown, parent: Node | null): void => {
    if (Array.isArray(value)) for (const one of value) go(one, parent);
    else if (typeof value === "object" && value !== null && typeof (value as Node).type === "string") {
      see(value as Node, parent);
      for (const field of Object.values(value)) if (typeof field === "object") go(field, value as Node);
    }
  };
  go(nodes, null);
}

/** 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let end = text.indexOf("\n"); end >= 0 && end < offset; end = text.indexOf("\n", end + 1)) line++;
  return line;
}

function at(file: SourceFile, offset: number, message: string): string {
  return `${file.path}:${lineAt(file.text, offset)}: ${message}`;
}

const layers: readonly (readonly string[])[] = [
  ["errors", "host", "memory"],
  ["protocol"],
  ["posix", "checksum", "compress", "filter", "options", "charset"],
  ["files", "flist", "delta", "output"],
  ["session", "batch"],
  ["roles"],
  ["conversation"],
  ["client", "daemon", "restricted"],
  ["watch"],
  ["library"],
  ["index", "binding", "deltaparts", "manual", "cli", "inotify", "helper"],
];

/** The part of src/ a path belongs to: its folder, or the file's own name at the top. */
function partOf(path: string): string {
  return path.split("/")[1].replace(/\.ts$/, "");
}

function layerOf(path: string): number {
  return layers.findIndex((layer) => layer.includes(partOf(path)));
}

/** Imports point down the layers, never sideways or up; only packages named in package.json; `.ts` is written out. */
export function importLayers(files: readonly SourceFile[], packages: readonly string[]): string[] {
  return files.flatMap((file) => file.imports.flatMap(({ from, line }) => {
    const wrong = wrongImport(file.path, from, packages);
    return wrong === "" ? [] : [`${file.path}:${line}: ${wrong}`];
  }));
}

function wrongImport(path: string, from: string, packages: readonly string[]): string {
  const top = path.split("/")[0];
  const target = from.split("/")[0];
  const isPath = /^(src|assembly|runtimes|test|bench)\//.test(from);
  if (top === "test" || top === "bench" || path.endsWith(".mjs")) return "";
  if (!isPath) return wrongPackage(top, from, packages);
  if (!/\.(ts|mjs)$/.test(from)) return `${from}: write the file's extension`;
  if (top === "assembly") return target === "assembly" ? "" : `assembly/ may import only itself, not ${from}`;
  if (top === "runtimes") return wrongRuntimeImport(from);
  if (target !== "src") return `src/ may not import ${from}`;
  return wrongLayer(path, from);
}

function wrongPackage(top: string, from: string, packages: readonly string[]): string {
  if (top === "runtimes" && /^(node|bun):/.test(from)) return "";
  const known = packages.some((name) => from === name || from.startsWith(`${name}/`));
  return known ? "" : `${from}: not a dependency that ${top}/ may use`;
}

function wrongRuntimeImport(from: string): string {
  if (from.startsWith("runtimes/")) return "";
  const layer = layerOf(from);
  return layer === 0 || layer === layers.length - 1 ? ""
    : `runtimes/ may import errors, host, memory, index, binding, deltaparts, cli, inotify and helper, not ${from}`;
}

function wrongLayer(path: string, from: string): string {
  const [own, other] = [layerOf(path), layerOf(from)];
  if (own < 0) return `${path} belongs to no layer`;
  if (other < 0) return `${from} belongs to no layer`;
  if (partOf(path) === partOf(from)) return "";
  if (other < own || own === layers.length - 1) return "";
  if (own === 0 && other === 0) return "";
  return `${partOf(path)} (layer ${own}) may not import ${partOf(from)} (layer ${other})`;
}

const runtimeNames = new Set(["Deno", "Bun", "process", "Buffer", "window", "require", "__dirname"]);

/** Nothing under src/ names a runtime. */
export function runtimeMentions(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const found: string[] = [];
    const own = declaredNames(file);
    visit(file.body, (node, parent) => {
      if (node.type !== "Identifier" || !runtimeNames.has(node.name as string) || isLabel(node, parent)) return;
      if (own.has(node.name as string)) return;
      found.push(at(file, node.start, `names ${String(node.name)}, which belongs in runtimes/`));
    });
    return found;
  });
}

/** Names of a file's own variables and parameters, which hide the runtime's. */
function declaredNames(file: SourceFile): Set<string> {
  const names = new Set<string>();
  visit(file.body, (node, parent) => {
    if (node.type === "Identifier" && declares(node, parent)) names.add(node.name as string);
  });
  return names;
}

/** True for identifiers that only label something: property names, members of another object. */
function isLabel(node: Node, parent: Node | null): boolean {
  if (parent === null || parent.computed === true) return false;
  if (parent.type === "MemberExpression") {
    return parent.property === node && (parent.object as Node).name !== "globalThis";
  }
  return parent.key === node && parent.shorthand !== true;
}

/** A module's exported names with the statement that exports each. */
function exportsOf(file: SourceFile): { name: string; node: Node; isType: boolean }[] {
  return file.body.flatMap((node) => {
    if (node.type !== "ExportNamedDeclaration") return [];
    const declaration = node.declaration as Node | null;
    if (declaration === null) return exportedSpecifiers(node);
    const isType = declaration.type === "TSInterfaceDeclaration" || declaration.type === "TSTypeAliasDeclaration";
    const names = declaration.type === "VariableDeclaration"
      ? (declaration.declarations as Node[]).map((one) => (one.id as { name: string }).name)
      : [(declaration.id as { name: string }).name];
    return names.map((name) => ({ name, node, isType }));
  });
}

function exportedSpecifiers(node: Node): { name: string; node: Node; isType: boolean }[] {
  return (node.specifiers as Node[]).map((one) =>
    ({ name: (one.exported as { name: string }).name, node, isType: false }));
}

/** Exports that no other file imports. A type may also live by being used in its own file. */
export function deadExports(files: readonly SourceFile[], isEntry: (path: string) => boolean): string[] {
  const used = new Set(files.flatMap((file) =>
    file.imports.flatMap(({ from, names }) => names.map((name) => `${from} ${name}`))));
  return files.filter((file) => !isEntry(file.path) && !used.has(`${file.path} *`)).flatMap((file) =>
    exportsOf(file).filter(({ name, isType }) => !used.has(`${file.path} ${name}`)
      && !(isType && usedInside(file, name)))
      .map(({ name, node }) => at(file, node.start, `export ${name} is used nowhere else`)));
}

function usedInside(file: SourceFile, name: string): boolean {
  return (file.text.match(new RegExp(`\\b${name}\\b`, "g")) ?? []).length > 1;
}

/** Files that no entry reaches through imports. */
export function deadFiles(files: readonly SourceFile[], isEntry: (path: string) => boolean): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const queue = files.map((file) => file.path).filter(isEntry);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...(byPath.get(path)?.imports ?? []).map(({ from }) => from));
  }
  return files.filter((file) => !reached.has(file.path)).map((file) =>
    `${file.path}:1: nothing that runs imports this file`);
}

/** Lines of every function, by `path:name`; a name that occurs twice counts its longest. */
export function functionLengths(files: readonly SourceFile[]): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const file of files) {
    visit(file.body, (node, parent) => {
      if (!/Function/.test(node.type) || node.type.startsWith("TS") || (node.body ?? null) === null) return;
      const key = `${file.path}:${functionName(node, parent)}`;
      const lines = lineAt(file.text, node.end) - lineAt(file.text, node.start) + 1;
      lengths.set(key, Math.max(lines, lengths.get(key) ?? 0));
    });
  }
  return lengths;
}

function functionName(node: Node, parent: Node | null): string {
  const id = (node.id ?? parent?.key ?? parent?.id ?? null) as { name?: string; value?: string } | null;
  return id?.name ?? id?.value ?? "anonymous";
}

/**
 * A ratchet: nothing grows past `limit` unless the table allows it, and an allowance is lowered as soon as it can be.
 * `unit` is the word for messages.
 */
export function ratchet(sizes: ReadonlyMap<string, number>, limit: number, allowed: Readonly<Record<string, number>>,
  unit: string): string[] {
  const tooBig = [...sizes].filter(([key, size]) => size > Math.max(limit, allowed[key] ?? 0))
    .map(([key, size]) => `${key}: ${size} ${unit}, at most ${Math.max(limit, allowed[key] ?? 0)}`);
  const stale = Object.entries(allowed).filter(([key, most]) => (sizes.get(key) ?? 0) < most)
    .map(([key, most]) =>
      `${key}: the ratchet allows ${most} ${unit}, but it has only ${sizes.get(key) ?? 0}: lower or drop it`);
  return [...tooBig, ...stale];
}

/** Line counts by path. */
export function fileLengths(files: readonly SourceFile[]): Map<string, number> {
  return new Map(files.map((file) => [file.path, file.text.split("\n").length - 1]));
}

// With brackets inside, so that this line does not match itself. "Function not ..." is how libc words ENOSYS.
const markers = /\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b|(?<!Function )not (yet )?implemen[t]ed|\bunimplemen[t]ed/;

/** Words that say work is unfinished. */
export function unfinishedMarkers(files: readonly SourceFile[]): string[] {
  return perLine(files, (line) => (markers.test(line) ? "marks unfinished work" : ""));
}

/** Lines wider than 120 characters. */
export function wideLines(files: readonly SourceFile[]): string[] {
  return perLine(files,
    (line) => (line.length > 120 && [...line].length > 120 ? `${[...line].length} columns, at most 120` : ""));
}

/** Focused tests, and tests switched off without a word. */
export function focusedTests(files: readonly SourceFile[]): string[] {
  return perLine(files,
    (line) => (/\b(it|test|describe)(\.concurrent)?\.(only|todo)\b/.test(line) ? "focused or empty test" : ""));
}

function perLine(files: readonly SourceFile[], judge: (line: string) => string): string[] {
  return files.flatMap((file) => file.text.split("\n").flatMap((line, index) => {
    const wrong = judge(line);
    return wrong === "" ? [] : [`${file.path}:${index + 1}: ${wrong}`];
  }));
}

/** Imports of types alone that load the module all the same, which costs a runtime its start. */
export function loadedForTypes(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => file.body.filter(isLoadedForTypes).map((node) =>
    at(file, node.start, `loads ${String((node.source as { value: unknown }).value)} for its types: use import type`)));
}

function isLoadedForTypes(node: Node): boolean {
  if (node.type !== "ImportDeclaration" || node.importKind === "type") return false;
  const { value } = node.source as { value: string };
  const specifiers = node.specifiers as readonly Node[];
  return !value.startsWith(".") && specifiers.length > 0 && specifiers.every((one) => one.importKind === "type");
}

/** Default exports. */
export function defaultExports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => file.body.filter((node) => node.type === "ExportDefaultDeclaration")
    .map((node) => at(file, node.start, "default export")));
}

/** Exports without a doc comment just above, and files without a header comment. */
export function undocumented(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const blank = (start: number, end: number): boolean => /^\s*$/.test(file.text.slice(start, end));
    const documented = (node: Node): boolean =>
      file.comments.some((one) => one.type === "Block" && one.value.startsWith("*") && one.end <= node.start
        && blank(one.end, node.start));
    const bare = exportsOf(file).filter(({ node }) => (node.declaration ?? null) !== null && !documented(node))
      .filter(({ node }) => !isTypeBesideConst(file, node));
    const header = /^(#!.*\n)?\/\*\*/.test(file.text) ? [] : [`${file.path}:1: no header comment`];
    return [...header, ...bare.map(({ name, node }) => at(file, node.start, `export ${name} has no doc comment`))];
  });
}

/** `export type X = (typeof xs)[number]` right below the documented constant needs no second comment. */
function isTypeBesideConst(file: SourceFile, node: Node): boolean {
  return (node.declaration as Node).type === "TSTypeAliasDeclaration"
    && /\btypeof\b/.test(file.text.slice(node.start, node.end));
}

/** Variables that outlive a call: `let` and `var` at the top of a module. */
export function moduleState(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => file.body.flatMap((node) => {
    const declaration = node.type === "ExportNamedDeclaration" ? (node.declaration as Node | null) : node;
    if (declaration?.type !== "VariableDeclaration" || declaration.kind === "const") return [];
    return [at(file, node.start, `module state: ${String(declaration.kind)} at the top of a file`)];
  }));
}

/** Promises in the parts that must stay synchronous. */
export function promises(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const found: string[] = [];
    visit(file.body, (node, parent) => {
      const named = node.type === "Identifier" && node.name === "Promise" && !isLabel(node, parent);
      const waits = named || node.type === "AwaitExpression" || node.async === true;
      if (waits) found.push(at(file, node.start, "waits, in a synchronous part"));
    });
    return found;
  });
}

/** Names that the glossary replaces, with the word it wants. */
const glossary: readonly (readonly [RegExp, string])[] = [
  [/^(file|flist|entry)(Index|Idx|Number)$/, "ndx"],
  [/^(weak|rolling)Checksum$/i, "sum1"],
  [/^strong(Checksum|Hash|Digest)$/i, "sum2"],
  [/(Len|Idx|Cnt|Sz)$/, "length, index, count or size, written out"],
  [/^(sumHeader|sumHdr|checksumHeader)$/i, "sum head"],
  [/^(oldFile|baseFile)$/i, "basis file"],
];

/** Declared names that the glossary has another word for. */
export function glossaryNames(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const found: string[] = [];
    visit(file.body, (node, parent) => {
      if (node.type !== "Identifier" || !declares(node, parent)) return;
      const entry = glossary.find(([pattern]) => pattern.test(node.name as string));
      if (entry !== undefined) found.push(at(file, node.start, `${String(node.name)}: the glossary says ${entry[1]}`));
    });
    return found;
  });
}

function declares(node: Node, parent: Node | null): boolean {
  if (parent === null) return false;
  if (parent.type === "VariableDeclarator" || parent.type === "FunctionDeclaration") {
    return parent.id === node || isParameter(node, parent);
  }
  return parent.type === "PropertyDefinition" ? parent.key === node : isParameter(node, parent);
}

function isParameter(node: Node, parent: Node): boolean {
  return Array.isArray(parent.params) && (parent.params as Node[]).includes(node);
}
