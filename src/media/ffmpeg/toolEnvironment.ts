/** `LD_LIBRARY_PATH` is for an FFmpeg that was built by hand; PATH finds what `sandbox.ts` starts it with. */
const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH'] as const;

/**
 * The environment of every FFmpeg and ffprobe. They read files of strangers, so none of the server's secrets is in it.
 * Messages are in English, since we read them; glibc reserves 64 MB of address space for each arena, and makes up to
 * eight a core, which would count against the memory limit.
 */
export function toolEnvironment(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = PASSED_ON.flatMap((name) =>
    environment[name] === undefined ? [] : [[name, environment[name]] as const],
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', MALLOC_ARENA_MAX: '4' };
}
