/**
 * One client, from its first byte to its last, in a process of its own. Upstream clientserver.c: start_daemon,
 * rsync_module.
 */
import { converse } from "../conversation/conversation.ts";
import { type Charset, openCharset } from "../charset/charset.ts";
import { ExitCode, exitCodeOf, UsageError } from "../errors.ts";
import { wildmatch } from "../filter/wildmatch.ts";
import { type ByteStream } from "../host.ts";
import { bytesOf } from "../memory.ts";
import { Compressors } from "../compress/registry.ts";
import { isChmodText } from "../options/chmod.ts";
import { formatHas } from "../options/formathas.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { Refusals } from "../options/refusals.ts";
import { OPTION_ROWS } from "../options/table.ts";
import { LineStream } from "../session/linestream.ts";
import { type Config, problemLine } from "./config.ts";
import { type DaemonContext, errorText, newSession, readConfig } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { type Admission, receive } from "./greet.ts";
import { admissionHandover } from "./handover.ts";
import { hasHooks, Hooks, hooksEnabled } from "./hooks.ts";
import { identify, type Visitor } from "./identify.ts";
import { enterJail, isJailed } from "./jail.ts";
import { serveApart } from "./keeper.ts";
import { enterModule, type Entered } from "./module.ts";
import { ModuleError } from "./moduleerror.ts";
import { applyModule, readRequest, type Request } from "./words.ts";

/** How a client is connected. */
export interface Connection {
  readonly stream: ByteStream;
  readonly address: string;
  /** The stream's descriptor; null when it is standard input and output. */
  readonly fd: number | null;
  /** See Arrival. */
  readonly told: boolean;
}

/** Serves a client and returns the exit code. Never throws. */
export async function serveConnection(
  started: DaemonContext, connection: Connection, session: string = newSession(started),
): Promise<number> {
  const own = { ...started, log: started.log.forSession(session) };
  const { config, problems } = readConfig(own);
  if (config !== null) own.log.useConfig(config);
  for (const problem of problems) own.log.info(problemLine(problem));
  const stream = new LineStream(connection.stream);
  const deadline = new Deadline(own.platform.host, stream);
  if (config === null) return ExitCode.syntax;
  if (!own.viaShell) deadline.restart(config.defaults.number("timeout"));
  try {
    const visitor = await identify(own, { ...connection, stream, config, deadline });
    if (visitor === null) return ExitCode.unsupported;
    const context = isJailed(config) ? enterJail(own, config) : own;
    const admission = await receive(context, visitor);
    deadline.stop();
    if (admission !== null) return await serveAdmitted(context, visitor, { admission, session }, connection.fd);
    await stream.end();
    return 0;
  } catch (error) {
    own.log.warning(errorText(error));
    return exitCodeOf(error);
  } finally {
    deadline.stop();
    stream.destroy();
  }
}

function serveAdmitted(
  context: DaemonContext, { config, stream, deadline }: Visitor,
  { admission, session }: { readonly admission: Admission; readonly session: string }, fd: number | null,
): Promise<number> | number {
  const { system, sockets } = context;
  if (system === null || sockets === null || !needsKeeper(context, admission)) {
    return serveModule(context, config, admission, stream, deadline);
  }
  const message = admissionHandover(config, admission, stream.pending, fd === null, session);
  return serveApart(context, system, sockets, { message, connection: fd, lockFd: admission.lockFd });
}

/** Does something have to be done after this connection, and is there nobody yet who will? */
function needsKeeper(context: DaemonContext, { module }: Admission): boolean {
  return context.tell === null && !context.jailed && hooksEnabled(context) && module.raw("post-xfer exec") !== "";
}

/** Serves a client that may use a module: everything that changes this process. */
export async function serveModule(
  context: DaemonContext, config: Config, admission: Admission, stream: LineStream, deadline: Deadline,
): Promise<number> {
  // Local work is not the client's time.
  deadline.stop();
  prepare(context);
  let hooks: Hooks | null = null;
  let code: number = ExitCode.crashed;
  try {
    let charset: Charset | null = null;
    const entered = enterModule(context, config, admission, (givesUp) => {
      charset = moduleCharset(context, admission);
      hooks = startHooks(context, config, admission);
      if (givesUp || charset !== null || hasHooks(admission.module)) context.tell?.({ type: "sealed" });
    });
    code = await new ModuleSession(context, { admission, entered, hooks, stream, deadline, charset }).run();
    return code;
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    context.log.info(error.message);
    await stream.write(bytesOf(`@ERROR: ${error.answer}\n`));
    await stream.end();
    code = error.exitCode;
    return code;
  } finally {
    (hooks as Hooks | null)?.ended(code);
  }
}

