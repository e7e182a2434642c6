import { z } from 'zod';
import { DomainError } from '../../../core/errors.ts';
import { exampleValues } from '../../../http/documents/exampleValues.ts';
import { uploadLimits } from '../../../media/limits.ts';
import { CHECKSUM_ALGORITHMS } from './checksum.ts';

export const UPLOADS_PATH = '/api/v1/uploads';

/** From its creation, an upload may take so long (ms). */
export const EXPIRES_AFTER_MS = 24 * 60 * 60_000;

export const TUS_VERSION = '1.0.0';

export const TUS_EXTENSIONS = ['creation', 'creation-with-upload', 'checksum', 'expiration', 'termination'] as const;

/** The answer to `OPTIONS`. */
export const TUS_OPTIONS = {
  'Tus-Resumable': TUS_VERSION,
  'Tus-Version': TUS_VERSION,
  'Tus-Extension': TUS_EXTENSIONS.join(','),
  'Tus-Max-Size': String(uploadLimits.maxBytes),
  'Tus-Checksum-Algorithm': CHECKSUM_ALGORITHMS.join(','),
} as const;

export const OFFSET_STREAM = 'application/offset+octet-stream';

const bytes = (description: string) => z.string().meta({ description, pattern: '^\\d+$' });

const version = z.literal(TUS_VERSION).meta({ description: 'The version of tus.', examples: [TUS_VERSION] });
const checksum = z
  .string()
  .optional()
  .meta({
    description: `Of the bytes of this request: ${CHECKSUM_ALGORITHMS.join(', ')}, a space, and the digest in Base64.`,
  });

export const versionHeaders = z.object({ 'Tus-Resumable': version });

export const createHeaders = z.object({
  'Tus-Resumable': version,
  'Upload-Length': bytes('The size of the file.').meta({ examples: ['1048576'] }),
  'Upload-Metadata': z
    .string()
    .meta({
      description:
        'Pairs of a key and a value in Base64, joined by commas: `title` (1 to 200 characters), and optionally `description` (at most 5000), `visibility` (`public`, `unlisted` or `private`; `public` by default) and `filename`.',
      examples: ['title VGVzdCBjYXJk,filename Y2xpcC5tcDQ='],
    }),
  'Upload-Checksum': checksum,
});

export const appendHeaders = z.object({
  'Tus-Resumable': version,
  'Upload-Offset': bytes('Where the bytes of this request belong.').meta({ examples: ['0'] }),
  'Upload-Checksum': checksum,
});

export const uploadSchema = z
  .object({
    id: z.uuid().meta({ examples: ['3f0c9a52-6d1e-4b77-8f24-0a5de9c7b610'] }),
    length: z
      .int32()
      .min(0)
      .meta({ description: 'Bytes of the whole file.', examples: [1_048_576] }),
    offset: z
      .int32()
      .min(0)
      .meta({ description: 'Bytes that have been received.', examples: [524_288] }),
    title: z.string().meta({ examples: ['Test card'] }),
    filename: z
      .string()
      .nullable()
      .meta({ examples: ['clip.mp4'] }),
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    expiresAt: z.iso.datetime().meta({ description: 'When it is removed.', examples: ['2025-07-15T09:30:00.000Z'] }),
    videoId: z
      .uuid()
      .nullable()
      .meta({ description: 'The video that it has become. Null until then.', examples: [null] }),
  })
  .meta({ id: 'Upload', description: 'An upload that can be resumed.' });

export const answeredHeaders = {
  'Tus-Resumable': 'The version of tus.',
  'Upload-Offset': 'Bytes that have been received.',
  'Upload-Expires': 'When an unfinished upload is removed.',
  'Upload-Video': 'The id of the video, once the upload has become one.',
} as const;

export function uploadExpired(): DomainError {
  return new DomainError('gone', 'upload_expired', 'This upload was not finished within 24 hours. Begin a new one.');
}
