/** Prints by day or month as bars: finished ones, and those that failed or got lost on top of them. */

import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, type ReactNode } from "react";
import uPlot from "uplot";
import type { SpanFiguresDocument } from "../api/shapes";

const HEIGHT = 200;

interface Shown {
  items: readonly SpanFiguresDocument[];
  monthly: boolean;
  since: string;
  until: string;
}

export function Bars({ items, monthly, since, until }: Shown): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const at = items.map(({ key }) => Date.parse(monthly ? `${key}-01T00:00` : `${key}T00:00`) / 1000);
  const finished = items.map((each) => each.finished);
  const all = items.map((each) => each.finished + each.failed + each.lost);
  const drawn = JSON.stringify([at, finished, all]);
  // To the hour, so that a later look at the same days draws nothing anew.
  const [low, high] = [since, until].map((text) => Math.round(Date.parse(text) / 3_600_000) * 3600) as [number, number];
  useEffect(() => {
    const box = place.current;
    if (!box) return undefined;
    const step = (monthly ? 30 : 1) * 86_400;
    const data: uPlot.AlignedData = JSON.parse(drawn);
    const paths = uPlot.paths.bars!({ size: [0.7, 46] });
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      const colour = (name: string): string => getComputedStyle(box).getPropertyValue(name).trim();
      const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
      const bars = (label: string, name: string): uPlot.Series => ({ label, fill: colour(name), stroke: colour(name), width: 0, paths, points: { show: false } });
      plot = new uPlot({
        width: box.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { range: [low - step / 2, high + step / 2] }, y: { range: (_, __, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000] }],
        series: [{}, bars("all", "--bad"), bars("finished", "--good")],
      }, [data[0], data[2]!, data[1]!], box);
    };
    const resized = new ResizeObserver(draw);
    resized.observe(box);
    dark.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot?.destroy();
    };
  }, [drawn, monthly, low, high]);
  const most = items.reduce((best, each) => (each.finished > best.finished ? each : best));
  return (
    <figure className="bars">
      <div ref={place} role="img" aria-label={`Prints by ${monthly ? "month" : "day"}; most, ${most.finished}, finished on ${most.key}.`} />
      <figcaption className="colours"><span className="idle"><i />finished</span><span className="faulted"><i />failed or lost</span></figcaption>
    </figure>
  );
}
