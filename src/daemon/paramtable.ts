/**
 * The parameters of rsyncd.conf(5) 3.5.0 as data, with a few of our own: one row each, read by the parser, by
 * --check-config and by the documentation. Upstream daemon-parm.txt.
 *
 * Names are compared without case and white space. A string's %VAR% references are filled in when it is used, those of
 * other kinds when the file is read.
 */

/** How a value is written. "facility" is a syslog facility by name or number, "bool3" may also be "unset". */
export type ParameterKind = "string" | "path" | "integer" | "bool" | "bool3" | "facility";

/** A value as it is kept: null is a string that was never set, or an unset bool3. */
export type ParameterValue = string | number | boolean | null;

/** One parameter. */
export interface ParameterRow {
  readonly name: string;
  readonly kind: ParameterKind;
  /** Used as long as no file sets it. */
  readonly fallback: ParameterValue;
  /** One line of documentation. */
  readonly help: string;
  /** A command for a shell: what a peer had a part in is quoted when it is filled in. */
  readonly shell?: true;
  /** What the value names on the disk, for --check-config. */
  readonly names?: "directory" | "file" | "new file" | "command";
  /** One that rsync does not have (and passes over with a line in its log). */
  readonly own?: true;
}

/** Parameters of the whole daemon. */
export const GLOBAL_PARAMETERS = [
  { name: "address", kind: "string", fallback: null, help: "local address to listen on" },
  { name: "daemon chroot", kind: "string", fallback: null, names: "directory",
    help: "root directory for each connection, before anything is read from it" },
  { name: "daemon gid", kind: "string", fallback: null, help: "group for each connection, by name or number" },
  { name: "daemon uid", kind: "string", fallback: null, help: "user for each connection, by name or number" },
  { name: "motd file", kind: "string", fallback: null, names: "file", help: "text that every client is shown" },
  { name: "pid file", kind: "string", fallback: null, names: "new file", help: "file for the daemon's process id" },
  { name: "proxy protocol hosts", kind: "string", fallback: null,
    help: "peers that may tell another client's address (as in hosts allow)" },
  { name: "socket options", kind: "string", fallback: null, help: "options of the listening sockets" },
  { name: "listen backlog", kind: "integer", fallback: 5, help: "connections that may wait to be accepted" },
  { name: "port", kind: "integer", fallback: 0, help: "port to listen on (873)" },
  { name: "proxy protocol", kind: "bool", fallback: false,
    help: "each connection begins with a proxy's header that tells the client's address" },
  { name: "json log", kind: "bool", fallback: false, own: true,
    help: "log lines of JSON, with the id of the connection in each" },
  { name: "tls port", kind: "integer", fallback: 0, own: true, help: "port to listen on with TLS (874; 0: none)" },
  { name: "tls certificate", kind: "string", fallback: null, names: "file", own: true,
    help: "certificate of this host with those that lead to its authority, PEM" },
  { name: "tls key", kind: "string", fallback: null, names: "file", own: true, help: "the certificate's key, PEM" },
  { name: "tls client ca", kind: "string", fallback: null, names: "file", own: true,
    help: "authorities of clients' certificates, PEM: only clients that have one may connect" },
  { name: "websocket port", kind: "integer", fallback: 0, own: true,
    help: "port to listen on for WebSocket connections (0: none)" },
  { name: "websocket tls", kind: "bool", fallback: false, own: true, help: "the WebSocket port is one with TLS" },
  { name: "websocket origins", kind: "string", fallback: null, own: true,
    help: "origins of web pages that may connect, with wildcards (* for all)" },
  { name: "websocket proxy hosts", kind: "string", fallback: null, own: true,
    help: "web proxies whose X-Forwarded-For tells the client's address (as in hosts allow)" },
  { name: "metrics port", kind: "integer", fallback: 0, own: true,
    help: "port for /metrics, /healthz and /readyz over HTTP (0: none)" },
  { name: "metrics address", kind: "string", fallback: "127.0.0.1", own: true,
    help: "local address of the metrics port" },
] as const satisfies readonly ParameterRow[];

