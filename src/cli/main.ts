#!/usr/bin/env node
import { everwarmProgram } from './program.ts';

await everwarmProgram().parseAsync();
