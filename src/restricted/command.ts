/**
 * The command of an ssh login, turned into the words of a server that stays inside the restricted directory; anything
 * that is not known to be harmless is refused. Upstream: support/rrsync:main.
 */
import { UsageError } from "../errors.ts";
import {
  type ArgumentKind, CLUSTER_LETTERS, FOLLOWING_LETTERS, LONG_OPTIONS, NUMBER_LETTERS, OVERWRITING_LETTERS,
  OVERWRITING_OPTIONS, REFUSED_LETTERS,
} from "./accepted.ts";
import { checkArgument, checkOption, type Request } from "./paths.ts";
import { type Root } from "./root.ts";
import { type RestrictedSettings } from "./settings.ts";
import { expandBraces, splitWords } from "./words.ts";

/**
 * The words behind the program's name. The working directory has to be the root. Throws UsageError with the reason for
 * a refusal.
 */
export function serverWords(root: Root, settings: RestrictedSettings, command: string, pid: number): string[] {
  const words = splitWords(serverPart(command));
  const sender = words[0] === "--sender";
  if (settings.readOnly && !sender) throw new UsageError("sending to read-only server is not allowed");
  if (settings.writeOnly && sender) throw new UsageError("reading from write-only server is not allowed");
  const options = new OptionWords(root, settings, { sender, relative: false, pid });
  const { checked, rest } = options.check(words);
  const request = { sender, relative: options.relative, pid };
  const paths = rest.flatMap(expandBraces).flatMap((word) => checkArgument(root, settings, request, word));
  return ["--server", ...checked, ...imposed(root, settings, sender), "--", ".", ...(paths.length > 0 ? paths : ["."])];
}

/** What follows "rsync --server ", which is how every rsync client begins. */
function serverPart(command: string): string {
  const [program, server] = command.split(" ", 2);
  if (program !== "rsync") throw new UsageError("SSH_ORIGINAL_COMMAND does not run rsync");
  if (server !== "--server") throw new UsageError("--server option is not the first arg");
  return command.slice("rsync --server".length);
}

/**
 * What the server has to obey whatever the client says. --drop-D and not --no-D, as the client's file list has device
 * numbers all the same; --confine-root, as merge files are named in filter rules, which come later.
 */
function imposed(root: Root, settings: RestrictedSettings, sender: boolean): string[] {
  return [
    ...(root.isWhole || sender ? [] : ["--drop-D"]),
    ...(root.isWhole ? [] : [`--confine-root=${root.path}`]),
    ...(settings.munge ? ["--munge-links"] : []),
    ...(settings.noOverwrite ? ["--ignore-existing"] : []),
  ];
}

/** Checks the options, one word at a time. */
class OptionWords {
  /** Did they ask for --relative? */
  relative = false;
  private readonly root: Root;
  private readonly settings: RestrictedSettings;
  private readonly request: Request;
  private readonly refusedLetters: string;
  private readonly cluster: RegExp;
  private readonly number: RegExp;

  constructor(root: Root, settings: RestrictedSettings, request: Request) {
    this.root = root;
    this.settings = settings;
    this.request = request;
    this.refusedLetters = REFUSED_LETTERS + (root.isWhole ? "" : FOLLOWING_LETTERS)
      + (settings.noOverwrite ? OVERWRITING_LETTERS : "");
    const letters = [...CLUSTER_LETTERS].filter((letter) => !this.refusedLetters.includes(letter)).join("");
    // What the client can do comes last: -e, its protocol's sub-version, letters.
    this.cluster = new RegExp(`^-(?=.)([${letters}]*)(?:e\\d*\\.\\w*)?$`);
    this.number = new RegExp(`^-[${NUMBER_LETTERS}]\\d+$`);
  }

  /** Goes up to the "." that ends them; gives what to pass on, and the paths behind. */
  check(words: readonly string[]): { readonly checked: string[]; readonly rest: readonly string[] } {
    const checked: string[] = [];
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      if (word === ".") return { checked, rest: words.slice(i + 1) };
      const long = /^--([^=]+)(?:=([^]*))?$/.exec(word);
      if (long === null) {
        this.letters(word);
        checked.push(word);
        continue;
      }
      const [, name, inline] = long;
      const kind = this.kindOf(name);
      if (kind === "none") checked.push(this.flag(name, word, inline));
      else if (inline !== undefined) checked.push(`--${name}=${this.argument(name, inline, kind)}`);
      else if (i + 1 < words.length) checked.push(word, this.argument(name, words[++i], kind));
      else break;
    }
    throw new UsageError("invalid rsync-command syntax or options");
  }

  private letters(word: string): void {
    const cluster = this.cluster.exec(word);
    if (cluster !== null) {
      if (cluster[1].includes("R")) this.relative = true;
      return;
    }
    if (this.number.test(word)) return;
    const letters = /^-(.*?)(?:e\d*\.\w*)?$/s.exec(word)?.[1] ?? "";
    const refused = [...letters].find((letter) => this.refusedLetters.includes(letter));
    if (refused !== undefined) this.refuse(`-${refused}`);
    throw new UsageError("invalid rsync-command syntax or options");
  }

  private flag(name: string, word: string, inline: string | undefined): string {
    if (inline !== undefined) throw new UsageError("invalid rsync-command syntax or options");
    if (name === "no-relative") this.relative = false;
    return word;
  }

  private argument(name: string, word: string, kind: ArgumentKind): string {
    return checkOption(this.root, this.settings, this.request, `--${name}`, word, kind);
  }

  /** The kind of a long option that is accepted here. */
  private kindOf(name: string): ArgumentKind {
    const kind = LONG_OPTIONS.get(name);
    if (kind === undefined) throw new UsageError("invalid rsync-command syntax or options");
    if (kind === "refused" || this.isOff(name)) this.refuse(`--${name}`);
    return kind;
  }

  private isOff(name: string): boolean {
    const { settings, request, root } = this;
    return (name === "sender" && (settings.writeOnly || !request.sender))
      || (settings.noDelete && /^(remove|delete)/.test(name))
      || (settings.readOnly && name === "log-file")
      || (settings.noOverwrite && OVERWRITING_OPTIONS.has(name))
      || (!root.isWhole && name === "copy-unsafe-links");
  }

  private refuse(option: string): never {
    throw new UsageError(`option ${option} has been disabled on this server.`);
  }
}