/** Parameters of a module; before the first module, or in [global], they set what later modules begin with. */
export const MODULE_PARAMETERS = [
  { name: "auth digest", kind: "string", fallback: null, help: "weakest digest that authentication may use" },
  { name: "auth users", kind: "string", fallback: null, help: "who may connect: NAME or @GROUP, with :deny :ro :rw" },
  { name: "charset", kind: "string", fallback: null, help: "charset of the module's file names" },
  { name: "comment", kind: "string", fallback: null, help: "text beside the name in the list of modules" },
  { name: "dont compress", kind: "string", fallback: null, help: "* sends everything uncompressed" },
  { name: "early exec", kind: "string", fallback: null, shell: true, names: "command",
    help: "command to run when the module has been chosen" },
  { name: "exclude", kind: "string", fallback: null, help: "patterns of names that clients do not see" },
  { name: "exclude from", kind: "string", fallback: null, names: "file", help: "file with such patterns" },
  { name: "filter", kind: "string", fallback: null, help: "filter rules for what clients see" },
  { name: "gid", kind: "string", fallback: null, help: "groups of a transfer; * for all groups of the user" },
  { name: "hosts allow", kind: "string", fallback: null, help: "addresses and names that may connect" },
  { name: "hosts deny", kind: "string", fallback: null, help: "addresses and names that may not" },
  { name: "include", kind: "string", fallback: null, help: "patterns of names that clients see in spite of exclude" },
  { name: "include from", kind: "string", fallback: null, names: "file", help: "file with such patterns" },
  { name: "incoming chmod", kind: "string", fallback: null, help: "changes of the modes of files that come in" },
  { name: "lock file", kind: "string", fallback: "/var/run/rsyncd.lock", names: "new file",
    help: "file whose locks count connections" },
  { name: "log file", kind: "string", fallback: null, names: "new file", help: "log here instead of to syslog" },
  { name: "log format", kind: "string", fallback: "%o %h [%a] %m (%u) %f %l", help: "line for each file transferred" },
  { name: "name", kind: "string", fallback: null, help: "the module's name" },
  { name: "name converter", kind: "string", fallback: null, shell: true, names: "command",
    help: "program that turns user and group names into ids and back" },
  { name: "outgoing chmod", kind: "string", fallback: null, help: "changes of the modes of files that go out" },
  { name: "post-xfer exec", kind: "string", fallback: null, shell: true, names: "command",
    help: "command to run after the transfer" },
  { name: "pre-xfer exec", kind: "string", fallback: null, shell: true, names: "command",
    help: "command to run before the transfer" },
  { name: "refuse options", kind: "string", fallback: null, help: "options that clients may not use" },
  { name: "secrets file", kind: "string", fallback: null, names: "file", help: "passwords, NAME:PASSWORD a line" },
  { name: "syslog tag", kind: "string", fallback: "rsyncd", help: "name in front of syslog lines" },
  { name: "uid", kind: "string", fallback: null, help: "user of a transfer (nobody, when the daemon is root)" },
  { name: "path", kind: "path", fallback: null, names: "directory", help: "directory that the module is" },
  { name: "temp dir", kind: "path", fallback: null, help: "directory for files that are being received" },
  { name: "max connections", kind: "integer", fallback: 0, help: "most connections at a time (0: any number)" },
  { name: "max verbosity", kind: "integer", fallback: 1, help: "how much a client may have logged" },
  { name: "timeout", kind: "integer", fallback: 0, help: "seconds of silence that end a transfer" },
  { name: "syslog facility", kind: "facility", fallback: 3, help: "syslog facility by name" },
  { name: "fake super", kind: "bool", fallback: false, help: "keep attributes for root in extended attributes" },
  { name: "forward lookup", kind: "bool", fallback: true, help: "look up the names in hosts allow and hosts deny" },
  { name: "ignore errors", kind: "bool", fallback: false, help: "delete even after read errors" },
  { name: "ignore nonreadable", kind: "bool", fallback: false, help: "leave out files that cannot be read" },
  { name: "insecure links", kind: "bool", fallback: false, help: "follow symlinks of whatever owner" },
  { name: "list", kind: "bool", fallback: true, help: "show the module in the list" },
  { name: "read only", kind: "bool", fallback: true, help: "refuse uploads" },
  { name: "reverse lookup", kind: "bool", fallback: true, help: "look up the name of the client's address" },
  { name: "strict modes", kind: "bool", fallback: true, help: "the secrets file must not be open to others" },
  { name: "transfer logging", kind: "bool", fallback: false, help: "log each file" },
  { name: "write only", kind: "bool", fallback: false, help: "refuse downloads" },
  { name: "munge symlinks", kind: "bool3", fallback: null, help: "store symlinks so that they lead nowhere" },
  { name: "numeric ids", kind: "bool3", fallback: null, help: "leave user and group names alone" },
  { name: "open noatime", kind: "bool3", fallback: null, help: "leave access times of files that are read alone" },
  { name: "use chroot", kind: "bool3", fallback: null, help: "make the module's directory the root directory" },
] as const satisfies readonly ParameterRow[];

