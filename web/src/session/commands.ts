import { answerOf, api } from '../api/client.ts';
import { saveFile } from '../saveFile.ts';
import { accessToken, forgetAccessToken, signedIn, signedOut } from './session.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface NewAccount extends Credentials {
  readonly name: string;
  readonly username: string;
}

export async function signIn(credentials: Credentials): Promise<void> {
  const { data } = await answerOf(api.POST('/api/v1/auth/login', { body: { ...credentials } }));
  signedIn(data.accessToken);
}

/** Creates the account and signs in. */
export async function signUp(account: NewAccount): Promise<void> {
  await answerOf(api.POST('/api/v1/auth/register', { body: { ...account } }));
  await signIn({ email: account.email, password: account.password });
}

/** The server forgets the session, so a copy of its cookie is worth nothing. */
export async function signOut(): Promise<void> {
  await answerOf(api.POST('/api/v1/auth/logout'));
  signedOut();
}

export interface ProfileChange {
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
  /** Needed for another e-mail address. */
  readonly password?: string;
}

/** Changes what is given. All tabs then show it. */
export async function changeProfile(change: ProfileChange): Promise<void> {
  await answerOf(api.PATCH('/api/v1/auth/me', { body: { ...change } }));
  // The next token says who the user is now.
  forgetAccessToken(await accessToken());
  await accessToken();
}

/** Saves everything that the server holds about the user as a file. */
export async function downloadOwnData(): Promise<void> {
  const file = await answerOf(api.GET('/api/v1/auth/me/export', { parseAs: 'blob' }));
  saveFile(file, 'reelstream-my-data.json');
}

/** The user is signed out everywhere, and the account is no more. */
export async function deleteAccount(password: string): Promise<void> {
  await answerOf(api.DELETE('/api/v1/auth/me', { body: { password } }));
  signedOut();
}

/** All other sessions of the user end. */
export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  await answerOf(api.PUT('/api/v1/auth/me/password', { body: { currentPassword, newPassword } }));
}
