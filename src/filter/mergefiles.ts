/**
 * All filter rules of one side of a session: the option list, the daemon's list, merge files read once and
 * per-directory merge files entered and left with the walk (upstream exclude.c: parse_filter_str, parse_filter_file,
 * add_rule, setup_merge_file, push_local_filters, pop_local_filters, change_local_filter_dir, name_is_excluded).
 */
import { ExitCode, UsageError, WsyncError } from "../errors.ts";
import { latin1 } from "../memory.ts";
import { CVS_DEFAULTS, type FilterOption, type FilterSettings } from "./filtersettings.ts";
import { checkFilter, type MatchContext } from "./match.ts";
import { baseName, cleanName, sanitizePath, withSlash } from "./paths.ts";
import { placeOf, sourceOf, type RuleOrigin, type RuleSource } from "./provenance.ts";
import {
  closingSlash, Elide, elideOf, FilterList, type FilterRule, makeRule, ParseFlag, parseRule, RuleFlag, rulePrefix,
  wirePrefix,
} from "./rules.ts";

const F = RuleFlag;
const P = ParseFlag;
const SIDES = F.senderSide | F.receiverSide;

const MAX_PATH = 4096;
const MAX_LINE = MAX_PATH + 1024;
const MAX_MERGE_DEPTH = 32;

/** What `push` saved: the state of each per-directory list. */
interface PushState {
  readonly count: number;
  readonly states: (ReturnType<FilterList["save"]> | null)[];
}

/** The rules of one side. */
export class Filters {
  readonly list = new FilterList();
  readonly daemon: FilterList;
  /** A per-directory merge rule exists: the sender's choice of names has to be trusted. */
  hasPerDir = false;
  /** A rule for xattr names exists: then rules alone decide which attributes are copied (upstream saw_xattr_filter). */
  hasXattrRules = false;
  /** Names that stayed although perishable rules were ignored (upstream non_perishable_cnt). */
  nonPerishable = 0;
  /** Negotiated protocol version. */
  version = 32;
  private readonly s: FilterSettings;
  /** Level of --debug=filter. */
  private debugLevel: number;
  private readonly context: MatchContext;
  private readonly moduleDir: string;
  /** Rules whose files are read per directory, in order of activation; null where one was dropped. */
  private mergeRules: (FilterRule | null)[] = [];
  private cvsRead = false;
  /** Lines of a file end in NUL. */
  private from0: boolean;
  private mergeDepth = 0;
  /** The option that gives the rules at hand. */
  private given: string | null = null;
  /** The rule at hand, as it was written. */
  private written = "";
  /** The file whose rules are being read. */
  private source: RuleSource | null = null;
  /** Absolute path of the directory whose rules are read, with a closing slash. */
  private dir: string;
  private root: string;
  private parentScan = false;
  private readonly stack: { depth: number; state: PushState | null }[] = [];

  constructor(settings: FilterSettings) {
    this.s = settings;
    this.from0 = settings.from0;
    this.daemon = settings.daemon ?? new FilterList(" [daemon]");
    this.moduleDir = settings.moduleDir ?? "";
    this.debugLevel = settings.debug === null ? 0 : (settings.debugLevel ?? 1);
    this.root = settings.cwd;
    this.dir = withSlash(settings.cwd);
    this.context = {
      rootPrefix: "", ignorePerishable: false, elided: Elide.remote, cvs: new FilterList(" [global CVS]"),
      trace: settings.debug || settings.judged ? (...decision) => this.trace(...decision) : null,
    };
    this.setRoot(settings.cwd);
  }

  /** True when no rule can exclude anything. */
  get isEmpty(): boolean {
    return this.list.isEmpty && this.daemon.isEmpty;
  }

  /** Names of the files that are read per directory. */
  get perDirNames(): readonly string[] {
    return this.mergeRules.flatMap((rule) => (rule === null ? [] : [baseName(rule.pattern)]));
  }

