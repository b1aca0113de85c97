/** Walks the option table: every row has an example here that names it. */
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../src/options/parse.ts";
import { type Options, defaultOptions } from "../../../src/options/options.ts";
import { serverArguments } from "../../../src/options/serverargs.ts";
import { DAEMON_ROWS, OPTION_ROWS, type OptionRow } from "../../../src/options/table.ts";
import { context, NOW, optionsOf } from "./_context.ts";

/** All long names and letters of rsync 3.5.0 (options.c, long_options). */
const LONG_NAMES = (""
  + "help version verbose no-verbose no-v info debug stderr msgs2stderr no-msgs2stderr quiet motd no-motd stats "
  + "human-readable no-human-readable no-h dry-run archive recursive no-recursive no-r inc-recursive "
  + "no-inc-recursive i-r no-i-r dirs no-dirs no-d old-dirs old-d perms no-perms no-p executability acls no-acls "
  + "no-A xattrs no-xattrs no-X times no-times no-t atimes no-atimes no-U open-noatime no-open-noatime crtimes "
  + "no-crtimes no-N omit-dir-times no-omit-dir-times no-O omit-link-times no-omit-link-times no-J modify-window "
  + "super no-super fake-super owner no-owner no-o group no-group no-g no-D devices no-devices copy-devices "
  + "write-devices no-write-devices specials no-specials drop-D no-drop-D confine-root links no-links no-l "
  + "copy-links copy-unsafe-links safe-links insecure-links no-insecure-links munge-links no-munge-links "
  + "copy-dirlinks keep-dirlinks hard-links no-hard-links no-H relative no-relative no-R implied-dirs "
  + "no-implied-dirs i-d no-i-d chmod ignore-times size-only one-file-system no-one-file-system no-x update "
  + "existing ignore-non-existing ignore-existing max-size min-size max-alloc sparse no-sparse no-S preallocate "
  + "inplace no-inplace append append-verify no-append del delete delete-before delete-during delete-delay "
  + "delete-after delete-excluded delete-missing-args ignore-missing-args remove-sent-files remove-source-files "
  + "force no-force ignore-errors no-ignore-errors max-delete filter exclude include exclude-from include-from "
  + "cvs-exclude whole-file no-whole-file no-W checksum no-checksum no-c checksum-choice cc block-size "
  + "compare-dest copy-dest link-dest fuzzy no-fuzzy no-y compress old-compress new-compress no-compress no-z "
  + "compress-choice zc skip-compress compress-level zl compress-threads zt progress no-progress partial "
  + "no-partial partial-dir delay-updates no-delay-updates prune-empty-dirs no-prune-empty-dirs no-m log-file "
  + "log-file-format out-format log-format itemize-changes no-itemize-changes no-i bwlimit no-bwlimit backup "
  + "no-backup backup-dir suffix list-only read-batch write-batch only-write-batch files-from from0 no-from0 "
  + "old-args no-old-args secluded-args no-secluded-args protect-args no-protect-args no-s trust-sender "
  + "numeric-ids no-numeric-ids usermap groupmap chown timeout no-timeout contimeout no-contimeout fsync "
  + "stop-after time-limit stop-at rsh rsync-path temp-dir iconv no-iconv ipv4 ipv6 8-bit-output no-8-bit-output "
  + "no-8 mkpath no-mkpath qsort copy-as address port sockopts password-file early-input blocking-io "
  + "no-blocking-io outbuf remote-option protocol checksum-seed server sender config daemon dparam detach "
  + "no-detach "
).trim().split(" ");
const LETTERS = "VvqhnardpEAXtUNOJ@ogDlLkKHRIxuSFfCWcByzPmib0seT468M";

/** One example for a row: words beside SRC and DEST, and what they must lead to. */
type Example = readonly [words: string, fields: Partial<Options>];

