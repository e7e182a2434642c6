import Sequencer from '@jest/test-sequencer';

/** By the ends of their names: tests of whole systems take longest, then those with real parts. */
const KINDS = ['.sys.test.ts', '.int.test.ts', '.unit.test.ts'];
const kindOf = ({ path }) => KINDS.findIndex((ending) => path.endsWith(ending));

/**
 * Runs the longest test files first, so that no worker begins one when the others have nothing left. Jest knows only in a
 * clone in which the tests have run before how long each file takes. In a new one it takes their sizes.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => kindOf(a) - kindOf(b));
  }
}
