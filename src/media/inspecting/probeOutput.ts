import type { ProbedStream } from './probe.ts';

/** Reads the headers and the packets that ffprobe printed as JSON. */
export function readStreams(output: string): ProbedStream[] {
  const { streams = [], packets = [] } = JSON.parse(output) as { streams?: RawStream[]; packets?: RawPacket[] };
  const times = readPackets(packets);
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

/** Times are seconds as text; a packet without a time has none. `D` in the flags: an edit list leaves it out; `C`: damaged. */
interface RawPacket {
  readonly stream_index: number;
  readonly pts_time?: string;
  readonly duration_time?: string;
  readonly flags?: string;
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

function readPackets(packets: readonly RawPacket[]): Map<number, PacketTimes> {
  const streams = new Map<number, PacketTimes>();
  for (const { stream_index: index, pts_time: time, duration_time: length, flags = '' } of packets) {
    const stream = streams.get(index) ?? noPackets();
    streams.set(index, stream);
    stream.decoded += 1;
    if (flags.includes('C')) stream.damaged += 1;
    const pts = Number(time);
    if (flags.includes('D') || Number.isNaN(pts)) continue;
    const end = pts + (Number(length) || 0);
    stream.start = stream.packets === 0 ? pts : Math.min(stream.start, pts);
    stream.end = stream.packets === 0 ? end : Math.max(stream.end, end);
    stream.packets += 1;
  }
  return streams;
}
