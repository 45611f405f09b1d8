/** One printer: what it does, how it looks, what one may have it do, what it did. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, PrinterDocument, RunDocument } from "../api/shapes";
import { progress } from "../attention";
import { retirePrinter } from "../deeds";
import { usePrinter } from "../live/store";
import { Camera, hasCamera } from "../parts/camera";
import { Deed } from "../parts/deed";
import { PlateShown } from "../parts/plate";
import { useNow } from "../parts/since";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import "../styles/printer.css";
import { actor, duration, endsAt, isSimulated, moment, percent, statusOf } from "../words";
import { Heat, PartPicture } from "./card";
import { Holding, Known, Maintenance } from "./printer/care";
import { Charts } from "./printer/charts";
import { Controls } from "./printer/controls";
import { Heating, Moving } from "./printer/heat";
import { History, Runs } from "./printer/past";
import { Terminal } from "./printer/terminal";

export function Printer({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  const { may } = useSession();
  if (!printer) return <p className="alone">There is no printer {id}. <Link href="/">Back to the farm</Link></p>;
  const talks = may("printers:operate") && printer.online && printer.commands.includes("send");
  const reads = may("farm:read");
  return (
    <article className="printer">
      <header>
        <h1>{printer.name} <State {...statusOf(printer)} /></h1>
        <Controls printer={printer} />
      </header>
      <Findings printer={printer} />
      <div className="columns">
        <div>
          <Now printer={printer} />
          {reads && <Charts id={id} />}
          {reads && printer.job && printer.run && <Plate job={printer.job.id} run={printer.run} />}
          {talks && <Heating printer={printer} />}
          {talks && <Moving printer={printer} />}
          {talks && <Terminal id={id} />}
          {reads && <Runs id={id} busy={printer.run !== null} />}
        </div>
        <div>
          {reads && hasCamera(printer) && <section aria-label="Camera" className="block first"><Camera printer={printer} /></section>}
          {reads && <Holding printer={printer} />}
          {reads && <Maintenance id={id} />}
          <Known printer={printer} />
          <Machine printer={printer} />
          {may("history:read") && <History id={id} />}
        </div>
      </div>
    </article>
  );
}

function Findings({ printer }: { printer: PrinterDocument }): ReactNode {
  return (
    <>
      {printer.away && <Away printer={printer} />}
      {printer.message && <p>{printer.message}</p>}
      {printer.quarantine && <p className="bad">{printer.quarantine}</p>}
      {printer.findings.map((each) => <p key={`${each.about} ${each.rule}`} className={each.level === "alarm" ? "bad" : "care"}>{each.words}</p>)}
    </>
  );
}

/** Why nothing is heard of it, and the way to where that is put right. */
function Away({ printer: { away, agent_id } }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  return (
    <p className="care" role="status">
      {away}{may("farm:admin") && !isSimulated({ agent_id }) && <>{" "}<Link href="/agents">Agents</Link> · <Link href="/begin">Add printers</Link></>}
    </p>
  );
}

function Now({ printer }: { printer: PrinterDocument }): ReactNode {
  const now = useNow(10);
  const how = progress(printer);
  const { job, run } = printer;
  return (
    <section aria-label="Now" className="block first at-work">
      {job && run && <PartPicture job={job.id} name={job.name} sha256={run.plate_sha256} />}
      <div>
        {job ? <p>{how ? "Printing" : "Has"} <Link href={`/jobs/${encodeURIComponent(job.id)}`}>{job.name}</Link></p> : <p className="faint">No job.</p>}
        {how && printer.live && (
          <>
            <Bar ratio={how.ratio} label="progress" />
            <p className="figures">
              <strong>{percent(how.ratio)}</strong>
              {printer.live.layer_count > 0 && <span>layer {printer.live.layer} of {printer.live.layer_count}</span>}
              {how.remaining_s !== null && <span>{duration(how.remaining_s)} left · {endsAt(how.remaining_s, now)}</span>}
            </p>
          </>
        )}
        {printer.waits_for && <p className="care">{printer.waits_for}</p>}
        <Heat printer={printer} />
        <Tuned printer={printer} />
        <p className="faint">Bed: {bedWords(printer)}</p>
        {printer.staged.length > 0 && <p className="faint">next, by itself: {printer.staged.map((next) => next.permitted ? next.job.name : `(${next.job.name})`).join(", ")}</p>}
      </div>
    </section>
  );
}

