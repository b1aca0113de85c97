/** Ends the sessions of one watch, as a signal to the process would end its sessions. */
import { InterruptedError } from "../conversation/interrupts.ts";

type Stop = (error: InterruptedError) => void;

/** Takes the place of the process's interrupts for the sessions of rounds. */
export class StopHub {
  private readonly stops = new Set<Stop>();
  stopped = false;

  /** See Interrupts.add. */
  add(stop: Stop): () => void {
    this.stops.add(stop);
    if (this.stopped) stop(new InterruptedError());
    return () => void this.stops.delete(stop);
  }

  /** Ends what runs, and whatever begins later. */
  stop(): void {
    this.stopped = true;
    for (const stop of this.stops) stop(new InterruptedError());
  }
}
