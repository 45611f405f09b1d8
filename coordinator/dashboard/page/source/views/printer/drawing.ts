/** A drawing of measurements; loaded when somebody looks at one. */

import UPlot, { type AlignedData, type Series } from "uplot";
import "uplot/dist/uPlot.min.css";
import type { MeasurementsDocument } from "../../api/shapes";
import { clock } from "../../words";
import { heatersIn, inkOf } from "./heaters";

const HEIGHT_PX = 220;

export interface Drawn {
  show: (measured: MeasurementsDocument) => void;
  end: () => void;
}

function data(measured: MeasurementsDocument, heaters: readonly string[]): AlignedData {
  const first_s = Date.parse(measured.begins_at) / 1000;
  const count = Object.values(measured.columns)[0]?.length ?? 0;
  const times = Array.from({ length: count }, (_, slot) => first_s + slot * measured.step_s);
  const nothing = times.map(() => null);
  const column = (name: string): (number | null)[] => measured.columns[name] ?? nothing;
  return [
    times,
    ...heaters.flatMap((heater) => [column(`${heater}_celsius`), column(`${heater}_target_celsius`)]),
    column("progress_ratio"),
  ];
}

/** Draw into an element, as wide as it is. */
export function draw(element: HTMLElement, measured: MeasurementsDocument): Drawn {
  const style = getComputedStyle(element);
  const ink = (name: string): string => style.getPropertyValue(name).trim();
  const heaters = heatersIn(measured);
  const series: Series[] = [
    {},
    ...heaters.flatMap((heater, place): Series[] => [
      { label: heater, scale: "celsius", stroke: ink(inkOf(place)), width: 2, points: { show: false } },
      { label: `${heater} target`, scale: "celsius", stroke: ink(inkOf(place)), width: 1, dash: [4, 4], points: { show: false } },
    ]),
    { label: "progress", scale: "ratio", fill: ink("--ink-progress"), points: { show: false } },
  ];
  const axis = { stroke: ink("--faint"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false } };
  const chart = new UPlot({
    width: element.clientWidth,
    height: HEIGHT_PX,
    series,
    scales: {
      celsius: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(50, (high ?? 50) * 1.08)] },
      ratio: { range: [0, 1] },
    },
    axes: [
      { ...axis, values: (_, splits) => splits.map((at_s) => clock(new Date(at_s * 1000))) },
      { ...axis, scale: "celsius", size: 46, values: (_, splits) => splits.map((value) => `${value}°`) },
    ],
    legend: { show: false },
    cursor: { show: false },
  }, data(measured, heaters), element);
  const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
  watcher.observe(element);
  return {
    show: (next) => chart.setData(data(next, heaters)),
    end: () => {
      watcher.disconnect();
      chart.destroy();
    },
  };
}
