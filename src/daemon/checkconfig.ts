/**
 * --check-config: reads the configuration as a daemon would, looks at all that it names, and says what is wrong, with
 * file, line, module and parameter. Nobody is served and nothing is changed.
 *
 * Values with %RSYNC_...% in them are a connection's affair and are passed over.
 */
import { openCharset } from "../charset/charset.ts";
import { ExitCode } from "../errors.ts";
import { wildmatch } from "../filter/wildmatch.ts";
import { nameOfText } from "../memory.ts";
import { isChmodText } from "../options/chmod.ts";
import { Refusals } from "../options/refusals.ts";
import { OPTION_ROWS } from "../options/table.ts";
import { newStat } from "../posix/filesystem.ts";
import { AUTH_DIGESTS, lookUp } from "../protocol/negotiate.ts";
import { dottedIpv4, ipv6 } from "./addresses.ts";
import { secretsFault } from "./auth.ts";
import { Config, loadConfig, type ModuleConfig, problemLine, type Setting } from "./config.ts";
import { configPath, type DaemonContext } from "./context.ts";
import { credentials } from "./doors.ts";
import { Environment } from "./expand.ts";
import { configFiles, readOperatorFile } from "./files.ts";
import { identityOf, idOf } from "./identity.ts";
import { GLOBAL_PARAMETERS, MODULE_PARAMETERS, type ParameterRow, type TextName } from "./paramtable.ts";
import { splitList } from "./tokens.ts";

const TYPE_MASK = 0o170000;
const TYPES = { directory: 0o040000, file: 0o100000 } as const;
const EXECUTABLE = 0o111;
const LAST_PORT = 65535;

/** Prints what is wrong, a line each, on standard error; the exit code is 0 when nothing is. */
export function checkConfig(context: DaemonContext): number {
  const { platform: { host }, options, operator } = context;
  const env = new Environment((name) => host.env(name));
  const path = configPath(context);
  const loaded = loadConfig(path, configFiles(operator), { dparams: options.dparams, env });
  const lines = loaded.problems.map(problemLine);
  if (loaded.data !== null) {
    const check = new Check(context, new Config(loaded.data, env), loaded.settings);
    lines.push(...check.run());
  }
  const print = (fd: 1 | 2, text: string): void => host.print(fd, new TextEncoder().encode(`${text}\n`));
  for (const line of lines) print(2, line);
  const count = loaded.data?.modules.length ?? 0;
  const files = loaded.files.length === 1 ? "" : ` (${loaded.files.length} files)`;
  const found = lines.length === 0 ? "nothing wrong" : `${lines.length} wrong`;
  print(1, `${path}${files}: ${count} module${count === 1 ? "" : "s"}, ${found}`);
  return lines.length === 0 ? 0 : ExitCode.syntax;
}

class Check {
  private readonly context: DaemonContext;
  private readonly config: Config;
  private readonly settings: readonly Setting[];
  private readonly lines: string[] = [];
  /** Whose parameters are looked at; null outside of any module. */
  private module: ModuleConfig | null = null;

  constructor(context: DaemonContext, config: Config, settings: readonly Setting[]) {
    this.context = context;
    this.config = config;
    this.settings = settings;
  }

  run(): string[] {
    const { config } = this;
    this.named(config.globals, GLOBAL_PARAMETERS);
    this.globals();
    for (const module of config.modules) {
      this.module = module;
      this.named(module, MODULE_PARAMETERS);
      this.ofModule(module);
    }
    return this.lines;
  }

  /** Something wrong with a parameter; the line that sets it goes in front. */
  private wrong(name: string, text: string): void {
    const { module } = this;
    const set = this.settings.findLast((one) => one.name === name && one.module === (module?.name ?? null))
      ?? this.settings.findLast((one) => one.name === name && one.module === null);
    const place = set === undefined ? "" : `${set.file} line ${set.line}: `;
    const whose = module === null ? "" : `[${module.name}] `;
    this.lines.push(`${place}${whose}${name}: ${text}`);
  }

  /** A text, or "" when it depends on the connection. */
  private text(values: ModuleConfig, name: TextName): string {
    return /%RSYNC_[A-Z_]+%/.test(values.raw(name)) ? "" : values.text(name);
  }

