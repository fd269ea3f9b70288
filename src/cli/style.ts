import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours text for a stream: as it is where nobody sees colours, or `NO_COLOR` says that nobody wants to. */
export function styleFor(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'hasColors'>,
): (format: Format, text: string) => string {
  const isColoured = stream.isTTY && stream.hasColors();
  return (format, text) => (isColoured ? styleText(format, text, { validateStream: false }) : text);
}
