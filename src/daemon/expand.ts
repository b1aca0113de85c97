/**
 * %VAR% references in values of rsyncd.conf: filled in from the environment, and quoted where a shell will read them.
 * Upstream loadparm.c: expand_vars, shell_unsafe_value, expand_vars_shell_escape.
 */
import { ExitCode, WsyncError } from "../errors.ts";

/** The environment of a connection: the daemon's own, and the variables that rsync sets as it learns them. */
export class Environment {
  private readonly base: (name: string) => string | undefined;
  private readonly own = new Map<string, string>();

  constructor(base: (name: string) => string | undefined) {
    this.base = base;
  }

  set(name: string, value: string): void {
    this.own.set(name, value);
  }

  get(name: string): string | undefined {
    return this.own.get(name) ?? this.base(name);
  }

  /** The variables of this connection. */
  variables(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.own);
  }
}

/** What begins a reference; the name goes on to the next percent sign. Unknown names stay as they are written. */
const REFERENCE = /^%([A-Z][^%]*)%/;

/** Fills in references as they are. */
export function expand(text: string, env: Environment): string {
  if (!text.includes("%")) return text;
  let out = "";
  for (let at = 0; at < text.length; ) {
    const match = text[at] === "%" ? REFERENCE.exec(text.slice(at)) : null;
    const value = match === null ? undefined : env.get(match[1]);
    out += value ?? text[at];
    at += value === undefined ? 1 : match![0].length;
  }
  return out;
}

type Quoting = "none" | "single" | "double";

/**
 * Fills in references of a command for a shell. Values of RSYNC_ variables, in which a peer had a part, are quoted for
 * where they stand; one that holds anything a shell could act on ends the connection, because a command may well hand
 * it to a second shell. `refused` is told of it; throws WsyncError (4).
 */
export function expandForShell(text: string, env: Environment, refused: (text: string) => void): string {
  if (!text.includes("%")) return text;
  let out = "";
  const quotes = new QuoteTracker();
  for (let at = 0; at < text.length; ) {
    const match = text[at] === "%" ? REFERENCE.exec(text.slice(at)) : null;
    const value = match === null ? undefined : env.get(match[1]);
    if (value === undefined) {
      quotes.see(text[at]);
      out += text[at++];
      continue;
    }
    const name = match![1];
    if (name.startsWith("RSYNC_")) {
      if (isUnsafe(value)) {
        refused(`refusing to run shell hook: %${name}% holds a shell metacharacter`);
        throw new WsyncError("", ExitCode.unsupported);
      }
      out += quoted(value, quotes.state);
    } else {
      out += value;
    }
    at += match![0].length;
  }
  return out;
}

/** White space, quotes, expansions, separators, redirections, patterns, "!", "~" and braces. */
function isUnsafe(value: string): boolean {
  return /['"`$\\;&|<>()*?[\]# !~{}\u{7f}]/u.test(value) || [...value].some((char) => char < " ");
}

/**
 * A value as a word of shell code. Between double quotes it gets single quotes besides: a second shell that reads the
 * word sees them still.
 */
function quoted(value: string, state: Quoting): string {
  const single = value.replaceAll("'", "'\\''");
  if (state === "single") return single;
  return `'${state === "none" ? single : single.replace(/["`$\\]/g, "\\$&")}'`;
}

/** Follows which quotes of a shell a character stands in. */
class QuoteTracker {
  state: Quoting = "none";
  private escaped = false;

  see(char: string): void {
    if (this.state === "single") {
      if (char === "'") this.state = "none";
    } else if (this.escaped) {
      this.escaped = false;
    } else if (char === "\\") {
      this.escaped = true;
    } else if (this.state === "double") {
      if (char === '"') this.state = "none";
    } else if (char === "'") {
      this.state = "single";
    } else if (char === '"') {
      this.state = "double";
    }
  }
}
