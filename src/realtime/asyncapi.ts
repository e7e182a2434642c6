import { z } from 'zod';
import { version } from '../core/version.ts';
import { channelTexts, subscribeText } from './channelTexts.ts';
import type { FeedDefinition, FeedRule } from './feedDefinition.ts';
import { logEvent } from './logEvent.ts';
import {
  eventError,
  publicProgressMessage,
  pushedEvent,
  subscribeAnswer,
  subscribeRequest,
  uploadProgressMessage,
} from './messages.ts';

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly examples?: readonly unknown[];
}

export interface AsyncApiMessage {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly description?: string;
  readonly payload: JsonSchema;
  readonly examples: readonly { readonly payload: unknown }[];
}

interface Reference {
  readonly $ref: string;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly title: string;
  readonly summary: string;
  readonly description: string;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
  readonly security?: readonly Reference[];
}

export interface Channel {
  readonly address: string;
  readonly title: string;
  readonly description: string;
  readonly servers: readonly Reference[];
  readonly parameters?: Readonly<Record<string, { readonly description: string }>>;
  readonly messages: Readonly<Record<string, Reference>>;
}

interface Server {
  readonly host: string;
  readonly pathname: string;
  readonly protocol: string;
  readonly title: string;
  readonly description: string;
}

/** The parts of AsyncAPI 3.0 that our document uses. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly id: string;
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description: string;
    readonly license: object;
    readonly tags: readonly { readonly name: string; readonly description: string }[];
  };
  readonly defaultContentType: string;
  readonly servers: Readonly<Record<string, Server>>;
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, AsyncApiMessage>>;
    readonly securitySchemes: object;
  };
}

/**
 * The AsyncAPI document of the real-time channel, made from the schemas of its messages. "Send" means that the server
 * sends.
 */