/** Fan, speed and flow, as far as anybody knows how they stand. */
function Tuned({ printer: { live } }: { printer: PrinterDocument }): ReactNode {
  if (!live) return null;
  const told = [
    live.fan_ratio !== null && `fan ${Math.round(live.fan_ratio * 100)} %`,
    live.fan_rpm !== null && `fan ${live.fan_rpm.toFixed(0)} rpm`,
    live.speed_ratio !== null && `speed ${Math.round(live.speed_ratio * 100)} %`,
    live.flow_ratio !== null && `flow ${Math.round(live.flow_ratio * 100)} %`,
  ].filter(Boolean);
  return told.length ? <p className="figures faint">{told.map((each) => <span key={String(each)}>{each}</span>)}</p> : null;
}

/** What is printed, layer by layer up to where it is, once somebody wants to see them. */
function Plate({ job, run }: { job: string; run: RunDocument }): ReactNode {
  const { data } = useQuery({
    queryKey: ["job", job],
    queryFn: ({ signal }) => get<JobDocument>(`/jobs/${encodeURIComponent(job)}`, signal),
    staleTime: 60_000,
  });
  const plate = data?.plates.find(({ sha256 }) => sha256 === run.plate_sha256);
  return plate ? <section aria-label="Plate" className="block one-plate"><PlateShown plate={plate} run={run} /></section> : null;
}

function bedWords(printer: PrinterDocument): string {
  const { state, policy, changed_by, changed_at } = printer.bed;
  const what = state === "clearing" ? "being cleared" : state;
  const who = changed_by ? `, said ${actor(changed_by)}${changed_at ? ` ${moment(changed_at)}` : ""}` : "";
  return `${what}${who}${policy === "self_clearing" ? "; it clears itself" : ""}`;
}

function Machine({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  return (
    <section aria-label="Beside it" className="block">
      <p><Link href={`/p/${encodeURIComponent(printer.id)}`}>Its page for a phone, at the machine</Link></p>
      {isSimulated(printer) && <p className="care">It is simulated: the coordinator plays it. <Link href="/begin">Take it away</Link></p>}
      {printer.host && <p className="faint">The machine there: {hostWords(printer)}</p>}
      {may("farm:admin") && !isSimulated(printer) && <Retire printer={printer} />}
    </section>
  );
}

/** Taken out for good, by who is sure; never under a run. */
function Retire({ printer: { id, name, run } }: { printer: PrinterDocument }): ReactNode {
  const [, go] = useLocation();
  return (
    <p className="deeds">
      <Deed kind="danger" does={() => retirePrinter(id, name).then(() => go("/"))}
        sure={`Take ${name} out of the farm for good? Its history stays, and under Agents it can be taken back.${run ? " What it holds must end before." : ""}`}>Retire {name}</Deed>
    </p>
  );
}

function hostWords({ host }: PrinterDocument): string {
  if (!host) return "";
  return [
    host.under_voltage ? "under-voltage now" : host.under_voltage_seen ? "had under-voltage" : "",
    host.throttled ? "throttled" : "",
    host.cpu_celsius !== null ? `${host.cpu_celsius.toFixed(0)} °C` : "",
    host.disk_free_bytes !== null ? `${(host.disk_free_bytes / 1e9).toFixed(1)} GB free` : "",
    host.load_ratio !== null ? `load ${percent(host.load_ratio)}` : "",
  ].filter(Boolean).join(" · ") || "all is well";
}
