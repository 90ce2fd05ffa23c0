/** RFC 3326: why we hang up, in the numbers of ITU-T Q.850. */
export function reasonHeader(cause: string): string {
  return `Q.850;cause=${Q850[cause] ?? Q850.NORMAL_CLEARING};text="${cause}"`;
}

/** Of the causes we use; anything else is normal clearing. */
const Q850: Readonly<Record<string, number>> & { readonly NORMAL_CLEARING: number } = {
  NO_ROUTE_DESTINATION: 3,
  NORMAL_CLEARING: 16,
  USER_BUSY: 17,
  NO_ANSWER: 19,
  CALL_REJECTED: 21,
  DESTINATION_OUT_OF_ORDER: 27,
  NORMAL_TEMPORARY_FAILURE: 41,
  INCOMPATIBLE_DESTINATION: 88,
  RECOVERY_ON_TIMER_EXPIRE: 102,
};
