/**
 * What stock rsync 3.5.0 gets wrong, or does as chance will have it, and the differential test therefore does not
 * compare. Each has been looked up in its source; where wsync keeps more than rsync does, it stays so.
 */
import { type Comparison, type Result } from "./_diffrun.ts";

/**
 * Options that stock rsync can be held to. It cannot set the attributes of an in-place backup above the destination,
 * and gives such a backup the first ACL of its list instead of the file's own; with --fake-super it stores random
 * owners where only one of --owner and --group is on, and loses ACLs where xattrs are filtered.
 */
export function sensible(options: readonly string[], isRoot: boolean): string[] {
  const inplace = options.some((word) => /^--(inplace|append|write-devices)/.test(word));
  const fake = isFake(options);
  const unlike = /^--(usermap|groupmap|chown|filter=.x|(no-)?[og]$)|^-[og]$/;
  const kept = fake ? [...options.filter((word) => !unlike.test(word)), "-og"] : options;
  // What an ordinary user may not read, even for a while, gets no ACL there.
  const aclsGetLost = inplace && (!isRoot || options.includes("-b"));
  return kept.map((word) => {
    if (inplace && word.includes("=../bak")) return word.replace("=../bak", "=WORK/bak");
    return aclsGetLost && /^-A?X*$/.test(word) ? word.replace("A", "") : word;
  }).filter((word) => word !== "-");
}

/** Whether the runs cannot be compared at all. */
export function comesToNothing(one: Comparison, theirs: Result, ours: Result): boolean {
  return isRace(one, theirs) || isRace(one, ours) || givesUp(theirs) || locksItselfOut(one, theirs)
    || stumblesInDryRun(one, theirs) || refusesItself(one, theirs);
}

/**
 * With --fuzzy a basis may itself be replaced between the generator's look at it and the receiver's: then a file is
 * sent twice, or stock rsync gives up, as chance will have it. With incremental recursion so it is with what is deleted
 * before an error of the sender's arrives. It also gives up on some groups of hard links, and on holes at the end of
 * what it appends.
 */
function isRace({ options, world }: Comparison, { stdout, stderr }: Result): boolean {
  if (world.rich && stdout.some((line) => line.startsWith("IO error encountered"))) return true;
  const isFuzzy = options.some((word) => word.startsWith("-y"));
  return isFuzzy && [...stdout, ...stderr].some((line) => /failed verification|no basis file/.test(line));
}

function givesUp({ stderr }: Result): boolean {
  const senseless = /^File-list index|: Success \(0\)$|write failed on .*: File exists/;
  return stderr.some((line) => senseless.test(line));
}

/** With --xattrs its receiver takes an ordinary user's right to write into a directory before the files come. */
function locksItselfOut({ options, world }: Comparison, { stderr }: Result): boolean {
  return !world.root && has(options, "X") && stderr.some((line) => /\[receiver\] (mkstemp|rename) .*denied/.test(line));
}

/** A dry run opens directories that it has not made, and looks for hard links in files that would be directories. */
function stumblesInDryRun({ options }: Comparison, { stderr }: Result): boolean {
  const stumbles = /gen_entry_copy_xattrs: |\[generator\] stat .* failed: Not a directory/;
  return options.includes("-n") && stderr.some((line) => stumbles.test(line));
}

/**
 * With -M a local copy's receiver parses options again: it takes the --whole-file that local copies have by default for
 * one of the user's, and its refusal reaches the user as a lost connection.
 */
function refusesItself({ options, way }: Comparison, { code, stderr }: Result): boolean {
  if (way !== "local" || code !== 12 || !options.some((word) => word.startsWith("-M"))) return false;
  return stderr.some((line) => line.startsWith("rsync error: syntax or usage error (code 1)"));
}

/** Error lines that are of no interest: --fake-super leaves alone what an ordinary user may not read. */
export function isAside({ options, world }: Comparison, line: string): boolean {
  return !world.root && isFake(options) && /\] failed to (read|write) xattr user\.rsync\.%stat /.test(line);
}

