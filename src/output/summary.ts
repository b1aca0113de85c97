/** The lines at the end of a run: --stats and the totals. Upstream: main.c:output_summary. */
import { type Numbers } from "./numbers.ts";

/** Counters of the run; session/stats has them all. Times in milliseconds. */
export interface SummaryStats {
  readonly numFiles: number;
  readonly numDirs: number;
  readonly numSymlinks: number;
  readonly numDevices: number;
  readonly numSpecials: number;
  readonly createdFiles: number;
  readonly createdDirs: number;
  readonly createdSymlinks: number;
  readonly createdDevices: number;
  readonly createdSpecials: number;
  readonly deletedFiles: number;
  readonly deletedDirs: number;
  readonly deletedSymlinks: number;
  readonly deletedDevices: number;
  readonly deletedSpecials: number;
  readonly transferredFiles: number;
  readonly totalSize: number;
  readonly totalTransferredSize: number;
  readonly literalData: number;
  readonly matchedData: number;
  readonly flistSize: number;
  readonly flistBuildTime: number;
  readonly flistTransferTime: number;
}

/** What the lines depend on besides the counters. */
export interface SummarySettings {
  /** Level of --info=STATS. */
  readonly level: number;
  readonly protocolVersion: number;
  /** Bytes over the connection, as this side counts them. */
  readonly written: number;
  readonly read: number;
  /** Whole seconds of the run; null when unknown. */
  readonly elapsedSeconds: number | null;
  readonly dryRun: boolean;
  readonly onlyWriteBatch: boolean;
}

/** A line with its end; `clientOnly` ones stay out of the log file. */
export interface SummaryLine {
  readonly text: string;
  readonly clientOnly: boolean;
}

const BLANK: SummaryLine = { text: "\n", clientOnly: true };

/** All lines of the summary, none at level 0. */
export function summaryLines(stats: SummaryStats, settings: SummarySettings, numbers: Numbers): SummaryLine[] {
  const lines = (texts: readonly string[]): SummaryLine[] =>
    texts.map((text) => ({ text: `${text}\n`, clientOnly: false }));
  return [
    ...(settings.level >= 2 ? [BLANK, ...lines(statistics(stats, settings, numbers))] : []),
    ...(settings.level >= 1 ? [BLANK, ...lines(totals(stats, settings, numbers))] : []),
  ];
}

function statistics(stats: SummaryStats, settings: SummarySettings, numbers: Numbers): string[] {
  const { protocolVersion, written, read } = settings;
  const all = [stats.numFiles, stats.numDirs, stats.numSymlinks, stats.numDevices, stats.numSpecials];
  const created = [
    stats.createdFiles, stats.createdDirs, stats.createdSymlinks, stats.createdDevices, stats.createdSpecials,
  ];
  const deleted = [
    stats.deletedFiles, stats.deletedDirs, stats.deletedSymlinks, stats.deletedDevices, stats.deletedSpecials,
  ];
  return [
    countLine("Number of files", all, numbers),
    ...(protocolVersion >= 29 ? [countLine("Number of created files", created, numbers)] : []),
    ...(protocolVersion >= 31 ? [countLine("Number of deleted files", deleted, numbers)] : []),
    `Number of regular files transferred: ${numbers.comma(stats.transferredFiles)}`,
    `Total file size: ${numbers.bytes(stats.totalSize)} bytes`,
    `Total transferred file size: ${numbers.bytes(stats.totalTransferredSize)} bytes`,
    `Literal data: ${numbers.bytes(stats.literalData)} bytes`,
    `Matched data: ${numbers.bytes(stats.matchedData)} bytes`,
    `File list size: ${numbers.bytes(stats.flistSize)}`,
    ...listTimes(stats, numbers),
    `Total bytes sent: ${numbers.bytes(written)}`,
    `Total bytes received: ${numbers.bytes(read)}`,
  ];
}

function listTimes({ flistBuildTime, flistTransferTime }: SummaryStats, numbers: Numbers): string[] {
  if (flistBuildTime === 0) return [];
  return [
    `File list generation time: ${numbers.commaDecimal(flistBuildTime / 1000, 3)} seconds`,
    `File list transfer time: ${numbers.commaDecimal(flistTransferTime / 1000, 3)} seconds`,
  ];
}

const KINDS = ["reg", "dir", "link", "dev", "special"];

/** "Number of files: 3 (reg: 2, dir: 1)": the total comes first in `counts`, then all kinds but regular files. */
function countLine(title: string, counts: readonly number[], numbers: Numbers): string {
  const [total, ...others] = counts;
  const regular = total - others.reduce((sum, count) => sum + count, 0);
  const named = [regular, ...others].map((count, at) => (count === 0 ? "" : `${KINDS[at]}: ${numbers.comma(count)}`));
  const parts = named.filter((part) => part !== "");
  return `${title}: ${numbers.comma(total)}${total === 0 ? "" : ` (${parts.join(", ")})`}`;
}

function totals(stats: SummaryStats, settings: SummarySettings, numbers: Numbers): string[] {
  const { written, read, elapsedSeconds } = settings;
  const rate = elapsedSeconds === null ? "UNKNOWN" : numbers.bytesDecimal((written + read) / (0.5 + elapsedSeconds), 2);
  const speedup = numbers.commaDecimal(stats.totalSize / (written + read), 2);
  const note = settings.onlyWriteBatch ? " (BATCH ONLY)" : settings.dryRun ? " (DRY RUN)" : "";
  return [
    `sent ${numbers.bytes(written)} bytes  received ${numbers.bytes(read)} bytes  ${rate} bytes/sec`,
    `total size is ${numbers.bytes(stats.totalSize)}  speedup is ${speedup}${note}`,
  ];
}

/** Facts of --info=stats3 about memory, in bytes. */
export interface HeapFacts {
  readonly pid: number;
  readonly role: string;
  readonly server: boolean;
  readonly daemon: boolean;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly usedBytes: number;
}

/** The block of --info=stats3, with the names that rsync's has (upstream show_malloc_stats). */
export function heapLines(facts: HeapFacts): SummaryLine[] {
  const row = (name: string, value: number, text: string): string =>
    `  ${`${name}:`.padEnd(11)}${String(value).padStart(10)}   (${text})`;
  const free = Math.max(facts.heapBytes - facts.usedBytes, 0);
  const side = `${facts.server ? "server " : ""}${facts.daemon ? "daemon " : ""}`;
  const texts = [
    `rsync[${facts.pid}] (${side}${facts.role}) heap statistics:`,
    row("arena", facts.heapBytes, "bytes of the heap"),
    row("allmem", facts.residentBytes, "bytes resident"),
    row("uordblks", facts.usedBytes, "bytes used"),
    row("fordblks", free, "bytes free"),
  ];
  return [BLANK, ...texts.map((text) => ({ text: `${text}\n`, clientOnly: false }))];
}