/** Has "post-xfer exec" run in the end, whatever comes now; then "early exec", and what waits for the request. */
function startHooks(context: DaemonContext, config: Config, { module, earlyInput }: Admission): Hooks | null {
  const { system, platform } = context;
  if (system === null || !hooksEnabled(context)) return null;
  config.env.set("RSYNC_PID", String(platform.host.pid));
  const command = module.command("post-xfer exec", (text) => context.log.info(text));
  const hooks = new Hooks(context, config, module, system);
  if (command !== "" && context.jailed) hooks.startAfter(command);
  else if (command !== "") context.tell?.({ type: "after", command, variables: config.env.variables() });
  hooks.start(earlyInput);
  return hooks;
}

/** Loads what a transfer may need: behind a chroot there is nothing to load from. */
export function prepare({ platform }: DaemonContext): void {
  new Compressors(platform.host, platform.fs.memory).available();
  platform.fs.userName(0);
  platform.fs.groupName(0);
}

/** The charset of the module's names; null when it is not told, so that there is nothing to convert. */
function moduleCharset({ platform: { host, kernels } }: DaemonContext, { module }: Admission): Charset | null {
  const name = module.text("charset");
  return name === "" ? null : openCharset(host, kernels.memory, name, true);
}

/** What there is once a module has been entered. */
interface SessionParts {
  readonly admission: Admission;
  readonly entered: Entered;
  readonly hooks: Hooks | null;
  readonly stream: LineStream;
  readonly deadline: Deadline;
  readonly charset: Charset | null;
}

class ModuleSession {
  private readonly context: DaemonContext;
  private readonly p: SessionParts;

  constructor(context: DaemonContext, parts: SessionParts) {
    this.context = context;
    this.p = parts;
  }

  async run(): Promise<number> {
    const { context } = this;
    const { admission, charset, deadline, entered, stream } = this.p;
    const { scope } = entered;
    deadline.restart(scope.timeout);
    await stream.write(bytesOf("@RSYNCD: OK\n"));
    const request = await readRequest({
      stream, deadline, version: admission.version, scope, parseContext: this.parseContext(), charset,
    });
    deadline.stop();
    const { options } = request;
    const fault = this.beforeTransfer(request);
    this.logRequest(request);
    applyModule(options, admission.module, scope, context.viaShell);
    if (fault === null) this.finishOptions(options);
    const role = options.sender ? "sender" : "receiver";
    const names = fault === null ? (this.p.hooks?.names(request) ?? null) : null;
    const module = { ...scope, chmod: this.chmodFor(role, options), names };
    return converse({ ...context.platform, fs: entered.fs }, {
      options, role, stream, direct: context.direct, args: options.args, version: admission.version, localLink: null,
      module, refusal: fault === null ? undefined : new UsageError(fault, ExitCode.unsupported),
      charset: options.iconv === null ? null : charset, filterArgs: { options: options.filters, reads: [] },
    }, context.log.write);
  }

  /** Why the transfer does not come about, or null. "pre-xfer exec" hears of a request that is refused anyway, too. */
  private beforeTransfer(request: Request): string | null {
    return this.p.hooks?.beforeTransfer(request) ?? request.fault?.message ?? null;
  }

  /** "incoming chmod" or "outgoing chmod"; it comes after what the client asks for. */
  private chmodFor(role: "sender" | "receiver", options: Options): string {
    const sending = role === "sender";
    const changes = this.p.admission.module.text(sending ? "outgoing chmod" : "incoming chmod");
    if (changes === "") return "";
    if (isChmodText(changes)) {
      options.chmod = [...options.chmod, changes];
      return changes;
    }
    this.context.log.info(`Invalid "${sending ? "outgo" : "incom"}ing chmod" directive: ${changes}`);
    return "";
  }

  /** A client's options are parsed by the module's rules. */
  private parseContext(): ParseContext {
    const { context } = this;
    const { module } = this.p.admission;
    const refusals = new Refusals(OPTION_ROWS, module.text("refuse options"), module.text("charset") !== "", wildmatch,
      (item) => context.log.info(`No match for refuse-options string "${item}"`));
    return { ...context.parseContext, fromClient: true, refusals };
  }

  private logRequest({ text, options }: Request): void {
    if (text === "") return;
    const { name, address, user } = this.p.admission;
    const who = user === "" ? name : `${user}@${name}`;
    this.context.log.info(`rsync ${options.sender ? "on" : "to"} ${text} from ${who} (${address})`);
  }

  private finishOptions(options: Options): void {
    const { context } = this;
    const { entered } = this.p;
    options.mungeLinks = entered.mungeLinks;
    const limit = context.options.daemonBwlimit;
    if (limit > 0 && (options.bwlimit === 0 || options.bwlimit > limit)) options.bwlimit = limit;
    const format = context.options.logFormat ?? entered.scope.logFormat;
    options.logFormat = format;
    options.logFormatHasItemize = formatHas(format, "i");
    options.logFormatHasOperation = options.logFormatHasItemize || formatHas(format, "o");
  }
}
