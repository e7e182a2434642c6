import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { eventually } from './eventually.ts';

/** The envelope of API.md. */
export interface Envelope<Data> {
  readonly success: boolean;
  readonly statusCode: number;
  readonly message: string;
  readonly meta?: {
    readonly page?: number;
    readonly limit?: number;
    readonly total?: number;
    readonly nextCursor?: string | null;
  };
  readonly data: Data;
  readonly code?: string;
  readonly errorMessages?: readonly { readonly path: string; readonly message: string }[];
  readonly requestId?: string;
}

export interface Answer<Data> {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when the answer was not JSON. */
  readonly body: Envelope<Data>;
  readonly data: Data;
  readonly text: string;
  /** From `X-Event-Position`. */
  readonly position: bigint | undefined;
}

export interface CallOptions {
  readonly token?: string;
  readonly json?: unknown;
  readonly body?: RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookie?: string;
  /** Sent as `X-Min-Position`. */
  readonly after?: bigint | undefined;
}

/** How long a client that was told to come again goes on doing so. */
const PATIENCE_MS = 30_000;

/** One request to one API process. One with `after` does as its 503 says, and comes again when the read model is behind. */
export async function call<Data = unknown>(
  base: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer<Data>> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await callOnce<Data>(base, method, path, options);
    const behind = options.after !== undefined && answer.status === 503 && answer.body.code === 'projection_behind';
    if (!behind || performance.now() > until) return answer;
  }
}

