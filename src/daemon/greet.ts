/**
 * The lines a client and the daemon exchange up to the choice of a module, and the check that this client may have it.
 * Upstream clientserver.c: start_daemon, exchange_protocols, send_listing, the first part of rsync_module.
 *
 * Nothing here depends on how the client is connected, or changes the process: one process may do this for many
 * clients at a time.
 */
import { authDigestChoice, AUTH_DIGESTS } from "../protocol/negotiate.ts";
import { CHALLENGE_RANDOM_BYTES, makeChallenge } from "../checksum/auth.ts";
import { latin1, bytesOf } from "../memory.ts";
import {
  formatDaemonReply, formatGreeting, greetingFault, greetingVersion, LineLimit, parseAuthReply, parseGreeting,
  parseModuleRequest,
} from "../protocol/greeting.ts";
import { accessTools } from "./accesstools.ts";
import { allowAccess, type AccessTools, UNDETERMINED } from "./access.ts";
import { checkAnswer, digestFault, findRule, secretsFault } from "./auth.ts";
import { clientName } from "./clientname.ts";
import { type ModuleConfig } from "./config.ts";
import { type DaemonContext } from "./context.ts";
import { readOperatorFile } from "./files.ts";
import { type Visitor } from "./identify.ts";
import { claimConnection } from "./lockfile.ts";

/** A client that may use a module. */
export interface Admission {
  readonly module: ModuleConfig;
  readonly version: number;
  readonly address: string;
  readonly name: string;
  /** Who has authenticated, "" for nobody. */
  readonly user: string;
  readonly readOnly: boolean;
  /** What the client sends to "early exec"; empty for nothing. */
  readonly earlyInput: Uint8Array;
  /** The open lock file that counts this connection, -1 for none. It has to stay open as long as the connection. */
  readonly lockFd: number;
}

/** What a greeting settles. */
interface Greeted {
  readonly version: number;
  readonly digests: string | null;
}

/** Receives a client. Null when it has got what it came for, or was turned away and told why. */
export async function receive(context: DaemonContext, visitor: Visitor): Promise<Admission | null> {
  return new Reception(context, visitor).run();
}

class Reception {
  private readonly context: DaemonContext;
  private readonly v: Visitor;
  private readonly tools: AccessTools;
  private name = UNDETERMINED;

  constructor(context: DaemonContext, visitor: Visitor) {
    this.context = context;
    this.v = visitor;
    this.tools = accessTools(context);
  }

  async run(): Promise<Admission | null> {
    const { config, address } = this.v;
    const { log } = this.context;
    if (config.defaults.flag("reverse lookup")) this.name = this.v.name ?? UNDETERMINED;
    log.info(`connect from ${this.name} (${address})`);
    const greeted = await this.greet();
    if (greeted === null) return null;
    let line = await this.line("module-request");
    let request = parseModuleRequest(line);
    let earlyInput: Uint8Array = new Uint8Array(0);
    if (request.kind === "early-input") {
      earlyInput = await this.v.deadline.limit(this.v.stream.readBytes(request.byteLength));
      line = await this.line("module-request");
      request = parseModuleRequest(line);
    }
    if (request.kind === "list") return this.list();
    if (request.kind !== "module") return this.refuse(`Unknown command '${line}'`);
    const module = config.find(request.name);
    if (module === null) {
      log.info(`unknown module '${line}' tried from ${this.name} (${address})`);
      return this.refuse(`Unknown module '${line}'`);
    }
    return this.admit(module, greeted, earlyInput);
  }

  private lookUp(): Promise<string> {
    const { log, platform } = this.context;
    return clientName(this.v.address, platform.host.lookup, (text) => log.info(text));
  }

  private line(label: string): Promise<string> {
    return this.v.deadline.limit(this.v.stream.readLine(LineLimit.daemon, label));
  }

  private async send(line: string): Promise<void> {
    await this.v.stream.write(bytesOf(`${line}\n`));
  }

  private async refuse(reason: string): Promise<null> {
    await this.send(`@ERROR: ${reason}`);
    return null;
  }

  private async greet(): Promise<Greeted | null> {
    const { config, stream } = this.v;
    const ours = this.context.options.protocol;
    const motd = config.globals.text("motd file");
    await this.send(formatGreeting(ours, AUTH_DIGESTS.names));
    if (motd !== "") {
      const file = readOperatorFile(this.context.operator, motd);
      if (typeof file !== "number") await stream.write(file.bytes);
      await stream.write(bytesOf("\n"));
    }
    const line = await this.line("greeting");
    const fault = greetingFault(line, true);
    const greeting = parseGreeting(line);
    if (fault !== null || greeting === null) return this.refuse(fault ?? "protocol startup error");
    return { version: greetingVersion(ours, greeting), digests: greeting.digests };
  }

  private async list(): Promise<null> {
    const { config, address } = this.v;
    this.context.log.info(`module-list request from ${this.name} (${address})`);
    const shown = config.modules.filter((module) => module.flag("list"));
    const lines = shown.map((module) => `${module.name.padEnd(15)}\t${module.text("comment")}`);
    lines.push(formatDaemonReply({ kind: "exit" }));
    await this.send(lines.join("\n"));
    return null;
  }

