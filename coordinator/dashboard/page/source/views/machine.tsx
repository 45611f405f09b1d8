/** One printer on a phone, opened by the label at the machine: one big button for what it needs now. */

import type { ReactNode } from "react";
import { Link } from "wouter";
import { progress } from "../attention";
import { clearBed, pauseJob, resumeJob } from "../deeds";
import { usePrinter } from "../live/store";
import { Camera, hasCamera } from "../parts/camera";
import { Deed } from "../parts/deed";
import { Bar } from "../parts/state";
import { useSession } from "../session";
import { duration, percent, SIGNS, statusOf } from "../words";
import { Heat } from "./card";

export function Machine({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  const { may } = useSession();
  if (!printer) return <p className="alone">There is no printer {id} at this farm.</p>;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  const { job } = printer;
  return (
    <main className={`machine ${tone}`}>
      <h1>{printer.name}</h1>
      <p className="big"><span aria-hidden="true">{SIGNS[tone]}</span> {words}</p>
      {job && <p>{job.name}</p>}
      {how && <><Bar ratio={how.ratio} label="progress" /><p className="big">{percent(how.ratio)}{how.remaining_s !== null && ` · ${duration(how.remaining_s)}`}</p></>}
      {printer.message && <p>{printer.message}</p>}
      {printer.waits_for && <p>{printer.waits_for}</p>}
      {printer.status === "needs_clearing" && may("printers:operate") && (
        <Deed kind="main" does={() => clearBed(id, printer.name)}>The bed is clear</Deed>
      )}
      {job && printer.run && may("jobs:manage") && (job.held
        ? <Deed kind="main" does={() => resumeJob(job.id)}>Go on</Deed>
        : printer.can_pause && how && <Deed does={() => pauseJob(job.id)}>Pause</Deed>)}
      <Heat printer={printer} />
      {may("farm:read") && hasCamera(printer) && <Camera printer={printer} every_s={5} />}
      <p><Link href={`/printers/${encodeURIComponent(id)}`}>More</Link></p>
    </main>
  );
}
