/**
 * The server's clock as seen from here, so that a call's running time is right on a computer whose clock is not.
 *
 * An event arrives some delay after its `at`; the smallest difference seen is closest to the true offset.
 */
export class ServerClock {
  private offsetMs: number | null = null;

  observe(at: string, localMs = Date.now()): void {
    const sent = Date.parse(at);
    if (Number.isNaN(sent)) return;
    const offset = localMs - sent;
    if (this.offsetMs === null || offset < this.offsetMs) this.offsetMs = offset;
  }

  /** Milliseconds of the server's clock. */
  now(localMs = Date.now()): number {
    return localMs - (this.offsetMs ?? 0);
  }

  /** Seconds since a time the server gave; never negative. */
  secondsSince(at: string, localMs = Date.now()): number {
    return Math.max(0, (this.now(localMs) - Date.parse(at)) / 1000);
  }
}