  get ignorePerishable(): boolean {
    return this.context.ignorePerishable;
  }

  set ignorePerishable(value: boolean) {
    this.context.ignorePerishable = value;
  }

  /** Counts a name that stays. */
  notePerishable(): void {
    this.nonPerishable++;
  }

  /** Adds the filter options of a command line in order. Throws UsageError or, for unreadable files, exit code 11. */
  addArguments(options: readonly FilterOption[]): void {
    const { debugLevel, version } = this;
    for (const { kind, value, impliedBy, traced = 0, from0 = false, protocol = 32 } of options) {
      this.debugLevel = traced;
      this.version = protocol;
      this.given = impliedBy ?? `--${kind}`;
      this.from0 = from0;
      switch (kind) {
        case "filter": this.parse(value); break;
        case "exclude": this.parse(value, 0, P.oldPrefixes); break;
        case "include": this.parse(value, F.include, P.oldPrefixes); break;
        case "exclude-from": this.parseFile(this.list, value, 0, P.fatalErrors | P.oldPrefixes); break;
        case "include-from": this.parseFile(this.list, value, F.include, P.fatalErrors | P.oldPrefixes); break;
      }
    }
    this.debugLevel = debugLevel;
    this.version = version;
    this.given = null;
    this.from0 = this.s.from0;
  }

  /**
   * A partial directory that lies in the transfer is left alone on both sides, though it may go with its directory.
   * Upstream compat.c:setup_protocol.
   */
  addPartialDir(path: string): void {
    const perishable = !this.s.amSender || this.version >= 30;
    this.given = "--partial-dir";
    this.parse(path, F.noPrefixes | F.directory | (perishable ? F.perishable : 0));
  }

  /** Adds rules from a file of the operator's: exit code 11 when it cannot be read. "" names none. */
  addFile(path: string, template: number, xflags: number, list: FilterList = this.list): void {
    this.parseFile(list, path, template, xflags | P.fatalErrors);
  }

  /** Adds rules from text. `template`: RuleFlag bits of the context; `xflags`: ParseFlag bits. */
  parse(text: string, template = 0, xflags = 0, list: FilterList = this.list): void {
    for (let at = 0; ;) {
      const source = this.source === null ? null : placeOf(this.source);
      const parsed = parseRule(text, at, { template, xflags, deleteExcluded: this.s.deleteExcluded, source });
      if (parsed === null) return;
      this.written = text.slice(at, parsed.next).trim();
      at = parsed.next;
      if ((parsed.flags & F.perDirMerge) !== 0) this.hasPerDir = true;
      const { flags, pattern } = parsed;
      if ((flags & F.xattr) !== 0) this.hasXattrRules = true;
      if (pattern.length >= MAX_PATH) this.s.error(`discarding over-long filter: ${this.show(flags, pattern)}`);
      else if ((flags & F.clearList) !== 0) {
        this.say(`clearing filter list${list.label}`);
        this.forget(list.clear());
      } else this.place(list, flags, pattern, xflags);
    }
  }

  /** Puts a parsed rule where it belongs, or reads the file it names. */
  private place(list: FilterList, flags: number, text: string, xflags: number): void {
    let pattern = text;
    if ((flags & F.mergeFile) !== 0) {
      if (pattern === "") pattern = ".cvsignore";
      if ((flags & F.excludeSelf) !== 0) {
        this.add(list, flags & F.fromFile, pattern.slice(pattern.lastIndexOf("/") + 1), 0);
        flags &= ~F.excludeSelf;
      }
      if ((flags & F.perDirMerge) === 0) {
        this.parseFile(list, this.mergeName(flags, pattern) ?? "", flags, P.fatalErrors);
        return;
      }
      if (this.parentScan) {
        const name = this.mergeName(flags, pattern);
        if (name !== null) this.add(list, flags, name, 0);
        return;
      }
    }
    this.add(list, flags, pattern, xflags);
    if ((flags & F.cvsIgnore) !== 0 && (flags & F.mergeFile) === 0) this.readCvsExcludes(flags);
  }

