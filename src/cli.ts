/**
 * The command line: words in, exit code out. Upstream main.c:main.
 */
import { ExitCode, exitCodeOf, WsyncError } from "./errors.ts";
import { type Host } from "./host.ts";
import { bytesOf, latin1, nameOfText } from "./memory.ts";
import { loadKernels } from "./checksum/kernels.ts";
import { AUTH_DIGESTS, CHECKSUMS } from "./protocol/negotiate.ts";
import { Compressors } from "./compress/registry.ts";
import { type Platform, type ProgramPlatform } from "./conversation/conversation.ts";
import { parseHostSpec } from "./client/hostspec.ts";
import { Interrupts } from "./conversation/interrupts.ts";
import { runClient } from "./client/run.ts";
import { runServer } from "./client/serve.ts";
import { runDaemon } from "./daemon/serve.ts";
import { readAliases } from "./options/aliases.ts";
import { helpText } from "./options/help.ts";
import { parseArguments, type ParseContext, type Parsed } from "./options/parse.ts";
import { type Capabilities } from "./options/version.ts";
import { jsonObserver } from "./output/jsonlines.ts";
import { charsetOf, escapeLine } from "./output/escape.ts";
import { exitLine } from "./output/messages.ts";
import { openFileSystem } from "./posix/open.ts";
import { restrict, RESTRICTED_WORD } from "./restricted/restricted.ts";
import { runWatch } from "./watch/command.ts";
import { checkWithoutWatch } from "./watch/settings.ts";

/** Runs the program and returns its exit code. Never throws. `before`: words in front of the host's. */
export async function main(host: Host, ...before: readonly string[]): Promise<number> {
  host.setTitle("wsync rsync");
  try {
    return await run(host, [...before, ...host.argv]);
  } catch (error) {
    const code = exitCodeOf(error);
    if (error instanceof WsyncError && error.told) return code;
    const text = error instanceof WsyncError ? error.message : `internal error: ${String(error)}`;
    if (text !== "") printError(host, text);
    if (error instanceof WsyncError && error.hint !== "") printError(host, error.hint);
    print(host, 2, exitLine(code, "main.ts(1)", (error instanceof WsyncError && error.who) || "client"));
    return code;
  }
}

async function run(host: Host, argv: readonly string[]): Promise<number> {
  const platform = lazyPlatform(host);
  const context: ParseContext = {
    env: (name) => host.env(name),
    capabilities: () => capabilitiesOf(platform()),
    splitHost: (text) => parseHostSpec(text, 0),
    aliases: () => readAliases(aliasTexts(host)),
  };
  if (argv[0] === RESTRICTED_WORD) {
    const verdict = restrict(platform(), argv.slice(1));
    if ("exitCode" in verdict) return verdict.exitCode;
    return act(host, parseArguments(verdict.serve, context), platform, context);
  }
  if (argv.length === 0) {
    print(host, 2, helpText(context.capabilities()));
    throw new WsyncError("", ExitCode.syntax);
  }
  return act(host, parse(argv, context), platform, context);
}

/** The files in which users define options. Those that cannot be read define none. */
function aliasTexts(host: Host): string[] {
  const home = host.env("HOME");
  return ["/etc/popt", ...(home ? [`${home}/.popt`] : [])].flatMap((path) => {
    try {
      const bytes = host.files.readFile(path);
      return [latin1(bytes, 0, bytes.length)];
    } catch {
      return [];
    }
  });
}

/** What is wrong with a server's words is the server's error. */
function parse(argv: readonly string[], context: ParseContext): Parsed {
  try {
    return parseArguments(argv, context);
  } catch (error) {
    if (error instanceof WsyncError && argv.includes("--server")) error.who ??= "server";
    throw error;
  }
}

async function act(
  host: Host, parsed: Parsed, platform: () => ProgramPlatform, parseContext: ParseContext,
): Promise<number> {
  switch (parsed.action) {
    case "print":
      print(host, 1, parsed.text);
      return 0;
    case "daemon":
      return runDaemon(platform(), parsed.options, parseContext);
    case "secluded":
      return runServer(interruptible(platform()), parsed);
    case "run":
      if (parsed.options.server) return runServer(interruptible(platform()), parsed);
      if (parsed.options.args.length === 0) {
        print(host, 2, helpText(parseContext.capabilities()));
        throw new WsyncError("", ExitCode.syntax);
      }
      if (parsed.options.watch) return runWatch(platform(), parsed.options, parseContext);
      checkWithoutWatch(parsed.options);
      return runClient({
        platform: interruptible(platform()), options: parsed.options, parseContext,
        observer: parsed.options.json ? jsonObserver((bytes) => host.print(1, bytes)) : null,
      });
  }
}

/** From the start of a run on, signals end it in order. */
function interruptible(platform: ProgramPlatform): Platform {
  platform.interrupts.start();
  return platform;
}

/** Kernels and file system, made when something needs them: --version and --help of usage errors start faster. */
function lazyPlatform(host: Host): () => ProgramPlatform {
  let platform: ProgramPlatform | null = null;
  return () => {
    if (!platform) {
      const kernels = loadKernels(host.kernels());
      platform = { host, kernels, fs: openFileSystem(host, kernels.memory), interrupts: new Interrupts(host) };
    }
    return platform;
  };
}

function capabilitiesOf({ host, fs, kernels }: Platform): Capabilities {
  const { capabilities } = fs;
  return {
    symlinks: true, symlinkTimes: capabilities.symlinkTimes, hardlinks: capabilities.hardLinks,
    hardlinkSpecials: capabilities.hardLinks, hardlinkSymlinks: capabilities.hardLinks, ipv6: true,
    atimes: true, crtimes: false, batchFiles: true, inplace: true, append: true, acls: capabilities.xattrs,
    aclAt: capabilities.xattrs, xattrs: capabilities.xattrs, iconv: true, preallocate: capabilities.fallocate,
    stopAt: true,
    checksums: [...CHECKSUMS.names], compressors: new Compressors(host, kernels.memory).available(),
    daemonAuth: [...AUTH_DIGESTS.names],
    runtime: `${host.runtime} ${host.runtimeVersion}`,
    fileAccess: host.ffi ? "libc" : `node:fs (${host.ffiMissing})`,
  };
}

function print(host: Host, fd: 1 | 2, text: string): void {
  host.print(fd, bytesOf(isName(text) ? text : nameOfText(text)));
}

/** Names in an error may be anybody's. */
function printError(host: Host, text: string): void {
  const charset = charsetOf((name) => host.env(name));
  const bytes = isName(text) ? text : nameOfText(text);
  const lines = bytes.replace(/\n$/, "").split("\n");
  for (const line of lines) host.print(2, bytesOf(`${escapeLine(line, false, charset)}\n`));
}

/** Has every character the range of a byte, as in texts made of names? */
function isName(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
