import type { IncomingMessage } from 'node:http';
import express from 'express';
import proxyAddr from 'proxy-addr';

/** Whether this peer, the so manieth proxy before the server, may name the address of its client. */
export type ProxyTrust = (address: string, hops: number) => boolean;

/** The address of a request's client. Undefined: the connection has closed. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** @param trustProxy as Express's setting `trust proxy` */
export function createProxyTrust(trustProxy: boolean | number | string): ProxyTrust {
  // Express compiles the setting into a function and keeps it under this name.
  return express().set('trust proxy', trustProxy).get('trust proxy fn') as ProxyTrust;
}

/** @param trustProxy as Express's setting `trust proxy` */
export function createClientAddress(trustProxy: boolean | number | string): ClientAddress {
  const trust = createProxyTrust(trustProxy);
  return (request) =>
    // proxy-addr finds the same, but takes the request apart first.
    request.headers['x-forwarded-for'] === undefined
      ? request.socket.remoteAddress
      : (proxyAddr(request, trust) as string | undefined);
}
