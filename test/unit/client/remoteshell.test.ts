import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import {
  quoteFileArg, quoteOptionArg, quoteOptionArgs, type QuoteSettings, remoteCommand, type RemoteCommandSettings,
  splitCommand,
} from "../../../src/client/remoteshell.ts";

const plain: QuoteSettings = {
  secludedArgs: false, oldArgs: 0, amSender: true, trustSender: false, relativePaths: false,
};

describe("splitting -e", () => {
  test.each([
    ["ssh", ["ssh"]],
    ["  ssh   -p 22 ", ["ssh", "-p", "22"]],
    ["ssh -o 'ProxyCommand=nc %h %p'", ["ssh", "-o", "ProxyCommand=nc %h %p"]],
    [`"a ""b"" c" d'e f'g`, [`a "b" c`, "de fg"]],
    [`'it''s'`, ["it's"]],
    [`'a"b'`, [`a"b`]],
    [`''`, [""]],
    ["", []],
  ])("%s", (command, words) => {
    expect(splitCommand(command)).toEqual(words);
  });

  test("an open quote is refused", () => {
    expect(() => splitCommand("ssh 'x")).toThrow("Missing trailing-' in remote-shell command.");
  });
});

describe("quoting", () => {
  test("a POSIX shell gives every word back", () => {
    const words = [
      "a b", "it's", `q"q`, "$HOME", "`id`", "a;b|c&d", "<x>", "(y)", "{1,2}", "#c", "!h", "new\nline", "\ttab",
      "back\\slash", "\\",
    ];
    for (const word of words) {
      const back = execFileSync("sh", ["-c", `printf %s ${quoteFileArg(word, plain)}`]).toString();
      // A shell drops a backslash and newline together; rsync sends just that.
      expect(back, JSON.stringify(word)).toBe(word.replace("\n", ""));
      const option = `${word}*[x]?`;
      const optionBack = execFileSync("sh", ["-c", `printf %s ${quoteOptionArg(option, plain)}`]).toString();
      expect(optionBack).toBe(option.replace("\n", ""));
    }
  });

  test("file words keep their wildcards and never look like options", () => {
    expect(quoteFileArg("*.c [ab]? x", plain)).toBe("*.c\\ [ab]?\\ x");
    expect(quoteFileArg("a\\*b\\c", plain)).toBe("a\\*b\\\\c");
    expect(quoteFileArg("-rf", plain)).toBe("./-rf");
    expect(quoteFileArg("-a b", { ...plain, oldArgs: 1 })).toBe("./-a b");
    expect(quoteFileArg("-a b", { ...plain, secludedArgs: true })).toBe("./-a b");
  });

  test("a tilde that could expand to an unasked name is quoted when receiving", () => {
    const receiving = { ...plain, amSender: false };
    expect(quoteFileArg("~user", receiving)).toBe("\\~user");
    expect(quoteFileArg("~/x", receiving)).toBe("~/x");
    expect(quoteFileArg("~/x", { ...receiving, relativePaths: true })).toBe("\\~/x");
    expect(quoteFileArg("~/./x", { ...receiving, relativePaths: true })).toBe("~/./x");
    expect(quoteFileArg("~user", { ...receiving, trustSender: true })).toBe("~user");
    expect(quoteFileArg("~user", plain)).toBe("~user");
  });

  // What rsync 3.5.0 gave to `-e SCRIPT` for a pull of these paths.
  test.each([
    ["a b*c\\*$x", "a\\ b*c\\*\\$x"], ["-d", "./-d"], ["~u", "\\~u"], ["~/x y", "~/x\\ y"], ["it's\\n", "it\\'s\\\\n"],
    ["[a]\\{b", "[a]\\\\\\{b"],
  ])("%s as rsync sends it", (word, sent) => {
    expect(quoteFileArg(word, { ...plain, amSender: false })).toBe(sent);
  });

  test("option words: --old-args leaves only the user's own alone", () => {
    expect(quoteOptionArgs(["--suffix=*", "a b"], { ...plain, oldArgs: 1 }, 1)).toEqual(["--suffix=\\*", "a b"]);
    expect(quoteOptionArgs(["--suffix=*", "a b"], plain, 1)).toEqual(["--suffix=\\*", "a\\ b"]);
    expect(quoteOptionArgs(["--suffix=*"], { ...plain, oldArgs: 2 }, 0)).toEqual(["--suffix=*"]);
  });
});

describe("the command", () => {
  const settings: RemoteCommandSettings = {
    ...plain, rsh: null, rshEnvironment: undefined, host: "host", user: null, family: 0, rsyncPath: "rsync",
    blockingIo: -1, daemon: false, serverWords: ["--server", "-vlogDtpre.iLsfxCIvu"], secludedWords: [],
    remoteOptionCount: 0, paths: ["dest dir"],
  };
  const argv = (o: Partial<RemoteCommandSettings>): readonly string[] => remoteCommand({ ...settings, ...o }).argv;

  test("plain ssh", () => {
    expect(argv({})).toEqual(["ssh", "host", "rsync", "--server", "-vlogDtpre.iLsfxCIvu", ".", "dest\\ dir"]);
  });

  test("user, family, -e, RSYNC_RSH, --rsync-path", () => {
    expect(argv({ user: "u", family: 4 }).slice(0, 5)).toEqual(["ssh", "-l", "u", "-4", "host"]);
    expect(argv({ rsh: "/usr/bin/ssh -v", family: 6 }).slice(0, 4)).toEqual(["/usr/bin/ssh", "-v", "-6", "host"]);
    expect(argv({ rshEnvironment: "other", family: 6 }).slice(0, 2)).toEqual(["other", "host"]);
    expect(argv({ rsyncPath: "sudo rsync" })[2]).toBe("sudo rsync");
    expect(() => argv({ rsh: " " })).toThrow("empty");
  });

  test("rsh wants blocking pipes unless told otherwise", () => {
    expect(remoteCommand({ ...settings, rsh: "/bin/rsh" }).blockingIo).toBe(true);
    expect(remoteCommand({ ...settings, rsh: "/bin/rsh", blockingIo: 0 }).blockingIo).toBe(false);
    expect(remoteCommand({ ...settings, blockingIo: 1 }).blockingIo).toBe(true);
    expect(remoteCommand(settings).blockingIo).toBe(false);
  });

  test("secluded words travel inside", () => {
    const command = remoteCommand({
      ...settings, secludedArgs: true, serverWords: ["--server", "-se.x"], secludedWords: ["--delete"],
    });
    expect(command.argv).toEqual(["ssh", "host", "rsync", "--server", "-se.x"]);
    expect(command.protectedArgs).toEqual(["--delete", ".", "dest dir"]);
  });

  test("a daemon inside the shell", () => {
    expect(argv({ daemon: true, user: "u", rsh: "ssh -l me" })).toEqual(
      ["ssh", "-l", "me", "host", "rsync", "--server", "--daemon", "."],
    );
    expect(argv({ daemon: true, user: "u" }).slice(0, 4)).toEqual(["ssh", "-l", "u", "host"]);
  });
});
