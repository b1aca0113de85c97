/**
 * `npm test`: installs what the tests need and may install, builds, runs every suite and sums them up.
 *
 * Suites are the vitest projects of test/vitest.config.ts. Peers are the programs that the suites talk to or measure
 * against; as root they are installed through apt-get when missing (unless WSYNC_NO_INSTALL is set). What stays
 * missing is named with what it costs; with CI=true it counts as a failure. The last line is
 * `N passed, N failed`, with `, N skipped` after it when something was skipped.
 *
 * Usage: node test/run.mjs [--quick] [SUITE...]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inCi = process.env.CI === "true";
const quick = process.argv.includes("--quick");
const named = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const suites = named.length > 0 ? named : quick ? ["unit"] : ["unit", "runtimes", "interop", "browser", "hostile"];

/** Programs the suites use: the Debian package and what is skipped without it. */
const peers = [
  { program: "rsync", package: "rsync", skips: "the interop and hostile suites" },
  { program: "sshd", package: "openssh-server", skips: "transfers through a real ssh" },
  { program: "ssh", package: "openssh-client", skips: "transfers through a real ssh" },
  { program: "inotifywait", package: "inotify-tools", skips: "the comparison with inotify-tools" },
  { program: "xxhsum", package: "xxhash", skips: "the comparison of XXH3 with xxhsum" },
  { program: "rdiff", package: "rdiff", skips: "the comparison of signatures and deltas with rdiff" },
  { program: "chromium", package: "chromium", skips: "the page's tests in a real browser" },
  { program: "mandoc", package: "mandoc", skips: "the check of the manual page" },
  { program: "zsh", package: "zsh", skips: "the completion for zsh" },
  { program: "fish", package: "fish", skips: "the completion for fish" },
  { program: "openssl", package: "openssl", skips: "the comparison of MD5 with openssl; the daemon's TLS" },
  { program: "ip", package: "iproute2", skips: "DAEMON.md on two hosts" },
  { program: "curl", package: "curl", skips: "DAEMON.md on two hosts" },
];

/** Shared libraries that compression calls; without one, its method is not offered. */
const libraries = [
  { file: "libz.so.1", package: "zlib1g" },
  { file: "libzstd.so.1", package: "libzstd1" },
  { file: "liblz4.so.1", package: "liblz4-1" },
];

const totals = { passed: 0, failed: 0, skipped: 0 };

function isThere(program) {
  const dirs = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return dirs.some((dir) => existsSync(join(dir, program)));
}

function libraryIsThere(file) {
  const listed = spawnSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" });
  return listed.status !== 0 || listed.stdout.includes(file);
}

/** What is missing now, as rows with a name and a package. */
function missingNow() {
  const programs = peers.filter((peer) => !isThere(peer.program)).map((peer) => ({ ...peer, name: peer.program }));
  const absent = libraries.filter((library) => !libraryIsThere(library.file));
  return [...programs, ...absent.map((library) =>
    ({ ...library, name: library.file, skips: "its compression method" }))];
}

function aptGet(words) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", words, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}

/** Tries to install what is missing; says so. Returns what stays missing. */
function installPeers() {
  const missing = missingNow();
  if (missing.length === 0) return missing;
  const may = process.getuid?.() === 0 && isThere("apt-get") && process.env.WSYNC_NO_INSTALL === undefined;
  if (!may) return missing;
  const packages = [...new Set(missing.map((row) => row.package))];
  console.log(`installing for the tests: ${packages.join(" ")}`);
  const install = ["install", "-y", "-q", "--no-install-recommends", ...packages];
  if (!aptGet(install) && aptGet(["update", "-q"])) aptGet(install);
  return missingNow();
}

/** Runs a program of the tool chain in the project's folder; true when it ended well. */
function step(title, argv) {
  console.log(`\n== ${title}`);
  const env = { NO_COLOR: "1", ...process.env };
  return spawnSync(argv[0], argv.slice(1), { cwd: root, stdio: "inherit", env }).status === 0;
}

function runSuite(suite, scratch) {
  const report = join(scratch, `${suite}.json`);
  const words = ["--config", "test/vitest.config.ts", "--project", suite, "--passWithNoTests"];
  const reporters = ["--reporter=default", "--silent=passed-only", "--reporter=json", `--outputFile.json=${report}`];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const ended = step(`suite ${suite}`, [process.execPath, vitest, "run", ...words, ...reporters]);
  if (!existsSync(report)) {
    totals.failed++;
    return;
  }
  addReport(suite, JSON.parse(readFileSync(report, "utf8")), ended);
}

/** Adds a vitest JSON report to the totals and prints each skipped test by name. */
function addReport(suite, report, ended) {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const skipped = tests.filter((test) => !["passed", "failed"].includes(test.status));
  const brokenFiles = report.testResults.filter((file) => file.status === "failed"
    && file.assertionResults.length === 0);
  const failed = report.numFailedTests + brokenFiles.length;
  totals.passed += report.numPassedTests;
  totals.skipped += skipped.length;
  totals.failed += failed === 0 && !ended ? 1 : failed;
  console.log(`suite ${suite}: ${report.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`);
  for (const test of skipped) console.log(`  skipped: ${test.fullName}`);
  for (const file of brokenFiles) console.log(`  did not load: ${file.name}`);
}

const stillMissing = installPeers();
for (const row of stillMissing) {
  console.log(`${inCi ? "missing" : "skipping"}: no ${row.name} (package ${row.package}): without it, ${row.skips}`);
  if (inCi) totals.failed++;
}
if (!step("build", [process.execPath, "runtimes/build.mjs"])) totals.failed++;
const scratch = mkdtempSync(join(tmpdir(), "wsync-report-"));
for (const suite of suites) runSuite(suite, scratch);
rmSync(scratch, { recursive: true, force: true });
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed === 0 ? 0 : 1;