export function asyncApiDocument({ rules, topics }: FeedDefinition): AsyncApiDocument {
  const events = Object.keys(rules);
  const subscribe = subscribeText(topics);
  const api = ref('servers', 'api');
  const legacy = ref('servers', 'legacy');
  const channel = (
    address: string,
    title: string,
    description: string,
    messages: readonly string[],
    servers = [api, legacy],
  ): Channel => ({
    address,
    title,
    description,
    servers,
    messages: Object.fromEntries(messages.map((name) => [name, ref('components', 'messages', name)])),
  });
  const parameters = { userId: { description: 'The id of the user who uploads.' } };
  const texts = channelTexts;
  return {
    asyncapi: '3.0.0',
    id: 'urn:reelstream:realtime',
    info: {
      title: 'ReelStream real time',
      version,
      description: texts.introduction,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      tags: [{ name: 'Socket.io', description: 'Version 4 of the protocol (Socket.io 3 and newer).' }],
    },
    defaultContentType: 'application/json',
    servers: {
      api: {
        host: 'localhost:3000',
        pathname: '/socket.io/',
        protocol: 'ws',
        title: 'PORT',
        description: texts.apiServer,
      },
      legacy: {
        host: 'localhost:3002',
        pathname: '/socket.io/',
        protocol: 'ws',
        title: 'SOCKET_PORT',
        description: texts.legacyServer,
      },
    },
    channels: {
      subscribe: channel('subscribe', 'subscribe', subscribe, ['subscribe', 'subscribed']),
      event: channel('event', 'event', texts.event, events),
      logEvent: channel('event', 'event, for the topic log', texts.logEvent, ['logEvent']),
      eventError: channel('event_error', 'event_error', texts.eventError, ['eventError']),
      uploadProgress: {
        ...channel(
          'uploadProgress-{userId}',
          'uploadProgress-<userId>',
          texts.uploadProgress,
          ['uploadProgress'],
          [api],
        ),
        parameters,
      },
      publicUploadProgress: {
        ...channel(
          'uploadProgress-{userId}',
          'uploadProgress-<userId> on SOCKET_PORT',
          texts.publicUploadProgress,
          ['publicUploadProgress'],
          [legacy],
        ),
        parameters,
      },
    },
    operations: {
      subscribe: {
        ...operation('receive', 'subscribe', 'Subscribe to topics', subscribe, ['subscribe']),
        reply: {
          channel: ref('channels', 'subscribe'),
          messages: [ref('channels', 'subscribe', 'messages', 'subscribed')],
        },
      },
      sendEvent: operation('send', 'event', 'Receive events', texts.event, events),
      sendLogEvent: {
        ...operation('send', 'logEvent', 'Receive the log', texts.logEvent, ['logEvent']),
        security: [ref('components', 'securitySchemes', 'token')],
      },
      sendEventError: operation('send', 'eventError', 'Receive the end of a subscription', texts.eventError, [
        'eventError',
      ]),
      sendUploadProgress: {
        ...operation('send', 'uploadProgress', 'Receive upload progress', texts.uploadProgress, ['uploadProgress']),
        security: [ref('components', 'securitySchemes', 'token')],
      },
      sendPublicUploadProgress: operation(
        'send',
        'publicUploadProgress',
        'Receive upload progress as clients of the original server do',
        texts.publicUploadProgress,
        ['publicUploadProgress'],
      ),
    },
    components: {
      messages: {
        subscribe: message(
          'subscribe',
          'subscribe',
          'What a client sends.',
          schemaOf(subscribeRequest(topics), 'input'),
        ),
        subscribed: message(
          'subscribed',
          'Acknowledgement of subscribe',
          'What the server acknowledges with.',
          schemaOf(subscribeAnswer),
          texts.subscribeErrors,
        ),
        ...Object.fromEntries(Object.entries(rules).map(([type, rule]) => [type, eventMessage(type, rule)])),
        logEvent: message('logEvent', 'An event of the log', 'What admins see of an event.', schemaOf(logEvent)),
        eventError: message(
          'eventError',
          'event_error',
          'The subscription has ended.',
          schemaOf(eventError),
          texts.eventErrors,
        ),
        uploadProgress: message(
          'uploadProgress',
          'uploadProgress-<userId>',
          'How far an upload is.',
          schemaOf(uploadProgressMessage),
        ),
        publicUploadProgress: message(
          'publicUploadProgress',
          'uploadProgress-<userId>',
          'How far an upload is.',
          schemaOf(publicProgressMessage),
        ),
      },
      securitySchemes: { token: { type: 'apiKey', in: 'password', description: texts.token } },
    },
  };
}

function ref(...path: readonly string[]): Reference {
  return { $ref: `#/${path.join('/')}` };
}

function operation(
  action: 'send' | 'receive',
  channel: string,
  title: string,
  description: string,
  messages: readonly string[],
): Operation {
  return {
    action,
    channel: ref('channels', channel),
    title,
    summary: `${title}.`,
    description,
    messages: messages.map((name) => ref('channels', channel, 'messages', name)),
  };
}

function eventMessage(type: string, { schema: data, audience }: FeedRule): AsyncApiMessage {
  const schema = pushedEvent.extend({ type: z.literal(type), data });
  const topics = `Sent to subscribers of ${audience.join(', ')}.`;
  return message(type, type, data.meta()?.description ?? '', schemaOf(schema), topics);
}

function message(
  name: string,
  title: string,
  summary: string,
  payload: JsonSchema,
  description?: string,
): AsyncApiMessage {
  const examples = (payload.oneOf ?? [payload]).map((each) => ({ payload: exampleOf(each) }));
  return { name, title, summary, ...(description !== undefined && { description }), payload, examples };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      // A format needs no pattern. Clients must accept messages that have more fields some day.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.additionalProperties;
    },
  });
  return rest as JsonSchema;
}

/** Built from the examples of the schema's parts. */
function exampleOf({ examples, const: constant, properties, items, anyOf }: JsonSchema): unknown {
  if (examples !== undefined) return examples[0];
  if (constant !== undefined) return constant;
  if (properties !== undefined)
    return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, exampleOf(schema)]));
  if (items !== undefined) return [exampleOf(items)];
  return anyOf?.[0] && exampleOf(anyOf[0]);
}
