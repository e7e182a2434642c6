import { describe, expect, test } from '@jest/globals';
import { fold } from '../../core/decider.ts';
import { given } from '../../core/spec.ts';
import { videoDecider, type UploadVideo, type VideoCommand } from './decider.ts';
import { visibilities, type FilesAccess, type VideoEvent, type Visibility } from './events.ts';

const at = '2025-03-01T12:00:00.000Z';
const later = '2025-03-01T12:00:05.000Z';
const ids = { videoId: 'v1', ownerId: 'ann' };
const facts = { duration: 12.5, width: 1080, height: 1920 };
const original = { key: 'originals/v1/a.mp4', size: 1_000 };
const video = { key: 'videos/v1/b.mp4', size: 500 };
const thumbnail = { key: 'videos/v1/c.jpg', size: 50 };

const cat = { ...ids, title: 'Cat', description: 'A cat', original, facts, visibility: 'public', at } as const;
const upload: UploadVideo = { type: 'UploadVideo', ...cat };
const finish: VideoCommand = { type: 'RecordVideoProcessed', video, thumbnail, facts, at: later };
const fail: VideoCommand = { type: 'RecordProcessingFailure', reason: 'It is damaged.', at: later };
const remove = (userId: string): VideoCommand => ({ type: 'DeleteVideo', userId, at: later });
const retry = (userId: string): VideoCommand => ({ type: 'RetryProcessing', by: { userId }, at: later });
const operatorsRetry: VideoCommand = { type: 'RetryProcessing', by: 'operator', at: later };
const retitle = (
  userId: string,
  change: { title?: string; description?: string; visibility?: Visibility },
): VideoCommand => ({ type: 'ChangeVideoDetails', userId, ...change, at: later });

const uploaded: VideoEvent = { type: 'VideoUploaded', data: cat };
const uploadedAs = (visibility: Visibility): VideoEvent => ({ type: 'VideoUploaded', data: { ...cat, visibility } });
const processed: VideoEvent = { type: 'VideoProcessed', data: { ...ids, video, thumbnail, facts, at: later } };
const failed: VideoEvent = { type: 'VideoProcessingFailed', data: { ...ids, reason: 'It is damaged.', at: later } };
const retried: VideoEvent = { type: 'VideoProcessingRetried', data: { ...ids, original, at: later } };
const deleted: VideoEvent = { type: 'VideoDeleted', data: { ...ids, wasPublic: true, at: later } };
const deletedUnseen: VideoEvent = { type: 'VideoDeleted', data: { ...ids, wasPublic: false, at: later } };
const retitled: VideoEvent = {
  type: 'VideoDetailsChanged',
  data: { ...ids, title: 'Dog', description: 'A cat', at: later },
};

const seen = (visibility: Visibility, before: Visibility, isReady = true): VideoEvent => ({
  type: 'VideoVisibilityChanged',
  data: { ...ids, visibility, before, isReady, at: later },
});
const moved = (access: FilesAccess): VideoEvent => ({ type: 'VideoFilesMoved', data: { ...ids, access, at: later } });
const move = (access: FilesAccess): VideoCommand => ({ type: 'RecordFilesMoved', access, at: later });

const after = (...events: VideoEvent[]) => given(videoDecider, events);

describe('an upload', () => {
  test('begins a video', () => after().when(upload).then([uploaded]));
  test('that is repeated changes nothing, however far the video has come', () => {
    after(uploaded).when(upload).thenNothing();
    after(uploaded, processed).when(upload).thenNothing();
    after(uploaded, deleted).when(upload).thenNothing();
  });
  test('cannot take an id that is someone else’s', () =>
    after(uploaded)
      .when({ ...upload, ownerId: 'bob' })
      .thenThrows('video_exists'));
});

describe('processing', () => {
  test('makes a video ready, or fails it', () => {
    after(uploaded).when(finish).then([processed]);
    after(uploaded).when(fail).then([failed]);
  });
  test('that ends twice ends once', () => {
    after(uploaded, processed).when(finish).thenNothing();
    after(uploaded, failed).when(fail).thenNothing();
  });
  test('has one result: a late worker does not change it', () => {
    after(uploaded, failed).when(finish).thenNothing();
    after(uploaded, processed).when(fail).thenNothing();
  });
  test('does not bring a deleted video back', () => {
    after(uploaded, deleted).when(finish).thenNothing();
    after(uploaded, deleted).when(fail).thenNothing();
  });
  test('of a video that does not exist is refused', () => {
    after().when(finish).thenThrows('video_not_found');
    after().when(fail).thenThrows('video_not_found');
  });
});

