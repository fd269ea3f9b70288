const TICK_MS = 5;
/** A timer this much late is no news. */
const USUAL_MS = 5;

/** Measures for how long, from now on, this process's event loop is held up: no wait of its own. */
export function stallsSince(): { end(): number } {
  let lateMs = 0;
  let tickedAtMs = performance.now();
  const tick = (): void => {
    const nowMs = performance.now();
    const heldUpMs = nowMs - tickedAtMs - TICK_MS;
    if (heldUpMs > USUAL_MS) lateMs += heldUpMs;
    tickedAtMs = nowMs;
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    end() {
      clearInterval(timer);
      tick();
      return lateMs;
    },
  };
}
