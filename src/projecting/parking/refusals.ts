import { DomainError } from '../../core/errors.ts';
import type { Checkpoint } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import type { ParkedEvent } from './parkedEvents.ts';

export function unknownConsumer(name: string, names: readonly string[]): DomainError {
  return new DomainError(
    'notFound',
    'projection_unknown',
    `There is no projection "${name}". The projections are ${names.join(', ')}.`,
  );
}

export function notParked({ name }: Consumer, id: string): DomainError {
  return new DomainError(
    'notFound',
    'parked_event_not_found',
    `${name} has no parked event with the id ${id}. If there was one, it has been applied since.`,
  );
}

export function notTheFirst({ id, stream, waitsFor }: ParkedEvent): DomainError {
  return new DomainError(
    'conflict',
    'not_first_parked',
    `The event ${id} waits for the event ${waitsFor} of the stream ${stream}: retry or discard that one first.`,
  );
}

export function otherVersionInPlace(consumer: Consumer, inPlace: Pick<Checkpoint, 'version' | 'variant'>): DomainError {
  return new DomainError(
    'conflict',
    'other_version_in_place',
    `The tables of ${consumer.name} in place have version ${named(inPlace)}, and this program has version ${named(consumer)}. Try again when the rebuild has ended, or use a program of that version with those settings.`,
  );
}

function named({ version, variant }: Pick<Checkpoint, 'version' | 'variant'>): string {
  return variant === '' ? String(version) : `${version} (${variant})`;
}

export function rebuildUnderWay({ name }: Consumer): DomainError {
  return new DomainError(
    'conflict',
    'rebuild_under_way',
    `${name} is being rebuilt. Nothing can be discarded meanwhile; wait until the rebuild has ended, or cancel it.`,
  );
}

export function cannotApplyNow({ name }: Consumer, cause: Error): DomainError {
  return new DomainError(
    'unavailable',
    'cannot_apply_now',
    `${name} cannot apply any event in this process at the moment: ${cause.message}`,
    { retryAfter: 5, cause },
  );
}
