/**
 * What the filter rules say about a path by itself: a walk asks them directory by directory, a watcher about any path
 * at any time. A path is left out when a rule hides it or a directory above it.
 */
import { type Host } from "../host.ts";
import { Filters } from "../filter/mergefiles.ts";
import { type Options } from "../options/options.ts";
import { type FileSystem } from "../posix/filesystem.ts";
import { operatorPaths } from "../files/operator.ts";
import { readFile } from "../roles/filters.ts";
import { type Source } from "./sources.ts";

/** See the file's head. One for each source. */
export class Judge {
  private readonly filters: Filters;
  private readonly source: Source;
  private readonly active: boolean;
  /** Names of files in the tree that hold rules: a verdict may change with them. */
  readonly ruleFiles: readonly string[];

  constructor(host: Host, fs: FileSystem, options: Options, source: Source) {
    this.source = source;
    this.filters = new Filters({
      amSender: true, amServer: false, localServer: false, deleteMode: options.deleteMode,
      deleteExcluded: options.deleteExcluded, pruneEmptyDirs: options.pruneEmptyDirs,
      cvsExclude: options.cvsExclude, from0: options.from0, cwd: host.cwd(), home: host.env("HOME") ?? null,
      cvsIgnore: host.env("CVSIGNORE") ?? null, readFile: (path) => readRules(fs, host.cwd(), path),
      strerror: (errno) => fs.strerror(errno), error: () => undefined, debug: null, who: "sender",
    });
    this.filters.addArguments(options.filters);
    // As a client does: it marks each rule with the side that it is for.
    this.filters.sendList();
    this.active = !this.filters.isEmpty;
    this.ruleFiles = this.filters.perDirNames;
    this.filters.setRoot(source.base);
  }

  /** Is a key left out? `isDir` null: it is gone, and was one or the other. */
  hides(key: string, isDir: boolean | null): boolean {
    if (!this.active || key === this.source.key) return false;
    const { filters, source } = this;
    const readsTree = this.ruleFiles.length > 0;
    const names = key.split("/");
    const known = source.key === "" ? 0 : source.key.split("/").length;
    let hidden = false;
    for (let depth = 0; depth < names.length && !hidden; depth++) {
      const path = names.slice(0, depth + 1).join("/");
      if (readsTree && depth >= known) filters.changeDir(names.slice(0, depth).join("/") || ".", depth);
      if (depth < known) continue;
      const last = depth === names.length - 1;
      hidden = !last || isDir !== null
        ? filters.isExcluded(path, !last || isDir === true, "all")
        : filters.isExcluded(path, true, "all") || filters.isExcluded(path, false, "all");
    }
    if (readsTree) filters.changeDir(null, 0);
    return hidden;
  }
}

/** A file of rules. Nothing is held open: directories may get other names at any time. */
function readRules(fs: FileSystem, cwd: string, path: string): Uint8Array | number {
  const operator = operatorPaths(fs, cwd);
  if (typeof operator === "number") return operator;
  const bytes = readFile(operator, path);
  operator.close();
  return bytes;
}
