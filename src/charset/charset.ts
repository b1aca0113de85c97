/**
 * --iconv: the two directions between this side's charset and UTF-8, in which names travel. Upstream
 * rsync.c:setup_iconv.
 */
import { ExitCode, UsageError } from "../errors.ts";
import { type Host } from "../host.ts";
import { type LinearMemory } from "../memory.ts";
import { Converter } from "./converter.ts";
import { openLibcIconv } from "./libciconv.ts";
import { localeCharset } from "./locale.ts";
import { openTextCodec } from "./textcodec.ts";

const WIRE_CHARSET = "UTF-8";

/** Both directions. */
export interface Charset {
  /** The charset's name. */
  readonly name: string;
  /** From this side's charset to UTF-8. */
  readonly send: Converter;
  readonly receive: Converter;
}

/**
 * What --iconv asks for on this side: "LOCAL,REMOTE", or one name; "" and "." are the locale's charset. Throws
 * UsageError (4) for a charset that is not known here.
 */
export function openCharset(host: Host, memory: LinearMemory, spec: string, server: boolean): Charset {
  const comma = spec.indexOf(",");
  const given = comma < 0 ? spec : server ? spec.slice(comma + 1) : spec.slice(0, comma);
  const name = given === "" || given === "." ? localeCharset(host, memory) : given;
  const open = (from: string, to: string): Converter => openConverter(host, memory, from, to);
  return { name, send: open(name, WIRE_CHARSET), receive: open(WIRE_CHARSET, name) };
}

function openConverter(host: Host, memory: LinearMemory, from: string, to: string): Converter {
  const native = host.ffi === null || memory.base === 0 ? undefined : openLibcIconv(host.ffi, memory, from, to);
  const engine = native === undefined ? openTextCodec(from, to) : native;
  if (engine !== null) return new Converter(engine);
  throw new UsageError(`iconv_open("${to}", "${from}") failed`, ExitCode.unsupported);
}
