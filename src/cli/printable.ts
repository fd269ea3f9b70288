/** Text that others made, as a key or an error, for a terminal: no control character leaves its line or colours it. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '·');
}
