import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { accountSchema } from '../../src/features/accounts/accountSchemas.ts';
import type { meSchema } from '../../src/features/accounts/routes.ts';
import type { reportSchema } from '../../src/features/analytics/report.ts';
import type { likeSchema } from '../../src/features/likes/routes.ts';
import type { videoPageSchema } from '../../src/features/videos/queryRoutes.ts';
import type { videoSchema } from '../../src/features/videos/videoView.ts';
import { checkAnswer } from './declaredAnswers.ts';
import { eventually } from './eventually.ts';

/** The envelope of every JSON answer. */
export interface Envelope<Data> {
  readonly success: boolean;
  readonly statusCode: number;
  readonly message: string;
  readonly meta?: {
    readonly page?: number;
    readonly limit?: number;
    readonly total?: number;
    readonly nextCursor?: string | null;
    readonly count?: number;
    readonly position?: string;
    readonly asOf?: string;
    readonly role?: string;
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

/** How long a client repeats a request that is answered with `Retry-After` (ms). */
const PATIENCE_MS = 30_000;

/**
 * One request to one API process. With `after`, it repeats the request while the answer is 503 because a read model is
 * behind. @throws when the answer is not what its route declares.
 */
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
  checkAnswer(method, path, { status: response.status, body });
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

export type Account = z.infer<typeof accountSchema>;
export type Me = z.infer<typeof meSchema>;
export type Video = z.infer<typeof videoSchema>;
export type VideoPage = z.infer<typeof videoPageSchema>;
export type Like = z.infer<typeof likeSchema>;
export type Analytics = z.infer<typeof reportSchema>;

export interface Credentials {
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/** Credentials that no other test uses. */
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
  /** `refreshToken=…`, as a client sends it. */
  readonly cookie: string;
}

/** Registers a new person and logs them in. */
export async function newPerson(base: string, chosen: Partial<Credentials> = {}): Promise<Person> {
  const credentials = { ...someone(), ...chosen };
  const registered = await call<Account>(base, 'POST', '/api/v1/auth/register', { json: credentials });
  if (registered.status !== 201) throw new Error(`registering answered ${registered.status}: ${registered.text}`);
  const loggedIn = await call<{ accessToken: string }>(base, 'POST', '/api/v1/auth/login', {
    json: { email: credentials.email, password: credentials.password },
  });
  if (loggedIn.status !== 200) throw new Error(`logging in answered ${loggedIn.status}: ${loggedIn.text}`);
  return { ...credentials, id: registered.data.id, token: loggedIn.data.accessToken, cookie: refreshCookie(loggedIn) };
}

/**
 * Registers new people, at each API process in turn. Only a few at the same time, because hashing passwords takes CPU
 * time.
 */
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
  readonly visibility?: Video['visibility'];
  readonly fileName?: string;
}

/** Uploads as a client of the original server does, with the form fields `data` and `video`. */
export async function upload(
  base: string,
  token: string,
  clip: string,
  options: UploadOptions = {},
): Promise<Answer<Video>> {
  const form = new FormData();
  form.set(
    'data',
    JSON.stringify({
      title: options.title ?? 'A clip',
      description: options.description ?? 'Made by a test',
      visibility: options.visibility,
    }),
  );
  form.set('video', new Blob([await readFile(clip)], { type: 'video/mp4' }), options.fileName ?? 'clip.mp4');
  return call<Video>(base, 'POST', '/api/v1/video/upload', { ...options, token, body: form });
}

/**
 * Options for a query after a command. The query waits only if the command's answer said that a read model is behind.
 */
export function afterwards(command: Answer<unknown>): { after?: bigint | undefined } {
  return command.headers.has('x-projection-behind') ? { after: command.position } : {};
}

/**
 * Uploads a video. Resolves when it is ready and in the feed, even if that takes longer than an upload waits. Counts no
 * view.
 */
export async function uploaded(base: string, token: string, clip: string, options: UploadOptions = {}): Promise<Video> {
  const answer = await upload(base, token, clip, options);
  if (answer.status !== 201 && answer.status !== 202)
    throw new Error(`uploading answered ${answer.status}: ${answer.text}`);
  if (answer.status === 201 && !answer.headers.has('x-projection-behind')) return answer.data;
  const mine = async (): Promise<Video | undefined> => {
    const { data } = await call<Me>(base, 'GET', '/api/v1/auth/me', { token, ...afterwards(answer) });
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