type Rule = (line: string, path: string) => string;

/** Both trees without what cannot be compared. */
export function comparable(
  one: Comparison, theirs: Map<string, string>, ours: Map<string, string>,
): [Map<string, string>, Map<string, string>] {
  const rules = rulesFor(one);
  // --fake-super: an ordinary user's files that forbid reading stay as they are, without a word.
  const isLeft = (path: string): boolean => !one.world.root && isFake(one.options) && !mayRead(theirs.get(path) ?? "");
  const masked = (tree: Map<string, string>): Map<string, string> =>
    new Map([...tree].filter(([path]) => !isLeft(path))
      .map(([path, line]) => [path, rules.reduce((text, rule) => rule(text, path), line)]));
  return [masked(theirs), masked(ours)];
}

function isFake(options: readonly string[]): boolean {
  return options.some((word) => word.endsWith("--fake-super"));
}

function rulesFor({ options, protocol, world }: Comparison): Rule[] {
  const rules: Rule[] = [];
  const [acls, xattrs] = [has(options, "A"), has(options, "X")];
  // It does not punch out the zeros at the end of what it has reserved; ours has no blocks there.
  const reserves = options.includes("--preallocate") && options.includes("-S");
  if (reserves) rules.push((line) => line.replace(/ blocks \d+/, ""));
  // Only regular files and directories get the xattrs of a basis directory's file that is like them.
  if (xattrs && options.some((word) => /^--(link|copy|compare)-dest/.test(word))) {
    rules.push((line) => (/^(fifo|socket|char|block|link) /.test(line) ? withoutXattrs(line) : line));
  }
  // Without --times it sets the second before 1970 after setting xattrs, when it sets access times.
  if (xattrs && options.some((word) => word.startsWith("-U"))) {
    rules.push((line) => line.replace(/^(\w+ \w+ \d+:\d+) -\d{1,9} /, "$1 now "));
  }
  // A directory that forbids its owner to write has the mode of its generator or of its receiver, who knows no other
  // than the one sent: whoever comes last.
  if (xattrs && !acls && !world.root) rules.push((line) => line.replace(/^dir (\d?)\d(\d\d) /, "dir $1.$2 "));
  // --fake-super: what it has stored of the ACLs of a file that stays it removes again when it sets xattrs.
  if (acls && xattrs && isFake(options)) {
    rules.push((line) => line.replaceAll(/ (user\.rsync\.%[ad]acl=\S+|blocks \d+)/g, ""));
  }
  // Directories below the first one of a --backup-dir get the first one's default ACL.
  if (acls && options.some((word) => word.startsWith("--backup-dir"))) {
    rules.push((line, path) => (/(^|\/)bak\//.test(path) ? line.replace(/ system\.posix_acl_default=\S+/, "") : line));
  }
  // It sets ACLs through a descriptor that it has to open for reading, as an ordinary user must not always.
  if (acls && !world.root) {
    rules.push((line) => (mayRead(line) ? line : withoutAcls(line)));
  }
  // Backups have whole seconds only where the protocol has.
  if (protocol < 31 && options.includes("-b")) {
    rules.push((line, path) => (/(^|\/)bak\/|(~|\.old|\.s)$/.test(path) ? line.replace(/\d{9} /, "000000000 ") : line));
  }
  return rules;
}

/** Whether -A or -X is among the options, alone or with others. */
function has(options: readonly string[], letter: "A" | "X"): boolean {
  return options.some((word) => /^-[AX]+$/.test(word) && word.includes(letter));
}

function mayRead(line: string): boolean {
  const mode = /^\w+ ([0-7]+) /.exec(line);
  return mode === null || (parseInt(mode[1], 8) & 0o400) !== 0;
}

function withoutAcls(line: string): string {
  return line.replaceAll(/ system\.posix_acl_\w+=\S+/g, "");
}

function withoutXattrs(line: string): string {
  return line.replaceAll(/ (user|trusted|security)\.\S+=\S*/g, "");
}