type Row = (typeof GLOBAL_PARAMETERS)[number] | (typeof MODULE_PARAMETERS)[number];
type NamesOf<R extends Row, K extends ParameterKind> = Extract<R, { kind: K }>["name"];

/** Names of parameters whose value is text. */
export type TextName = NamesOf<Row, "string" | "path">;
/** Names of those with a number. */
export type NumberName = NamesOf<Row, "integer" | "facility">;
/** Names of those that are on or off. */
export type FlagName = NamesOf<Row, "bool">;
/** Names of those that may also be unset. */
export type Flag3Name = NamesOf<Row, "bool3">;

/** A name as it is compared: lower case, no white space. */
export function foldName(name: string): string {
  return name.replace(/[ \t\n\v\f\r]+/g, "").toLowerCase();
}

const ROWS = new Map<string, { readonly row: ParameterRow; readonly global: boolean }>([
  ...GLOBAL_PARAMETERS.map((row) => [foldName(row.name), { row, global: true }] as const),
  ...MODULE_PARAMETERS.map((row) => [foldName(row.name), { row, global: false }] as const),
]);

/** The row of a name in any spelling. */
export function findParameter(name: string): { readonly row: ParameterRow; readonly global: boolean } | null {
  return name.startsWith("-") ? null : (ROWS.get(foldName(name)) ?? null);
}

/** Syslog facilities by name, with their numbers. */
const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0, user: 1, mail: 2, daemon: 3, auth: 4, security: 4, syslog: 5, lpr: 6, news: 7, uucp: 8, cron: 9,
  authpriv: 10, ftp: 11, local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23,
};

/** What a value of a kind may be, for messages. */
export const KIND_WORDS: Readonly<Record<ParameterKind, string>> = {
  string: "text", path: "a path", integer: "a number", bool: "yes, no, true, false, 1 or 0",
  bool3: "yes, no, true, false, 1, 0 or unset", facility: "a syslog facility",
};

const TRUE_WORDS = ["yes", "true", "1"];
const FALSE_WORDS = ["no", "false", "0"];

/** A value from its text; undefined when the text is none of this kind. Upstream do_parameter, set_boolean. */
export function parseValue(kind: ParameterKind, text: string): ParameterValue | undefined {
  switch (kind) {
    case "string":
      return text;
    case "path":
      return text.replace(/(?<=.)\/+$/, "");
    case "integer":
      return Number.parseInt(text, 10) || 0;
    case "facility":
      return facilityOf(text);
    default: {
      const word = foldName(text);
      if (TRUE_WORDS.includes(word)) return true;
      if (FALSE_WORDS.includes(word)) return false;
      return kind === "bool3" && (word === "unset" || word === "-1") ? null : undefined;
    }
  }
}

/** A number is taken as the C library's constant, which has the facility in its upper bits. */
function facilityOf(text: string): number | undefined {
  const known = FACILITIES[text.toLowerCase()];
  if (known !== undefined) return known;
  const number = Number.parseInt(text, 10);
  return number > 0 ? number >> 3 : undefined;
}

/** Is the text a whole number, as "integer" means to be given? The parser takes any text as upstream does. */
export function isInteger(text: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(text);
}
