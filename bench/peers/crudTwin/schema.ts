/** The usual tables. Counts are columns that change with what they count. */
export const schema = `
  create table users (id uuid primary key, name text not null, username text not null);
  create table videos (
    id uuid primary key,
    owner_id uuid not null references users,
    title text not null,
    description text not null,
    status text not null,
    video_key text,
    thumbnail_key text,
    hls_key text,
    storyboard_key text,
    preview_key text,
    visibility text not null default 'public',
    hidden boolean not null default false,
    duration float8 not null,
    width int not null,
    height int not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    view_count int not null default 0,
    like_count int not null default 0
  ) with (fillfactor = 70);
  create index feed on videos (id desc) where status = 'ready' and visibility = 'public' and not hidden;
  create table likes (
    user_id uuid not null references users,
    video_id uuid not null references videos,
    at timestamptz not null default now(),
    primary key (user_id, video_id)
  );
  create table views (
    video_id uuid not null references videos,
    viewer text not null,
    minute int not null,
    at timestamptz not null,
    primary key (video_id, viewer, minute)
  );
  create table totals (ready int not null);
  insert into totals values (0);`;
