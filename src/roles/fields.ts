/** Which fields this conversation's file-list entries carry: both sides work it out from the same options. */
import { flistChecksumLength } from "../checksum/registry.ts";
import { type FlistFields, type ProtocolContext } from "../protocol/context.ts";
import { type Options } from "../options/options.ts";

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
