import type { Command } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';

/** A command's name, what it is for, and its flags. */
interface Completed {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly { readonly long: string; readonly about: string }[];
}

/** A script that completes commands and flags; arguments are completed as files. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    about: command.description(),
    flags: [
      ...command.options.map(({ long, description }) => ({ long: long ?? '', about: description })),
      { long: '--help', about: 'display help for command' },
    ],
  }));
  return SCRIPTS[shell](commands);
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Completed[]) => string>> = {
  bash,
  zsh,
  fish,
};

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, flags }) => `    ${name}) words="${flagsText(flags)}" ;;`);
  return `# everwarm completion for bash
_everwarm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names(commands)} --version --help" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=() ;;
  esac
}
complete -o default -F _everwarm everwarm
`;
}

function zsh(commands: readonly Completed[]): string {
  const described = commands.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`);
  const cases = commands.map(({ name, flags }) => `    ${name}) compadd -- ${flagsText(flags)} ;;`);
  return `#compdef everwarm
# everwarm completion for zsh
_everwarm() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  if [[ "$words[CURRENT]" != -* ]]; then
    _files
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
}
# Sourced, or found in $fpath.
if [ "$funcstack[1]" = "_everwarm" ]; then _everwarm "$@"; else compdef _everwarm everwarm; fi
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, about, flags }) => [
    `complete -c everwarm -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
    ...flags.map(
      (flag) =>
        `complete -c everwarm -n '__fish_seen_subcommand_from ${name}' -l ${flag.long.slice(2)} -d ${quoted(flag.about)}`,
    ),
  ]);
  return `# everwarm completion for fish\n${lines.join('\n')}\n`;
}

function names(commands: readonly Completed[]): string {
  return commands.map(({ name }) => name).join(' ');
}

function flagsText(flags: Completed['flags']): string {
  return flags.map(({ long }) => long).join(' ');
}

/** In single quotes, as all three shells read them but for the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
