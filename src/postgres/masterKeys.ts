import { createHmac, randomBytes } from 'node:crypto';
import type { KeyRing } from '../core/keyRing.ts';
import { createNames, firstNameKey, nameKinds, type NameKind, type Names } from '../core/names.ts';
import { seal, subkey, unseal } from '../core/sealing.ts';
import { WrongMasterKey } from '../core/userKeys.ts';

/** What runs a query: a pool, a connection, or a pool with a limit of time. */
export type Query = <Row extends unknown[]>(text: string, values?: unknown[]) => Promise<Row[]>;

/** A key that is encrypted with a master key, as it is stored. */
export interface Wrapped {
  readonly wrapped: Buffer;
  /** The number of the master key. */
  readonly master: number;
}

/**
 * The master keys of a database, which encrypt ("wrap") the keys of its users and names. They are numbered in
 * `reelstream.master_keys`, with a fingerprint of each. Of those that this process knows, the database says which one
 * wraps: so all processes change at the same moment.
 */
export interface MasterKeys {
  /** Wraps with the current one. `context` must be given again to unwrap. */
  wrap(key: Buffer, context: string): Wrapped;
  /** @throws WrongMasterKey when this process does not know the master key. */
  unwrap(stored: Wrapped, context: string): Promise<Buffer>;
  /** Reads from the database which master keys there are. @throws WrongMasterKey when the current one is not known. */
  read(): Promise<void>;
}

/**
 * The first process that opens a database stores the fingerprint of its master key there.
 * @throws WrongMasterKey when the database was set up with another one, or when one is missing that is still needed.
 */
export async function openMasterKeys(query: Query, ring: KeyRing<Buffer>): Promise<MasterKeys> {
  const first = fingerprintOf(ring.keys()[0]!, 1);
  await query('insert into reelstream.master_key (fingerprint) values ($1) on conflict do nothing', [first]);
  await query(
    `insert into reelstream.master_keys (number, fingerprint, current, complete_at)
     select 1, fingerprint, true, now() from reelstream.master_key
     where not exists (select from reelstream.master_keys) on conflict do nothing`,
  );
  let known = new Map<number, Buffer>();
  let current = 0;

  async function read(): Promise<void> {
    const rows = await query<[number, Buffer, boolean, boolean]>(
      'select number, fingerprint, current, complete_at is not null from reelstream.master_keys',
    );
    const [number, , , complete] = rows.find(([, , isCurrent]) => isCurrent)!;
    // Beside the current one, only the one before it may be in use.
    const needed = rows.filter(([each]) => each === number || (!complete && each === number - 1));
    do {
      known = new Map(
        rows.flatMap(([each, fingerprint]) => {
          const key = ring.keys().find((candidate) => fingerprintOf(candidate, each).equals(fingerprint));
          return key === undefined ? [] : [[each, wrappingKey(key)]];
        }),
      );
    } while (!needed.every(([each]) => known.has(each)) && ring.refresh());
    if (!known.has(number)) throw new WrongMasterKey(known.size > 0 ? 'earlier' : 'foreign');
    if (!needed.every(([each]) => known.has(each))) throw new WrongMasterKey('incomplete');
    current = number;
  }

  await read();
  return {
    read,
    wrap: (key, context) => ({ wrapped: seal(known.get(current)!, key, context), master: current }),
    async unwrap({ wrapped, master }, context) {
      if (!known.has(master)) await read();
      const wrapping = known.get(master);
      if (wrapping === undefined) throw new WrongMasterKey('foreign');
      return unseal(wrapping, wrapped, context);
    },
  };
}

/** The key that encrypts others, made of a master key. */
export const wrappingKey = (masterKey: Buffer): Buffer => subkey(masterKey, 'wrap');

/** Those of the first master key are what older programs use; later ones differ, so that older programs do not start. */
export function fingerprintOf(masterKey: Buffer, number: number): Buffer {
  return createHmac('sha256', subkey(masterKey, 'fingerprint'))
    .update(number === 1 ? '' : String(number))
    .digest();
}

/** Tells processes which master keys another one knows. Nobody finds the key by it. */
export const markOf = (masterKey: Buffer): string => fingerprintOf(masterKey, 0).toString('hex').slice(0, 16);

/** The context of a name's key. No user has this id. */
export const nameContext = (kind: string): string => `name ${kind}`;

/** The names of the installation. Their keys are stored when they are first needed, and stay the same from then on. */
export async function openNames(query: Query, masterKeys: MasterKeys, ring: KeyRing<Buffer>): Promise<Names> {
  const select = 'select kind, wrapped, master from reelstream.name_keys';
  let stored = await query<[string, Buffer, number]>(select);
  const missing = nameKinds.filter((kind) => !stored.some(([name]) => name === kind));
  if (missing.length > 0) {
    const firstKey = await firstMasterKey(query, ring);
    const made = missing.map((kind) =>
      masterKeys.wrap(firstKey === undefined ? randomBytes(32) : firstNameKey(firstKey, kind), nameContext(kind)),
    );
    await query(
      `insert into reelstream.name_keys (kind, wrapped, master)
       select * from unnest($1::text[], $2::bytea[], $3::smallint[]) on conflict do nothing`,
      [missing, made.map(({ wrapped }) => wrapped), made.map(({ master }) => master)],
    );
    stored = await query(select);
  }
  const keys = new Map<string, Buffer>();
  for (const [kind, wrapped, master] of stored)
    keys.set(kind, await masterKeys.unwrap({ wrapped, master }, nameContext(kind)));
  return createNames((kind: NameKind) => keys.get(kind)!);
}

/** Undefined once it was replaced. Until then names follow from it, as in programs of older versions. */
async function firstMasterKey(query: Query, ring: KeyRing<Buffer>): Promise<Buffer | undefined> {
  const [row] = await query<[Buffer]>('select fingerprint from reelstream.master_keys where number = 1 and current');
  return row && ring.keys().find((key) => fingerprintOf(key, 1).equals(row[0]));
}
