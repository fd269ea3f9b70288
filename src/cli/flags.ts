import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_FORMATS, LOG_LEVELS } from '../../workers/log-choices.ts';
import { runMain } from '../../workers/main.ts';

/** A command with the loaders of a file, on the servers of the flags. */
export function roleCommand(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description);
  command.requiredOption('--loaders <file>', 'module that exports the loaders');
  return serverOptions(command).option('--strict', 'refuse an unreachable or unsuitable Redis');
}

/** A command that runs until it is told to end, and logs. */
export function processCommand(program: Command, name: string, description: string): Command {
  return roleCommand(program, name, description)
    .addOption(
      new Option('--log-level <level>', 'the least level that is logged')
        .choices(LOG_LEVELS)
        .env('EVERWARM_LOG_LEVEL'),
    )
    .addOption(
      new Option('--log-format <format>', 'by itself, lines for people on a terminal alone')
        .choices(LOG_FORMATS)
        .env('EVERWARM_LOG_FORMAT'),
    );
}

/** A process of a deployment, which probes look at. */
export function deployedCommand(program: Command, name: string, description: string): Command {
  return processCommand(program, name, description)
    .addOption(
      new Option('--health-port <n>', 'answer /healthz and /readyz there; 0: on a free port')
        .argParser(wholeNumber)
        .env('EVERWARM_HEALTH_PORT'),
    )
    .addOption(
      new Option('--health-host <address>', 'address of that port; by itself, 127.0.0.1').env(
        'EVERWARM_HEALTH_HOST',
      ),
    );
}

/** A process whose metrics can be scraped, and whose work traced. */
export function measured(command: Command): Command {
  return command
    .addOption(
      new Option('--metrics-port <n>', 'serve /metrics there for Prometheus; 0: on a free port')
        .argParser(wholeNumber)
        .env('EVERWARM_METRICS_PORT'),
    )
    .addOption(
      new Option('--metrics-host <address>', 'address of that port; by itself, 127.0.0.1').env(
        'EVERWARM_METRICS_HOST',
      ),
    )
    .option('--traces', 'spans to the OpenTelemetry SDK that Node was started with');
}

/** A command that asks or tells the fleet something, and ends. */
export function fleetCommand(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description);
  command.addOption(
    new Option('--loaders <file>', 'module that exports the loaders')
      .env('EVERWARM_LOADERS')
      .default('loaders.js'),
  );
  return jsonOption(serverOptions(command));
}

export function serverOptions(command: Command): Command {
  return command
    .addOption(new Option('--redis <url>', 'Redis for both roles, or the cache').env('REDIS_URL'))
    .addOption(
      new Option('--queue-redis <url>', 'Redis for the queue and tracker').env('REDIS_QUEUE_URL'),
    )
    .addOption(
      new Option('--namespace <name>', 'first part of all keys').env('EVERWARM_NAMESPACE'),
    );
}

export function jsonOption(command: Command): Command {
  return command.option('--json', 'print one line of JSON');
}

/** Shows command lines under a command's help. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  const shown = lines.map((line) => `  $ everwarm ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${shown}`);
}

/** Runs a command that ends by itself: pools that the loaders file opened must not keep it alive. */
export function runOnce(main: () => Promise<unknown>): Promise<void> {
  return runMain(async () => {
    await main();
    // What was written last may still be on its way, or nobody may take it.
    await new Promise((written) => process.stdout.write('', written));
    process.exit();
  });
}

/** Parses digits. @throws InvalidArgumentError */
export const wholeNumber: (text: string) => number = wholeNumberFrom(0);
/** Parses digits. @throws InvalidArgumentError */
export const positiveNumber: (text: string) => number = wholeNumberFrom(1);

function wholeNumberFrom(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text.trim()) && Number.isSafeInteger(number) && number >= least) return number;
    throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
  };
}
