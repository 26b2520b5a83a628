/** How often something may be done: so many at once, and so many a second after that. */
export class RateLimit {
  private left: number;
  private at = performance.now();

  constructor(private readonly most: { readonly burst: number; readonly perSecond: number }) {
    this.left = most.burst;
  }

  /** @returns whether it may be done now */
  take(): boolean {
    const now = performance.now();
    this.left = Math.min(this.most.burst, this.left + ((now - this.at) / 1000) * this.most.perSecond);
    this.at = now;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