const EXAMPLES: Readonly<Record<string, Example>> = {
  verbose: ["-vv", { verbose: 2 }],
  info: ["--info=skip", { levels: expect.objectContaining({ info: expect.objectContaining({ SKIP: 1 }) }) }],
  debug: ["--debug=io3", { levels: expect.objectContaining({ debug: expect.objectContaining({ IO: 3 }) }) }],
  stderr: ["--stderr=a", { stderrMode: "all" }],
  msgs2stderr: ["--msgs2stderr", { stderrMode: "all" }],
  quiet: ["-q", { quiet: 1 }],
  motd: ["--no-motd", { motd: false }],
  stats: ["--stats", { stats: 1 }],
  "human-readable": ["-h", { humanReadable: 2 }],
  progress: ["--progress", { progress: 1 }],
  "-P": ["-P", { progress: 1, partial: true }],
  "itemize-changes": ["-ii", { itemize: 2, outFormatHasItemize: 2 }],
  "out-format": ["--log-format=%o", { outFormat: "%o", outFormatHasOperation: true }],
  "log-file": ["--log-file=x", { logFile: "x", logFormat: "%i %n%L", logFormatHasItemize: true }],
  "log-file-format": ["--log-file=x --log-file-format=%o", { logFormat: "%o", logFormatHasOperation: true }],
  watch: ["--watch -r", { watch: true }],
  "watch-target": ["--watch-target=a --watch-target b", { watchTargets: ["a", "b"] }],
  "watch-delay": ["--watch-delay=0.5", { watchDelay: "0.5" }],
  "watch-max-delay": ["--watch-max-delay=5", { watchMaxDelay: "5" }],
  "watch-audit": ["--watch-audit=60", { watchAudit: "60" }],
  "watch-retry": ["--watch-retry=9", { watchRetry: "9" }],
  "watch-backend": ["--watch-backend=poll", { watchBackend: "poll" }],
  "watch-poll": ["--watch-poll=2", { watchPoll: "2" }],
  "watch-allow-empty": ["--watch-allow-empty", { watchAllowEmpty: true }],
  json: ["--json", { json: true, outFormatHasItemize: 1 }],
  explain: ["--explain=a --explain b", {
    explain: ["a", "b"], dryRun: true, verbose: 2, itemize: 2, outFormat: "%i %n%L", outFormatHasItemize: 2,
  }],
  "list-only": ["--list-only", { listOnly: 2 }],
  "8-bit-output": ["-8", { eightBitOutput: true }],
  outbuf: ["--outbuf=L", { outbuf: "L" }],
  "dry-run": ["-n", { dryRun: true }],
  archive: ["-a", {
    recurse: 1, preserveLinks: true, preservePerms: true, preserveMtimes: true, preserveGid: true, preserveUid: true,
    preserveDevices: true, preserveSpecials: true,
  }],
  recursive: ["-r", { recurse: 2, dirs: 1 }],
  "inc-recursive": ["--no-i-r", { allowIncRecurse: false }],
  dirs: ["-d", { dirs: 2 }],
  "old-dirs": ["--old-d", {
    dirs: 1, recurse: 1, filters: [{ kind: "filter", value: "- /*/*", impliedBy: "--old-dirs" }],
  }],
  relative: ["-R", { relative: 1 }],
  "implied-dirs": ["-R --no-i-d", { impliedDirs: false }],
  "one-file-system": ["-xx", { oneFileSystem: 2 }],
  "files-from": ["--files-from=list", { filesFrom: "list", filesFromHost: null, relative: 1 }],
  from0: ["-0 --files-from=:x", { from0: true }],
  mkpath: ["--mkpath", { mkpath: true }],
  "prune-empty-dirs": ["-m", { pruneEmptyDirs: true }],
  "ignore-missing-args": ["--ignore-missing-args", { missingArgs: 1 }],
  "delete-missing-args": ["--ignore-missing-args --delete-missing-args", { missingArgs: 2 }],
  existing: ["--ignore-non-existing", { existing: true }],
  "ignore-existing": ["--ignore-existing", { ignoreExisting: true }],
  "max-size": ["--max-size=1.5K", { maxSize: 1536 }],
  "min-size": ["--min-size=2KB", { minSize: 2000 }],
  "ignore-times": ["-I", { ignoreTimes: true }],
  "size-only": ["--size-only", { sizeOnly: true }],
  "modify-window": ["-@-1", { modifyWindow: -1, modifyWindowSet: true }],
  checksum: ["-c", { checksum: true }],
  update: ["-u", { update: true }],
  "compare-dest": ["--compare-dest=x", { basisDirs: [{ kind: "compare", path: "x" }] }],
  "copy-dest": ["--copy-dest=x", { basisDirs: [{ kind: "copy", path: "x" }] }],
  "link-dest": ["--link-dest x", { basisDirs: [{ kind: "link", path: "x" }] }],
  perms: ["-p", { preservePerms: true }],
  executability: ["-E", { preserveExecutability: true }],
  chmod: ["--chmod=u+r --chmod=F644", { chmod: ["u+r", "F644"] }],
  acls: ["-A", { preserveAcls: 1, preservePerms: true }],
  xattrs: ["-XX", { preserveXattrs: 2 }],
  times: ["-t", { preserveMtimes: true }],
  atimes: ["-UU", { preserveAtimes: 2, openNoatime: true }],
  "open-noatime": ["--open-noatime", { openNoatime: true }],
  crtimes: ["-N", { preserveCrtimes: true }],
  "omit-dir-times": ["-O", { omitDirTimes: true, omitDirTimesImplied: false }],
  "omit-link-times": ["-J", { omitLinkTimes: true }],
  owner: ["-o", { preserveUid: true }],
  group: ["-g", { preserveGid: true }],
  super: ["--super", { superMode: "super" }],
  "fake-super": ["--fake-super", { superMode: "fake-super" }],
  "numeric-ids": ["--numeric-ids", { numericIds: true }],
  usermap: ["--usermap=a:b", { usermap: "a:b", preserveUid: true }],
  groupmap: ["--groupmap=a:b", { groupmap: "a:b", preserveGid: true }],
  chown: ["--chown=u:g", { usermap: "*:u", groupmap: "*:g", preserveUid: true, preserveGid: true }],
  "copy-as": ["--copy-as=u", { copyAs: "u" }],
  links: ["-l", { preserveLinks: true }],
  "copy-links": ["-L", { copyLinks: true }],
  "copy-unsafe-links": ["--copy-unsafe-links", { copyUnsafeLinks: true }],
  "safe-links": ["--safe-links", { safeLinks: true }],
  "insecure-links": ["--insecure-links", { insecureLinks: true }],
  "confine-root": ["--confine-root=/x", { confineRoot: "/x" }],
  "munge-links": ["--munge-links", { mungeLinks: true }],
  "copy-dirlinks": ["-k", { copyDirlinks: true }],
  "keep-dirlinks": ["-K", { keepDirlinks: true }],
  "hard-links": ["-HH", { preserveHardLinks: 2 }],
  "-D": ["-D", { preserveDevices: true, preserveSpecials: true }],
  devices: ["--devices", { preserveDevices: true, preserveSpecials: false }],
  specials: ["--specials", { preserveDevices: false, preserveSpecials: true }],
  "copy-devices": ["--copy-devices", { copyDevices: true }],
  "write-devices": ["--write-devices", { writeDevices: true, inplace: true }],
  "drop-D": ["--drop-D", { dropDevices: true }],
  "whole-file": ["-W", { wholeFile: 1 }],
  "block-size": ["-B 1K", { blockSize: 1024 }],
  "checksum-choice": ["--cc=none", { checksumChoice: "none", wholeFile: 1 }],
  "checksum-seed": ["--checksum-seed=5", { checksumSeed: 5 }],
  inplace: ["--inplace --partial", { inplace: true, partial: false }],
  append: ["--append --append", { append: 1, inplace: true }],
  "append-verify": ["--append-verify", { append: 2, inplace: true }],
  sparse: ["-S", { sparse: true }],
  preallocate: ["--preallocate", { preallocate: true }],
  fuzzy: ["-yy --link-dest=x", { fuzzy: 2 }],
  fsync: ["--fsync", { fsync: true }],
  backup: ["-b", { backup: true, suffix: "~" }],
  "backup-dir": ["--backup-dir=./x", { backup: true, backupDir: "x", suffix: "" }],
  suffix: ["-b --suffix=.bak", { suffix: ".bak" }],
  partial: ["--partial", { partial: true, partialDir: null }],
  "partial-dir": ["--partial-dir=.p", { partialDir: ".p", partial: true, partialDirImplied: false }],
  "delay-updates": ["--delay-updates", { delayUpdates: true, partialDir: ".~tmp~", partialDirImplied: true }],
  "temp-dir": ["-T x", { tempDir: "x" }],
  delete: ["-r --delete", { deleteMode: true, deleteDuring: 0 }],
  "delete-before": ["-r --delete-before", { deleteMode: true, deleteBefore: true }],
  "delete-during": ["-r --del", { deleteMode: true, deleteDuring: 1 }],
  "delete-delay": ["-r --delete-delay", { deleteMode: true, deleteDuring: 2 }],
  "delete-after": ["-r --delete-after", { deleteMode: true, deleteAfter: true }],
  "delete-excluded": ["-r --delete-excluded", { deleteMode: true, deleteExcluded: true }],
  "remove-source-files": ["--remove-source-files", { removeSourceFiles: 1 }],
  "remove-sent-files": ["--remove-sent-files", { removeSourceFiles: 2 }],
  force: ["--force", { force: true }],
  "ignore-errors": ["--ignore-errors", { ignoreErrors: true }],
  "max-delete": ["--max-delete=-3", { maxDelete: 0 }],
  filter: ["-f+_x", { filters: [{ kind: "filter", value: "+_x" }] }],
  "-F": ["-F", { filters: [{ kind: "filter", value: ": /.rsync-filter", impliedBy: "-F" }] }],
  exclude: ["--exclude=x", { filters: [{ kind: "exclude", value: "x" }] }],
  include: ["--include=x", { filters: [{ kind: "include", value: "x" }] }],
  "exclude-from": ["--exclude-from=x", { filters: [{ kind: "exclude-from", value: "x" }] }],
  "include-from": ["--include-from=x", { filters: [{ kind: "include-from", value: "x" }] }],
  "cvs-exclude": ["-C", { cvsExclude: true }],
  "trust-sender": ["--trust-sender", { trustSender: true }],
  compress: ["-z", { compress: true, compressChoice: null, compressByLevel: false }],
  "old-compress": ["--old-compress", { compress: true, compressChoice: "zlib" }],
  "new-compress": ["--new-compress", { compress: true, compressChoice: "zlibx" }],
  "compress-choice": ["--zc=lz4", { compress: true, compressChoice: "lz4" }],
  "compress-level": ["--zl=3", { compress: true, compressLevel: 3, compressByLevel: true }],
  "compress-threads": ["--zt=-2", { compressThreads: 0 }],
  "skip-compress": ["--skip-compress=gz", { skipCompress: "gz" }],
  bwlimit: ["--bwlimit=1.5m", { bwlimit: 1536 }],
  rsh: ["-e ssh", { rsh: "ssh", clientInfo: "" }],
  "rsync-path": ["--rsync-path=/x", { rsyncPath: "/x" }],
  "blocking-io": ["--no-blocking-io", { blockingIo: 0 }],
  "remote-option": ["-M--x -M -y", { remoteOptions: ["--x", "-y"] }],
  "secluded-args": ["--protect-args", { secludedArgs: 1 }],
  "old-args": ["--old-args --old-args", { oldArgs: 2, secludedArgs: 0 }],
  port: ["--port=873", { port: 873 }],
  address: ["--address=::1", { address: "::1" }],
  sockopts: ["--sockopts=SO_KEEPALIVE", { sockopts: "SO_KEEPALIVE" }],
  ipv4: ["-4", { family: 4 }],
  ipv6: ["-6", { family: 6 }],
  "password-file": ["--password-file=x", { passwordFile: "x" }],
  "early-input": ["--early-input=x", { earlyInput: "x" }],
  timeout: ["--timeout=7", { timeout: 7 }],
  contimeout: ["--contimeout=7", { contimeout: 7 }],
  protocol: ["--protocol=29", { protocol: 29 }],
  iconv: ["--iconv=utf8,latin1", { iconv: "utf8,latin1" }],
  "write-batch": ["--write-batch=x", { writeBatch: "x", onlyWriteBatch: false }],
  "only-write-batch": ["--only-write-batch=x", { writeBatch: "x", onlyWriteBatch: true }],
  "read-batch": ["--read-batch=x", { readBatch: "x" }],
  "max-alloc": ["--max-alloc=2G", { maxAlloc: 2 ** 31, maxAllocText: "2G" }],
  "stop-after": ["--time-limit=2", { stopAt: NOW + 120 }],
  "stop-at": ["--stop-at=2030-01-01", { stopAt: new Date(2030, 0, 1).getTime() / 1000 }],
  qsort: ["--qsort", { useQsort: true }],
  server: ["--server", { server: true }],
  sender: ["--server --sender", { sender: true }],
};

