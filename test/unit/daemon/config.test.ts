/** rsyncd.conf: syntax, defaults, sections, directives, mistakes. */
import { describe, expect, it } from "vitest";
import { Config, type ConfigFiles, loadConfig, problemLine, unknownDparam } from "../../../src/daemon/config.ts";
import { parseConfigText } from "../../../src/daemon/configtext.ts";
import { Environment, expand, expandForShell } from "../../../src/daemon/expand.ts";
import { findParameter, GLOBAL_PARAMETERS, MODULE_PARAMETERS } from "../../../src/daemon/paramtable.ts";

/** Files in a table; a path that ends in a slash is a directory. */
function tableFiles(texts: Record<string, string>): ConfigFiles {
  return {
    read: (path) => (path in texts ? { text: texts[path] } : { error: "No such file or directory" }),
    look(path) {
      if (path in texts) return { kind: "file" };
      const below = Object.keys(texts).filter((one) => one.startsWith(`${path}/`));
      const names = below.map((one) => one.slice(path.length + 1));
      return names.length > 0 ? { kind: "directory", names } : { kind: "error", error: "No such file or directory" };
    },
  };
}

function load(
  texts: Record<string, string> | string,
  o: { dparams?: string[]; env?: Record<string, string>; globalsOnly?: boolean } = {},
): { config: Config | null; problems: string[] } {
  const files = typeof texts === "string" ? { main: texts } : texts;
  const env = new Environment((name) => o.env?.[name]);
  const loaded = loadConfig("main", tableFiles(files), { dparams: o.dparams ?? [], env, globalsOnly: o.globalsOnly });
  return {
    config: loaded.data === null ? null : new Config(loaded.data, env), problems: loaded.problems.map(problemLine),
  };
}

describe("syntax", () => {
  it("takes sections, parameters, comments and continuation lines apart", () => {
    const text = [
      "# comment", "; another", "", "  uid = nobody ", "comment = a = b\\", "  c  ", "[ my   module ] rest",
      "path=/x\r",
      "read   only\\", "  = no", "\\", "&include  /etc/x", "&merge = /etc/y z",
    ].join("\n");
    expect(parseConfigText(text)).toEqual([
      { type: "parameter", name: "uid", value: "nobody", line: 4 },
      { type: "parameter", name: "comment", value: "a = b  c", line: 5 },
      { type: "section", name: "my module", line: 7 },
      { type: "parameter", name: "path", value: "/x", line: 8 },
      { type: "parameter", name: "read only", value: "no", line: 9 },
      { type: "directive", name: "&include", value: "/etc/x", line: 12 },
      { type: "directive", name: "&merge", value: "/etc/y z", line: 13 },
    ]);
  });
  it("tells where a line is none of these", () => {
    const [first, second, third] = parseConfigText("uid nobody\n[open\npath = /\n");
    expect(first).toMatchObject({ type: "problem", fatal: false, line: 1 });
    expect(second).toMatchObject({ type: "problem", fatal: true, line: 2 });
    expect(third).toBeUndefined();
  });
});

describe("values", () => {
  it("come from the module, the defaults in front of it, or the table", () => {
    const { config, problems } = load([
      "timeout = 5", "comment = none", "[a]", "path = /a/", "list = FALSE", "[b]", "comment =", "[global]",
      "timeout = 9",
      "[c]", "use chroot = unset", "[A]", "uid = x",
    ].join("\n"));
    expect(problems).toEqual([]);
    const [a, b, c] = config!.modules;
    expect(config!.modules.map((module) => module.name)).toEqual(["a", "b", "c"]);
    expect([a.text("path"), a.number("timeout"), a.flag("list"), a.text("comment"), a.text("uid")])
      .toEqual(["/a", 5, false, "none", "x"]);
    expect([b.text("comment"), b.number("timeout"), c.number("timeout")]).toEqual(["", 5, 9]);
    expect([c.flag3("use chroot"), c.text("lock file"), c.flag("read only")])
      .toEqual([null, "/var/run/rsyncd.lock", true]);
    expect(config!.find("a")!.index).toBe(0);
    expect(config!.find("A")).toBeNull();
  });
  it("that are no text are told with file, line and what was expected", () => {
    const { config, problems } = load(
      "port = x\nlist = maybe\nnonsense = 1\n[a]\nport = 7\nsyslog facility = local9\n");
    expect(problems).toEqual([
      'main line 1: port is a number, not "x"',
      'main line 2: list is yes, no, true, false, 1 or 0, not "maybe"',
      'main line 3: IGNORING unknown parameter "nonsense"',
      "main line 5: Global parameter port found in module section!",
      'main line 6: syslog facility is a syslog facility, not "local9"',
    ]);
    expect(config!.globals.number("port")).toBe(0);
    expect(config!.modules[0].flag("list")).toBe(true);
  });
  it("refer to the environment, text when it is used, others when they are read", () => {
    const env = { HOME: "/home/u", PORT: "77" };
    const { config } = load("port = %PORT%\npath = %HOME%/%RSYNC_USER_NAME%/%nope%/%UNSET%/100%", { env });
    expect(config!.globals.number("port")).toBe(77);
    config!.env.set("RSYNC_USER_NAME", "eve");
    expect(config!.defaults.text("path")).toBe("/home/u/eve/%nope%/%UNSET%/100%");
    expect(config!.defaults.raw("path")).toContain("%HOME%");
  });
  it("of --dparam stand behind the global ones", () => {
    const { config } = load("motd file = /a\nuid = u\n[m]\n[n]\nuid = v", { dparams: ["motdfile= /b", "UID=w"] });
    expect(config!.globals.text("motd file")).toBe("/b");
    expect(config!.modules.map((module) => module.text("uid"))).toEqual(["w", "v"]);
    expect(load("", { dparams: ["port=9"], globalsOnly: true }).config!.globals.number("port")).toBe(9);
    expect(unknownDparam(["uid=1", "uidd=1"])).toBe("uidd");
  });
});

