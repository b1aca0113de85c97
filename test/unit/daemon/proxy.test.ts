import { describe, expect, it } from "vitest";
import { addressText, ipv6 } from "../../../src/daemon/addresses.ts";
import { readProxyHeader } from "../../../src/daemon/proxy.ts";
import { bytesOf } from "../../../src/memory.ts";
import { Cursor, NEED_MORE } from "../../../src/protocol/cursor.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const binary = (command: number, family: number, addresses: string): string =>
  SIGNATURE + String.fromCharCode(command, family, addresses.length >> 8, addresses.length & 255) + addresses;
const IP4 = "\x0a\x09\x08\x07\x7f\x00\x00\x01\x30\x39\x03\x69";
const IP6 = "\x20\x01\x0d\xb8" + "\0".repeat(11) + "\x01" + "\0".repeat(16) + "\x30\x39\x03\x69";

function read(text: string): { header: ReturnType<typeof readProxyHeader>; rest: number } {
  const cursor = new Cursor(bytesOf(text));
  return { header: readProxyHeader(cursor), rest: cursor.available };
}

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe("a proxy's header", () => {
  it.each([
    ["PROXY TCP4 10.9.8.7 127.0.0.1 12345 873\r\n", "10.9.8.7"],
    ["PROXY TCP6 2001:db8::1 ::1 12345 873\r\n", "2001:db8::1"],
    ["PROXY UNKNOWN\r\n", null],
    ["PROXY UNKNOWN ffff::1 ::1 1 2\r\n", null],
    [binary(0x21, 0x11, IP4), "10.9.8.7"],
    [binary(0x21, 0x21, IP6), "2001:db8::1"],
    [binary(0x20, 0x00, ""), null],
    [binary(0x20, 0x11, IP4), null],
    [binary(0x21, 0x31, "x".repeat(216)), null],
    [binary(0x21, 0x00, ""), null],
  ])("%j tells of %s", (text, address) => {
    expect(read(`${text}@RSYNCD: 31.0\n`)).toEqual({ header: { address }, rest: 14 });
  });

  it.each([
    "@RSYNCD: 31.0 md5\n", "PROXY TCP4 10.9.8 127.0.0.1 12345 873\r\n", "PROXY TCP4 10.9.8.7 127.0.0.1 12345 873\n",
    "PROXY TCP4 10.9.8.7 127.0.0.1 0 873\r\n", "PROXY TCP5 10.9.8.7 127.0.0.1 1 873\r\n",
    "PROXYTCP4 1.2.3.4 1.2.3.4\r\n",
    "PROXY TCP4 10.9.8.7 somewhere 12345 873\r\n", `PROXY UNKNOWN${"x".repeat(110)}\r\n`,
    binary(0x11, 0x11, IP4), binary(0x22, 0x11, IP4), binary(0x21, 0x11, `${IP4}x`), binary(0x21, 0x21, IP4),
    binary(0x21, 0x31, "x".repeat(217)),
  ])("%j is none", (text) => expect(read(`${text}${" ".repeat(300)}`).header).toBe(null));

  it("waits for the whole", () => {
    for (const text of ["PROXY TCP4 10.9.8.7 127.0.0.1 12345 873\r\n", binary(0x21, 0x11, IP4)]) {
      for (let end = 0; end < text.length; end++) {
        expect(caught(() => readProxyHeader(new Cursor(bytesOf(text.slice(0, end)))))).toBe(NEED_MORE);
      }
    }
  });
});

describe("addressText", () => {
  it.each([
    "::", "::1", "1::", "2001:db8::1", "2001:0:0:1::1", "1:2:3:4:5:6:7:8", "fe80::1:0:0:1", "0:1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:0", "1::2:3:4:5:0:6",
  ])("%s", (text) => {
    const bytes = ipv6(text)!;
    expect([...ipv6(addressText(bytes))!]).toEqual([...bytes]);
    if (text !== "1::2:3:4:5:0:6") expect(addressText(bytes)).toBe(text);
  });

  it("writes IPv4 with dots", () => expect(addressText(Uint8Array.of(10, 0, 255, 1))).toBe("10.0.255.1"));
});