/** Rows whose option prints something or leads to daemon mode; parse.test.ts tries them. */
const WITHOUT_TRANSFER = ["version", "help", "daemon", "config", "dparam", "detach"];

/** Travelling forms that the example's own words do not show. */
const SENT_ELSEWHERE: Readonly<Record<string, string>> = {
  "implied-dirs": "--no-implied-dirs", "max-delete": "--max-delete=-1", "modify-window": "-@-1",
};

function nameOf(row: OptionRow): string {
  return row.long ?? `-${row.short}`;
}

const TITLED = OPTION_ROWS.map((row) => [nameOf(row), row] as const);

describe("the table", () => {
  it("holds every name and letter of rsync 3.5.0, each once, beside its own", () => {
    const rows = OPTION_ROWS.filter(({ own }) => !own);
    const names = rows.flatMap(({ long, aliases = [], no = [] }) => [long, ...aliases, ...no]);
    expect(names.filter((name) => name !== null).toSorted()).toEqual(LONG_NAMES.toSorted());
    const letters = OPTION_ROWS.flatMap(({ short }) => short ?? []);
    expect(letters.toSorted()).toEqual([...LETTERS].toSorted());
  });

  it("holds every name of daemon mode", () => {
    const names = DAEMON_ROWS.filter(({ own }) => !own).flatMap(({ long, no = [] }) => [long, ...no]).toSorted();
    const expected = "address bwlimit config daemon detach dparam help ipv4 ipv6 log-file log-file-format no-detach "
      + "no-v no-verbose port protocol server sockopts temp-dir verbose";
    expect(names.join(" ")).toBe(expected);
  });

  it("names only existing rows as implied or conflicting", () => {
    const known = new Set(LONG_NAMES);
    for (const { implies = [], conflicts = [] } of OPTION_ROWS) {
      for (const name of [...implies, ...conflicts]) expect(known).toContain(name);
    }
  });
});