async function callOnce<Data>(base: string, method: string, path: string, options: CallOptions): Promise<Answer<Data>> {
  const headers = new Headers(options.headers);
  if (options.token !== undefined) headers.set('authorization', `Bearer ${options.token}`);
  if (options.cookie !== undefined) headers.set('cookie', options.cookie);
  if (options.after !== undefined) headers.set('x-min-position', String(options.after));
  if (options.json !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(new URL(path, base), {
    method,
    headers,
    body: options.json === undefined ? options.body : JSON.stringify(options.json),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  const body = (isJson ? JSON.parse(text) : undefined) as Envelope<Data>;
  const position = response.headers.get('x-event-position');
  return {
    status: response.status,
    headers: response.headers,
    body,
    data: body?.data,
    text,
    position: position === null ? undefined : BigInt(position),
  };
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Video {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly url: string;
  readonly thumbnailUrl: string;
  readonly viewCount: number;
  readonly likeCount: number;
  readonly uploadedBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly user: { readonly name: string; readonly username: string };
  readonly duration: number;
  readonly width: number;
  readonly height: number;
  readonly status: 'processing' | 'ready' | 'failed';
}

export interface VideoPage {
  readonly video: Video;
  readonly prev: { readonly id: string } | null;
  readonly next: { readonly id: string } | null;
  readonly isLiked: boolean;
}

export interface Like {
  readonly message: string;
  readonly videoId: string;
  readonly likeCount: number;
  readonly likeStatus: boolean;
}

export interface Analytics {
  readonly totalViews: number;
  readonly totalLikes: number;
  readonly totalUploads: number;
  readonly viewsOverTime: readonly { readonly date: string; readonly count: number }[];
  readonly likesOverTime: readonly { readonly date: string; readonly count: number }[];
  readonly topVideos: readonly {
    readonly id: string;
    readonly title: string;
    readonly viewCount: number;
    readonly likeCount: number;
  }[];
  readonly engagementRate: number;
}

export interface Credentials {
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/** Nobody else's. */
export function someone(): Credentials {
  const tag = randomBytes(6).toString('hex');
  return {
    name: `Person ${tag}`,
    username: `person_${tag}`,
    email: `person.${tag}@example.com`,
    password: 'fahim123@',
  };
}

export interface Person extends Credentials {
  readonly id: string;
  readonly token: string;
  /** `refreshToken=…`, ready to be sent. */
  readonly cookie: string;
}

/** Registers somebody new and logs them in. */
export async function newPerson(base: string): Promise<Person> {
  const credentials = someone();
  const registered = await call<Account>(base, 'POST', '/api/v1/auth/register', { json: credentials });
  if (registered.status !== 201) throw new Error(`registering answered ${registered.status}: ${registered.text}`);
  const loggedIn = await call<{ accessToken: string }>(base, 'POST', '/api/v1/auth/login', {
    json: { email: credentials.email, password: credentials.password },
  });
  if (loggedIn.status !== 200) throw new Error(`logging in answered ${loggedIn.status}: ${loggedIn.text}`);
  return { ...credentials, id: registered.data.id, token: loggedIn.data.accessToken, cookie: refreshCookie(loggedIn) };
}

/** Somebody new for each API process in turn: password hashing takes CPU, so only a few at once. */
export async function newPeople(count: number, api: () => string): Promise<Person[]> {
  const people: Person[] = [];
  while (people.length < count) {
    people.push(
      ...(await Promise.all(Array.from({ length: Math.min(4, count - people.length) }, () => newPerson(api())))),
    );
  }
  return people;
}

/** The cookie that an answer sets, as a client sends it back. @throws when it sets none. */
export function refreshCookie(answer: Answer<unknown>): string {
  const cookie = answer.headers.getSetCookie().find((each) => each.startsWith('refreshToken='));
  if (cookie === undefined) throw new Error('the answer set no refreshToken cookie');
  return cookie.split(';')[0]!;
}

export interface UploadOptions extends CallOptions {
  readonly title?: string;
  readonly description?: string;
  readonly fileName?: string;
}

/** Uploads as the seed's client does: the file first or last, form fields `video` and `data`. */
export async function upload(
  base: string,
  token: string,
  clip: string,
  options: UploadOptions = {},
): Promise<Answer<Video>> {
  const form = new FormData();
  form.set(
    'data',
    JSON.stringify({ title: options.title ?? 'A clip', description: options.description ?? 'Made by a test' }),
  );
  form.set('video', await openAsBlob(clip, { type: 'video/mp4' }), options.fileName ?? 'clip.mp4');
  return call<Video>(base, 'POST', '/api/v1/video/upload', { ...options, token, body: form });
}

/** For a query after a command that does not expect its view to have caught up: only what was said to be behind is waited for. */
export function afterwards(command: Answer<unknown>): { after?: bigint | undefined } {
  return command.headers.has('x-projection-behind') ? { after: command.position } : {};
}

/** The video once it is ready and in the feed, also where that takes longer than an upload waits. Counts no view. */
export async function uploaded(base: string, token: string, clip: string, options: UploadOptions = {}): Promise<Video> {
  const answer = await upload(base, token, clip, options);
  if (answer.status !== 201 && answer.status !== 202)
    throw new Error(`uploading answered ${answer.status}: ${answer.text}`);
  if (answer.status === 201 && !answer.headers.has('x-projection-behind')) return answer.data;
  const mine = async (): Promise<Video | undefined> => {
    const { data } = await call<{ videos: Video[] }>(base, 'GET', '/api/v1/auth/me', { token, ...afterwards(answer) });
    return data.videos.find(({ id }) => id === answer.data.id);
  };
  return (await eventually(mine, {
    within: 60_000,
    what: 'the uploaded video is ready',
    holds: (video) => video?.status === 'ready',
  }))!;
}

export function getVideo(base: string, videoId: string, options: CallOptions = {}): Promise<Answer<VideoPage>> {
  return call<VideoPage>(base, 'GET', `/api/v1/video/${videoId}`, options);
}

export function toggleLike(
  base: string,
  videoId: string,
  token: string,
  options: CallOptions = {},
): Promise<Answer<Like>> {
  return call<Like>(base, 'POST', `/api/v1/video/${videoId}`, { ...options, token });
}

export function setLike(
  base: string,
  videoId: string,
  token: string,
  options: CallOptions = {},
): Promise<Answer<Like>> {
  return call<Like>(base, 'PUT', `/api/v1/video/${videoId}/like`, { ...options, token });
}