  /** Adds one rule (exclude.c:add_rule). */
  private add(list: FilterList, flags: number, text: string, xflags: number): void {
    const surprises = /[ \t]$/.test(text);
    if (this.debugLevel >= (surprises ? 1 : 2)) this.warn(list, flags, text, surprises);
    const local = (xflags & (P.anchoredToAbsolute | P.absoluteIfSlash)) !== 0;
    if (local && (flags & SIDES) === (this.s.amSender ? F.receiverSide : F.senderSide)) return;
    let pattern = text;
    if (pattern.length > 1 && pattern.endsWith("/")) {
      pattern = pattern.slice(0, -1);
      flags |= F.directory;
    }
    const anchored = pattern.startsWith("/");
    if ((flags & (F.absolute | F.mergeFile)) === 0
      && ((local && anchored) || ((xflags & P.absoluteIfSlash) !== 0 && pattern.includes("/")))) {
      flags |= F.absolute;
      if (anchored) pattern = this.insideModule(this.dir.slice(0, -1)) + pattern;
    }
    if ((xflags & P.dirToWild3) !== 0 && (flags & (F.directory | F.include)) === F.directory) {
      flags &= ~F.directory;
      pattern += "/***";
    }
    if ((flags & F.perDirMerge) !== 0 && this.isMerged(pattern)) return;
    const rule = makeRule(flags, pattern, ` [per-dir ${this.show(flags, baseName(pattern))}]`);
    if (this.s.judged) rule.origin = this.originOf();
    if (rule.merge !== null) {
      this.say(`activating mergelist #${this.mergeRules.length}${rule.merge.label}`);
      this.mergeRules.push(rule);
    }
    list.add(rule);
  }

  private originOf(): RuleOrigin {
    const { source, given, written: text } = this;
    if (source === null) return { text, file: null, line: -1, given };
    return { text, file: this.located(source.path), line: source.line, given: null };
  }

  /** --debug=filter2 tells of what is done with lists and files. Who speaks is put in front. */
  private say(text: string): void {
    if (this.debugLevel >= 2) this.s.debug!(`[${this.s.who}] ${text}`);
  }

  /** --debug=filter2: a rule is added. At level 1 only one that ends in blanks, which may surprise. */
  private warn(list: FilterList, flags: number, text: string, surprises: boolean): void {
    const { debug, who, amSender, deleteExcluded } = this.s;
    const own = (flags & F.fromFile) === 0;
    const wire = { version: this.version, amSender, deleteExcluded };
    const prefix = own ? wirePrefix(makeRule(flags, text, ""), wire) : "";
    const caution = own && surprises ? " -- CAUTION: trailing whitespace!" : "";
    debug?.(`[${who}] add_rule(${prefix ?? ""}${this.show(flags, text)})${list.label}${caution}`);
  }

  /** Is a merge file of this name active already? */
  private isMerged(pattern: string): boolean {
    return this.mergeRules.some((rule) => rule !== null && baseName(rule.pattern) === baseName(pattern));
  }

  /** Deactivates per-directory merge rules among dropped rules. */
  private forget(rules: readonly FilterRule[]): void {
    for (const rule of rules) {
      if (rule.merge === null) continue;
      const at = this.mergeRules.indexOf(rule);
      if (at < 0) continue;
      this.say(`deactivating mergelist #${at}${rule.merge.label}`);
      this.mergeRules[at] = null;
    }
    while (this.mergeRules.length > 0 && this.mergeRules[this.mergeRules.length - 1] === null) this.mergeRules.pop();
  }

