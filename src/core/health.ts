/** Whether a role gets on with its work, and if not, what does not. */
export interface Health {
  readonly isReady: boolean;
  /** Empty when it is ready. Never a server's address. */
  readonly reasons: readonly string[];
}

/** The health of a role of which somebody complains, or nobody. */
export function healthOf(complaints: readonly (string | null)[]): Health {
  const reasons = complaints.filter((complaint) => complaint !== null);
  return { isReady: reasons.length === 0, reasons };
}
