/** Who may connect: addresses, masks, names, and what happens when names cannot be looked up. */
import { describe, expect, it } from "vitest";
import { allowAccess, type AccessRules, UNDETERMINED } from "../../../src/daemon/access.ts";
import { dottedIpv4, ipv6, parseAddress, unmapped } from "../../../src/daemon/addresses.ts";

const NAMES: Record<string, string[]> = { here: ["10.1.2.3", "fe80::1"], there: ["10.9.9.9"] };

async function allowed(
  rules: Partial<AccessRules>, client: { address?: string; name?: string } = {},
): Promise<{ allowed: boolean; name: string; log: string[] }> {
  const log: string[] = [];
  const result = await allowAccess(
    { address: client.address ?? "10.1.2.3", name: client.name ?? "host.example.org" },
    { allow: "", deny: "", forwardLookup: true, ...rules },
    {
      resolve: async (name) => NAMES[name] ?? null, log: (text) => log.push(text),
      inNetgroup: (group, name) => group === "trusted" && name === "host.example.org",
    },
  );
  return { ...result, log };
}

describe("hosts allow and hosts deny", () => {
  it.each([
    ["10.1.2.3", true], ["10.1.2.4", false], ["10.1/16", false], ["10.1/8", true], ["10.1.0.0/16", true],
    ["10.1.2.128/25", false],
    ["10.1.0.0/255.255.0.0", true], ["10.1.0.0/255.255.255.0", false], ["0.0.0.0/0", true], ["10.1.2.3/32", true],
    ["10.1.2.3/33", false], ["10.1.2.3/", false], ["10.1.2.3/x", false], ["::/0", false], ["*.example.org", true],
    ["HOST.Example.*", true], ["*.example.com", false], ["here", true], ["there", false], ["@trusted", true],
    ["@others", false], ["nowhere", false], ["1.1.1.1, 10.1.2.3", true], ["1.1.1.1\t10.1.2.3", true],
  ])("allow = %s: %s", async (allow, expected) => {
    expect((await allowed({ allow })).allowed).toBe(expected);
  });
  it("an address that is none and a mask that is none are told in the log", async () => {
    expect((await allowed({ allow: "10.1.2.3/33" })).log).toEqual(["malformed mask in 10.1.2.3/33"]);
    expect((await allowed({ allow: "1.2.3.4.5" })).log[0]).toContain("error matching address");
  });
  it("allow goes before deny; a client on neither list may come", async () => {
    expect((await allowed({ allow: "10.1.2.3", deny: "*" })).allowed).toBe(true);
    expect((await allowed({ allow: "1.1.1.1", deny: "10.0.0.0/8" })).allowed).toBe(false);
    expect((await allowed({ allow: "1.1.1.1", deny: "2.2.2.2" })).allowed).toBe(true);
    expect((await allowed({})).allowed).toBe(true);
  });
  it("a name to be denied that cannot be looked up denies", async () => {
    expect((await allowed({ deny: "nowhere" })).allowed).toBe(false);
    expect((await allowed({ deny: "nowhere", forwardLookup: false })).allowed).toBe(true);
    expect((await allowed({ deny: "there" })).allowed).toBe(true);
  });
  it("a name of the list stands in for one that was not looked up", async () => {
    expect(await allowed({ allow: "here" }, { name: UNDETERMINED })).toMatchObject({ allowed: true, name: "here" });
    expect(await allowed({ allow: "here" }, { name: "other" })).toMatchObject({ allowed: true, name: "other" });
  });
  it.each([
    ["fe80::1", "fe80::1", true], ["fe80::1%eth0", "fe80::1", true], ["fe80::1%eth0", "fe80::1%eth1", false],
    ["2001:db8::7", "2001:db8::/32", true], ["2001:db9::7", "2001:db8::/32", false],
    ["2001:db8::7", "2001:db8::/ffff:ffff::", true], ["fe80::1", "here", true],
  ])("IPv6: %s with allow = %s: %s", async (address, allow, expected) => {
    expect((await allowed({ allow }, { address, name: "" })).allowed).toBe(allow === "here" ? false : expected);
    expect((await allowed({ allow }, { address, name: "x" })).allowed).toBe(expected);
  });
});

describe("addresses", () => {
  it.each([
    ["1.2.3.4", [1, 2, 3, 4]], ["127.1", [127, 0, 0, 1]], ["10", [0, 0, 0, 10]], ["010.0x10.1", [8, 16, 0, 1]],
    ["1.2.3.4.5", null], ["256.1.1.1", null], ["1..2", null], ["", null], ["1.2.3.x", null],
  ])("IPv4 %s", (text, bytes) => {
    expect(parseAddress(text)?.bytes ?? null).toEqual(bytes === null ? null : Uint8Array.from(bytes));
  });
  it.each(["::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::a%eth0", "1:2:3:4:5:6:1.2.3.4"])(
    "IPv6 %s", (text) => expect(parseAddress(text)?.bytes.length).toBe(16));
  it.each([":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::1.2.3", "g::"])(
    "not IPv6 %s", (text) => expect(parseAddress(text)).toBeNull());
  it("inet_pton takes no short forms", () => {
    expect(dottedIpv4("127.1")).toBeNull();
    expect(ipv6("::1%x")).toBeNull();
  });
  it("IPv4 in IPv6's clothes is IPv4", () => {
    expect(unmapped("::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect([unmapped("::1"), unmapped("10.0.0.1")]).toEqual(["::1", "10.0.0.1"]);
  });
});