  /** The rules that -C stands for, read once: the defaults, ~/.cvsignore and $CVSIGNORE. */
  private readCvsExcludes(flags: number): void {
    if (this.cvsRead) return;
    this.cvsRead = true;
    const { cvs } = this.context;
    const { given } = this;
    this.given = "--cvs-exclude";
    this.parse(CVS_DEFAULTS, flags | (this.version >= 30 ? F.perishable : 0), 0, cvs);
    if (this.s.home !== null) this.parseFile(cvs, withSlash(this.s.home) + ".cvsignore", flags, 0);
    this.given = "$CVSIGNORE";
    if (this.s.cvsIgnore !== null) this.parse(this.s.cvsIgnore, flags, 0, cvs);
    this.given = given;
  }

  /**
   * A merge file's path: a bare name stays, anything else becomes absolute; null (reported) when that is too long.
   * Upstream exclude.c:parse_merge_name.
   */
  private mergeName(flags: number, name: string): string | null {
    if (!this.parentScan && !name.includes("/")) return name;
    const clean = this.s.confined ? this.sanitized(name) : cleanName(name, { collapseDotDot: true })!;
    if (clean.startsWith("/")) return clean;
    if (this.dir.length + clean.length < MAX_PATH) return cleanName(this.dir + clean, { collapseDotDot: true })!;
    this.s.error(`merge-file name overflows: ${this.show(flags, clean)}`);
    return null;
  }

  /** A merge file's name as one within the module, absolute or relative to the present directory. */
  private sanitized(name: string): string {
    const depth = this.insideModule(this.dir).split("/").filter((element) => element !== "").length;
    return sanitizePath(name, { root: this.parentScan ? "/" : this.moduleDir || "/", depth });
  }

  /** An absolute path from the module's directory on. */
  private insideModule(path: string): string {
    return this.moduleDir !== "" && path.startsWith(this.moduleDir) ? path.slice(this.moduleDir.length) : path;
  }

  /** Reads rules from a file (exclude.c:parse_filter_file). A missing one counts only with `fatalErrors`. */
  private parseFile(list: FilterList, path: string, template: number, xflags: number): void {
    if (path === "") return;
    const fatal = (xflags & P.fatalErrors) !== 0;
    if (this.mergeDepth >= MAX_MERGE_DEPTH) {
      const limit = `merge-file include depth limit (${MAX_MERGE_DEPTH})`;
      const text = `[${this.s.who}] ${limit} exceeded at ${this.show(template, path)}`;
      if (fatal) throw new WsyncError(text, ExitCode.fileIo);
      this.s.error(text);
      return;
    }
    const hidden = this.isHiddenFile(path);
    const bytes = hidden ? null : this.s.readFile(this.located(path));
    if (this.debugLevel >= 2) this.sayParse(path, template, xflags, bytes);
    if (bytes === null) return;
    if (typeof bytes === "number") {
      if (fatal) throw this.openError(path, template, -bytes);
      return;
    }
    const { source } = this;
    this.source = sourceOf(path, source !== null || (template & F.fromFile) !== 0, source);
    this.mergeDepth++;
    try {
      this.parseLines(list, bytes, template, xflags);
    } finally {
      this.mergeDepth--;
      this.source = source;
    }
  }

  private sayParse(path: string, template: number, xflags: number, bytes: Uint8Array | number | null): void {
    const own = this.source === null && (template & F.fromFile) === 0;
    const numbers = `${template.toString(16)},${xflags.toString(16)}`;
    const missing = own && typeof bytes === "number" ? " [not found]" : "";
    if (bytes !== null) this.say(`parse_filter_file(${this.show(template, path)},${numbers})${missing}`);
    else this.say(`parse_filter_file(${this.show(template, path)})${own ? " hidden by daemon filter" : ""}`);
  }

  /** A bare name is looked up in the directory that names are relative to, which upstream makes its own. */
  private located(path: string): string {
    return path === "-" || path.startsWith("/") ? path : withSlash(this.root) + path;
  }

  /** A file that the daemon's filters hide is as good as missing. */
  private isHiddenFile(path: string): boolean {
    if (this.daemon.isEmpty) return false;
    const name = path.startsWith("/") ? this.insideModule(path) : path;
    return checkFilter(this.daemon, cleanName(name, { collapseDotDot: true })!, false, this.context) < 0;
  }

