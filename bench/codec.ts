// Size and time of one API response, about 5 KB as JSON, in each codec and compression: from the value to an
// entry's bytes and back, as every write and every read does it, header and checksum included.
import { isDeepStrictEqual } from 'node:util';
import type { BuiltInCodec, Compression, ValueFormat } from '../src/config/value-format.ts';
import type { EntryHeader } from '../src/redis/entry.ts';
import { encodeStored, readStored } from '../src/redis/stored-value.ts';
import { alternate, type Measured, type Side } from './alternate.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { formatTable, say } from './report.ts';
import type { Summary } from './statistics.ts';

const HEADER: EntryHeader = {
  createdAtMs: 1_790_000_000_000,
  expiresAtMs: 1_790_000_300_000,
  load: { meanMs: 12, deviationMs: 3 },
  logHeat: Number.NaN,
  unreadLives: 0,
  invalidated: false,
  notFound: false,
};
const CODECS: readonly BuiltInCodec[] = ['msgpack', 'json'];
const ALGORITHMS = [null, 'gzip', 'brotli'] as const;

interface CodecOptions extends BenchOptions {
  readonly calls: number;
}

/** One codec and compression, and what becomes of the response in it. */
interface Form {
  readonly name: string;
  readonly format: ValueFormat;
  readonly bytes: Buffer;
}

interface Figures {
  readonly name: string;
  readonly bytes: number;
  readonly encodeUs: number;
  readonly decodeUs: number;
}

/** A page of search results: repeated keys, as API responses have them, but hardly a value twice. */
function makeResponse(): object {
  let state = 42;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const word = (): string => random(2 ** 30).toString(36);
  const results = Array.from({ length: 20 }, (_, at) => ({
    id: 40_000 + random(20_000),
    sku: `${word()}-${at}`.toUpperCase(),
    title: `${word()} ${word()}, ${['navy', 'charcoal', 'moss', 'rust'][random(4)]}`,
    priceCents: 990 + random(20_000),
    currency: 'EUR',
    rating: random(50) / 10,
    inStock: random(3) > 0,
    tags: [word(), ['new', 'sale', 'outlet'][random(3)]],
    updatedAt: new Date(1_790_000_000_000 - random(10 ** 9)).toISOString(),
    image: `https://cdn.example.com/img/${word()}${word()}.webp`,
  }));
  return { page: 1, pages: 12, total: 221, query: 'merino base layer', results };
}

function formsOf(response: object): Form[] {
  return CODECS.flatMap((codec) =>
    ALGORITHMS.map((algorithm) => {
      const compression: Compression | null = algorithm && { algorithm, aboveBytes: 0 };
      const format = { codec, compression };
      const bytes = encodeStored(HEADER, response, { format });
      const found = readStored(bytes, format);
      const name = algorithm ? `${codec}, ${algorithm}` : codec;
      const isSame = found.isReadable && isDeepStrictEqual(found.value, response);
      if (!isSame) throw new Error(`the response does not survive ${name}`);
      return { name, format, bytes };
    }),
  );
}

/** One side per form: microseconds a call, on average over a round. */
function sidesOf(forms: readonly Form[], calls: number, once: (form: Form) => unknown): Side[] {
  return forms.map((form) => ({
    name: form.name,
    run: async () => {
      const startedAtMs = performance.now();
      for (let call = 0; call < calls; call++) once(form);
      return ((performance.now() - startedAtMs) * 1_000) / calls;
    },
  }));
}

function print(unit: string, measured: readonly Measured[]): void {
  const [first] = measured;
  const rows = measured.map((side) =>
    first && side !== first ? { ...side, against: first.summary } : side,
  );
  say(`\n${formatTable(unit, rows)}`);
}

async function run(options: CodecOptions): Promise<Figures[]> {
  const response = makeResponse();
  const forms = formsOf(response);
  const json = Buffer.byteLength(JSON.stringify(response));
  say(`A response of ${json} bytes as JSON, rounds of ${options.calls} calls.`);
  const encoding = sidesOf(forms, options.calls, ({ format }) =>
    encodeStored(HEADER, response, { format }),
  );
  const decoding = sidesOf(forms, options.calls, ({ bytes, format }) => readStored(bytes, format));
  const rounds = { rounds: options.rounds, warmUpRounds: 3 };
  const measured = await alternate([...encoding, ...decoding], rounds);
  const encoded = measured.slice(0, forms.length);
  const decoded = measured.slice(forms.length);
  print('encode, us', encoded);
  print('decode, us', decoded);
  const figures = forms.map(({ name, bytes }, at) => ({
    name,
    bytes: bytes.length,
    encodeUs: microseconds(encoded[at]?.summary),
    decodeUs: microseconds(decoded[at]?.summary),
  }));
  say('\nBytes of the entry, and the lowest of the rounds:');
  say('| entry | bytes | encode, us | decode, us |\n|---|---|---|---|');
  for (const { name, bytes, encodeUs, decodeUs } of figures) {
    say(`| ${name} | ${bytes} | ${encodeUs} | ${decodeUs} |`);
  }
  return figures;
}

// The lowest round: the work is computation alone, whatever makes it slower is somebody else's.
function microseconds(summary: Summary | undefined): number {
  return Math.round((summary?.lowest ?? Number.NaN) * 10) / 10;
}

const options = benchCommand('codec', 'Size and time of a 5 KB API response in each codec.', 21)
  .option('--calls <n>', 'calls in a round', wholeNumberFrom(1), 1_000)
  .parse()
  .opts<CodecOptions>();
const codecs = await run(options);
if (options.json) say(JSON.stringify({ codecs }));
