/** How warm a printer was, over an hour or a day: a drawing, and the same as a small table. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { get } from "../../api/ask";
import type { MeasurementsDocument, Span } from "../../api/shapes";
import type { Drawn } from "./drawing";
import { heatersIn, inkOf } from "./heaters";

const AGAIN_MS: Record<Span, number> = { hour: 10_000, day: 60_000 };

export function Charts({ id }: { id: string }): ReactNode {
  const [span, setSpan] = useState<Span>("hour");
  const { data } = useQuery({
    queryKey: ["measurements", id, span],
    queryFn: ({ signal }) => get<MeasurementsDocument>(`/printers/${encodeURIComponent(id)}/measurements?span=${span}`, signal),
    refetchInterval: AGAIN_MS[span],
  });
  const heaters = useMemo(() => data ? heatersIn(data) : [], [data]);
  return (
    <section aria-label="Temperatures" className="block">
      <div className="heading">
        <h2>Temperatures</h2>
        <div className="chips" role="group" aria-label="How far back">
          {(["hour", "day"] as const).map((each) => (
            <button key={each} type="button" className="chip quiet" aria-pressed={span === each} onClick={() => setSpan(each)}>the last {each}</button>
          ))}
        </div>
      </div>
      {data && heaters.length > 0
        ? <><Drawing key={`${span} ${heaters.join()}`} measured={data} /><Summary measured={data} heaters={heaters} /></>
        : <p className="faint">{data ? `Nothing was measured in the last ${span}.` : "One moment …"}</p>}
    </section>
  );
}

/** Hidden from a reader of screens, who has the table. */
function Drawing({ measured }: { measured: MeasurementsDocument }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const newest = useRef(measured);
  newest.current = measured;
  useEffect(() => {
    let wanted = true;
    const element = place.current!;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const begin = async (): Promise<void> => {
      const { draw } = await import("./drawing");
      if (!wanted) return;
      drawn.current?.end();
      drawn.current = draw(element, newest.current);
    };
    const turned = (): void => void begin();
    void begin();
    dark.addEventListener("change", turned);
    return () => {
      wanted = false;
      dark.removeEventListener("change", turned);
      drawn.current?.end();
      drawn.current = null;
    };
  }, []);
  useEffect(() => drawn.current?.show(measured), [measured]);
  return <div ref={place} className="drawing" aria-hidden="true" />;
}

function Summary({ measured, heaters }: { measured: MeasurementsDocument; heaters: readonly string[] }): ReactNode {
  return (
    <table className="figures-table">
      <caption className="hidden">Temperatures of the last {measured.span}</caption>
      <thead><tr><th scope="col">Heater</th><th scope="col">Now</th><th scope="col">Target</th><th scope="col">Lowest</th><th scope="col">Highest</th></tr></thead>
      <tbody>
        {heaters.map((heater, place) => {
          const values = there(measured.columns[`${heater}_celsius`]);
          const target = newestOf(measured.columns[`${heater}_target_celsius`]);
          return (
            <tr key={heater}>
              <th scope="row"><span className={`ink ${inkOf(place).slice(2)}`} aria-hidden="true" /> {heater}</th>
              <td>{degrees(newestOf(measured.columns[`${heater}_celsius`]))}</td>
              <td>{target === null ? "–" : target ? degrees(target) : "off"}</td>
              <td>{degrees(values.length ? Math.min(...values) : null)}</td>
              <td>{degrees(values.length ? Math.max(...values) : null)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const there = (column: readonly (number | null)[] = []): number[] => column.filter((value) => value !== null);
// The slot that is now may still be empty; what is older than the one before is not of now.
const newestOf = (column: readonly (number | null)[] = []): number | null => column.slice(-2).findLast((value) => value !== null) ?? null;
const degrees = (value: number | null): string => value === null ? "–" : `${value.toFixed(0)} °C`;
