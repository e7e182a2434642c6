import { answerOf, api } from '../api/client.ts';
import { signedIn, signedOut } from './session.ts';

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
