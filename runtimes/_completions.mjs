/**
 * Completions for bash, zsh and fish, from the option table: every option in all its spellings, what each takes, and
 * file names where a file is wanted.
 */

/** What an argument is, by the name that the help gives it. */
const KINDS = { FILE: "file", DIR: "directory", PROGRAM: "command", COMMAND: "command" };

/** Arguments that are one of a few words, by long name. */
function wordsOf(long, able) {
  const words = {
    "stderr": ["errors", "all", "client"], "outbuf": ["N", "L", "B"], "checksum-choice": able.checksums,
    "compress-choice": able.compressors, "watch-backend": ["inotify", "fanotify", "poll", "events"],
    "info": able.info, "debug": able.debug,
  };
  return words[long] ?? null;
}

/** The options to complete: one record a spelling. `rows` is the table, `able` the words that some options take. */
function spellings(rows, able) {
  return rows.filter((row) => row.help !== null && row.available !== false).flatMap((row) => {
    const longs = row.long === null ? [] : [row.long, ...(row.aliases ?? [])];
    const argument = row.argument === undefined ? null : {
      name: row.argumentName ?? "ARG", kind: KINDS[row.argumentName] ?? "other", words: wordsOf(row.long, able),
    };
    const shorts = row.short === undefined ? [] : [{ name: `-${row.short}`, argument, help: row.help }];
    return [
      ...longs.map((long) => ({ name: `--${long}`, argument, help: row.help })), ...shorts,
      ...(row.no ?? []).map((no) => ({ name: `--${no}`, argument: null, help: `turn off: ${row.help}` })),
    ];
  });
}

/** The bash completion: a function that fills COMPREPLY, for wsync and under any name it is given to. */
export function bashCompletion(rows, able) {
  const all = spellings(rows, able);
  const takes = (test) => all.filter(({ argument }) => argument !== null && test(argument)).map(({ name }) => name);
  const listed = all.filter(({ name }) => name.startsWith("--"))
    .map(({ name, argument }) => (argument === null ? name : `${name}=`));
  const choices = all.filter(({ argument }) => argument?.words)
    .map(({ name, argument }) => `    ${name}) COMPREPLY=($(compgen -W '${argument.words.join(" ")}' -- "$cur")) ;;\n`);
  const files = takes(({ kind, words }) => words === null && kind === "file");
  const directories = takes(({ kind }) => kind === "directory");
  const commands = takes(({ kind }) => kind === "command");
  const others = takes(({ kind, words }) => words === null && kind === "other");
  return `# bash completion for wsync, made from its table of options
_wsync() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} option
  COMPREPLY=()
  # --option=value comes as three words where "=" breaks words.
  if [[ $cur == = ]]; then cur= option=$prev
  elif [[ $prev == = ]]; then option=\${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $cur == --*=* ]]; then option=\${cur%%=*} cur=\${cur#*=}
  else option=$prev; fi
  case $option in
${choices.join("")}    ${files.join("|")}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    ${directories.join("|")}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    ${commands.join("|")}) COMPREPLY=($(compgen -c -- "$cur")) ;;
    ${others.join("|")}) ;;
    *)
      if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '${listed.join(" ")}' -- "$cur"))
        [[ \${COMPREPLY-} == *= ]] && compopt -o nospace 2>/dev/null
      else
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$cur"))
      fi ;;
  esac
  return 0
}
complete -F _wsync wsync
`;
}

/** Text within single quotes of zsh's _arguments: no brackets, colons or quotes in it. */
function zshText(text) {
  return text.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''");
}

function zshAction({ kind, words }) {
  if (words !== null) return `(${words.join(" ")})`;
  return { file: "_files", directory: "_files -/", command: "_command_names -e", other: "" }[kind];
}

/** The zsh completion, the file _wsync of a folder in fpath. */
export function zshCompletion(rows, able) {
  const lines = spellings(rows, able).map(({ name, argument, help }) => {
    const taken = argument === null ? "" : name.startsWith("--") ? "=" : "+";
    const what = argument === null ? "" : `:${zshText(argument.name)}:${zshAction(argument)}`;
    return `  '*${name}${taken}[${zshText(help)}]${what}' \\\n`;
  });
  return `#compdef wsync
# zsh completion for wsync, made from its table of options
_arguments -s -S \\
${lines.join("")}  '*:file:_files'
`;
}

const fishQuote = (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** The fish completion. */
export function fishCompletion(rows, able) {
  const lines = spellings(rows, able).map(({ name, argument, help }) => {
    const spelled = name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${fishQuote(name.slice(1))}`;
    const words = argument?.words ? ` -x -a ${fishQuote(argument.words.join(" "))}` : "";
    const plain = argument === null ? "" : words === "" ? (argument.kind === "other" ? " -x" : " -r") : words;
    return `complete -c wsync ${spelled}${plain} -d ${fishQuote(help)}\n`;
  });
  return `# fish completion for wsync, made from its table of options\n${lines.join("")}`;
}
