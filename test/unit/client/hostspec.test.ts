import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { endpointsOf, parseHostSpec } from "../../../src/client/hostspec.ts";

describe("parseHostSpec", () => {
  test.each([
    ["host:path", 0, { host: "host", path: "path", port: 0 }],
    ["user@host:/abs/path", 0, { host: "user@host", path: "/abs/path", port: 0 }],
    ["host:", 0, { host: "host", path: "", port: 0 }],
    [":path", 0, { host: "", path: "path", port: 0 }],
    ["host::module/path", 0, { host: "host", path: "module/path", port: -1 }],
    ["host::module", 8873, { host: "host", path: "module", port: 8873 }],
    ["u@h::", 0, { host: "u@h", path: "", port: -1 }],
    ["::module", 0, { host: "", path: "module", port: -1 }],
    ["rsync://host/module/path", 0, { host: "host", path: "module/path", port: -1 }],
    ["RSYNC://host:99/module", 0, { host: "host", path: "module", port: 99 }],
    ["rsync://host/module", 1234, { host: "host", path: "module", port: 1234 }],
    ["rsyncs://host/m", 0, { host: "host", path: "m", port: -1, door: "rsyncs" }],
    ["WSS://u@host:8443/m/x", 0, { host: "u@host", path: "m/x", port: 8443, door: "wss" }],
    ["rsync://host", 0, { host: "host", path: "", port: -1 }],
    ["rsync://user@[::1]:873/m", 0, { host: "user@::1", path: "m", port: 873 }],
    ["rsync://[fe80::1%eth0]/m", 0, { host: "fe80::1%eth0", path: "m", port: -1 }],
    ["[::1]:path", 0, { host: "::1", path: "path", port: 0 }],
    ["user@[::1]::mod", 0, { host: "user@::1", path: "mod", port: -1 }],
    ["host:a:b/c", 0, { host: "host", path: "a:b/c", port: 0 }],
    ["a@b@host:p", 0, { host: "a@b@host", path: "p", port: 0 }],
  ])("%s", (word, port, expected) => {
    expect(parseHostSpec(word, port)).toEqual(expected);
  });

  test.each(["path", "./a:b", "/abs:x", "dir/host:path", "", "a[1].txt", "x[1]:y", "[::1", "[]:x", "[::1]x:y"])(
    "%s is local", (word) => expect(parseHostSpec(word, 0)).toBeNull(),
  );

  test("a URL with a bad port is taken for a host named rsync", () => {
    expect(parseHostSpec("rsync://host:12x/m", 0)).toEqual({ host: "rsync", path: "//host:12x/m", port: 0 });
  });
});

describe("endpointsOf", () => {
  test("local", () => {
    expect(endpointsOf(["a", "b", "dest"], 0)).toEqual({
      amSender: true, localArgs: ["a", "b"], remoteArgs: ["dest"], remote: null,
    });
    expect(endpointsOf(["a"], 0)).toEqual({ amSender: true, localArgs: ["a"], remoteArgs: ["."], remote: null });
  });

  test.each([["rsyncs", 874], ["ws", 80], ["wss", 443]])("%s:// has port %i", (door, port) => {
    expect(endpointsOf([`${door}://h/m/a`, "::m/b", "d"], 0)).toMatchObject({
      remoteArgs: ["m/a", "m/b"], remote: { host: "h", daemon: true, port, door },
    });
    expect(() => endpointsOf([`${door}://h/m/a`, "rsync://h/m/b", "d"], 0)).toThrow(UsageError);
  });

  test("push", () => {
    expect(endpointsOf(["a", "u@host:"], 0)).toEqual({
      amSender: true, localArgs: ["a"], remoteArgs: ["."],
      remote: { host: "host", user: "u", daemon: false, port: 873 },
    });
    expect(endpointsOf(["a", "host::mod/x"], 99).remote).toEqual({ host: "host", user: null, daemon: true, port: 99 });
  });

  test("pull", () => {
    expect(endpointsOf(["host::m/a", "::m/b", "host::m/c", "dest"], 0)).toMatchObject({
      amSender: false, localArgs: ["dest"], remoteArgs: ["m/a", "m/b", "m/c"],
      remote: { host: "host", daemon: true, port: 873 },
    });
    expect(endpointsOf(["host:a", ":b"], 0)).toMatchObject({ localArgs: [], remoteArgs: ["a", "b"] });
    expect(endpointsOf(["rsync://h:99/m/a", "::m/b", "d"], 0)).toMatchObject({
      remoteArgs: ["m/a", "m/b"], remote: { port: 99 },
    });
    expect(endpointsOf(["host::"], 0)).toMatchObject({ localArgs: [], remoteArgs: [""], remote: { daemon: true } });
  });

  test.each([
    [["h:a", "g:b"], "The source and destination cannot both be remote."],
    [["a", "h:b", "dest"], "Unexpected remote arg: h:b"],
    [["h:a", "b", "dest"], "Unexpected local arg: b"],
    [["h:a", "g:b", "dest"], "All source args must come from the same machine."],
    [["h:a", "h::b", "dest"], "All source args must use the same hostspec format."],
    [["rsync://h:1/a", "rsync://h:2/b", "dest"], "All source args must use the same port number."],
    [["", "dest"], "Empty source arg specified."],
    [["a", "-h:b"], "hostnames may not start with '-'"],
  ])("%j", (args, message) => {
    expect(() => endpointsOf(args, 0)).toThrow(message);
    expect(() => endpointsOf(args, 0)).toThrow(UsageError);
  });
});
