const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** `940 bytes`, `1.4 MB`. */
export function printBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1_000 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}

/** `12,345`. */
export function printCount(count: number): string {
  return count.toLocaleString('en');
}
