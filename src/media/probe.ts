import { execFile } from 'node:child_process';
import { memoryLimit, untrustedInput } from './codecs.ts';

/** What ffprobe finds in one stream of an upload. */
export interface ProbedStream {
  readonly index: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly codec: string;
  /** The four characters by which the container names the codec. */
  readonly tag: string;
  /** Pixels as coded, before rotation and pixel shape. */
  readonly width: number;
  readonly height: number;
  /** Width of a pixel over its height. */
  readonly pixelShape: number;
  /** Degrees, a multiple of 90 as a rule. */
  readonly rotation: number;
  /** A cover picture, not a moving one. */
  readonly still: boolean;
  /** Packets that are shown (an edit list may leave some out), and when the first begins and the last ends, in seconds. */
  readonly packets: number;
  readonly start: number;
  readonly end: number;
  /** Packets that the container could give only in part. */
  readonly damaged: number;
}

/** ffprobe could make nothing of the file. */
export class Unreadable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Unreadable';
  }
}

/** A minute at 240 fps with sound is 20 000 packets of some 40 bytes of text each. */
const MOST_OUTPUT = 8 * 1024 * 1024;
const LONGEST_MS = 30_000;

/**
 * Reads the headers and the whole packet index of an upload. Times come from the packets, not from what the headers
 * claim: those lie in hostile files, and are missing in fragmented ones. @throws Unreadable
 */
export async function probe(ffprobe: string, path: string, signal?: AbortSignal): Promise<ProbedStream[]> {
  const common = ['-v', 'error', ...memoryLimit, ...untrustedInput];
  const [headers, packets] = await Promise.all([
    run(ffprobe, [...common, '-show_streams', '-of', 'json', '-i', path], signal),
    run(ffprobe, [...common, '-show_entries', 'packet=stream_index,pts_time,duration_time,flags', '-of', 'compact=p=0', '-i', path], signal),
  ]);
  const times = readPackets(packets);
  const { streams = [] } = JSON.parse(headers) as { streams?: RawStream[] };
  return streams.map((stream) => ({ ...readStream(stream), ...(times.get(stream.index) ?? noPackets()) }));
}

function run(ffprobe: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(ffprobe, args, { signal, timeout: LONGEST_MS, killSignal: 'SIGKILL', maxBuffer: MOST_OUTPUT, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (signal?.aborted) reject(signal.reason as Error);
      else if (error.code === 'ENOENT' || error.code === 'EACCES') reject(error);
      else reject(new Unreadable(stderr.trim() || error.message, { cause: error }));
    });
  });
}

interface RawStream {
  readonly index: number;
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly codec_tag_string?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_aspect_ratio?: string;
  readonly disposition?: { readonly attached_pic?: number };
  readonly tags?: { readonly rotate?: string };
  readonly side_data_list?: readonly { readonly rotation?: number }[];
}

function readStream(raw: RawStream): Omit<ProbedStream, keyof PacketTimes> {
  const [wide = 1, high = 1] = (raw.sample_aspect_ratio ?? '').split(':').map(Number);
  const rotation = raw.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? Number(raw.tags?.rotate ?? 0);
  return {
    index: raw.index,
    kind: raw.codec_type === 'video' || raw.codec_type === 'audio' ? raw.codec_type : 'other',
    codec: raw.codec_name ?? 'unknown',
    tag: raw.codec_tag_string ?? '',
    width: raw.width ?? 0,
    height: raw.height ?? 0,
    pixelShape: wide > 0 && high > 0 ? wide / high : 1,
    rotation: Number.isFinite(rotation) ? rotation : 0,
    still: raw.disposition?.attached_pic === 1,
  };
}

type PacketTimes = { -readonly [K in 'packets' | 'start' | 'end' | 'damaged']: ProbedStream[K] };
const noPackets = (): PacketTimes => ({ packets: 0, start: 0, end: 0, damaged: 0 });

/** Lines like `stream_index=0|pts_time=0.040000|duration_time=0.040000|flags=K__`. */
function readPackets(text: string): Map<number, PacketTimes> {
  const streams = new Map<number, PacketTimes>();
  for (const line of text.split('\n')) {
    const fields = new Map(line.split('|').map((field) => field.split('=', 2) as [string, string]));
    const [index, pts, flags] = [Number(fields.get('stream_index') ?? Number.NaN), Number(fields.get('pts_time')), fields.get('flags') ?? ''];
    if (Number.isNaN(index)) continue;
    const stream = streams.get(index) ?? noPackets();
    streams.set(index, stream);
    if (flags.includes('C')) stream.damaged += 1;
    if (flags.includes('D') || Number.isNaN(pts)) continue;
    const end = pts + (Number(fields.get('duration_time')) || 0);
    stream.start = stream.packets === 0 ? pts : Math.min(stream.start, pts);
    stream.end = stream.packets === 0 ? end : Math.max(stream.end, end);
    stream.packets += 1;
  }
  return streams;
}
