/** What both sides of a conversation work out from the same options: which fields file-list entries carry, and more. */
import { flistChecksumLength } from "../checksum/registry.ts";
import { type FlistFields, type ProtocolContext } from "../protocol/context.ts";
import { type Session } from "../session/session.ts";
import { type Options } from "../options/options.ts";

/** The generator sends messages among its requests. Upstream need_messages_from_generator. */
export function hearsGenerator({ context, options }: Session): boolean {
  return context.version >= 30 || options.removeSourceFiles > 0;
}

/** The fields, from options and agreed features. */
export function flistFields(options: Options, context: ProtocolContext): FlistFields {
  return {
    preserveUid: options.preserveUid,
    preserveGid: options.preserveGid,
    preserveDevices: options.preserveDevices,
    preserveSpecials: options.preserveSpecials,
    preserveLinks: options.preserveLinks,
    preserveHardLinks: options.preserveHardLinks > 0,
    preserveAtimes: options.preserveAtimes > 0,
    preserveCrtimes: options.preserveCrtimes,
    preserveAcls: options.preserveAcls > 0,
    preserveXattrs: options.preserveXattrs > 0,
    checksumLength: options.checksum ? flistChecksumLength(context.fileChecksum) : 0,
    numericIds: options.numericIds,
    relativePaths: options.relative > 0,
  };
}
