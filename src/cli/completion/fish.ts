import type { CompletedOption, Place } from './places.ts';

export function fishScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path.length > 0).map(({ path }) => quoted(key(path)));
  const valued = places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ flags }) => flags.map((flag) => quoted(key([...path, flag])))),
  );
  return `# Completes reelstream. Made by "reelstream completion fish": add  reelstream completion fish | source  to config.fish
# Prints the command before the cursor and the number of its arguments, such as " projections rebuild 0".
function __reelstream_place
    set -l at ''
    set -l place 0
    set -l value ''
    for word in (commandline -opc)[2..]
        if test -n "$value"
            set value ''
            continue
        end
        switch "$at $word"
            case ${paths.join(' ')}
                set at "$at $word"
                set place 0
            case ${valued.join(' ') || "''"}
                set value "$at $word"
            case '* -*'
            case '*'
                set place (math $place + 1)
        end
    end
    echo "$at $place"
end
function __reelstream_at
    test (__reelstream_place) = $argv[1]
end
function __reelstream_in
    string match -qr -- "^$argv[1] \\d+\\$" (__reelstream_place)
end
complete -c reelstream -f
${places.flatMap((place) => [...words(place), ...place.options.map((option) => optionLine(place, option))]).join('\n')}
`;
}

const key = (words: readonly string[]): string => words.map((word) => ` ${word}`).join('');

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function words({ path, subcommands, arguments: values }: Place): string[] {
  const line = (place: number, list: string, description = ''): string =>
    `complete -c reelstream -n ${quoted(`__reelstream_at '${key(path)} ${place}'`)} -a ${quoted(list)}${description === '' ? '' : ` -d ${quoted(description)}`}`;
  if (subcommands.length > 0) return subcommands.map(({ word, description }) => line(0, word, description));
  return values.flatMap((list, index) => (list.length === 0 ? [] : [line(index, list.join(' '))]));
}

function optionLine({ path }: Place, { flags, description, takesValue, values }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  const value = !takesValue ? '' : values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : ' -r -F';
  return `complete -c reelstream -n ${quoted(`__reelstream_in '${key(path)}'`)} ${names}${value} -d ${quoted(description)}`;
}