  private openError(path: string, template: number, errno: number): WsyncError {
    const what = (template & F.include) !== 0 ? "include" : "exclude";
    const text = `failed to open ${what} file ${this.show(template, path)}`;
    const hidden = this.source !== null || (template & F.fromFile) !== 0;
    const { who, strerror } = this.s;
    return new WsyncError(hidden ? text : `rsync: [${who}] ${text}: ${strerror(errno)} (${errno})`, ExitCode.fileIo);
  }

  private parseLines(list: FilterList, bytes: Uint8Array, template: number, xflags: number): void {
    const words = (template & F.wordSplit) !== 0;
    const text = latin1(bytes, 0, bytes.length);
    const lines = words ? text.split(/[ \t\n\v\f\r\0]+/) : this.from0 ? text.split("\0") : text.split(/\r\n|\r|\n/);
    lines.forEach((line, at) => {
      this.source!.line = words ? -1 : at + 1;
      if (line === "" || (!words && (line[0] === ";" || line[0] === "#"))) return;
      if (line.length >= MAX_LINE) this.s.error(`discarding over-long filter: <rule from ${placeOf(this.source)}>`);
      else this.parse(cutAtNul(line), template, xflags, list);
    });
  }

  /** A rule's text for a message, unless it came from a file that a peer may have chosen. */
  private show(flags: number, text: string): string {
    return this.source === null && (flags & F.fromFile) === 0 ? text : `<rule from ${placeOf(this.source)}>`;
  }

  // Directories.

  /** Changes the directory that names are relative to. */
  setRoot(path: string): void {
    this.root = path;
    this.context.rootPrefix = this.insideModule(path).replace(/^\/+/, "");
  }

  /** Makes `dir` (relative to the root, or absolute) the one whose merge files are read. */
  private setDir(dir: string): void {
    const path = cleanName(dir.startsWith("/") ? dir : withSlash(this.root) + dir, { collapseDotDot: true })!;
    this.dir = withSlash(path.length > 1 && path.endsWith("/.") ? path.slice(0, -2) : path);
  }

  /** Enters a directory: reads its merge files. The result goes to `pop`. */
  push(dir: string): PushState | null {
    this.setDir(dir);
    this.say(`pushing local filters for ${this.dir}`);
    if (this.mergeRules.length === 0) return null;
    const state = { count: this.mergeRules.length, states: this.mergeRules.map((rule) => rule && rule.merge!.save()) };
    // Reading a file may activate further ones; they are read here too.
    for (let i = 0; i < this.mergeRules.length; i++) {
      const rule = this.mergeRules[i];
      if (rule === null) continue;
      this.say(`pushing mergelist #${i}${rule.merge!.label}`);
      this.enter(rule, dir);
    }
    return state;
  }

  private enter(rule: FilterRule, dir: string): void {
    const list = rule.merge!;
    list.descend((rule.flags & F.noInherit) === 0);
    if ((rule.flags & F.finishSetup) !== 0) {
      rule.flags &= ~F.finishSetup;
      if (this.scanParents(rule)) this.setDir(dir);
    }
    const path = this.dir + rule.pattern;
    if (path.length < MAX_PATH) this.parseFile(list, path, rule.flags, P.anchoredToAbsolute);
    else this.s.error(`cannot add local filter rules in long-named directory: ${this.show(rule.flags, path)}`);
  }

