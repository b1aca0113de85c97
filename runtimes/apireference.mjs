/**
 * `npm run reference`: the library's reference as build/API.md, made of the declarations in dist/types and their doc
 * comments, behind `npm run build`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const types = join(root, "dist/types");

/** What "wsync" exports somewhere, one entry of exports each. */
const ENTRIES = ["runtimes/library.node", "runtimes/library.deno", "runtimes/library.bun", "runtimes/browser"];

/** The reference's sections, and the names in each. All that is exported has its place, or this fails. */
const SECTIONS = [
  ["Transfers", "Functions that do what the command does.", [
    "sync", "SyncFunction", "SyncOptions", "SyncSettings", "SyncResult", "Surroundings", "Source", "Target", "watch",
    "WatchFunction", "WatchOptions", "WatchSettings", "Watching", "serve", "ServeFunction", "ServedModules",
    "ServedModule", "ModuleUser", "ModuleParameters", "ServeOptions", "Serving", "ServeEvent",
  ]],
  ["Signatures, deltas, patches", "From `wsync` and, without anything else, from `wsync/delta`.", [
    "signature", "SignatureFunction", "SignatureOptions", "delta", "DeltaFunction", "DeltaOptions", "DeltaRange",
    "DeltaStats", "patch", "PatchFunction", "PatchOptions", "WorkOptions", "Basis", "ByteSource", "RandomAccess",
    "collect", "openFile", "OpenedFile",
  ]],
  ["File systems", "Places for `sync`, `watch` and `serve` beside the disk.", [
    "Files", "FilesPlace", "MemoryFiles", "TarFiles", "TarFile", "BlobFiles", "DirectoryFiles", "WriteOptions", "Entry",
    "SyncAccess",
  ]],
  ["Connections", "Ways to the other side that the caller makes.", ["ConnectRequest", "Duplex", "connectWebSocket"]],
  ["Errors", "All are WsyncErrors and have rsync's exit code.", [
    "WsyncError", "UsageError", "TransportError", "ProtocolError", "PartialError", "FileError", "LimitError",
    "RemoteExit", "InternalError", "ExitCode", "exitCodeOf",
  ]],
  ["Events of a transfer", "What `onEvent` of `sync` and `watch` is called with.", [
    "SyncEvent", "RunEvent", "StartEvent", "FileEvent", "ItemAction", "ItemKind", "ItemReason", "DeleteEvent",
    "ListEvent", "ModuleEvent", "ProgressEvent", "ErrorEvent", "MessageEvent", "SummaryEvent",
  ]],
  ["Events of a watch", "What `onEvent` of `watch` is called with besides.", [
    "WatchEvent", "WatchStartEvent", "RoundEvent", "RetryEvent", "AuditEvent", "LostEvent", "GuardEvent",
    "WarningEvent", "StatusEvent", "TargetStatus", "WatchEndEvent",
  ]],
  ["rsync's options", "Their meaning is rsync(1)'s.", ["TransferOptions", "Switch", "Argument"]],
  ["The program", "What the command is made of, for programs that are one.", [
    "main", "createHost", "Host", "HostFiles", "ByteStream", "ChildProcess", "SpawnOptions", "ConnectOptions", "Ffi",
    "FfiFunction", "FfiSignature", "FfiType",
  ]],
];

const parsed = new Map();

/** A declaration file's text, statements and comments. */
function fileOf(path) {
  if (!parsed.has(path)) {
    const text = readFileSync(path, "utf8");
    const { program, comments, errors } = parseSync(path, text, { lang: "dts" });
    if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
    parsed.set(path, { text, body: program.body, comments });
  }
  return parsed.get(path);
}

/** The declaration file that an import names. */
function resolve(from, source) {
  return join(dirname(from), source.replace(/\.[jt]s$/, ".d.ts"));
}

/** All names that a file exports. */
function namesOf(path) {
  return fileOf(path).body.flatMap((node) => {
    if (node.type === "ExportAllDeclaration") return namesOf(resolve(path, node.source.value));
    if (node.type !== "ExportNamedDeclaration") return [];
    if (node.declaration) return [nameOf(node.declaration)];
    return node.specifiers.map((one) => one.exported.name);
  });
}

function nameOf(declaration) {
  return declaration.id?.name ?? declaration.declarations[0].id.name;
}

/** Where a name is declared: its comment and text. */
function find(path, name) {
  const { text, body, comments } = fileOf(path);
  for (const node of body) {
    if (node.type === "ExportAllDeclaration") {
      const found = find(resolve(path, node.source.value), name);
      if (found !== null) return found;
    } else if (node.type === "ExportNamedDeclaration") {
      if (node.declaration && nameOf(node.declaration) === name) return cut(text, node, comments);
      const specifier = node.specifiers.find((one) => one.exported.name === name);
      if (specifier && node.source) return find(resolve(path, node.source.value), specifier.local.name);
      if (specifier) return find(importOf(path, specifier.local.name), specifier.local.name);
    }
  }
  return null;
}

function importOf(path, name) {
  const node = fileOf(path).body.find((one) => one.type === "ImportDeclaration"
    && one.specifiers.some((specifier) => specifier.local.name === name));
  return resolve(path, node.source.value);
}

function cut(text, node, comments) {
  const comment = comments.findLast(({ type, value, end }) =>
    type === "Block" && value.startsWith("*") && end <= node.start && text.slice(end, node.start).trim() === "");
  const lines = text.slice(node.start, node.end).split("\n").filter((line) => !/^ {4}(private|protected) /.test(line));
  return { doc: comment === undefined ? "" : prose(comment.value), code: lines.join("\n") };
}

/** A doc comment as paragraphs. */
function prose(comment) {
  return comment.split("\n").map((line) => line.replace(/^\s*\*? ?/, "").trimEnd()).join("\n").trim();
}

function entry(name) {
  for (const path of ENTRIES.map((one) => join(types, `${one}.d.ts`))) {
    const found = find(path, name);
    if (found === null) continue;
    const code = found.code.replace(/^export (declare )?/, "")
      .replaceAll(/^ {4,}/gm, (room) => room.slice(room.length / 2));
    const inBrowser = path.endsWith("browser.d.ts") ? "\n\nIn browsers only." : "";
    return `### ${name}\n\n${found.doc}${inBrowser}\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
  }
  throw new Error(`${name} is in the reference and exported by nothing`);
}

/** The whole reference. Throws where a name is exported and has no place in it. */
export function apiReference() {
  if (!existsSync(types)) throw new Error("there are no declarations in dist/types: npm run build");
  const exported = new Set(ENTRIES.flatMap((one) => namesOf(join(types, `${one}.d.ts`))));
  const placed = SECTIONS.flatMap(([, , names]) => names);
  const missing = [...exported].filter((name) => !placed.includes(name));
  if (missing.length > 0) throw new Error(`no section of the reference has ${missing.join(", ")}`);
  const anchor = (title) => title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-");
  return [
    "# API", "",
    "The functions and types of the package `wsync`. Worked examples are in [test/examples](../test/examples).", "",
    ...SECTIONS.map(([title, , names]) => `- [${title}](#${anchor(title)}): ${names.map((name) =>
      `[${name}](#${name.toLowerCase()})`).join(", ")}`), "",
    ...SECTIONS.flatMap(([title, what, names]) => [`## ${title}`, "", what, "", ...names.map(entry)]),
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, "build/API.md"), apiReference());
  console.log(join(root, "build/API.md"));
}
