/** Numbers as rsync prints them at each -h level. Upstream: inums.h. */
import { formatDecimal, formatNumber } from "../options/size.ts";

/** Levels of --human-readable: 0 digits only, 1 (default) separators, 2 units of 1000, 3 units of 1024. */
export class Numbers {
  private readonly human: number;

  constructor(humanReadable: number) {
    this.human = humanReadable;
  }

  /** A count that never takes units (upstream comma_num). */
  comma(value: number): string {
    return formatNumber(value, Math.min(this.human, 1));
  }

  /** A byte count (upstream human_num). */
  bytes(value: number): string {
    return formatNumber(value, this.human);
  }

  /** A decimal that never takes units (upstream comma_dnum). */
  commaDecimal(value: number, decimals: number): string {
    return formatDecimal(value, Math.min(this.human, 1), decimals);
  }

  /** A byte count with decimals (upstream human_dnum). */
  bytesDecimal(value: number, decimals: number): string {
    return formatDecimal(value, this.human, decimals);
  }

  /** Width of the size column in a listing. */
  get sizeWidth(): number {
    return this.human > 0 ? 14 : 11;
  }
}
