/**
 * One client, from its first byte to its last, in a process of its own. Upstream clientserver.c: start_daemon,
 * rsync_module.
 */
import { converse } from "../conversation/conversation.ts";
import { openCharset, type Charset } from "../charset/charset.ts";
import { ExitCode, exitCodeOf, UsageError, type WsyncError } from "../errors.ts";
import { wildmatch } from "../filter/wildmatch.ts";
import { type ByteStream } from "../host.ts";
import { bytesOf } from "../memory.ts";
import { Compressors } from "../compress/registry.ts";
import { formatHas } from "../options/formathas.ts";
import { type Options } from "../options/options.ts";
import { type ParseContext } from "../options/parse.ts";
import { Refusals } from "../options/refusals.ts";
import { OPTION_ROWS } from "../options/table.ts";
import { LineStream } from "../session/linestream.ts";
import { type Config, problemLine } from "./config.ts";
import { type DaemonContext, errorText, readConfig } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { type Admission, receive } from "./greet.ts";
import { enterModule, type Entered, ModuleError } from "./module.ts";
import { applyModule, readRequest, type Request } from "./words.ts";

/** How a client is connected. */
export interface Connection {
  readonly stream: ByteStream;
  readonly address: string;
}

/** Serves a client and returns the exit code. Never throws. */
export async function serveConnection(context: DaemonContext, connection: Connection): Promise<number> {
  const { config, problems } = readConfig(context);
  if (config !== null) context.log.use(config.defaults);
  for (const problem of problems) context.log.info(problemLine(problem));
  const stream = new LineStream(connection.stream);
  const deadline = new Deadline(context.platform.host, stream);
  if (config === null) return ExitCode.syntax;
  if (!context.viaShell) deadline.restart(config.defaults.number("timeout"));
  try {
    const admission = await receive(context, { ...connection, stream, config, deadline });
    if (admission !== null) return await serveModule(context, config, admission, stream, deadline);
    await stream.end();
    return 0;
  } catch (error) {
    context.log.warning(errorText(error));
    return exitCodeOf(error);
  } finally {
    deadline.stop();
    stream.destroy();
  }
}

/** Serves a client that may use a module: everything that changes this process. */
export async function serveModule(
  context: DaemonContext, config: Config, admission: Admission, stream: LineStream, deadline: Deadline,
): Promise<number> {
  // Local work is not the client's time.
  deadline.stop();
  prepare(context);
  let entered: Entered;
  try {
    entered = enterModule(context, config, admission, () => {});
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    context.log.info(error.message);
    await stream.write(bytesOf(`@ERROR: ${error.answer}\n`));
    await stream.end();
    return error.exitCode;
  }
  return new ModuleSession(context, admission, entered, stream, deadline).run();
}

/** Loads what a transfer may need: behind a chroot there is nothing to load from. */
export function prepare({ platform }: DaemonContext): void {
  new Compressors(platform.host, platform.fs.memory).available();
  platform.fs.userName(0);
  platform.fs.groupName(0);
}

class ModuleSession {
  private readonly context: DaemonContext;
  private readonly admission: Admission;
  private readonly entered: Entered;
  private readonly stream: LineStream;
  private readonly deadline: Deadline;

  constructor(
    context: DaemonContext, admission: Admission, entered: Entered, stream: LineStream, deadline: Deadline,
  ) {
    this.context = context;
    this.admission = admission;
    this.entered = entered;
    this.stream = stream;
    this.deadline = deadline;
  }

  async run(): Promise<number> {
    const { admission, context, deadline, entered, stream } = this;
    const { scope } = entered;
    deadline.restart(scope.timeout);
    await stream.write(bytesOf("@RSYNCD: OK\n"));
    const charset = this.moduleCharset();
    const request = await readRequest({
      stream, deadline, version: admission.version, scope, parseContext: this.parseContext(), charset,
    });
    deadline.stop();
    const { options } = request;
    this.logRequest(request);
    applyModule(options, admission.module, scope, context.viaShell);
    if (request.fault === null) this.finishOptions(options);
    const role = options.sender ? "sender" : "receiver";
    const chmod = admission.module.text(role === "sender" ? "outgoing chmod" : "incoming chmod");
    const code = await converse({ ...context.platform, fs: entered.fs }, {
      options, role, stream, args: options.args, version: admission.version, localLink: null, filterArgs: options,
      module: { ...scope, chmod }, refusal: this.refusalOf(request),
      charset: options.iconv === null ? null : charset,
    }, context.log.write);
    return code;
  }

  /** The charset of the module's names; null when it is not told, so that there is nothing to convert. */
  private moduleCharset(): Charset | null {
    const { host, kernels } = this.context.platform;
    const name = this.admission.module.text("charset");
    return name === "" ? null : openCharset(host, kernels.memory, name, true);
  }

  /** A client's options are parsed by the module's rules. */
  private parseContext(): ParseContext {
    const { context, admission } = this;
    const { module } = admission;
    const refusals = new Refusals(OPTION_ROWS, module.text("refuse options"), module.text("charset") !== "", wildmatch,
      (item) => context.log.info(`No match for refuse-options string "${item}"`));
    return { ...context.parseContext, fromClient: true, refusals };
  }

  private logRequest({ text, options }: Request): void {
    if (text === "") return;
    const { name, address, user } = this.admission;
    const who = user === "" ? name : `${user}@${name}`;
    this.context.log.info(`rsync ${options.sender ? "on" : "to"} ${text} from ${who} (${address})`);
  }

  private finishOptions(options: Options): void {
    const { context, entered, admission } = this;
    options.mungeLinks = entered.mungeLinks;
    options.tempDir ??= admission.module.text("temp dir") || null;
    const limit = context.options.daemonBwlimit;
    if (limit > 0 && (options.bwlimit === 0 || options.bwlimit > limit)) options.bwlimit = limit;
    const format = context.options.logFormat ?? entered.scope.logFormat;
    options.logFormat = format;
    options.logFormatHasItemize = formatHas(format, "i");
    options.logFormatHasOperation = options.logFormatHasItemize || formatHas(format, "o");
  }

  private refusalOf({ fault }: Request): WsyncError | undefined {
    if (fault === null) return undefined;
    return new UsageError(fault.message, ExitCode.unsupported);
  }
}
