import { expect, test } from '@jest/globals';
import { clientNetwork } from './clientNetwork.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2::1', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:0:0:5::', '2001:db8:0:0'],
  ['1:2:3::4:5:6:7', '1:2:3:0'],
  ['64:ff9b::203.0.113.7', '64:ff9b:0:0'],
  ['::', '0:0:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['fe80::1%a:b:c:d:e:f:g:h', 'fe80:0:0:0'],
  ['unknown', 'unknown'],
])('%s is of %s', (address, network) => expect(clientNetwork(address)).toBe(network));
