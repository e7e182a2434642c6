import { describe, expect, test } from '@jest/globals';
import { viewerName } from './viewer.ts';

const name = (address: string, secret = 'secret'): string => viewerName({ address }, secret);

describe('a viewer', () => {
  test('with a user id is that user, whatever the address', () => {
    expect(viewerName({ userId: 'ann', address: '10.0.0.1' }, 'secret')).toBe('user:ann');
  });

  test('without one is the address, which cannot be read from the name', () => {
    expect(name('203.0.113.7')).toMatch(/^addr:[\w-]{22}$/);
    expect(name('203.0.113.7')).not.toBe(name('203.0.113.8'));
    expect(name('203.0.113.7')).not.toBe(name('203.0.113.7', 'another secret'));
  });

  test.each([
    ['203.0.113.7', 'addr:0e2l-FQ2rS1eJYKLe8d8op'],
    ['::ffff:203.0.113.7', 'addr:0e2l-FQ2rS1eJYKLe8d8op'],
    ['2001:0DB8:0001:0002::1', 'addr:hJHsRR7xQBJ57PZf-MD10f'],
    ['fe80::1%eth0', 'addr:MIQHCv5h8iWd8trTm4NseK'],
    ['unknown', 'addr:LYAbXSdhKpaIdVlo49LWCC'],
  ])('has the same name over versions of the program, since the log counts by it: %s', (address, known) => {
    expect(name(address)).toBe(known);
  });

  test.each([
    ['an IPv4 address inside IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
    ['addresses of one household', '2001:db8:1:2::1', '2001:db8:1:2:aaaa:bbbb:cccc:dddd'],
    ['spellings of one address', '2001:0DB8:0001:0002::1', '2001:db8:1:2::1'],
    ['zeros left out', '2001:db8::1', '2001:db8:0:0:5::'],
    ['a zone', 'fe80::1%eth0', 'fe80::2'],
  ])('is one for %s', (_, one, other) => {
    expect(name(one)).toBe(name(other));
  });

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['::1', '1::'],
  ])('is another for different networks: %s and %s', (one, other) => {
    expect(name(one)).not.toBe(name(other));
  });
});
