/**
 * The command that starts the other side through a remote shell, quoted so that the remote user's shell hands every
 * word on unchanged. Upstream main.c:do_cmd, options.c:safe_arg.
 */
import { UsageError } from "../errors.ts";

/** What decides how words are quoted. */
export interface QuoteSettings {
  /** --secluded-args: words travel inside the connection and need no quoting. */
  readonly secludedArgs: boolean;
  /** 0; 1 for --old-args (file words are left to the remote shell); 2 to quote nothing at all. */
  readonly oldArgs: number;
  /** This side sends; else a leading tilde may have to be kept from expanding. */
  readonly amSender: boolean;
  /** --trust-sender: whatever the other side makes of the words is fine. */
  readonly trustSender: boolean;
  readonly relativePaths: boolean;
}

const SHELL_CHARS = "!#$&;|<>(){}\"'` \t\n\r\\";
const WILD_CHARS = "*?[]";
const OPTION_CHARS = SHELL_CHARS + WILD_CHARS;

/** Quotes a file word: wildcards stay alive for the remote side; a leading dash gets "./" in front. */
export function quoteFileArg(arg: string, o: QuoteSettings): string {
  const dashed = arg.startsWith("-") ? "./" : "";
  if (o.secludedArgs || o.oldArgs > 0) return dashed + arg;
  let text = dashed + (tildeIsRisky(arg, o) ? "\\" : "");
  for (let i = 0; i < arg.length; i++) {
    const letter = arg[i];
    // A backslash before a wildcard already quotes it.
    const done = letter === "\\" && i + 1 < arg.length && WILD_CHARS.includes(arg[i + 1]);
    text += SHELL_CHARS.includes(letter) && !done ? `\\${letter}` : letter;
  }
  return text;
}

/** When we receive, the list is checked against the words: a name that only looks like ~user must not be expanded. */
function tildeIsRisky(arg: string, o: QuoteSettings): boolean {
  if (!arg.startsWith("~") || o.amSender || o.trustSender) return false;
  return (o.relativePaths && !arg.includes("/./")) || !arg.includes("/");
}

/** Quotes an option word: nothing in it may mean anything to a shell. `userOwn`: it came from --remote-option. */
export function quoteOptionArg(arg: string, o: QuoteSettings, userOwn = false): string {
  if (o.secludedArgs || o.oldArgs > 1 || (o.oldArgs === 1 && userOwn)) return arg;
  let text = "";
  for (const letter of arg) text += OPTION_CHARS.includes(letter) ? `\\${letter}` : letter;
  return text;
}

/** Quotes all option words; the last `userOwn` of them came from --remote-option. */
export function quoteOptionArgs(words: readonly string[], o: QuoteSettings, userOwn: number): string[] {
  return words.map((word, i) => quoteOptionArg(word, o, i >= words.length - userOwn));
}

/**
 * Splits a remote shell command at spaces; quotes of either kind group, and a doubled quote inside a group stands for
 * itself. Throws UsageError (1) when a quote is left open.
 */
export function splitCommand(command: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < command.length) {
    if (command[at] === " ") {
      at++;
      continue;
    }
    const [word, next] = readWord(command, at);
    words.push(word);
    at = next;
  }
  return words;
}

function readWord(command: string, start: number): [string, number] {
  let word = "";
  let quote = "";
  let at = start;
  while (at < command.length && (command[at] !== " " || quote !== "")) {
    const letter = command[at];
    if ((letter === "'" || letter === '"') && (quote === "" || letter === quote)) {
      if (quote === "") {
        quote = letter;
        at++;
        continue;
      }
      if (command[at + 1] !== quote) {
        quote = "";
        at++;
        continue;
      }
      at++;
    }
    word += command[at++];
  }
  if (quote !== "") throw new UsageError(`Missing trailing-${quote} in remote-shell command.`);
  return [word, at];
}

/** Everything the command depends on. */
export interface RemoteCommandSettings extends QuoteSettings {
  /** -e, or null. */
  readonly rsh: string | null;
  /** RSYNC_RSH, if set. */
  readonly rshEnvironment: string | undefined;
  readonly host: string;
  readonly user: string | null;
  readonly family: 0 | 4 | 6;
  /** --rsync-path: a shell command of its own, never quoted. */
  readonly rsyncPath: string;
  /** --blocking-io: -1 when the remote shell decides. */
  readonly blockingIo: number;
  /** A daemon is to be started by the remote shell. */
  readonly daemon: boolean;
  /** serverArguments, or with --secluded-args openServerArguments. */
  readonly serverWords: readonly string[];
  /** secludedServerArguments; used with --secluded-args only. */
  readonly secludedWords: readonly string[];
  /** How many of the server's words came from --remote-option; they are last. */
  readonly remoteOptionCount: number;
  /** Paths on the other side. */
  readonly paths: readonly string[];
}

/** How to start the other side. */
export interface RemoteCommand {
  /** Words for Host.spawn. */
  readonly argv: readonly string[];
  /** Words to be sent first of all inside the connection (writeProtectedArgs), or null. */
  readonly protectedArgs: readonly string[] | null;
  /** The remote shell wants blocking pipes. */
  readonly blockingIo: boolean;
}

/** The command line. Throws UsageError (1) for a broken -e. */
export function remoteCommand(o: RemoteCommandSettings): RemoteCommand {
  const shell = splitCommand(o.rsh ?? o.rshEnvironment ?? "ssh");
  if (shell.length === 0) throw new UsageError("The remote-shell command is empty.");
  const name = shell[0].slice(shell[0].lastIndexOf("/") + 1);
  const start = [...shell, ...userWords(o, shell), ...familyWords(o, name), o.host, o.rsyncPath];
  const blockingIo = o.blockingIo < 0 ? name === "rsh" || name === "remsh" : o.blockingIo > 0;
  if (o.daemon) return { argv: [...start, "--server", "--daemon", "."], protectedArgs: null, blockingIo };
  const files = [".", ...o.paths.map((path) => quoteFileArg(path, o))];
  if (o.secludedArgs) {
    return { argv: [...start, ...o.serverWords], protectedArgs: [...o.secludedWords, ...files], blockingIo };
  }
  const words = quoteOptionArgs(o.serverWords, o, o.remoteOptionCount);
  return { argv: [...start, ...words, ...files], protectedArgs: null, blockingIo };
}

function userWords(o: RemoteCommandSettings, shell: readonly string[]): string[] {
  if (o.user === null) return [];
  const given = shell.some((word, i) => word === "-l" && i + 1 < shell.length && !shell[i + 1].startsWith("-"));
  // For a daemon the user is the daemon's; the shell's user may have been given with -e "ssh -l USER".
  return o.daemon && given ? [] : ["-l", o.user];
}

function familyWords(o: RemoteCommandSettings, shellName: string): string[] {
  return o.family !== 0 && shellName === "ssh" ? [`-${o.family}`] : [];
}
