import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { hashPassword } from '../../dashboards/security/password.ts';
import { EverwarmError, InvalidOptionError } from '../core/errors.ts';

const NAME = /^[^:\s]{1,64}$/;
const LEAST_LENGTH = 8;

/** Asks for a password, or takes it from stdin, and prints the user's entry for `--auth`. */
export async function runPassword(name: string): Promise<void> {
  if (!NAME.test(name) || name === 'bearer') {
    throw new InvalidOptionError(
      'name',
      name,
      'must be without colons and spaces, and not "bearer"',
    );
  }
  const password = await readPassword();
  if (password.length < LEAST_LENGTH) {
    // Not InvalidOptionError, which would print it.
    const message = `a password must have at least ${LEAST_LENGTH} characters`;
    throw new EverwarmError('INVALID_OPTION', message);
  }
  process.stdout.write(`${name}:${await hashPassword(password)}\n`);
}

/** The first line of stdin; on a terminal without showing it. */
function readPassword(): Promise<string> {
  const terminal = process.stdin.isTTY === true;
  if (terminal) process.stderr.write('Password: ');
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal });
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      if (terminal) process.stderr.write('\n');
      resolve('');
    });
  });
}
