/**
 * The modules that `serve` offers, from objects to what the daemon works with: its configuration as data, and a tree of
 * its own with what configurations name by path.
 */
import { type Config, type ConfigData, loadConfig, Config as DaemonConfig } from "../daemon/config.ts";
import { Environment } from "../daemon/expand.ts";
import {
  findParameter, type FlagName, type Flag3Name, KIND_WORDS, MODULE_PARAMETERS, type NumberName, type ParameterValue,
  parseValue, type TextName,
} from "../daemon/paramtable.ts";
import { UsageError } from "../errors.ts";
import { nameOfText } from "../memory.ts";
import { type FilesPlace, MemoryFiles } from "./files.ts";
import { isPlace, pathOf } from "./station.ts";

/** Parameters that are about a process or a file of a daemon's own, or that `serve` has in another form. */
const NOT_FOR_MODULES = [
  "name", "path", "auth users", "secrets file", "strict modes", "use chroot", "uid", "gid", "lock file",
  "max connections", "log file", "syslog tag", "syslog facility", "early exec", "pre-xfer exec", "post-xfer exec",
  "name converter",
] as const;

type Camel<S extends string> = S extends `${infer Head} ${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type ModuleName = (typeof MODULE_PARAMETERS)[number]["name"];
type Names<N extends string> = Exclude<N & ModuleName, (typeof NOT_FOR_MODULES)[number]>;

/** Parameters of rsyncd.conf(5) in camel case: `hostsAllow`, `readOnly`, `refuseOptions` ... */
export type ModuleParameters =
  & { readonly [N in Names<TextName> as Camel<N>]?: string }
  & { readonly [N in Names<NumberName> as Camel<N>]?: number }
  & { readonly [N in Names<FlagName | Flag3Name> as Camel<N>]?: boolean };

/** A user of a module. */
export interface ModuleUser {
  readonly password: string;
  /** "ro" and "rw" go before the module's `readOnly`; left out: as the module has it. */
  readonly access?: "ro" | "rw";
}

/** A module: a tree that clients may read, or write to when `readOnly` is false. */
export type ServedModule = ModuleParameters & {
  /** A directory of the disk, or a place in another file system. */
  readonly path: string | FilesPlace;
  /** Who may use it, by name, with a password; left out: everybody. */
  readonly users?: Readonly<Record<string, string | ModuleUser>>;
};

type Values = Record<string, ParameterValue>;

/** Modules by name. */
export type ServedModules = Readonly<Record<string, ServedModule>>;

const CONFIG_FILE = "serve";
const MOTD_FILE = "/motd";

/** What the modules come to. Made anew for each connection is only the Config, whose variables are the client's. */
export class ModuleSet {
  /** Secrets and the message of the day, where the daemon looks for them. */
  readonly files = new MemoryFiles();
  private readonly modules: ServedModules;
  private readonly data: ConfigData;

  /** Throws UsageError for what is no module. */
  constructor(modules: ServedModules, motd: string) {
    this.modules = modules;
    const env = new Environment(() => undefined);
    const { data } = loadConfig(CONFIG_FILE, {
      read: () => ({ text: "" }), look: () => ({ kind: "other" }),
    }, { dparams: [], env });
    const { globals, defaults } = data!;
    // Names of addresses are asked for by those modules alone that want them.
    const outside = { ...defaults, "reverse lookup": false };
    const entries = Object.entries(modules).map(([name, module], index) => ({
      ...outside, ...this.valuesOf(name, module, index),
    }));
    if (motd !== "") this.files.write(MOTD_FILE, motd);
    this.data = {
      globals: { ...globals, "motd file": motd === "" ? null : MOTD_FILE }, defaults: outside, modules: entries,
    };
  }

  /** A configuration for one connection. */
  config(): Config {
    return new DaemonConfig(this.data, new Environment(() => undefined));
  }

  /** The place of a module; null for one on the disk. */
  place(index: number): FilesPlace | null {
    const { path } = Object.values(this.modules)[index];
    return isPlace(path) ? path : null;
  }

  private valuesOf(name: string, module: ServedModule, index: number): Values {
    const { path, users, ...parameters } = module;
    if (name === "" || /[/\r\n]/.test(name)) throw new UsageError(`no name for a module: ${name}`);
    const values: Values = {
      name: nameOfText(name), path: isPlace(path) ? pathOf(path) : nameOfText(path), "use chroot": false,
    };
    for (const [property, value] of Object.entries(parameters)) {
      if (value !== undefined) Object.assign(values, parameterOf(name, property, value));
    }
    if (users !== undefined) Object.assign(values, this.usersOf(name, users, index));
    return values;
  }

  private usersOf(name: string, users: NonNullable<ServedModule["users"]>, index: number): Values {
    const rules: string[] = [];
    const secrets: string[] = [];
    for (const [user, given] of Object.entries(users)) {
      const { password, access } = typeof given === "string" ? { password: given, access: undefined } : given;
      if (!/^[^\s,:@#*?[\]\\]+$/.test(user)) throw new UsageError(`module ${name}: no name for a user: ${user}`);
      if (password === "" || /[\r\n]/.test(password)) throw new UsageError(`module ${name}: no password for ${user}`);
      rules.push(nameOfText(access === undefined ? user : `${user}:${access}`));
      secrets.push(`${user}:${password}\n`);
    }
    if (rules.length === 0) throw new UsageError(`module ${name}: nobody may use it`);
    const file = `/secrets/${index}`;
    this.files.write(file, secrets.join(""), { mode: 0o600 });
    return { "auth users": rules.join(","), "secrets file": file, "strict modes": false };
  }
}

function parameterOf(module: string, property: string, value: unknown): Values {
  const words = property.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const found = findParameter(words);
  if (found === null || found.global || (NOT_FOR_MODULES as readonly string[]).includes(found.row.name)) {
    throw new UsageError(`module ${module}: no such parameter: ${property}`);
  }
  const { kind, name } = found.row;
  const fits = kind === "integer" ? Number.isInteger(value)
    : typeof value === (kind === "bool" || kind === "bool3" ? "boolean" : "string");
  const parsed = fits ? parseValue(kind, nameOfText(String(value))) : undefined;
  if (parsed === undefined) throw new UsageError(`module ${module}: ${property} is ${KIND_WORDS[kind]}`);
  return { [name]: parsed };
}
