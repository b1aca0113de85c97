/**
 * The syntax of rsyncd.conf: text in, sections, parameters and directives out, each with its line. No files, no
 * meaning. Upstream params.c: Parse, Section, Parameter.
 */

/** One item of a file. `line` is where it begins, counted from 1. */
export type ConfigItem =
  | { readonly type: "section"; readonly name: string; readonly line: number }
  | { readonly type: "parameter"; readonly name: string; readonly value: string; readonly line: number }
  /** A line that begins with "&". */
  | { readonly type: "directive"; readonly name: string; readonly value: string; readonly line: number }
  /** Something is wrong; `fatal`: the rest of the file is not looked at. */
  | { readonly type: "problem"; readonly text: string; readonly fatal: boolean; readonly line: number };

/** Takes a file apart. The items end at the first fatal problem. */
export function parseConfigText(text: string): ConfigItem[] {
  return new ConfigParser(text).parse();
}

/** White space as C's isspace has it. */
const isSpace = (char: string): boolean => char !== "" && " \t\n\v\f\r".includes(char);

class ConfigParser {
  private readonly text: string;
  private at = 0;
  private line = 1;
  private readonly items: ConfigItem[] = [];

  constructor(text: string) {
    const nul = text.indexOf("\0");
    this.text = nul < 0 ? text : text.slice(0, nul);
  }

  parse(): ConfigItem[] {
    for (let char = this.skipSpace(); char !== ""; char = this.skipSpace()) {
      if (char === "\n" || char === "\\") this.take();
      else if (char === ";" || char === "#") this.skipLine();
      else if (char === "[") {
        this.take();
        if (!this.section()) break;
      } else if (!this.parameter()) break;
    }
    return this.items;
  }

  /** The character at hand, "" at the end. */
  private get char(): string {
    return this.text[this.at] ?? "";
  }

  private take(): void {
    if (this.char === "\n") this.line++;
    this.at++;
  }

  /** Passes white space but line ends; returns the character behind it. */
  private skipSpace(): string {
    while (this.char !== "\n" && isSpace(this.char)) this.take();
    return this.char;
  }

  private skipLine(): void {
    while (this.char !== "" && this.char !== "\n") this.take();
  }

  private problem(text: string, line: number, fatal: boolean): boolean {
    this.items.push({ type: "problem", text, fatal, line });
    return !fatal;
  }

  private section(): boolean {
    const { line } = this;
    const name = this.word("]");
    if (name === null) return this.problem("a section name ends in ]", line, true);
    this.take();
    if (name === "") return this.problem("a section needs a name between [ and ]", line, true);
    this.items.push({ type: "section", name, line });
    this.skipLine();
    return true;
  }

  private parameter(): boolean {
    const { line } = this;
    const directive = this.char === "&";
    const name = directive ? this.directiveName() : this.word("=");
    if (name === null) {
      const found = this.text.slice(this.at).split("\n", 1)[0];
      this.skipLine();
      return this.problem(`not a section, a comment or NAME = VALUE: "${this.lastWord}${found}"`, line, false);
    }
    if (name === "") return this.problem("a parameter needs a name in front of =", line, true);
    if (!directive) this.take();
    if (this.skipSpace() === "\n" && directive) return this.problem(`${name} needs a path`, line, false);
    if (directive) this.skipEquals();
    this.items.push({ type: directive ? "directive" : "parameter", name, value: this.value(), line });
    return true;
  }

  /** A directive may have "=" in front of its path. */
  private skipEquals(): void {
    if (this.char !== "=") return;
    this.take();
    this.skipSpace();
  }

  private directiveName(): string {
    const start = this.at;
    while (this.char !== "" && !isSpace(this.char) && this.char !== "=") this.take();
    return this.text.slice(start, this.at);
  }

  /** What `word` read before it gave up, for messages. */
  private lastWord = "";

  /**
   * A name up to `end`, which is not taken: runs of white space become one space, a backslash at a line's end goes on
   * to the next line. Null when line or file end first.
   */
  private word(end: string): string | null {
    let name = "";
    for (;;) {
      const { char } = this;
      if (char === end) return name.trimEnd();
      if (char === "") break;
      if (char === "\n") {
        const whole = name.trimEnd();
        if (!whole.endsWith("\\")) break;
        name = whole.slice(0, -1);
        this.take();
      } else if (isSpace(char)) {
        this.skipSpace();
        if (name !== "" && !name.endsWith(" ")) name += " ";
      } else {
        name += char;
        this.take();
      }
    }
    this.lastWord = name;
    return null;
  }

  /** A value up to the end of its line, without white space around it. */
  private value(): string {
    let value = "";
    for (; this.char !== ""; this.take()) {
      if (this.char === "\r") continue;
      if (this.char !== "\n") {
        value += this.char;
        continue;
      }
      const whole = value.replace(/[ \t\v\f]+$/, "");
      if (!whole.endsWith("\\")) break;
      value = whole.slice(0, -1);
    }
    return value.replace(/[ \t\n\v\f\r]+$/, "");
  }
}