  /**
   * A merge rule with a path reads its file in the directories from that path down to the transfer's root first
   * (exclude.c:setup_merge_file). True when the rule had a path; it is a bare name afterwards.
   */
  private scanParents(rule: FilterRule): boolean {
    const path = this.mergeName(rule.flags, rule.pattern);
    if (!path?.startsWith("/")) return false;
    const list = rule.merge!;
    const number = `#${this.mergeRules.indexOf(rule)}${list.label}`;
    this.say(`performing parent_dirscan for mergelist ${number}`);
    rule.pattern = baseName(path);
    const top = withSlash(cleanName(path.slice(0, path.lastIndexOf("/")) || "/", { collapseDotDot: true })!);
    const target = this.dir;
    if (!target.startsWith(top)) return true;
    this.parentScan = true;
    for (let at = top.length; at < target.length; at = target.indexOf("/", at) + 1) {
      this.dir = target.slice(0, at);
      this.parseFile(list, this.dir + rule.pattern, rule.flags, P.anchoredToAbsolute);
      if ((rule.flags & F.noInherit) !== 0) this.forget(list.clear());
      else list.descend(true);
    }
    this.parentScan = false;
    this.say(`completed parent_dirscan for mergelist ${number}`);
    return true;
  }

  /** Leaves a directory. */
  pop(state: PushState | null): void {
    const count = state?.count ?? 0;
    this.say("popping local filters");
    for (let i = this.mergeRules.length - 1; i >= 0; i--) {
      const rule = this.mergeRules[i];
      if (rule === null || rule === undefined) continue;
      this.say(`popping mergelist #${i}${rule.merge!.label}`);
      this.forget(rule.merge!.dropOwn());
      if (i < count) continue;
      if (!rule.merge!.isEmpty) this.say(`freeing parent_dirscan filters of mergelist #${i}${rule.merge!.label}`);
      this.forget(rule.merge!.clear());
    }
    if (state === null) return;
    for (let i = 0; i < count; i++) {
      const saved = state.states[i];
      const rule = this.mergeRules[i];
      if (rule && saved) rule.merge!.restore(saved);
    }
  }

  /** Enters a directory at a depth after leaving all at that depth or deeper; null leaves all. */
  changeDir(dir: string | null, depth: number): void {
    const { stack } = this;
    const least = dir === null ? 0 : depth;
    while (stack.length > 0 && stack[stack.length - 1].depth >= least) {
      const { state } = stack.pop()!;
      if (state !== null) this.pop(state);
    }
    if (dir !== null) stack.push({ depth, state: this.push(dir) });
  }

  // Matching.

  /** Is an extended attribute left out by a rule for them? */
  isXattrExcluded(name: string): boolean {
    if (!this.daemon.isEmpty && checkFilter(this.daemon, name, false, this.context, true) < 0) return true;
    return !this.list.isEmpty && checkFilter(this.list, name, false, this.context, true) < 0;
  }

  /** Is a name left out by the daemon's rules or, with level "all", by any (exclude.c:name_is_excluded)? */
  isExcluded(path: string, isDir: boolean, level: "server" | "all"): boolean {
    if (!this.daemon.isEmpty && checkFilter(this.daemon, path, isDir, this.context) < 0) return true;
    return level === "all" && !this.list.isEmpty && checkFilter(this.list, path, isDir, this.context) < 0;
  }

  /** -1, 0 or 1 by the session's rules alone. */
  check(path: string, isDir: boolean): -1 | 0 | 1 {
    return checkFilter(this.list, path, isDir, this.context);
  }

  /** As `check`, with the rules the other side went by: to verify its list (exclude.c:check_server_filter). */
  checkAsPeer(path: string, isDir: boolean): -1 | 0 | 1 {
    this.context.elided = Elide.local;
    try {
      return checkFilter(this.list, path, isDir, this.context);
    } finally {
      this.context.elided = Elide.remote;
    }
  }

  /** The rule that decides about a name by what the other side was told or goes by, or null. */
  peerRule(path: string, isDir: boolean): FilterRule | null {
    const { context } = this;
    const { trace } = context;
    let found: FilterRule | null = null;
    context.trace = (_name, _isDir, rule) => {
      found = rule;
    };
    this.checkAsPeer(path, isDir);
    context.trace = trace;
    return found;
  }

