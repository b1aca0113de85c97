/**
 * rsyncd.conf read into values: sections, defaults that hold from their place on, [global], &include and &merge,
 * --dparam. Upstream loadparm.c: lp_load, do_section, do_parameter; params.c: include_config.
 *
 * ConfigData is plain data, so that one process can hand it to another; Config gives it types and fills in %VAR%.
 */
import { wildmatch } from "../filter/wildmatch.ts";
import { parseConfigText, type ConfigItem } from "./configtext.ts";
import { type Environment, expand, expandForShell } from "./expand.ts";
import {
  findParameter, type Flag3Name, type FlagName, foldName, GLOBAL_PARAMETERS, isInteger, KIND_WORDS, MODULE_PARAMETERS,
  type NumberName, type ParameterRow, type ParameterValue, parseValue, type TextName,
} from "./paramtable.ts";

/** Files that include each other deeper than this are taken for a circle. */
const MAX_DEPTH = 32;

type Values = Record<string, ParameterValue>;

/** A configuration as data. A module's values are complete: defaults and its own. */
export interface ConfigData {
  readonly globals: Values;
  readonly defaults: Values;
  readonly modules: readonly Values[];
}

/** Something wrong with a file. `fatal`: the daemon cannot go by it. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly fatal: boolean;
}

/** What a path turned out to be, with the names of a directory's entries, or the error's words. */
export type Looked =
  | { readonly kind: "file" }
  | { readonly kind: "other" }
  | { readonly kind: "directory"; readonly names: readonly string[] }
  | { readonly kind: "error"; readonly error: string };

/** How a loader reaches files. Errors are the system's words. */
export interface ConfigFiles {
  /** A file's text, one code unit per byte. */
  read(path: string): { readonly text: string } | { readonly error: string };
  look(path: string): Looked;
}

/** How to load. */
export interface LoadOptions {
  /** NAME=VALUE words of --dparam. */
  readonly dparams: readonly string[];
  /** Up to the first section: what a listening daemon needs. */
  readonly globalsOnly?: boolean;
  /** For %VAR% in values that are not text. */
  readonly env: Environment;
}

/** A loaded configuration; null data after a fatal problem. */
export interface LoadedConfig {
  readonly data: ConfigData | null;
  readonly problems: readonly ConfigProblem[];
  /** Every file and directory that was read. */
  readonly files: readonly string[];
  /** Where values were set, in the order of the files. */
  readonly settings: readonly Setting[];
}

/** A line that sets a parameter. */
export interface Setting {
  /** Name of the module; null outside of any. */
  readonly module: string | null;
  /** The parameter's name, as the table has it. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

/** Reads a configuration file and what it includes. */
export function loadConfig(path: string, files: ConfigFiles, options: LoadOptions): LoadedConfig {
  return new Loader(files, options).load(path);
}

/** A problem as one line: file, line, what is wrong. */
export function problemLine({ file, line, text }: ConfigProblem): string {
  return `${file}${line > 0 ? ` line ${line}` : ""}: ${text}`;
}

/** Checks the names of --dparam words; the first unknown one, or null. */
export function unknownDparam(dparams: readonly string[]): string | null {
  return dparams.map((word) => word.slice(0, word.indexOf("="))).find((name) => findParameter(name) === null) ?? null;
}

class Loader {
  private readonly files: ConfigFiles;
  private readonly options: LoadOptions;
  private readonly problems: ConfigProblem[] = [];
  private readonly seen: string[] = [];
  private readonly settings: Setting[] = [];
  private globals: Values = fallbacks(GLOBAL_PARAMETERS);
  private defaults: Values = fallbacks(MODULE_PARAMETERS);
  private readonly modules: Values[] = [];
  private readonly stack: { globals: Values; defaults: Values }[] = [];
  /** The module whose section this is, null in the global one. */
  private current: Values | null = null;
  private dparamsSet = false;
  private depth = 0;
  private file = "";
  private line = 0;