describe('a retry', () => {
  test('of a failed video processes its original again', () =>
    after(uploaded, failed).when(retry('ann')).then([retried]));
  test('is refused unless the last processing failed, so also when it is repeated', () => {
    for (const history of [
      [uploaded],
      [uploaded, processed],
      [uploaded, failed, retried],
      [uploaded, failed, retried, processed],
    ]) {
      after(...history)
        .when(retry('ann'))
        .thenThrows('not_failed');
    }
  });
  test('may be made again after another failure', () =>
    after(uploaded, failed, retried, failed).when(retry('ann')).then([retried]));
  test('ends as processing does, once', () => {
    after(uploaded, failed, retried).when(finish).then([processed]);
    after(uploaded, failed, retried).when(fail).then([failed]);
    after(uploaded, failed, retried, processed).when(fail).thenNothing();
  });
  test('is not for others', () => {
    after(uploaded, processed).when(retry('bob')).thenThrows('not_your_video');
    after(uploaded, failed).when(retry('bob')).thenThrows('video_not_found');
  });
  test('is for operators as well, by the same rules', () => {
    after(uploaded, failed).when(operatorsRetry).then([retried]);
    after(uploaded, processed).when(operatorsRetry).thenThrows('not_failed');
    after().when(operatorsRetry).thenThrows('video_not_found');
    after(uploaded, failed, deleted).when(operatorsRetry).thenThrows('video_not_found');
  });
  test('of a video that does not exist or is deleted is refused', () => {
    after().when(retry('ann')).thenThrows('video_not_found');
    after(uploaded, failed, deleted).when(retry('ann')).thenThrows('video_not_found');
  });
  test('forgets why the video failed', () => {
    expect(fold(videoDecider, [uploaded, failed, retried])).toEqual({
      ...fold(videoDecider, [uploaded]),
      updatedAt: later,
    });
  });
  test('does not bring a deleted video back', () =>
    after(uploaded, failed, retried, deleted).when(finish).thenNothing());
});

describe('details', () => {
  test('are changed by the owner, one or both', () => {
    after(uploaded, processed)
      .when(retitle('ann', { title: 'Dog' }))
      .then([retitled]);
    after(uploaded)
      .when(retitle('ann', { title: 'Dog', description: 'A cat' }))
      .then([retitled]);
  });
  test('that are the same already are not changed', () => {
    after(uploaded, processed, retitled)
      .when(retitle('ann', { title: 'Dog' }))
      .thenNothing();
    after(uploaded).when(retitle('ann', {})).thenNothing();
  });
  test('are not changed by others', () =>
    after(uploaded, processed)
      .when(retitle('bob', { title: 'Dog' }))
      .thenThrows('not_your_video'));
  test('of a video that others may not see do not exist for them', () => {
    for (const hidden of [[], [uploaded], [uploaded, failed], [uploaded, deleted]]) {
      after(...hidden)
        .when(retitle('bob', { title: 'Dog' }))
        .thenThrows('video_not_found');
    }
  });
  test('of a deleted video do not exist for its owner either', () =>
    after(uploaded, deleted)
      .when(retitle('ann', { title: 'Dog' }))
      .thenThrows('video_not_found'));
});

describe('deleting', () => {
  test('is for the owner, at any time, and records whether the video was public', () => {
    after(uploaded, processed).when(remove('ann')).then([deleted]);
    for (const history of [[uploaded], [uploaded, failed]])
      after(...history)
        .when(remove('ann'))
        .then([deletedUnseen]);
  });
  test('twice is deleting once', () => after(uploaded, deleted).when(remove('ann')).thenNothing());
  test('is not for others', () => {
    after(uploaded, processed).when(remove('bob')).thenThrows('not_your_video');
    after(uploaded, deleted).when(remove('bob')).thenThrows('video_not_found');
    after().when(remove('ann')).thenThrows('video_not_found');
  });
});

describe('visibility', () => {
  test('is changed by the owner at any time, and the event says from what, and whether others could see the video', () => {
    after(uploaded, processed)
      .when(retitle('ann', { visibility: 'private' }))
      .then([seen('private', 'public')]);
    for (const history of [[uploadedAs('private')], [uploadedAs('private'), failed]])
      after(...history)
        .when(retitle('ann', { visibility: 'unlisted' }))
        .then([seen('unlisted', 'private', false)]);
  });
  test('that is the same already is not changed', () =>
    after(uploadedAs('unlisted'))
      .when(retitle('ann', { visibility: 'unlisted' }))
      .thenNothing());
  test('and a title may change at once; nobody else hears the title of a video that becomes private', () =>
    after(uploaded, processed)
      .when(retitle('ann', { title: 'Dog', visibility: 'private' }))
      .then([
        seen('private', 'public'),
        { ...retitled, data: { ...retitled.data, visibility: 'private' } } as VideoEvent,
      ]));
  test('is in every event that others may hear of, unless it is public', () => {
    for (const visibility of ['unlisted', 'private'] as const) {
      const finished = { ...processed, data: { ...processed.data, visibility } } as VideoEvent;
      after(uploadedAs(visibility)).when(finish).then([finished]);
      after(uploadedAs(visibility), finished)
        .when(remove('ann'))
        .then([
          { type: 'VideoDeleted', data: { ...ids, wasPublic: visibility === 'unlisted', visibility, at: later } },
        ]);
    }
  });
  test('decides whether others are told that a video is not theirs, or that there is none', () => {
    for (const command of [retitle('bob', { visibility: 'public' }), remove('bob'), retry('bob')]) {
      after(uploadedAs('unlisted'), processed).when(command).thenThrows('not_your_video');
      after(uploadedAs('private'), processed).when(command).thenThrows('video_not_found');
      after(uploaded, processed, seen('private', 'public')).when(command).thenThrows('video_not_found');
    }
  });
});

