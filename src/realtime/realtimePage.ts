import type { AsyncApiDocument, AsyncApiMessage, Channel, JsonSchema } from './asyncapi.ts';
import { docsHead, docsHeader } from '../http/documents/docsLook.ts';
import { resumeRules } from './channelTexts.ts';

const CONNECT = `import { io } from 'socket.io-client';

const socket = io('http://localhost:3000', {
  // Called at every reconnect. Leave it out to connect without a user.
  auth: (give) => give({ token: accessToken() }),
});

let position; // of the last handled event
socket.on('connect', async () => {
  const answer = await socket.emitWithAck('subscribe', { topics: ['feed'], since: position });
  if (!answer.ok) return console.error(answer.error.code, answer.error.message);
  position ??= answer.position;
});
socket.on('event', (event) => {
  console.log(event.type, event.data);
  position = event.position;
});`;

/** The AsyncAPI document as a page for people: plain HTML without scripts. Styles are at `/docs/docs.css` and `/docs/realtime.css`. */
export function realtimePage(document: AsyncApiDocument): string {
  const { info, servers, channels, components } = document;
  const messagesOf = (channel: string): AsyncApiMessage[] =>
    Object.keys(channels[channel]!.messages).map((name) => components.messages[name]!);
  const channel = (name: string, show: (message: AsyncApiMessage) => string): string => {
    const { title, description } = channels[name]!;
    return `<section id="${name}"><h2><code>${escaped(title)}</code></h2>${paragraphs(description)}${messagesOf(name).map(show).join('')}</section>`;
  };
  const links = [
    ['connect', 'Connect'],
    ['subscribe', 'subscribe'],
    ['event', 'event'],
    ['logEvent', '… of the log, for admins'],
    ['eventError', 'event_error'],
    ['resume', 'Reconnect and resume'],
    ['uploadProgress', 'Upload progress'],
    ['publicUploadProgress', '… on SOCKET_PORT'],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<title>${escaped(info.title)}</title>
${docsHead}
<link rel="stylesheet" href="/docs/realtime.css">
</head>
<body>
${docsHeader('/docs/realtime')}
<div class="page">
<nav class="contents" aria-label="Contents">
<ul>${links.map(([id, text]) => `<li><a href="#${id}">${escaped(text!)}</a></li>`).join('')}</ul>
<p><a href="/asyncapi.json">AsyncAPI ${document.asyncapi}</a></p>
</nav>
<main>
<h1>${escaped(info.title)}</h1>
${paragraphs(info.description)}
<section id="connect">
<h2>Connect</h2>
${table(
  ['Port', ''],
  Object.values(servers).map(({ title, description, host }) => [
    `<code>${escaped(title)}</code><br><span class="note">${escaped(host)}</span>`,
    paragraphs(description),
  ]),
)}
<h3>Token</h3>
${paragraphs((components.securitySchemes as { token: { description: string } }).token.description)}
<h3>Example</h3>
<pre tabindex="0"><code>${escaped(CONNECT)}</code></pre>
${paragraphs('A program that does all of this is in the repository: `examples/realtime.js`.')}
</section>
${channel('subscribe', withDetails)}
${eventSection(channels['event']!, messagesOf('event'))}
${channel('logEvent', withDetails)}
${channel('eventError', withDetails)}
<section id="resume"><h2>Reconnect and resume</h2>${list(resumeRules)}</section>
${channel('uploadProgress', withDetails)}
${channel('publicUploadProgress', withDetails)}
</main>
</div>
</body>
</html>
`;
}

function withDetails({ title, summary, description, payload, examples }: AsyncApiMessage): string {
  const variants = payload.oneOf ?? [payload];
  return `<article><h3>${escaped(title)}</h3>${paragraphs(summary)}
${variants.map((variant, index) => `${fields(variant)}<pre tabindex="0"><code>${json(examples[index]?.payload)}</code></pre>`).join('')}
${paragraphs(description ?? '')}</article>`;
}

/** The common fields of all events are shown once; for each event only `data` is shown. */
function eventSection({ title, description }: Channel, events: readonly AsyncApiMessage[]): string {
  const [shown] = events.filter(({ name }) => name === 'VideoProcessed');
  const { data: _, ...common } = shown!.payload.properties!;
  const { type, ...rest } = common;
  const dataOf = ({ payload }: AsyncApiMessage): string =>
    rowsOf(payload.properties!['data']!, '')
      .map(
        ([field, kind, meaning]) => `${field} <span class="note">${kind}${meaning === '' ? '' : `. ${meaning}`}</span>`,
      )
      .join('<br>');
  return `<section id="event"><h2><code>${escaped(title)}</code></h2>${paragraphs(description)}
${fields({ properties: { ...rest, type: { ...type, const: undefined, type: 'one of those below' } }, required: ['position', 'type', 'time'] })}
<pre tabindex="0"><code>${json(shown!.examples[0]?.payload)}</code></pre>
<div class="events">${table(
    ['type', 'data'],
    events.map((each) => [
      `<code>${escaped(each.name)}</code>${paragraphs(each.summary)}<p class="note">${inline(each.description ?? '')}</p>`,
      dataOf(each),
    ]),
  )}</div></section>`;
}

function fields(schema: JsonSchema, prefix = ''): string {
  return table(['Field', 'Type', ''], rowsOf(schema, prefix));
}

function rowsOf({ properties = {}, required = [] }: JsonSchema, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([name, schema]) => [
    [
      `<code>${escaped(prefix + name)}</code>`,
      `${escaped(typeOf(schema))}${required.includes(name) ? '' : ' <span class="note">(optional)</span>'}`,
      inline(schema.description ?? ''),
    ],
    ...rowsOf(schema, `${prefix}${name}.`),
  ]);
}

function typeOf({
  type,
  format,
  const: constant,
  enum: values,
  minimum,
  maximum,
  minItems,
  maxItems,
  items,
  anyOf,
}: JsonSchema): string {
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (constant !== undefined) return JSON.stringify(constant);
  if (values !== undefined) return values.join(' | ');
  if (items !== undefined) return `list of ${minItems} to ${maxItems} ${items.type ?? 'string'}s`;
  if (format !== undefined && type === 'string')
    return { uuid: 'UUID', 'date-time': 'ISO 8601 time' }[format] ?? format;
  if (maximum !== undefined && maximum < 2 ** 31 - 1) return `${String(type)}, ${minimum} to ${maximum}`;
  return String(type ?? '');
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll" tabindex="0"><table><thead>${cells(heads, 'th')}</thead><tbody>${rows.map((row) => cells(row, 'td')).join('')}</tbody></table></div>`;
}

function json(value: unknown): string {
  return escaped(JSON.stringify(value, undefined, 2));
}

function paragraphs(text: string): string {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => (block.startsWith('- ') ? list(block.slice(2).split('\n- ')) : `<p>${inline(block)}</p>`))
    .join('');
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${inline(item)}</li>`).join('')}</ul>`;
}

/** Our texts use no other Markdown than paragraphs, lists and code between backticks. */
function inline(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
