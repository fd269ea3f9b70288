#!/usr/bin/env node
import { everwarmProgram } from './program.ts';

// Who reads may have seen enough, as `head` has: no failure. Anything else, such as a full disk, is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`everwarm: cannot write its output: ${error.message}\n`);
  process.exit(1);
});

await everwarmProgram().parseAsync();
