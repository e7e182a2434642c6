import { useEffect, useRef, type MouseEvent } from 'react';

/** Milliseconds in which a second tap makes a double tap. */
const DOUBLE = 260;

/**
 * Tells a tap from a double tap. Keys and screen readers make single ones, and are not made to wait.
 * @returns the handler of clicks. `onDouble` gets the place of the tap in the element.
 */
export function useTaps(onSingle: () => void, onDouble: (x: number, y: number) => void) {
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const lastDouble = useRef(0);
  const single = useRef(onSingle);
  useEffect(() => {
    single.current = onSingle;
  });
  useEffect(() => () => clearTimeout(waiting.current), []);

  return (event: MouseEvent<HTMLElement>): void => {
    const isPointer = event.detail > 0;
    if (!isPointer) return single.current();
    const isSecond = waiting.current !== undefined || event.timeStamp - lastDouble.current < DOUBLE;
    clearTimeout(waiting.current);
    waiting.current = undefined;
    if (isSecond) {
      lastDouble.current = event.timeStamp;
      const { left, top } = event.currentTarget.getBoundingClientRect();
      return onDouble(event.clientX - left, event.clientY - top);
    }
    waiting.current = setTimeout(() => {
      waiting.current = undefined;
      single.current();
    }, DOUBLE);
  };
}