  /** Whatever names something on the disk. */
  private named(values: ModuleConfig, rows: readonly ParameterRow[]): void {
    for (const { name, names } of rows) {
      const value = names === undefined ? "" : this.text(values, name as TextName);
      if (value === "" || (name === "lock file" && values.number("max connections") === 0)) continue;
      const fault = names === "command" ? this.commandFault(value)
        : names === "new file" ? this.newFileFault(value)
          : this.pathFault(name === "path" ? value.replace(/\/\.\//g, "/") : value, names as keyof typeof TYPES);
      if (fault !== "") this.wrong(name, fault);
    }
  }

  private pathFault(path: string, kind: keyof typeof TYPES): string {
    const { operator } = this.context;
    const { fs } = operator;
    const stat = newStat();
    const fd = operator.openFollowing(path, fs.constants.O.RDONLY | fs.constants.O.NONBLOCK, 0);
    if (fd < 0) return `"${path}" cannot be opened: ${fs.strerror(-fd)}`;
    fs.fstat(fd, stat);
    fs.close(fd);
    return (stat.mode & TYPE_MASK) === TYPES[kind] ? "" : `"${path}" is no ${kind}`;
  }

  private newFileFault(path: string): string {
    const slash = path.lastIndexOf("/");
    const dir = slash < 0 ? "." : path.slice(0, slash) || "/";
    return this.pathFault(dir, "directory");
  }

  /** The program that a command begins with, as far as a shell's grammar lets it be seen. */
  private commandFault(command: string): string {
    const { platform: { fs, host } } = this.context;
    const [word] = command.trim().split(/\s+/, 1);
    if (!/^[\w./+-]+$/.test(word)) return "";
    const stat = newStat();
    const may = (path: string): boolean => fs.fstatat(fs.constants.AT.FDCWD, fs.cstr(path), stat, true) >= 0
      && (stat.mode & TYPE_MASK) === TYPES.file && (stat.mode & EXECUTABLE) !== 0;
    if (word.includes("/")) return may(word) ? "" : `"${word}" cannot be executed`;
    const dirs = nameOfText(host.env("PATH") ?? "/usr/bin:/bin").split(":");
    const isBuiltin = ["echo", "exit", "test", "true", "false", "exec", "cd", "printf", "set", "umask"].includes(word);
    return isBuiltin || dirs.some((dir) => may(`${dir}/${word}`)) ? "" : `no program "${word}" in PATH`;
  }

  private globals(): void {
    const { globals } = this.config;
    const ports = (["port", "tls port", "websocket port", "metrics port"] as const)
      .map((name) => ({ name, port: globals.number(name) || (name === "port" ? 873 : 0) }));
    for (const [i, { name, port }] of ports.entries()) {
      if (port < 0 || port > LAST_PORT) this.wrong(name, `${port} is no port`);
      else if (port > 0 && ports.findIndex((one) => one.port === port) < i) this.wrong(name, `${port} is taken twice`);
    }
    if (globals.flag("proxy protocol") && globals.text("proxy protocol hosts") === "") {
      this.wrong("proxy protocol", 'without "proxy protocol hosts" every connection is rejected');
    }
    this.addresses(globals, "proxy protocol hosts");
    this.addresses(globals, "websocket proxy hosts");
    this.tls();
    const { fs } = this.context.platform;
    const [uid, gid] = [globals.text("daemon uid"), globals.text("daemon gid")];
    if (uid !== "" && idOf(uid, (name) => fs.userId(name)) < 0) this.wrong("daemon uid", `no user "${uid}"`);
    if (gid !== "" && idOf(gid, (name) => fs.groupId(name)) < 0) this.wrong("daemon gid", `no group "${gid}"`);
  }

  private tls(): void {
    const { globals } = this.config;
    const needed = globals.number("tls port") > 0 || globals.flag("websocket tls");
    if (!needed) return;
    for (const name of ["tls certificate", "tls key"] as const) {
      if (globals.text(name) === "") this.wrong(name, "needed for TLS, and not set");
    }
    if (this.lines.some((line) => /\btls (certificate|key|client ca): /.test(line))) return;
    try {
      const { identity, clientAuthorities } = credentials(this.context, this.config);
      this.context.platform.host.tls?.check(identity, clientAuthorities);
    } catch (error) {
      this.wrong("tls key", (error as Error).message);
    }
  }

  private ofModule(module: ModuleConfig): void {
    if (module.raw("path") === "") this.wrong("path", "not set: the module cannot be used");
    if (module.flag("read only") && module.flag("write only")) {
      this.wrong("write only", 'with "read only" nothing is allowed');
    }
    this.identity(module);
    this.secrets(module);
    this.addresses(module, "hosts allow");
    this.addresses(module, "hosts deny");
    for (const name of ["incoming chmod", "outgoing chmod"] as const) {
      const text = this.text(module, name);
      if (text !== "" && !isChmodText(text)) this.wrong(name, `"${text}" is no change of modes`);
    }
    const floor = module.text("auth digest");
    if (floor !== "" && lookUp(AUTH_DIGESTS, floor) === null) {
      this.wrong("auth digest", `"${floor}" is none of ${AUTH_DIGESTS.names.join(", ")}`);
    }
    void new Refusals(OPTION_ROWS, module.text("refuse options"), module.text("charset") !== "", wildmatch,
      (item) => this.wrong("refuse options", `"${item}" is no option`));
    this.charset(module);
    const inner = this.text(module, "temp dir");
    if (inner.startsWith("/") && module.flag3("use chroot") !== true) {
      const below = this.pathFault(`${this.text(module, "path").replace("/./", "/")}${inner}`, "directory");
      if (below !== "") this.wrong("temp dir", below);
    }
    if (module.number("max connections") > 0) this.lockFile(module.text("lock file"));
  }

  /** One that is there must be writable; a new one can be made if its directory is there. */
  private lockFile(path: string): void {
    const { operator } = this.context;
    const { fs } = operator;
    const fd = operator.openFollowing(path, fs.constants.O.RDWR, 0);
    if (fd >= 0) fs.close(fd);
    else if (fd !== -fs.constants.E.ENOENT) this.wrong("lock file", `"${path}" cannot be opened: ${fs.strerror(-fd)}`);
  }

  private identity(module: ModuleConfig): void {
    const [uid, gid] = [this.text(module, "uid"), this.text(module, "gid")];
    const found = identityOf(this.context.platform.fs, this.context.system, uid, gid);
    if ("answer" in found) this.wrong(/gid|getpw/.test(found.answer) ? "gid" : "uid", found.answer);
  }

  private secrets(module: ModuleConfig): void {
    const users = this.text(module, "auth users");
    const path = this.text(module, "secrets file");
    if (users === "") return;
    if (module.raw("secrets file") === "") this.wrong("auth users", 'without "secrets file" nobody can log in');
    if (path === "") return;
    const { operator, system, platform } = this.context;
    const file = readOperatorFile(operator, path);
    if (typeof file === "number") return;
    file.bytes.fill(0);
    const asRoot = (system?.uid() ?? platform.fs.euid) === 0;
    const fault = module.flag("strict modes") ? secretsFault(file.stat.mode, file.stat.uid, asRoot) : "";
    if (fault !== "") this.wrong("secrets file", `"${path}": ${fault}`);
  }

  /** Addresses and masks of a list; names are looked up for each connection. */
  private addresses(values: ModuleConfig, name: TextName): void {
    for (const item of splitList(this.text(values, name))) {
      const [address, mask, more] = item.split("/");
      const isNumeric = /^[\d.]+$/.test(address) || (address.includes(":") && !/[*?[]/.test(address));
      if (!isNumeric) continue;
      const bytes = dottedIpv4(address) ?? ipv6(address.replace(/%.*/, ""));
      if (bytes === null || more !== undefined) this.wrong(name, `"${item}" is no address`);
      else if (mask !== undefined && !isMask(mask, bytes.length)) this.wrong(name, `"${item}" has no mask`);
    }
  }

  private charset(module: ModuleConfig): void {
    const { host, kernels } = this.context.platform;
    const name = this.text(module, "charset");
    if (name === "") return;
    try {
      openCharset(host, kernels.memory, name, true);
    } catch (error) {
      this.wrong("charset", (error as Error).message);
    }
  }
}

function isMask(text: string, byteLength: number): boolean {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= byteLength * 8;
  return (byteLength === 4 ? dottedIpv4(text) : ipv6(text)) !== null;
}