describe('moving the files', () => {
  test('is recorded once, if they are where they belong', () => {
    after(uploaded, processed, seen('private', 'public'))
      .when(move('private'))
      .then([moved('private')]);
    after(uploaded, processed, seen('private', 'public'), moved('private')).when(move('private')).thenNothing();
  });
  test('is not recorded when the visibility has changed back, or the video is deleted', () => {
    after(uploaded, processed, seen('private', 'public'), seen('public', 'private'))
      .when(move('private'))
      .thenNothing();
    after(uploaded, processed, seen('private', 'public'), deletedUnseen).when(move('private')).thenNothing();
    after().when(move('private')).thenThrows('video_not_found');
  });
  test('is not needed for an upload, whose files go where they belong at once', () => {
    for (const visibility of visibilities) {
      const access = visibility === 'private' ? 'private' : 'public';
      expect(fold(videoDecider, [uploadedAs(visibility)])).toMatchObject({ visibility, filesAccess: access });
      after(uploadedAs(visibility)).when(move(access)).thenNothing();
    }
  });
});

test('a video is what its events say', () => {
  const longer = { ...facts, duration: 12.52 };
  const history: VideoEvent[] = [
    uploaded,
    { ...processed, data: { ...processed.data, facts: longer } } as VideoEvent,
    retitled,
  ];
  expect(fold(videoDecider, history)).toEqual({
    status: 'ready',
    id: 'v1',
    ownerId: 'ann',
    title: 'Dog',
    description: 'A cat',
    original,
    facts: longer,
    video,
    thumbnail,
    visibility: 'public',
    filesAccess: 'public',
    createdAt: at,
    updatedAt: later,
  });
});

describe('a moderator', () => {
  const decision = { by: 'cleo', reason: 'It is advertising.', at: later };
  const decide = (type: 'HideVideo' | 'RestoreVideo' | 'RemoveVideo'): VideoCommand => ({ type, ...decision });
  const hidden = (wasPublic: boolean): VideoEvent => ({
    type: 'VideoHidden',
    data: { ...ids, ...decision, wasPublic },
  });
  const restored: VideoEvent = { type: 'VideoRestored', data: { ...ids, ...decision, isPublic: true } };
  const removed: VideoEvent = { type: 'VideoRemoved', data: { ...ids, ...decision } };

  test('hides a video once, in any state, and records whether others could see it', () => {
    after(uploaded, processed)
      .when(decide('HideVideo'))
      .then([hidden(true)]);
    after(uploaded)
      .when(decide('HideVideo'))
      .then([hidden(false)]);
    after(uploaded, processed, hidden(true)).when(decide('HideVideo')).thenNothing();
  });

  test('restores a hidden video once', () => {
    after(uploaded, processed, hidden(true)).when(decide('RestoreVideo')).then([restored]);
    after(uploaded, processed).when(decide('RestoreVideo')).thenNothing();
    after(uploaded, processed, hidden(true), restored).when(decide('RestoreVideo')).thenNothing();
    after(uploaded, processed, hidden(true), restored)
      .when(decide('HideVideo'))
      .then([hidden(true)]);
  });

  test('removes a video once, for good', () => {
    after(uploaded, processed).when(decide('RemoveVideo')).then([deleted, removed]);
    after(uploaded, processed, deleted, removed).when(decide('RemoveVideo')).thenNothing();
    for (const type of ['HideVideo', 'RestoreVideo'] as const)
      after(uploaded, processed, deleted, removed).when(decide(type)).thenThrows('video_removed');
  });

  test('decides nothing about a video that does not exist or that its owner has deleted', () => {
    for (const type of ['HideVideo', 'RestoreVideo', 'RemoveVideo'] as const) {
      after().when(decide(type)).thenThrows('video_not_found');
      after(uploaded, processed, deleted).when(decide(type)).thenThrows('video_not_found');
    }
  });

  test('hides a video whatever its owner does: it counts as private until it is restored', () => {
    const change = after(uploaded, processed, hidden(true)).when(
      retitle('ann', { visibility: 'unlisted', title: 'Dog' }),
    );
    change.then([
      {
        type: 'VideoVisibilityChanged',
        data: { ...ids, visibility: 'unlisted', before: 'public', isReady: true, isHidden: true, at: later },
      },
      {
        type: 'VideoDetailsChanged',
        data: { ...ids, title: 'Dog', description: 'A cat', visibility: 'private', at: later },
      },
    ]);
    after(uploaded, processed, hidden(true))
      .when(move('private'))
      .then([moved('private')]);
    after(uploaded, processed, hidden(true)).when(remove('bob')).thenThrows('video_not_found');
    after(uploaded, processed, hidden(true))
      .when(remove('ann'))
      .then([{ type: 'VideoDeleted', data: { ...ids, wasPublic: false, visibility: 'private', at: later } }]);
  });
});
