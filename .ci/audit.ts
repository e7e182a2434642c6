// Fails when a package that runs in production has a known high or critical vulnerability. Exceptions, each with a reason and an
// end, are in audit-allowed.json. When the registry has no such list, it says so and does not fail.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { allowList, problemsOf } from './auditReport.ts';

const allowed = allowList.parse(JSON.parse(readFileSync(new URL('audit-allowed.json', import.meta.url), 'utf8')));
const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
const problems = problemsOf(parsed(stdout), allowed, new Date().toISOString().slice(0, 10));
if (problems === undefined) {
  console.log('NOTHING WAS CHECKED: the registry does not say which packages are vulnerable. Its answer was:');
  console.log(`${stdout}${stderr}`.trim().split('\n').slice(0, 5).join('\n'));
} else {
  for (const problem of problems) console.log(problem);
  console.log(`${problems.length} problems, ${allowed.length} advisories allowed`);
  if (problems.length > 0) process.exitCode = 1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
