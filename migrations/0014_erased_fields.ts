import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The log stays append-only, but for one thing: an event of an older program that holds a title or a description in clear may
 * lose them, and then says so (`src/core/erasedFields.ts`).
 */
export const erasedFields: Migration = {
  async up(db) {
    await sql`
      create function reelstream.refuse_all_but_erasure() returns trigger language plpgsql as $$
      declare
        erased jsonb := new.data::jsonb -> 'erased';
      begin
        if (new.position, new.stream, new.revision, new.id, new.type, new.metadata::text, new.time, new.hash)
            is not distinct from
            (old.position, old.stream, old.revision, old.id, old.type, old.metadata::text, old.time, old.hash)
          and not old.data::jsonb ? 'erased'
          and jsonb_typeof(erased -> 'fields') = 'array'
          and erased -> 'fields' <@ '["title", "description"]'
          and new.data::jsonb - 'erased'
            = old.data::jsonb - array(select jsonb_array_elements_text(erased -> 'fields'))
        then
          return new;
        end if;
        raise exception 'the event log is append-only: % is refused', tg_op;
      end $$`.execute(db);
    await sql`drop trigger append_only on reelstream.events`.execute(db);
    await sql`
      create trigger append_only before delete or truncate on reelstream.events
      for each statement execute function reelstream.refuse_change()`.execute(db);
    await sql`
      create trigger append_only_but_erasure before update on reelstream.events
      for each row execute function reelstream.refuse_all_but_erasure()`.execute(db);
  },
};
