/** The charset that a side's options ask for. */
import { openCharset, type Charset } from "../charset/charset.ts";
import { type Options } from "../options/options.ts";
import { type Platform } from "./conversation.ts";

/** --iconv on this side, or null without it. Throws UsageError (4) for a charset that is not known. */
export function charsetFor({ host, kernels }: Platform, { iconv, server }: Options): Charset | null {
  return iconv === null ? null : openCharset(host, kernels.memory, iconv, server);
}
