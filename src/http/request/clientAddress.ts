import type { IncomingMessage } from 'node:http';
import express from 'express';
import proxyAddr from 'proxy-addr';

type Trust = (address: string, hops: number) => boolean;

/** The address of a request's client for whoever has no Express around the request. Undefined: its connection has closed. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** Finds the same address as `request.ip` of an Express application whose `trust proxy` is `trustProxy`. */
export function createClientAddress(trustProxy: boolean | number | string): ClientAddress {
  // Express keeps what it makes of `trust proxy` under this name, and passes it to proxy-addr itself.
  const trust = express().set('trust proxy', trustProxy).get('trust proxy fn') as Trust;
  return (request) => proxyAddr(request, trust) as string | undefined;
}
