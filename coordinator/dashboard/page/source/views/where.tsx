/** Where a job prints now, and how far that is. */

import type { ReactNode } from "react";
import { Link } from "wouter";
import { progress } from "../attention";
import { usePrinters, usePrinterWhile } from "../live/store";
import { Bar } from "../parts/state";
import { useNow } from "../parts/since";
import { duration, endsAt, percent } from "../words";

/** More are only counted: the job's own page has them all. */
const SHOWN_MAX = 3;

export function Where({ job, inSight }: { job: string; inSight: boolean }): ReactNode {
  const at = usePrinters().filter((printer) => printer.job?.id === job && printer.run && !printer.run.ended_at);
  return (
    <>
      {at.slice(0, SHOWN_MAX).map(({ id }) => <Place key={id} id={id} inSight={inSight} />)}
      {at.length > SHOWN_MAX && <p className="faint">and {at.length - SHOWN_MAX} more</p>}
    </>
  );
}

function Place({ id, inSight }: { id: string; inSight: boolean }): ReactNode {
  const printer = usePrinterWhile(id, inSight);
  const now = useNow(10, inSight);
  const how = printer && progress(printer);
  if (!printer || !how) return null;
  const left = how.remaining_s === null ? ""
    : ` · ${duration(how.remaining_s)} left, ${endsAt(how.remaining_s, now)}`;
  return (
    <p className="how">
      <Bar ratio={how.ratio} label={`progress on ${printer.name}`} />
      <span><Link href={`/printers/${encodeURIComponent(id)}`}>{printer.name}</Link> · {percent(how.ratio)}{left}</span>
    </p>
  );
}