for (const [name, row] of TITLED.filter(([title]) => !WITHOUT_TRANSFER.includes(title))) {
  describe(`--${name}`, () => walkRow(name, row));
}

/** The tests of one row: those that its columns call for. */
function walkRow(name: string, row: OptionRow): void {
  const spelled = row.long === null ? `-${row.short}` : `--${row.long}`;
  if (row.own) {
    it("is no business of a server", () => {
      const options = optionsOf([...EXAMPLES[name][0].split(" "), "src", "dst"]);
      const sent = [true, false].flatMap((sender) => serverArguments(options, { sender }));
      expect(sent.filter((word) => word.startsWith(spelled))).toEqual([]);
      expect(() => optionsOf(["--server", spelled, ".", "x"])).toThrow(`${spelled}: unknown option`);
    });
  }
  it("leads to its fields", () => {
    const [words, fields] = EXAMPLES[name];
    expect(optionsOf([...words.split(" "), "src", "dst"])).toMatchObject(fields);
  });
  if (row.unset !== undefined) {
    it("is undone by its negations", () => {
      const given = row.argument === undefined ? [spelled] : [];
      for (const negation of row.no ?? []) {
        expect(optionsOf([...given, `--${negation}`, "a", "b"])).toMatchObject(row.unset!);
      }
    });
  }
  if (row.sent !== undefined && row.sent !== "e") {
    it("travels to the server as it says", () => {
      const wanted = SENT_ELSEWHERE[name] ?? row.sent!;
      const options = optionsOf([...EXAMPLES[name][0].split(" "), "src", "dst"]);
      const sent = [true, false].flatMap((sender) => serverArguments(options, { sender }));
      if (wanted.length === 1) expect(sent.join(" ")).toMatch(new RegExp(`(^| )-[a-zA-Z]*${wanted}[a-zA-Z]*e[.]`));
      else expect(sent.some((word) => word.startsWith(wanted)), sent.join(" ")).toBe(true);
    });
  }
  if (row.available === false) {
    it("is refused by name as long as it is not available", () => {
      const words = row.argument === undefined ? [spelled] : [spelled, "1"];
      const run = (): unknown => parseArguments([...words, "a", "b"], { ...context(), rows: undefined });
      if (setsDefaults(row)) expect(run).not.toThrow();
      else expect(run).toThrow(new RegExp(`^rsync: ${spelled}.* is not available in this version of wsync$`));
    });
  }
}

/** --implied-dirs asks for what holds anyway. */
function setsDefaults({ set }: OptionRow): boolean {
  const initial = defaultOptions() as unknown as Record<string, unknown>;
  return set !== undefined && Object.entries(set).every(([field, value]) => initial[field] === value);
}
