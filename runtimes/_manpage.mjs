/** The manual page wsync.1, from the option table and the text of _manual.mjs. */
import { DETAILS, ENVIRONMENT, FILTER_RULES } from "./_manual.mjs";

const EXAMPLES = [
  ["wsync -av src/ /backup/src/", "copy what is in src; without the slash behind it, src itself"],
  ["wsync -az --delete site/ user@host:/var/www/site/", "make the far tree the same, over ssh"],
  ["wsync -a rsync://mirror.example.org/module/ copy/", "fetch from a daemon"],
  ["wsync -a --link-dest=../yesterday home/ /backup/today/", "a snapshot that shares what did not change"],
  ["wsync -ani --delete src/ dst/", "see what would happen"],
  ["wsync -a --watch site/ host:site/", "keep the far tree up to date until stopped"],
];

/** Letters that roff would print as others. */
const LETTERS = { "\\": "\\e", "-": "\\-", "~": "\\(ti", "^": "\\(ha", "`": "\\(ga", "'": "\\(aq" };
const WIDTH = 78;

/** Text for roff. */
function escaped(text) {
  return text.replace(/[-\\~^`']/g, (letter) => LETTERS[letter]);
}

/** A paragraph with its --options in bold, each sentence on lines of its own. */
function prose(text) {
  const bold = escaped(text).replace(/(?<![\w\\])(\\-\\-[a-z0](?:[\w]|\\-)*)/g, "\\fB$1\\fR");
  return bold.split(/(?<=[.?!]) /).flatMap(wrapped).join("\n");
}

/** Lines of bearable length; a dot at the start of one is no request. */
function wrapped(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.map((line) => line.replace(/^\./, "\\&."));
}

function tagged(term, text) {
  return `.TP\n.B ${escaped(term)}\n${prose(text)}\n`;
}

/** All spellings: "--block-size=SIZE, -B". */
function spelling(row) {
  const argument = row.argument === undefined ? "" : `=${row.argumentName ?? "ARG"}`;
  const longs = row.long === null ? [] : [row.long, ...(row.aliases ?? [])];
  const all = [...longs.map((name) => `--${name}${argument}`), ...(row.short === undefined ? [] : [`-${row.short}`])];
  return [...all, ...(row.no ?? []).map((name) => `--${name}`)].join(", ");
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function optionEntry(row) {
  const details = DETAILS[row.long ?? row.short];
  const more = [
    ...(row.implies ? [`Implies ${row.implies.map((name) => `--${name}`).join(", ")}.`] : []),
    ...(row.conflicts ? [`Does not go with ${row.conflicts.map((name) => `--${name}`).join(", ")}.`] : []),
    ...(row.own ? ["An option of wsync's own, which rsync does not have."] : []),
  ].join(" ");
  const text = [sentence(row.help), ...(details ? [details] : []), ...(more ? [more] : [])].join(" ");
  return tagged(spelling(row), text);
}

const isListed = (row) => row.help !== null && row.available !== false;

function category(rows, name) {
  const listed = rows.filter((row) => row.category === name && isListed(row));
  return listed.length === 0 ? "" : `.SS ${name}\n${listed.map(optionEntry).join("")}`;
}

const paragraphs = (items) => items.map((item) =>
  typeof item === "string" ? `.PP\n${prose(item)}\n` : tagged(item[0], item[1])).join("");

/** The page. `facts`: rows, daemonRows, categories, forms, version, exitCodes. */
export function manPage({ rows, daemonRows, categories, forms, version, exitCodes }) {
  const unknown = Object.keys(DETAILS).filter((name) => !rows.some((row) => (row.long ?? row.short) === name));
  if (unknown.length > 0) throw new Error(`the manual tells of options that are not in the table: ${unknown}`);
  const chapters = {
    NAME: "wsync \\- rsync for the JavaScript runtimes: fast, incremental copying of files\n",
    SYNOPSIS: forms.map((form) => `.B wsync\n${escaped(`[OPTION]... ${form}`)}\n`).join(".br\n"),
    DESCRIPTION: paragraphs([
      "wsync copies files and trees, on one machine or between two, and sends only what differs. It takes rsync's "
        + "options, speaks rsync's protocol with any rsync since 2.6.0 or with itself, and runs on Node, Deno and Bun.",
      "HOST: goes through a remote shell; HOST:: and rsync:// go to an rsync daemon. With one argument alone the files "
        + "are listed. A source with a slash at its end stands for what is in the directory.",
    ]),
    EXAMPLES: EXAMPLES.map(([line, text]) => tagged(line, sentence(text))).join(""),
    OPTIONS: paragraphs([
      "Letters can be bundled (-avz). The argument of a long option stands behind = or in the next word, that of a "
        + "letter behind it or in the next word. --no-OPTION turns an option off again; later options win. Sizes have "
        + "units K, M, G, T, P of 1024, KB and so on of 1000, fractions, and +1 or -1 behind them.",
      "Lines like \"rsync alias -Z --no-p --chmod=ugo=rwX\" in /etc/popt or ~/.popt define options.",
    ]) + categories.map((name) => category(rows, name)).join(""),
    "DAEMON OPTIONS": paragraphs(["wsync --daemon serves modules as rsyncd.conf(5) describes. Its options:"])
      + daemonRows.filter(isListed).map(optionEntry).join(""),
    "FILTER RULES": paragraphs(FILTER_RULES),
    ENVIRONMENT: paragraphs(ENVIRONMENT),
    "EXIT STATUS": exitCodes.map(([code, text]) => tagged(`${code}`, sentence(text))).join(""),
    FILES: paragraphs([
      ["/etc/rsyncd.conf, rsyncd.conf", "configuration of the daemon; see rsyncd.conf(5)"],
      ["/etc/popt, ~/.popt", "aliases for options"],
      [".rsync-filter, .cvsignore", "rules per directory, with -F and -C"],
    ]),
    "SEE ALSO": ".BR rsync (1),\n.BR rsyncd.conf (5),\n.BR ssh (1)\n.PP\n"
      + prose("rsync(1) describes every option that both have in full; wsync does what it says there.") + "\n",
  };
  const text = Object.entries(chapters).map(([name, body]) => `.SH ${name}\n${body.replace(/^\.PP\n/, "")}`).join("");
  return `.\\" Made from wsync's table of options.\n.TH WSYNC 1 "" "wsync ${version}" "User Commands"\n${text}`;
}
