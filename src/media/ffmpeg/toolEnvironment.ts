/** A self-built FFmpeg may need `LD_LIBRARY_PATH`. PATH is for the programs of `sandbox.ts`. */
const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH'] as const;

/**
 * The environment of FFmpeg and ffprobe. They read files of strangers, so it contains none of the server's secrets.
 * `LC_ALL`: messages are in English, because our code reads them. `MALLOC_ARENA_MAX`: glibc reserves 64 MB of address space
 * for each arena, and has up to eight arenas a core, which would count against the memory limit.
 */
export function toolEnvironment(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = PASSED_ON.flatMap((name) =>
    environment[name] === undefined ? [] : [[name, environment[name]] as const],
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', MALLOC_ARENA_MAX: '4' };
}
