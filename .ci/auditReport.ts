import { z } from 'zod';

/** A line of `.ci/audit-allowed.json`: an advisory that does not concern us, or that has no fix yet. */
const allowedAdvisory = z.strictObject({
  package: z.string().min(1),
  /** Its id at GitHub, such as GHSA-xxxx-xxxx-xxxx. */
  advisory: z.string().regex(/^GHSA(-[a-z0-9]{4}){3}$/),
  /** Why it is accepted. */
  reason: z.string().min(20),
  /** From this day on it is not. */
  until: z.iso.date(),
});

export const allowList = z.array(allowedAdvisory);
export type AllowedAdvisory = z.infer<typeof allowedAdvisory>;

const advisory = z.object({ name: z.string(), severity: z.string(), title: z.string(), url: z.string() });
/** What `npm audit --json` prints. */
const auditReport = z.object({
  vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), advisory])) })),
});

const SERIOUS = new Set(['high', 'critical']);

/** Sentences about what must be done; undefined when the registry checked nothing. */
export function problemsOf(report: unknown, allowed: readonly AllowedAdvisory[], today: string): string[] | undefined {
  const { data } = auditReport.safeParse(report);
  if (data === undefined) return undefined;
  const found = new Map(
    Object.values(data.vulnerabilities)
      .flatMap(({ via }) => via)
      .filter((each) => typeof each !== 'string')
      .filter(({ severity }) => SERIOUS.has(severity))
      .map((each) => [idOf(each), each]),
  );
  const valid = new Set(allowed.filter(({ until }) => until > today).map(({ advisory: id }) => id));
  return [
    ...[...found]
      .filter(([id]) => !valid.has(id))
      .map(([, { name, severity, title, url }]) => `${name}: ${severity}: ${title} (${url})`),
    ...allowed
      .filter(({ advisory: id }) => !found.has(id))
      .map(({ package: name, advisory: id }) => `${id} of ${name} is no longer found: remove its line`),
  ];
}

function idOf({ url }: z.infer<typeof advisory>): string {
  return url.split('/').at(-1)!;
}