  constructor(files: ConfigFiles, options: LoadOptions) {
    this.files = files;
    this.options = options;
  }

  load(path: string): LoadedConfig {
    const whole = this.read(path) !== "failed";
    if (!this.dparamsSet) this.setDparams();
    const { globals, defaults, modules, problems, seen, settings } = this;
    return { data: whole ? { globals, defaults, modules } : null, problems, files: seen, settings };
  }

  private problem(text: string, fatal = false): "failed" {
    this.problems.push({ file: this.file, line: this.line, text, fatal });
    return "failed";
  }

  /** "stopped" at the first section of a load of globals. */
  private read(path: string): "done" | "stopped" | "failed" {
    const outer = { file: this.file, line: this.line };
    if (this.depth >= MAX_DEPTH) return this.problem(`${path}: files include each other too deeply`, true);
    const found = this.files.read(path);
    this.seen.push(path);
    if ("error" in found) return this.problem(`unable to open config file "${path}": ${found.error}`, true);
    this.depth++;
    this.file = path;
    try {
      for (const item of parseConfigText(found.text)) {
        this.line = item.line;
        const result = this.take(item);
        if (result !== "done") return result;
      }
      return "done";
    } finally {
      this.depth--;
      this.file = outer.file;
      this.line = outer.line;
    }
  }

  private take(item: ConfigItem): "done" | "stopped" | "failed" {
    switch (item.type) {
      case "problem":
        this.problem(item.text, item.fatal);
        return item.fatal ? "failed" : "done";
      case "section":
        return this.options.globalsOnly ? "stopped" : this.section(item.name);
      case "directive":
        return this.directive(item.name, item.value);
      case "parameter":
        this.parameter(item.name, item.value);
        return "done";
    }
  }

  private section(name: string): "done" | "failed" {
    if (foldName(name) === "global") {
      this.current = null;
      return "done";
    }
    if (this.current === null && this.modules.length === 0) this.setDparams();
    if (name.includes("/")) return this.problem(`a module's name has no slash: [${name}]`, true);
    let module = this.modules.findLast((one) => foldName(one.name as string) === foldName(name));
    if (module === undefined) {
      module = { ...this.defaults, name };
      this.modules.push(module);
    }
    this.current = module;
    return "done";
  }

  private parameter(name: string, text: string): void {
    const found = findParameter(name);
    if (found === null) {
      this.problem(`IGNORING unknown parameter "${name}"`);
      return;
    }
    const { row, global } = found;
    if (global && this.current !== null) {
      this.problem(`Global parameter ${row.name} found in module section!`);
      return;
    }
    const module = global ? null : ((this.current?.name ?? null) as string | null);
    this.settings.push({ module, name: row.name, file: this.file, line: this.line });
    this.set(global ? this.globals : (this.current ?? this.defaults), row, text);
  }

  private set(values: Values, row: ParameterRow, text: string): void {
    const isText = row.kind === "string" || row.kind === "path";
    const full = isText ? text : expand(text, this.options.env);
    const value = parseValue(row.kind, full);
    if (value === undefined) this.problem(`${row.name} is ${KIND_WORDS[row.kind]}, not "${full}"`);
    else values[row.name] = value;
    if (row.kind === "integer" && !isInteger(full)) this.problem(`${row.name} is a number, not "${full}"`);
  }

  /** --dparam stands behind all global parameters, of included files too. */
  private setDparams(): void {
    this.dparamsSet = true;
    const levels = [{ globals: this.globals, defaults: this.defaults }, ...this.stack];
    for (const word of this.options.dparams) {
      const equals = word.indexOf("=");
      const found = findParameter(word.slice(0, equals));
      if (found === null) continue;
      const text = word.slice(equals + 1).trimStart();
      for (const level of levels) this.set(found.global ? level.globals : level.defaults, found.row, text);
    }
  }

