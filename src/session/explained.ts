/**
 * What the facts about a name amount to: what would become of it, and the reasons in words. What the far side of a
 * remote run keeps to itself is called unknown.
 */
import { type FilterRule, RuleFlag } from "../filter/rules.ts";
import { type Options } from "../options/options.ts";
import {
  type ExplainEvent, type FileEvent, type ItemReason, type RuleFact, type Verdict,
} from "../output/events.ts";
import { permissionString } from "../output/mode.ts";
import { Numbers } from "../output/numbers.ts";
import { timeString } from "../output/time.ts";
import { type Decision, type LineFact, type NameFacts, type Side } from "./explainfacts.ts";

/** The run that the facts are from. */
export interface ExplainContext {
  readonly options: Options;
  readonly near: "both" | Side;
  readonly protocol: number;
  readonly exitCode: number;
  /** Lines about why deletions were given up. */
  readonly stops: readonly string[];
  /** Directories above the name, from the top down. */
  readonly above: readonly string[];
  /** The rule that the far side goes by for a name, as far as this side gave it its rules. */
  peerRule(path: string, isDir: boolean): FilterRule | null;
}

type FactsOf = (name: string) => NameFacts;

/** All that is to be said about `name`. */
export function explained(name: string, factsOf: FactsOf, context: ExplainContext): ExplainEvent {
  const answer = new Answer(name, factsOf, context);
  answer.work();
  return answer.event();
}

/** A rule in words. */
function ruleText({ rule, file, line, option }: Pick<RuleFact, "rule" | "file" | "line" | "option">): string {
  const where = file === null ? option : line === null ? file : `${file} line ${line}`;
  return `rule "${rule}"${where === null ? "" : ` (${where})`}`;
}

const NUMBERS = new Numbers(1);

class Answer {
  private readonly name: string;
  private readonly own: NameFacts;
  private readonly factsOf: FactsOf;
  private readonly context: ExplainContext;
  private readonly reasons: string[] = [];
  private readonly rules: RuleFact[] = [];
  private verdict: Verdict = "unknown";

  constructor(name: string, factsOf: FactsOf, context: ExplainContext) {
    this.name = name;
    this.own = factsOf(name);
    this.factsOf = factsOf;
    this.context = context;
  }

  event(): ExplainEvent {
    const { own, name, verdict, reasons, rules } = this;
    const there = (present: boolean | null): "present" | "absent" | "unknown" =>
      present === null ? "unknown" : present ? "present" : "absent";
    return {
      type: "explain", path: name, verdict, reasons, rules,
      sender: own.listed ? "listed" : there(own.present.sender), receiver: there(this.onReceiver),
    };
  }

  work(): void {
    const { own, context } = this;
    if (own.listed) this.offered();
    else {
      this.notOffered();
      this.receiversCopy();
    }
    if (context.exitCode !== 0) {
      this.reasons.push(`the run ended with exit code ${context.exitCode}: there may be more to know`);
    }
  }

  /** Is it there? A dry run that would replace or delete it tells so, too. */
  private get onReceiver(): boolean | null {
    const { deleted, item, old, present } = this.own;
    if (deleted || old) return true;
    if (present.receiver !== null) return present.receiver;
    return item ? !item.reasons.includes("new") : null;
  }

  // What the sender offers.

  private offered(): void {
    const { own, context } = this;
    const [line] = own.lines;
    if (own.rules.sender?.include) this.addRule("sender", this.name, own.rules.sender);
    if (line && line.verdict !== "up to date") {
      this.verdict = line.verdict;
      this.reasons.push(line.reason);
    } else if (own.item) this.itemized(own.item);
    else if (line) this.upToDate();
    else if (own.listed!.kind === "directory" && context.options.pruneEmptyDirs) {
      this.verdict = "skipped";
      this.reasons.push("nothing below it is offered (--prune-empty-dirs)");
    } else if (context.near === "sender") {
      this.reasons.push("the receiver does not ask for it, and does not say why");
    } else this.reasons.push("the run ended before it was decided about");
  }

  private itemized(item: FileEvent): void {
    switch (item.action) {
      case "transfer": this.verdict = "transferred"; break;
      case "create": this.verdict = "created"; break;
      case "link": this.verdict = "linked"; break;
      case "attributes": this.verdict = "updated"; break;
      default: return this.upToDate();
    }
    if (item.action === "link") this.reasons.push(`it is a hard link to "${item.target}"`);
    for (const reason of item.reasons) this.reasons.push(this.difference(reason));
  }

  private upToDate(): void {
    const { options } = this.context;
    this.verdict = "up to date";
    const isFile = this.own.listed?.kind === "file";
    const compared = options.checksum ? "size and checksum" : options.sizeOnly ? "size" : "size and modification time";
    this.reasons.push(isFile ? `${compared} are the same on both sides` : "nothing differs");
  }

  /** One thing that differs, with both values where they are known. */
  private difference(reason: ItemReason): string {
    const { own } = this;
    const [here, there] = [own.listed!, own.old];
    const both = (what: string, ours: string, theirs: string): string =>
      there ? `${what} differs: ${ours} on the sender, ${theirs} on the receiver` : `${what} differs`;
    const rights = (mode: number): string => permissionString(mode).slice(1);
    switch (reason) {
      case "new": return "the receiver does not have it";
      case "size": return both("size", NUMBERS.bytes(here.size), NUMBERS.bytes(there?.size ?? 0));
      case "time": return this.timeDifference(both);
      case "permissions": return both("mode", rights(here.mode), rights(there?.mode ?? 0));
      case "owner": return both("owner", String(here.uid), String(there?.uid));
      case "group": return both("group", String(here.gid), String(there?.gid));
      case "contents": return "its contents are sent whatever is there";
      case "target": return "it points elsewhere on the receiver";
      default: return `${reason} differs`;
    }
  }

