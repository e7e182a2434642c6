import type { IncomingMessage } from 'node:http';
import express from 'express';
import proxyAddr from 'proxy-addr';

type Trust = (address: string, hops: number) => boolean;

/** The address of a request's client, for code outside of Express. Undefined: the connection has closed. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** Finds the same address as `request.ip` of an Express application whose `trust proxy` is `trustProxy`. */
export function createClientAddress(trustProxy: boolean | number | string): ClientAddress {
  // Express compiles `trust proxy` into a function, keeps it under this name, and passes it to proxy-addr itself.
  const trust = express().set('trust proxy', trustProxy).get('trust proxy fn') as Trust;
  return (request) => proxyAddr(request, trust) as string | undefined;
}