  private trace(name: string, isDir: boolean, rule: FilterRule, label: string): void {
    const { who, debug, judged } = this.s;
    // A check of what the peer did is no decision.
    if (judged && this.context.elided === Elide.remote && (rule.flags & F.xattr) === 0) judged(name, isDir, rule);
    if (debug === null) return;
    // Who only checks a list that has come tells of it at the highest level.
    if (who.toLowerCase() === "receiver" && this.debugLevel < 3) return;
    const include = (rule.flags & F.include) !== 0;
    const action = who.startsWith("g") ? (include ? "risk" : "protect") : include ? "show" : "hid";
    const slash = (rule.flags & (F.directory | F.fromFile)) === F.directory ? "/" : "";
    const pattern = this.show(rule.flags, rule.pattern) + slash;
    const what = (rule.flags & F.xattr) !== 0 ? "xattr" : isDir ? "directory" : "file";
    debug(`[${who}] ${action}ing ${what} ${name} because of pattern ${pattern}${label}`);
  }

  // Sharing rules with the other side.

  /** The session's rules as --filter would take them. */
  spelled(): string[] {
    return this.list.rules.map((rule) => `${rulePrefix(rule)}${rule.pattern}${closingSlash(rule)}`);
  }

  private get receiverWantsList(): boolean {
    const { pruneEmptyDirs, deleteMode, deleteExcluded } = this.s;
    return pruneEmptyDirs || (deleteMode && (!deleteExcluded || this.version >= 29));
  }

  /**
   * On a client: the rules to send, in order, or null when the server expects no list. Marks rules that are not for
   * this side and adds those of -C (exclude.c:send_filter_list). Throws UsageError (2) for rules too modern to send.
   */
  sendList(): string[] | null {
    const { amSender, cvsExclude, localServer } = this.s;
    const silent = localServer || (amSender && !this.receiverWantsList);
    const modern = this.version >= 29;
    this.given = "--cvs-exclude";
    if (cvsExclude && amSender) {
      if (modern) this.parse(":C");
      this.parse("-C");
    }
    const texts: string[] = [];
    this.collect(this.list, silent ? null : texts);
    if (cvsExclude) {
      if (!amSender || !modern) this.parse(":C");
      if (!amSender) this.parse("-C");
    }
    return silent ? null : texts;
  }

  /** On a server: will a list come? */
  get expectsList(): boolean {
    return !this.s.localServer && (this.s.amSender || this.receiverWantsList);
  }

  /** On a server: one rule of the list. */
  receive(text: string): void {
    this.parse(text, 0, this.version >= 29 ? 0 : P.oldPrefixes);
  }

  /** On a server: after the list (or instead of it) the rules of -C. */
  finishReceive(): void {
    const { amSender, cvsExclude, localServer } = this.s;
    this.given = "--cvs-exclude";
    if (cvsExclude) {
      if (localServer || amSender || this.version < 29) this.parse(":C");
      if (localServer || amSender) this.parse("-C");
    }
    if (localServer) this.collect(this.list, null);
  }

  /** Marks which side each rule is for and spells those for the other side (exclude.c:send_rules). */
  private collect(list: FilterList, texts: string[] | null): void {
    const { amSender, deleteExcluded } = this.s;
    for (const rule of list.rules) {
      rule.elide = elideOf(rule.flags, amSender, deleteExcluded);
      if (rule.elide === Elide.local) continue;
      if ((rule.flags & F.cvsIgnore) !== 0 && (rule.flags & F.mergeFile) === 0) {
        const expand = amSender || this.version < 29;
        this.collect(this.context.cvs, expand ? texts : null);
        if (expand) continue;
      }
      const prefix = wirePrefix(rule, { version: this.version, amSender, deleteExcluded });
      if (prefix === null) {
        throw new UsageError("filter rules are too modern for remote rsync.", ExitCode.protocol);
      }
      texts?.push(prefix + rule.pattern + closingSlash(rule));
    }
  }
}

function cutAtNul(line: string): string {
  const at = line.indexOf("\0");
  return at < 0 ? line : line.slice(0, at);
}
