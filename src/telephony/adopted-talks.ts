import { CALLER, type CallEvent, endCauses, type LegId } from '../core/call/index.ts';
import type { CallSink } from '../engine/ports.ts';
import { restoreDialog, type SrfDialog } from './client-libraries/index.ts';
import { wireTogether } from './dialog-wiring.ts';
import { DirectWatch } from './direct-watch.ts';
import { guarded } from './guarded.ts';
import { PhoneDialog } from './phone-dialog.ts';
import { reasonOf, type Shell } from './shell.ts';
import type { TalkOver } from './ports.ts';
import type { KeptDialog, KeptTalk } from './talk-book.ts';

/** A party of a conversation that a process before this one connected. */
interface Party {
  readonly phone: PhoneDialog;
  /** With the media server; null where the phones talk directly. */
  readonly media: SrfDialog | null;
}

/*
 *  talking ── one side hangs up, vanishes or loses its sound; Wardline stops ──▶ over: told once, both are hung up
 */

/**
 * Conversations that went on while this process was not there. Their dialogs are with us again: what one phone asks the
 * other is asked, or the media server is, and who hangs up ends it for both.
 */
export class AdoptedTalks {
  readonly #shell: Shell;
  readonly #byDialog = new Map<string, { hungUp(): void; lost(): void }>();
  readonly #talks = new Set<{ close(): void }>();

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Call once, when the clients of the signalling servers are made and none is connected. */
  restore(sink: CallSink): void {
    for (const talk of this.#shell.talks.left) this.#restore(talk, sink);
  }

  /** `lost`: its media server does not know a leg of it any more, or its phone does not answer. */
  over(dialogId: string, why: Parameters<TalkOver>[1]): boolean {
    const party = this.#byDialog.get(dialogId);
    party?.[why]();
    return party !== undefined;
  }

  /** Hangs up all of them. */
  close(): void {
    for (const talk of this.#talks) talk.close();
  }

  #restore(talk: KeptTalk, sink: CallSink): void {
    const { clock, options, log } = this.#shell;
    let emit: ((event: CallEvent) => void) | null = null;
    let watch: DirectWatch | null = null;
    const end = (event: CallEvent | null, reason: string | null): void => {
      if (!this.#talks.delete(running)) return;
      watch?.close();
      this.#over(talk, [caller, called], reason);
      if (event !== null) emit?.(event);
    };
    const lost = (leg: LegId) => () => end({ type: 'legEnded', leg, by: 'mediaLost' }, null);
    const forgotten = (): void => end({ type: 'signallingLost' }, null);
    const callerEvents = { hungUp: () => end({ type: 'callerHungUp' }, null), lost: lost(CALLER), forgotten };
    const hungUp = (): void => end({ type: 'legEnded', leg: talk.leg, by: 'remote' }, null);
    const running = { close: () => end(null, null) };
    const caller = this.#party(talk.caller, talk.media?.caller ?? null, callerEvents);
    const called = this.#party(talk.called, talk.media?.called ?? null, { hungUp, lost: lost(talk.leg), forgotten });
    this.#talks.add(running);
    emit = sink.talkAdopted(talk.callId, { hangUp: (cause) => end(null, reasonOf(endCauses[cause])) });
    // On record it is over, or a server that it needs is not in the configuration any more.
    if (emit === null || caller === null || called === null) return forgotten();
    if (talk.media === null) wireTogether(this.#shell, caller.phone.dialog, called.phone.dialog);
    this.#byDialog.set(talk.caller.id, callerEvents).set(talk.called.id, { hungUp, lost: lost(talk.leg) });
    watch = new DirectWatch(clock, options.sip.probeSeconds * 1000, [
      { phone: caller.phone, lost: lost(CALLER) },
      { phone: called.phone, lost: lost(talk.leg) },
    ]);
    log.warn({ call: talk.callId }, 'a conversation of an earlier process goes on');
  }

  #over(talk: KeptTalk, parties: readonly (Party | null)[], reason: string | null): void {
    const { talks, media, signalling } = this.#shell;
    for (const { id } of [talk.caller, talk.called]) this.#byDialog.delete(id);
    talks.over(talk.callId);
    // Whoever looks after the media server kills the legs there, now or when it finds them.
    if (talk.media !== null) media.left(talk.caller.id);
    for (const party of parties) {
      party?.phone.hangUp(reason);
      if (!party?.media) continue;
      for (const { mediaDialogs } of signalling.links) mediaDialogs.delete(party.media);
      if (party.media.connected) party.media.destroy({}, () => {});
    }
  }

  /** null: its signalling server is not in the configuration any more. */
  #party(
    kept: KeptDialog,
    mediaKept: KeptDialog | null,
    events: { hungUp(): void; lost(): void; forgotten(): void },
  ): Party | null {
    const { signalling, log } = this.#shell;
    const [link, mediaLink] = [signalling.named(kept.server), mediaKept && signalling.named(mediaKept.server)];
    if (link === undefined || mediaLink === undefined) return null;
    const phone = new PhoneDialog(this.#shell, link, restoreDialog(link.srf, kept), events);
    if (mediaKept === null || mediaLink === null) return { phone, media: null };
    const media = restoreDialog(mediaLink.srf, mediaKept);
    mediaLink.mediaDialogs.add(media);
    media.on(
      'destroy',
      guarded(log, 'BYE', () => {
        mediaLink.mediaDialogs.delete(media);
        events.lost();
      }),
    );
    wireTogether(this.#shell, phone.dialog, media);
    return { phone, media };
  }
}
