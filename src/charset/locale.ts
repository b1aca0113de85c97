/** The charset of the user's locale (nl_langinfo's CODESET), without making that locale the process's own. */
import { type Ffi, type FfiSignature, type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";

const LOCALE_TABLE: Readonly<Record<"newlocale" | "nl_langinfo_l" | "freelocale" | "strncpy", FfiSignature>> = {
  newlocale: { args: ["i32", "ptr", "i64"], result: "i64" },
  nl_langinfo_l: { args: ["i32", "i64"], result: "i64" },
  freelocale: { args: ["i64"], result: "void" },
  strncpy: { args: ["ptr", "i64", "u64"], result: "i64" },
};

/** glibc's and musl's numbers. */
const LC_CTYPE_MASK = 1;
const CODESET = 14;

const NAME_BYTES = 64;

/** The charset's name as iconv(3) takes it. */
export function localeCharset(host: Host, memory: LinearMemory): string {
  const asked = host.ffi !== null && host.os === "linux" && memory.base !== 0 ? askLibc(host.ffi, memory) : "";
  return asked === "" ? charsetByName(host) : asked;
}

function askLibc(ffi: Ffi, memory: LinearMemory): string {
  const c = ffi.dlopen(null, LOCALE_TABLE);
  if (!c?.newlocale || !c.nl_langinfo_l || !c.freelocale || !c.strncpy) return "";
  const ptr = memory.alloc(NAME_BYTES);
  memory.u8.fill(0, ptr, ptr + NAME_BYTES);
  const locale = c.newlocale(LC_CTYPE_MASK, memory.base + ptr, 0);
  let name = "";
  if (locale !== 0) {
    c.strncpy(memory.base + ptr, c.nl_langinfo_l(CODESET, locale), NAME_BYTES - 1);
    c.freelocale(locale);
    name = memory.readLatin1(ptr, memory.u8.indexOf(0, ptr) - ptr);
  }
  memory.release(ptr);
  return name;
}

/** From the variables alone: what stands behind the dot. */
function charsetByName(host: Host): string {
  const locale = host.env("LC_ALL") || host.env("LC_CTYPE") || host.env("LANG") || "C";
  return /\.([^@]+)/.exec(locale)?.[1] ?? "ANSI_X3.4-1968";
}