  /** The module is there: may this client have it? */
  private async admit(module: ModuleConfig, greeted: Greeted, earlyInput: Uint8Array): Promise<Admission | null> {
    const { config, address, deadline } = this.v;
    const { log } = this.context;
    const { env } = config;
    env.set("RSYNC_MODULE_NAME", module.name);
    if (this.name === UNDETERMINED && module.flag("reverse lookup")) {
      this.name = this.v.name ?? (await this.lookUp());
    }
    env.set("RSYNC_HOST_NAME", this.name);
    env.set("RSYNC_HOST_ADDR", address);
    if (!(await this.mayAccess(module))) return null;
    if (!this.context.viaShell) {
      log.info(`rsync allowed access on module ${module.name} from ${this.name} (${address})`);
    }
    const lockFd = await this.claim(module);
    if (lockFd === null) return null;
    deadline.restart(module.number("timeout"));
    let auth: Awaited<ReturnType<Reception["authenticate"]>> = null;
    try {
      auth = await this.authenticate(module, greeted);
    } finally {
      // Whoever vanishes meanwhile must not keep the slot.
      if (auth === null && lockFd >= 0) this.context.platform.fs.close(lockFd);
    }
    if (auth === null) return this.refuse(`auth failed on module ${module.name}`);
    env.set("RSYNC_USER_NAME", auth.user);
    const { version } = greeted;
    return { module, version, address, name: this.name, ...auth, earlyInput, lockFd };
  }

  private async mayAccess(module: ModuleConfig): Promise<boolean> {
    const { address } = this.v;
    const rules = {
      allow: module.text("hosts allow"), deny: module.text("hosts deny"), forwardLookup: module.flag("forward lookup"),
    };
    const { allowed, name } = await allowAccess({ address, name: this.name }, rules, this.tools);
    this.name = name;
    if (allowed) return true;
    this.context.log.info(`rsync denied on module ${module.name} from ${name} (${address})`);
    await this.refuse(module.flag("list") ? `access denied to ${module.name} from ${name} (${address})`
      : `Unknown module '${module.name}'`);
    return false;
  }

  /** The lock file that counts the connection, -1 when there is no limit; null when there is no room. */
  private async claim(module: ModuleConfig): Promise<number | null> {
    const most = module.number("max connections");
    if (most === 0) return -1;
    const { log, platform } = this.context;
    const path = module.text("lock file");
    const claimed = claimConnection(this.context, path, most);
    if (typeof claimed === "number") return claimed;
    if (claimed.errno !== 0) {
      log.info(`failed to open lock file ${path}: ${platform.fs.strerror(claimed.errno)} (${claimed.errno})`);
      return this.refuse("failed to open lock file");
    }
    log.info(`max connections (${most}) reached`);
    return this.refuse(`max connections (${most}) reached -- try again later`);
  }

  /** Null when the client is not who may come; the log knows why. */
  private async authenticate(
    module: ModuleConfig, { version, digests }: Greeted,
  ): Promise<{ user: string; readOnly: boolean } | null> {
    const users = module.text("auth users");
    const readOnly = module.flag("read only");
    if (users === "") return { user: "", readOnly };
    const digest = await this.digest(version, digests);
    if (digest === null) return null;
    const weak = digestFault(digest, module.text("auth digest"));
    if (weak !== "") return this.failed(module, weak);
    const challenge = this.challenge(digest);
    await this.send(formatDaemonReply({ kind: "auth", challenge }));
    const reply = parseAuthReply(await this.line("auth-reply"));
    if (reply === null) return this.failed(module, "invalid challenge response");
    const { user, response } = reply;
    const rule = findRule(users, user, (name) => this.groupNames(name));
    const fault = rule === null ? "no matching rule" : rule.grant === "deny" ? "denied by rule"
      : this.checkSecret(module, rule.group, { user, response, challenge, digest });
    if (fault !== "") return this.failed(module, fault, user);
    return { user, readOnly: rule!.grant === "module" ? readOnly : rule!.grant === "ro" };
  }

  private async digest(version: number, digests: string | null): Promise<string | null> {
    try {
      return authDigestChoice(digests, version, true);
    } catch {
      const names = AUTH_DIGESTS.names.join(" ");
      return this.refuse(`your client does not support one of our daemon-auth checksums: ${names}`);
    }
  }

  private challenge(digest: string): string {
    const { host, kernels } = this.context.platform;
    const random = new Uint8Array(CHALLENGE_RANDOM_BYTES);
    host.random(random);
    return makeChallenge(kernels, digest, random, this.v.address, host.now(), host.pid);
  }

  private failed(module: ModuleConfig, fault: string, user?: string): null {
    const who = `module ${module.name} from ${this.name} (${this.v.address})`;
    this.context.log.info(`auth failed on ${who}${user === undefined ? "" : ` for ${user}`}: ${fault}`);
    return null;
  }

  private groupNames(user: string): string[] {
    const { platform, system } = this.context;
    const uid = platform.fs.userId(user);
    const gids = uid < 0 ? null : (system?.groupsOf(uid) ?? null);
    return (gids ?? []).map((gid) => platform.fs.groupName(gid) ?? "").filter((name) => name !== "");
  }

  private checkSecret(
    module: ModuleConfig, group: string | null, answer: Parameters<typeof checkAnswer>[3],
  ): string {
    const { platform, operator, log } = this.context;
    const path = module.text("secrets file");
    const file = path === "" ? -1 : readOperatorFile(operator, path);
    if (typeof file === "number") return "no secrets file";
    const fault = module.flag("strict modes")
      ? secretsFault(file.stat.mode, file.stat.uid, (this.context.system?.uid() ?? platform.fs.euid) === 0) : "";
    if (fault !== "") {
      log.info(fault);
      return "ignoring secrets file";
    }
    const result = checkAnswer(platform.kernels, latin1(file.bytes, 0, file.bytes.length), group, answer);
    file.bytes.fill(0);
    return result;
  }
}
