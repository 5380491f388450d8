// How a plot writes its moments: clocks with dates where they are needed, or seconds since a start.

import * as format from "./format.js";
import * as zone from "./zone.js";

/**
 * {zone, short, full, span} for a series: `short(time)` for a table whose head names the zone, `full(time)`
 * for a moment by itself, `span` for the whole.
 */
export function moments(series, isElapsed) {
  if (isElapsed) {
    const write = (seconds) => (seconds < 600 ? `${format.short(seconds.toFixed(1))} s` : format.duration(seconds));
    return { zone: "", short: write, full: (seconds) => `after ${write(seconds)}`, span: `Over ${write(series.times.at(-1))}` };
  }
  const [from, to] = [series.times[0], series.to_s];
  const clock = series.step_s % 60 === 0 && from % 60 === 0 ? zone.clockShort : zone.clock;
  // Today's times, as they come in, need no date.
  const isDated = !zone.isSameDay(from, Date.now() / 1_000) || !zone.isSameDay(from, to - 1);
  const short = (seconds) => (isDated ? `${zone.day(seconds)} ${clock(seconds)}` : clock(seconds));
  return { zone: zone.zoneName(to), short, full: (seconds) => `${short(seconds)} ${zone.zoneName(seconds)}`, span: zone.span(from, to) };
}
