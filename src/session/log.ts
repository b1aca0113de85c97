/**
 * Where every line of output goes: to standard output or error on the client, to the client as messages on a server,
 * to the log file when there is one. Upstream log.c:rwrite and rprintf.
 *
 * Texts are names (one code unit per byte), so that a file name passes through untouched and is escaped only when it
 * reaches a terminal or file.
 */
import { type Host } from "../host.ts";
import { bytesOf } from "../memory.ts";
import { MessageTag } from "../protocol/constants.ts";
import { type Charset as Iconv } from "../charset/charset.ts";
import { charsetOf, escapeLine, type Charset } from "../output/escape.ts";
import { type Observer } from "../output/events.ts";
import { type Levels, type InfoWord, type DebugWord } from "../options/levels.ts";

/** Message categories, with the numbers of upstream's enum logcode. */
export const LogCode = { none: 0, errorXfer: 1, info: 2, error: 3, warning: 4, log: 6, client: 7 } as const;
export type LogCode = (typeof LogCode)[keyof typeof LogCode];

/** Writes a line of a log, which carries its own line end; `warning` for errors too. The caller owns the file. */
export type LogFileWriter = ((text: string, warning: boolean) => void) | null;

/** The part of the options a Log reads. */
export interface LogSettings {
  readonly server: boolean;
  readonly quiet: number;
  readonly stderrMode: "errors" | "all" | "client" | null;
  readonly eightBitOutput: boolean;
}

export class Log {
  readonly levels: Levels;
  /** A file failed: the run ends with exit code 23. Upstream got_xfer_error. */
  gotXferError = false;
  /** Sends a message to the client; returns false when that is not possible (yet). Set by the session on a server. */
  send: ((tag: number, payload: Uint8Array) => boolean) | null = null;
  /** --iconv: messages travel in UTF-8. */
  iconv: Iconv | null = null;
  /** Writes a line to --log-file, or to a daemon's log. */
  logFile: LogFileWriter = null;
  /** The protocol agreed on, for messages older peers do not know. */
  protocolVersion = 32;
  /** The progress display left the cursor in mid-line. */
  needsNewline = false;
  /** Is told of every line that it does not know as an event already; set on a client somebody watches. */
  observer: Observer | null = null;
  /** The beginning of a line that the observer is still to be told of. */
  private begun = "";
  private readonly host: Host;
  private readonly settings: LogSettings;
  private readonly charset: Charset;

  constructor(host: Host, settings: LogSettings, levels: Levels) {
    this.host = host;
    this.settings = settings;
    const charset = charsetOf((name) => host.env(name));
    // A server does not know where its words end up: it judges a byte at a time, and in UTF-8 none is a letter.
    this.charset = settings.server && charset === "utf-8" ? "ascii" : charset;
    this.levels = levels;
  }

  /** Informational lines are printed at all: no --quiet. */
  get isLoud(): boolean {
    return this.settings.quiet === 0;
  }

  /** Is --info=WORD at this level or above? */
  info(word: InfoWord, level: number): boolean {
    return this.levels.info[word] >= level;
  }

  /** Is --debug=WORD at this level or above? */
  debug(word: DebugWord, level: number): boolean {
    return this.levels.debug[word] >= level;
  }

  /** Writes text, which carries its own line end, under a category. `told`: the observer knows of it. */
  write(code: LogCode, text: string, told = false): void {
    if (code === LogCode.none) return;
    let category = code;
    if (category === LogCode.client) category = LogCode.info;
    else this.logFile?.(text, category !== LogCode.info && category !== LogCode.log);
    if (category === LogCode.log) return;
    if (category === LogCode.errorXfer) this.gotXferError = true;
    if (category === LogCode.info && this.settings.quiet > 0) return;
    if (this.settings.server && this.sendToClient(category, text)) return;
    if (this.observer !== null) {
      if (!told) this.tell(this.observer, category, text);
      if (this.observer.mutes === "all" || (this.observer.mutes === "stdout" && this.isForStdout(category))) return;
    }
    this.print(category, text);
  }

  infoLine(text: string): void {
    this.write(LogCode.info, text);
  }

  error(text: string): void {
    this.write(LogCode.error, text);
  }

  /** A file could not be transferred as asked. */
  errorXfer(text: string): void {
    this.write(LogCode.errorXfer, text);
  }

  /** An error with a name in it that is UTF-8 still, because it has no form in this side's charset. */
  errorUtf8(text: string): void {
    const { iconv, settings } = this;
    if (iconv === null || (settings.server && this.sendToClient(LogCode.error, text, true))) return;
    this.error(iconv.receive.lenient(text));
  }

  warning(text: string): void {
    this.write(LogCode.warning, text);
  }

  /** Advice below an error, which is no part of rsync's output: for the eyes of whoever is there. */
  advise(text: string): void {
    if (text !== "" && this.observer?.mutes !== "all") this.print(LogCode.error, `${text}\n`);
  }

  /** A line that came from the other side, already sorted into a category. */
  relay(tag: number, payload: string): void {
    this.write(tag as LogCode, this.iconv?.receive.lenient(payload) ?? payload);
  }

  /** Ends a line that the progress display has left open. */
  endLine(fd: 1 | 2 = 1): void {
    if (!this.needsNewline) return;
    this.needsNewline = false;
    this.host.print(fd, bytesOf("\n"));
  }

  private tell(observer: Observer, category: LogCode, text: string): void {
    const lines = (this.begun + text).split(/[\r\n]/);
    this.begun = lines.pop()!;
    for (const line of lines) {
      if (line === "") continue;
      if (category === LogCode.info) observer.event({ type: "message", text: line });
      else observer.event({ type: "error", severity: category === LogCode.warning ? "warning" : "error", text: line });
    }
  }

  private isForStdout(category: LogCode): boolean {
    return category === LogCode.info && !this.settings.server && this.settings.stderrMode !== "all";
  }

  private sendToClient(category: LogCode, text: string, isUtf8 = false): boolean {
    const { stderrMode } = this.settings;
    const isError = category !== LogCode.info;
    if (stderrMode === "all" || (stderrMode !== "client" && isError)) return false;
    let tag: number = category;
    if (this.protocolVersion < 30 && tag === MessageTag.error) tag = MessageTag.errorXfer;
    else if (this.protocolVersion < 30 && tag === MessageTag.warning) tag = MessageTag.info;
    const sent = isUtf8 ? text : this.iconv?.send.lenient(text) ?? text;
    return this.send?.(tag, bytesOf(sent)) ?? false;
  }

  private print(category: LogCode, text: string): void {
    const fd = this.isForStdout(category) ? 1 : 2;
    this.endLine(fd);
    this.host.print(fd, bytesOf(escapeLine(text, this.settings.eightBitOutput, this.charset)));
  }
}
