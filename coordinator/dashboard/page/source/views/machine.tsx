/** One printer on a phone, opened by the label at the machine: one big button for what it needs now. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { PrinterDocument, TimetableDocument } from "../api/shapes";
import { progress, type Deed as Doing } from "../attention";
import { clearBed, pauseJob, resumeJob } from "../deeds";
import { useJobs, usePrinter } from "../live/store";
import { Camera, hasCamera } from "../parts/camera";
import { Deed } from "../parts/deed";
import { Material, WithSpools } from "../parts/spool";
import { Settle } from "../parts/settle";
import { Bar } from "../parts/state";
import { useNow } from "../parts/since";
import { useTasks } from "../parts/tasks";
import { useSession } from "../session";
import { duration, endsAt, percent, SIGNS, statusOf } from "../words";
import { Heat } from "./card";
import { Doings, NEEDS } from "./todo";
import "../styles/wall.css";

const NEXT_MS = 30_000;
/** What is done here and now by who stands before it; what was lost is asked for below. */
const ATHAND: ReadonlySet<Doing> = new Set<Doing>(["maintained", "give_back", "load"]);

export function Machine({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  const { may } = useSession();
  const now = useNow(10);
  if (!printer) return <div className="alone"><p>There is no printer {id} at this farm.</p><p><Link href="/">Back to the farm</Link></p></div>;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  const { job } = printer;
  return (
    <main className={`machine ${tone}`}>
      <h1>{printer.name}</h1>
      <p className="big"><span aria-hidden="true">{SIGNS[tone]}</span> {words}</p>
      {job && <p><Link href={`/jobs/${encodeURIComponent(job.id)}`}>{job.name}</Link></p>}
      {how && <><Bar ratio={how.ratio} label="progress" /><p className="big">{percent(how.ratio)}{how.remaining_s !== null && ` · ${duration(how.remaining_s)} · ${endsAt(how.remaining_s, now)}`}</p></>}
      {printer.away && <p>{printer.away}</p>}
      {printer.message && <p>{printer.message}</p>}
      {printer.waits_for && <p>{printer.waits_for}</p>}
      <Needed printer={printer} />
      <Next printer={printer} />
      <WithSpools><p><Material printer={printer} /></p></WithSpools>
      <Heat printer={printer} />
      {may("farm:read") && hasCamera(printer) && <Camera printer={printer} every_s={5} />}
      <p><Link href={`/printers/${encodeURIComponent(id)}`}>More</Link></p>
    </main>
  );
}

/** What somebody who stands before it can do for it now, the first thing large. */
function Needed({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  const tasks = useTasks().filter((task) => task.printer === printer.id && task.deed !== "clear");
  const lost = useJobs().filter(({ state }) => state === "lost");
  const { id, name, job } = printer;
  return (
    <>
      {printer.status === "needs_clearing" && may("printers:operate") && (
        <Deed kind="main" does={() => clearBed(id, name)}>The bed is clear</Deed>
      )}
      {job && printer.run && may("jobs:manage") && (job.held
        ? <Deed kind="main" does={() => resumeJob(job.id)}>Go on</Deed>
        : printer.can_pause && progress(printer) && <Deed does={() => pauseJob(job.id)}>Pause</Deed>)}
      {tasks.map((task) => (
        <section key={task.key} className={task.urgent ? "need bad" : "need care"}>
          <h2>{task.words}</h2>
          <p>{task.detail}</p>
          {task.deed && ATHAND.has(task.deed) && may(NEEDS[task.deed]) && <Doings task={task} deed={task.deed} />}
        </section>
      ))}
      {may("printers:operate") && lost.map((each) => <Settle key={each.id} job={each.id} printer={id} />)}
    </>
  );
}

/** What it is going to print, once it can. */
function Next({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  const { data } = useQuery({
    queryKey: ["timetable", 4], queryFn: ({ signal }) => get<TimetableDocument>("/timetable?hours=4", signal),
    refetchInterval: NEXT_MS, enabled: may("farm:read"),
  });
  const block = data?.items.find(({ printer_id }) => printer_id === printer.id)?.blocks.find(({ kind }) => kind !== "printing");
  if (!block || block.job_id === printer.job?.id) return null;
  return <p>Next: <Link href={`/jobs/${encodeURIComponent(block.job_id)}`}>{block.name}</Link></p>;
}
