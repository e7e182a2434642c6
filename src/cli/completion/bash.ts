import type { Place } from './places.ts';

/** The script for bash, which zsh can run as well. No word of the command line has a space or another special character. */
export function bashScript(places: readonly Place[]): string {
  return `# Completes reelstream. Made by "reelstream completion bash": add  source <(reelstream completion bash)  to ~/.bashrc
_reelstream() {
  local word at='' place=0 value='' words='' current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    [[ $word == = ]] && continue
    if [[ -n $value ]]; then value=''; continue; fi
    case "$at $word" in
      ${patterns(places.filter(({ path }) => path.length > 0).map(({ path }) => key(path)))}) at="$at $word"; place=0 ;;
      ${patterns(optionsWithValue(places))}) value="$at $word" ;;
      *' -'*) ;;
      *) place=$((place + 1)) ;;
    esac
  done
  [[ $current == = ]] && current=''
  if [[ -n $value ]]; then
    case "$value" in
${cases(optionValues(places))}
      *) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
  elif [[ $current == -* ]]; then
    case "$at" in
${cases(places.map(({ path, options }) => [key(path), options.flatMap(({ flags }) => flags)]))}
    esac
  else
    case "$at $place" in
${cases(places.flatMap(argumentWords))}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _reelstream reelstream
`;
}

export function zshScript(places: readonly Place[]): string {
  return `# Completes reelstream. Made by "reelstream completion zsh": add  source <(reelstream completion zsh)  to ~/.zshrc
autoload -U +X compinit && compinit -i
autoload -U +X bashcompinit && bashcompinit
${bashScript(places).split('\n').slice(1).join('\n')}`;
}

/** Each word after a space: the path " projections rebuild". */
const key = (words: readonly string[]): string => words.map((word) => ` ${word}`).join('');

/** A pattern that nothing matches, if there is none. */
const patterns = (keys: readonly string[]): string => keys.map((each) => `'${each}'`).join('|') || "''";

const cases = (words: readonly (readonly [string, readonly string[]])[]): string =>
  words
    .filter(([, each]) => each.length > 0)
    .map(([pattern, each]) => `      '${pattern}') words='${each.join(' ')}' ;;`)
    .join('\n');

function optionsWithValue(places: readonly Place[]): string[] {
  return places.flatMap(({ path, options }) =>
    options.filter(({ takesValue }) => takesValue).flatMap(({ flags }) => flags.map((flag) => key([...path, flag]))),
  );
}

function optionValues(places: readonly Place[]): [string, readonly string[]][] {
  return places.flatMap(({ path, options }) =>
    options.flatMap(({ flags, values }) =>
      flags.map((flag): [string, readonly string[]] => [key([...path, flag]), values]),
    ),
  );
}

function argumentWords({ path, subcommands, arguments: values }: Place): [string, readonly string[]][] {
  if (subcommands.length > 0) return [[`${key(path)} 0`, subcommands.map(({ word }) => word)]];
  return values.map((words, index) => [`${key(path)} ${index}`, words]);
}