  private directive(name: string, path: string): "done" | "stopped" | "failed" {
    const word = name.toLowerCase();
    if (word !== "&include" && word !== "&merge") return this.problem(`unknown directive ${name}`, true);
    const included = word === "&include";
    const found = this.files.look(path);
    if (found.kind === "error") return this.problem(`unable to stat config file "${path}": ${found.error}`, true);
    if (found.kind === "other") return this.problem(`neither a file nor a directory: "${path}"`, true);
    if (found.kind === "file") return this.within(included, [path]);
    this.seen.push(path);
    const pattern = included ? "*.conf" : "*.inc";
    const names = found.names.filter((one) => wildmatch(pattern, one)).toSorted();
    return this.within(included, names.map((one) => `${path.replace(/\/+$/, "")}/${one}`));
  }

  /** Reads files in place, each of an &include with the same defaults and without effect on what follows. */
  private within(included: boolean, paths: readonly string[]): "done" | "stopped" | "failed" {
    const apart = included && !this.options.globalsOnly;
    if (apart && paths.length > 0) this.stack.push({ globals: this.globals, defaults: this.defaults });
    let result: "done" | "stopped" | "failed" = "done";
    for (const path of paths) {
      if (apart) this.reset();
      result = this.read(path);
      if (result !== "done") break;
    }
    if (apart && paths.length > 0) {
      this.reset();
      this.stack.pop();
    }
    return result;
  }

  private reset(): void {
    const saved = this.stack[this.stack.length - 1];
    this.globals = { ...saved.globals };
    this.defaults = { ...saved.defaults };
    this.current = null;
  }
}

function fallbacks(rows: readonly ParameterRow[]): Values {
  return Object.fromEntries(rows.map(({ name, fallback }) => [name, fallback]));
}

/** Values of one module, or of the daemon outside any module. */
export class ModuleConfig {
  private readonly values: Values;
  private readonly defaults: Values;
  private readonly env: Environment;
  /** Place among the modules, -1 for none. */
  readonly index: number;

  constructor(values: Values, defaults: Values, env: Environment, index = -1) {
    this.index = index;
    this.values = values;
    this.defaults = defaults;
    this.env = env;
  }

  get name(): string {
    return this.text("name");
  }

  /** A text with its references filled in; "" when it was never set. */
  text(name: TextName): string {
    return expand(this.raw(name), this.env);
  }

  /** A command, safe for a shell; see expandForShell. */
  command(name: TextName, refused: (text: string) => void): string {
    return expandForShell(this.raw(name), this.env, refused);
  }

  /** A text as it stands in the file. */
  raw(name: TextName): string {
    return ((this.values[name] ?? this.defaults[name]) as string | null) ?? "";
  }

  number(name: NumberName): number {
    return this.values[name] as number;
  }

  flag(name: FlagName): boolean {
    return this.values[name] as boolean;
  }

  /** null: unset. */
  flag3(name: Flag3Name): boolean | null {
    return this.values[name] as boolean | null;
  }
}

/** A configuration with types. */
export class Config {
  readonly data: ConfigData;
  readonly env: Environment;
  /** Parameters of the daemon itself. */
  readonly globals: ModuleConfig;
  /** Module parameters outside any module: the daemon's own log, lookups and timeout. */
  readonly defaults: ModuleConfig;

  constructor(data: ConfigData, env: Environment) {
    this.data = data;
    this.env = env;
    this.globals = new ModuleConfig(data.globals, {}, env);
    this.defaults = new ModuleConfig(data.defaults, {}, env);
  }

  /** All modules in the order of the file. */
  get modules(): ModuleConfig[] {
    const { modules, defaults } = this.data;
    return modules.map((values, index) => new ModuleConfig(values, defaults, this.env, index));
  }

  /** The module of this exact name; the last one, should there be several. */
  find(name: string): ModuleConfig | null {
    return this.modules.findLast((module) => module.name === name) ?? null;
  }
}
