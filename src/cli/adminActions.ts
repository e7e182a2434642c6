import { v7 } from 'uuid';
import type { CommandContext } from '../core/commandContext.ts';
import { createAdmins, nameHashOf, type Admin, type Admins } from '../features/accounts/index.ts';
import { programName } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable } from './output.ts';

const BY = 'command line';

export async function grant(signal: AbortSignal, email: string): Promise<number> {
  await using opened = await openLog('admins', signal);
  const isNew = await adminsOf(opened).grant(email, BY, context());
  await print(
    isNew
      ? `${email} is an administrator now: the role is in the next token, after a login or a refresh.\n`
      : `The role admin is granted to ${email} already.\n`,
  );
  return 0;
}

export async function revoke(signal: AbortSignal, email: string): Promise<number> {
  await using opened = await openLog('admins', signal);
  const admins = adminsOf(opened);
  if (await admins.revoke(email, BY, context())) {
    await print(
      `${email} is no longer an administrator. An access token that was issued before keeps the role until it expires (EXPIRES_IN).\n`,
    );
  } else await print(`${email} is not an administrator.\n`);
  if (!(await admins.list()).some(({ userId }) => userId !== undefined))
    await print(`Nobody is an administrator now: ${programName} admins grant <e-mail>\n`);
  return 0;
}

export async function list(signal: AbortSignal, json = false): Promise<number> {
  await using opened = await openLog('admins', signal);
  const admins = await adminsOf(opened).list();
  if (json) await printJson(admins.map(jsonOf));
  else if (admins.length === 0) await print(`Nobody is an administrator: ${programName} admins grant <e-mail>\n`);
  else await printTable(['e-mail', 'administrator because'], admins.map(row));
  return 0;
}

function adminsOf({ decodedStore: store, config, names }: OpenedLog): Admins {
  const nameHash = nameHashOf({ hmac: names });
  return createAdmins({ store, nameHash, adminEmails: config.adminEmails });
}

const context = (): CommandContext => ({ correlationId: v7(), now: new Date() });

/** Every entry has every field. */
function jsonOf({ email, userId, granted, isListed }: Admin): object {
  return { email, userId: userId ?? null, granted: granted ?? null, isListed };
}

function row({ email, userId, granted, isListed }: Admin): string[] {
  const reasons = [
    ...(granted === undefined ? [] : [`granted at ${granted.at} (${granted.by})`]),
    ...(isListed ? ['ADMIN_EMAILS lists it'] : []),
    ...(userId === undefined ? ['nobody has registered it yet: whoever does becomes an administrator'] : []),
  ];
  return [email, reasons.join('; ')];
}
