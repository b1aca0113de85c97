/** Times as rsync prints them: local time, to the second. Upstream: util1.c:timestring. */

/** "2026/11/22 21:05:09"; a time that no calendar holds reads "(time out of range)". */
export function timeString(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "(time out of range)";
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4)}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
