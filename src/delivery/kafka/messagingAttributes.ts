/** Attributes of a span, by the semantic conventions for messaging. */
export function messagingAttributes(
  topic: string,
  operation: 'send' | 'receive',
  messages: number,
): Readonly<Record<string, string | number>> {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.type': operation,
    'messaging.operation.name': operation,
    'messaging.destination.name': topic,
    'messaging.batch.message_count': messages,
  };
}
