import type { ProbedStream } from './probe.ts';

/** Reads what ffprobe printed: the headers as JSON, and the packets as lines of text. */
export function readStreams(headers: string, packets: string): ProbedStream[] {
  const times = readPackets(packets);
  const { streams = [] } = JSON.parse(headers) as { streams?: RawStream[] };
  return streams.map((stream) => ({ ...readStream(stream), ...(times.get(stream.index) ?? noPackets()) }));
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
  const rotation =
    raw.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? Number(raw.tags?.rotate ?? 0);
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

type PacketTimes = { -readonly [K in 'packets' | 'decoded' | 'start' | 'end' | 'damaged']: ProbedStream[K] };
const noPackets = (): PacketTimes => ({ packets: 0, decoded: 0, start: 0, end: 0, damaged: 0 });

/** Lines like `stream_index=0|pts_time=0.040000|duration_time=0.040000|flags=K__`. */
function readPackets(text: string): Map<number, PacketTimes> {
  const streams = new Map<number, PacketTimes>();
  for (const line of text.split('\n')) {
    const fields = new Map(line.split('|').map((field) => field.split('=', 2) as [string, string]));
    const [index, pts, flags] = [
      Number(fields.get('stream_index') ?? Number.NaN),
      Number(fields.get('pts_time')),
      fields.get('flags') ?? '',
    ];
    if (Number.isNaN(index)) continue;
    const stream = streams.get(index) ?? noPackets();
    streams.set(index, stream);
    stream.decoded += 1;
    if (flags.includes('C')) stream.damaged += 1;
    if (flags.includes('D') || Number.isNaN(pts)) continue;
    const end = pts + (Number(fields.get('duration_time')) || 0);
    stream.start = stream.packets === 0 ? pts : Math.min(stream.start, pts);
    stream.end = stream.packets === 0 ? end : Math.max(stream.end, end);
    stream.packets += 1;
  }
  return streams;
}