describe("other files", () => {
  it("are included apart, or merged as if they stood there", () => {
    const files = {
      main: "uid = top\n&include /inc\n[late]\n&merge /m.inc\n",
      "/inc/b.conf": "uid = b\n[b]\n", "/inc/a.conf": "[a]\nuid = a\n", "/inc/c.inc": "uid = never\n",
      "/m.inc": "comment = merged\n",
    };
    const { config, problems } = load(files);
    expect(problems).toEqual([]);
    expect(config!.modules.map((one) => [one.name, one.text("uid"), one.text("comment")]))
      .toEqual([["a", "a", ""], ["b", "b", ""], ["late", "top", "merged"]]);
  });
  it("that are missing, unknown directives and circles make the whole unusable", () => {
    expect(load("&include /nowhere").config).toBeNull();
    expect(load("&frobnicate /x").problems).toEqual(["main line 1: unknown directive &frobnicate"]);
    const circle = load("&merge main");
    expect(circle.config).toBeNull();
    expect(circle.problems[0]).toContain("too deeply");
  });
  it("a load of globals stops at the first section", () => {
    const { config } = load("port = 1\n[m]\n[global]\nport = 2\n", { globalsOnly: true });
    expect(config!.globals.number("port")).toBe(1);
    expect(config!.modules).toEqual([]);
  });
});

describe("references in commands", () => {
  const env = new Environment((name) => ({ RSYNC_USER_NAME: "eve", HOME: "/my home" })[name]);
  const shell = (text: string): string => expandForShell(text, env, () => {});
  it("are quoted for where they stand when a peer had a part in them", () => {
    expect(shell("x %RSYNC_USER_NAME%")).toBe("x 'eve'");
    expect(shell("x '%RSYNC_USER_NAME%'")).toBe("x 'eve'");
    expect(shell('x "%RSYNC_USER_NAME%"')).toBe("x \"'eve'\"");
    expect(shell("x \"it's %RSYNC_USER_NAME%\" %RSYNC_USER_NAME%")).toBe("x \"it's 'eve'\" 'eve'");
    expect(shell("cd %HOME%")).toBe("cd /my home");
    expect(expand("%RSYNC_USER_NAME%", env)).toBe("eve");
  });
  it.each([..."'\"`$\\;&|<>()*?[]# !~{}\n\x7f\x01"])("with %j end the connection", (char) => {
    const told: string[] = [];
    env.set("RSYNC_USER_NAME", `a${char}b`);
    expect(() => expandForShell("%RSYNC_USER_NAME%", env, (text) => told.push(text))).toThrow();
    expect(told[0]).toBe("refusing to run shell hook: %RSYNC_USER_NAME% holds a shell metacharacter");
  });
});

it("has all parameters of rsyncd.conf(5), each found in any spelling", () => {
  const ofRsync = GLOBAL_PARAMETERS.filter((row) => !("own" in row));
  expect([ofRsync.length, MODULE_PARAMETERS.length]).toEqual([11, 48]);
  for (const { name } of [...GLOBAL_PARAMETERS, ...MODULE_PARAMETERS]) {
    expect(findParameter(` ${name.toUpperCase().replaceAll(" ", "")}`)?.row.name).toBe(name);
  }
  expect(findParameter("-x")).toBeNull();
});