  private timeDifference(both: (what: string, ours: string, theirs: string) => string): string {
    const { own: { listed, old }, context: { options } } = this;
    if (!options.preserveMtimes) return "its modification time is not kept (no --times)";
    const [here, there] = [timeString(listed!.mtime), timeString(old?.mtime ?? 0)];
    return here === there ? "modification time differs by less than a second" : both("modification time", here, there);
  }

  // What the sender does not offer.

  private notOffered(): void {
    const { name, own, context } = this;
    const above = [...context.above, name].find((one) => this.decidedBy("sender", one) === false);
    if (above !== undefined) {
      this.verdict = "excluded";
      this.addRule("sender", above, this.factsOf(above).rules.sender!);
      return;
    }
    const told = [...context.above, name].find((one) => this.sendersWord(one) !== undefined);
    if (told !== undefined) {
      const { verdict, reason } = this.sendersWord(told)!;
      this.verdict = verdict;
      this.reasons.push(told === name ? reason : `about its directory "${told}": ${reason}`);
    } else if (own.present.sender === false) {
      this.verdict = "not there";
      this.reasons.push("the sender does not have it");
    } else if (own.present.sender) this.notReached();
    else this.unknownOnSender();
  }

  /** What the sender says about why it does not offer a name. */
  private sendersWord(name: string): LineFact | undefined {
    return this.factsOf(name).lines.find(({ verdict }) => verdict === "skipped" || verdict === "refused");
  }

  private notReached(): void {
    const { options, above } = this.context;
    this.verdict = "skipped";
    if (options.filesFrom !== null) this.reasons.push("the list of --files-from does not lead to it");
    else if (options.recurse === 0 && above.length > 0) {
      this.reasons.push("it lies in a directory, and --recursive is not given");
    } else this.reasons.push("no source of the command line leads to it");
  }

  /** The sender is on the far side. Its rules are known as far as they were sent to it. */
  private unknownOnSender(): void {
    const rule = this.farRule("sender");
    if (rule) {
      this.verdict = "excluded";
      return;
    }
    this.reasons.push("the sender does not offer it: it has no such name, or reasons that are not known here");
  }

  // What the receiver does with a name that is not offered.

  private receiversCopy(): void {
    const { own, onReceiver } = this;
    if (own.deleted) {
      this.verdict = "deleted";
      if (own.rules.receiver?.include) this.addRule("receiver", this.name, own.rules.receiver);
      this.reasons.push("the receiver has it, and the sender does not offer it (--delete)");
      const merged = this.rules.some(({ side, file }) => side === "sender" && file !== null);
      if (merged) this.reasons.push("no rule protects it: the receiver reads the rules in its own directories");
    } else if (onReceiver) {
      if (this.verdict === "not there" || this.verdict === "unknown") this.verdict = "kept";
      this.whyKept();
    } else if (onReceiver === false) this.reasons.push("the receiver does not have it");
    else if (this.deletes) {
      const rule = this.farRule("receiver");
      if (!rule) this.reasons.push("the receiver does not delete it: it has no such name, or does not say why");
    } else this.reasons.push("if the receiver has it, it stays (no --delete)");
  }

  private whyKept(): void {
    const { name, own, context } = this;
    const kept = own.lines.find(({ verdict }) => verdict === "kept");
    const protectedAt = [...context.above, name].find((one) => this.decidedBy("receiver", one) === false);
    const parent = context.above.at(-1) ?? ".";
    const say = (text: string): unknown => this.reasons.push(`the receiver's copy stays: ${text}`);
    if (!this.deletes) say("no --delete is given");
    else if (protectedAt !== undefined) {
      this.addRule("receiver", protectedAt, this.factsOf(protectedAt).rules.receiver!);
    } else if (kept) say(kept.reason);
    else if (context.stops.length > 0) say(context.stops[0]);
    else if (!this.factsOf(parent).listed?.withContents) say(`"${parent}" is not transferred with its contents`);
    else say("nothing decided about it");
  }

  private get deletes(): boolean {
    const { deleteMode, deleteExcluded, deleteBefore, deleteAfter, deleteDuring } = this.context.options;
    return deleteMode || deleteExcluded || deleteBefore || deleteAfter || deleteDuring > 0;
  }

  // Rules.

  /** True: let in, or open to deletion; false: left out, or protected; null: no rule decided. */
  private decidedBy(side: Side, name: string): boolean | null {
    return this.factsOf(name).rules[side]?.include ?? null;
  }

  private addRule(side: Side, path: string, { origin, include }: Decision, provided = ""): void {
    const { text, file, line, given } = origin;
    const effect = side === "sender" ? (include ? "include" : "exclude") : include ? "risk" : "protect";
    const fact: RuleFact = {
      side, path, effect, rule: text, file, line: line < 0 ? null : line, option: given,
    };
    this.rules.push(fact);
    const which = path === this.name ? "it" : `its directory "${path}"`;
    const does = {
      include: `lets ${which} in`, exclude: `leaves ${which} out`, protect: `protects ${which} on the receiver`,
      risk: `leaves ${which} open to deletion`,
    }[effect];
    this.reasons.push(`${ruleText(fact)} ${does}${provided}`);
  }

  /** The rule by which the far side leaves the name out or protects it, if it has it; told of. */
  private farRule(side: Side): boolean {
    const { name, context } = this;
    for (const path of [...context.above, name]) {
      // What kind of file it is over there is not known: rules for directories count for those above.
      const rule = context.peerRule(path, path !== name);
      if (!rule?.origin || (rule.flags & RuleFlag.include) !== 0) continue;
      this.addRule(side, path, { origin: rule.origin, include: false }, ", if it is there");
      return true;
    }
    return false;
  }
}
