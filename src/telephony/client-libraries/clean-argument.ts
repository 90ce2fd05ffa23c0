/**
 * drachtio-fsmrf 5.0.1, drachtio-modesl 1.3.1: a line break in an argument injects event-socket commands, and
 * FreeSWITCH expands `${…}` in every argument of an application. Nothing of that may reach the media server.
 */
export function cleanArgument(text: string): string {
  return text.replace(/[\r\n\0${}]/g, '');
}
