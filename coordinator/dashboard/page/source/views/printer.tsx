/** One printer: what it does, what one may have it do, what it said. */

import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { Link } from "wouter";
import { get, post } from "../api/ask";
import type { EventsPage, PrinterDocument } from "../api/shapes";
import { progress } from "../attention";
import { cancelJob, clearBed, emergencyStop, pauseJob, resumeJob, setService } from "../deeds";
import { usePrinter } from "../live/store";
import { Deed } from "../parts/deed";
import { Since, useNow } from "../parts/since";
import { Bar, State } from "../parts/state";
import { useSession } from "../session";
import { actor, clock, duration, moment, percent, plain, statusOf } from "../words";
import { Heat } from "./card";

const LINES = 40;

export function Printer({ id }: { id: string }): ReactNode {
  const printer = usePrinter(id);
  const { may } = useSession();
  if (!printer) return <p className="alone">There is no printer {id}. <Link href="/">Back to the farm</Link></p>;
  const said = statusOf(printer);
  return (
    <article>
      <h1>{printer.name} <State {...said} /></h1>
      {printer.message && <p>{printer.message}</p>}
      {printer.quarantine && <p className="bad">{printer.quarantine}</p>}
      {printer.findings.map((each) => <p key={each.rule} className={each.level === "alarm" ? "bad" : "care"}>{each.words}</p>)}
      <Now printer={printer} />
      <Controls printer={printer} />
      <dl className="facts">
        <dt>Class</dt><dd>{printer.printer_class}</dd>
        <dt>Material</dt><dd>{printer.material || "nobody said what it holds"}</dd>
        <dt>Bed</dt><dd>{bedWords(printer)}</dd>
        <dt>Beside it</dt><dd>{printer.agent_id}, by {plain(printer.driver)}</dd>
        {printer.host && <><dt>The machine there</dt><dd>{hostWords(printer)}</dd></>}
        <dt>At the machine</dt><dd><Link href={`/p/${encodeURIComponent(id)}`}>its page for a phone</Link></dd>
      </dl>
      {may("printers:operate") && <Terminal id={id} />}
      {may("history:read") && <History id={id} />}
    </article>
  );
}

function Now({ printer }: { printer: PrinterDocument }): ReactNode {
  const now = useNow(10);
  const how = progress(printer);
  return (
    <section aria-label="Now" className="now">
      {printer.job && <p>{how ? "Printing" : "Has"} <Link href={`/jobs/${encodeURIComponent(printer.job.id)}`}>{printer.job.name}</Link></p>}
      {how && printer.live && (
        <>
          <Bar ratio={how.ratio} label="progress" />
          <p className="figures">
            <strong>{percent(how.ratio)}</strong>
            {printer.live.layer_count > 0 && <span>layer {printer.live.layer} of {printer.live.layer_count}</span>}
            {how.remaining_s !== null && <span>{duration(how.remaining_s)} left · {clock(new Date(now + how.remaining_s * 1000), new Date(now))}</span>}
          </p>
        </>
      )}
      {printer.waits_for && <p className="care">{printer.waits_for}</p>}
      <Heat printer={printer} />
      {printer.staged.length > 0 && <p className="faint">next, by itself: {printer.staged.map(({ job, permitted }) => permitted ? job.name : `(${job.name})`).join(", ")}</p>}
    </section>
  );
}

function Controls({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  const { id, name, job } = printer;
  const operates = may("printers:operate");
  return (
    <p className="deeds">
      {operates && !printer.run && printer.bed.state !== "clear" && (
        <Deed kind="main" label={`The bed of ${name} is clear`} does={() => clearBed(id, name)}>The bed is clear</Deed>
      )}
      {job && printer.run && may("jobs:manage") && (
        <>
          {job.held ? <Deed does={() => resumeJob(job.id)}>Go on</Deed>
            : printer.can_pause && <Deed does={() => pauseJob(job.id)}>Pause</Deed>}
          <Deed kind="danger" does={() => cancelJob(job.id, job.name)} sure={`Cancel ${job.name}? What prints of it is stopped, on all printers.`}>Cancel the job</Deed>
        </>
      )}
      {may("printers:manage") && (printer.in_service || printer.quarantine
        ? <Deed does={() => setService(id, false)}>Give back to the farm</Deed>
        : <Deed does={() => setService(id, true)}>Take into service</Deed>)}
      {operates && printer.online && (
        <Deed kind="danger" does={() => emergencyStop(id)} sure={`Stop ${name} at once? Its firmware is halted, heaters go off, and the print is lost.`}>Emergency stop</Deed>
      )}
    </p>
  );
}

function bedWords(printer: PrinterDocument): string {
  const { state, policy, changed_by, changed_at } = printer.bed;
  const what = state === "clearing" ? "being cleared" : state;
  const who = changed_by ? `, said ${actor(changed_by)}${changed_at ? ` ${moment(changed_at)}` : ""}` : "";
  return `${what}${who}${policy === "self_clearing" ? "; it clears itself" : ""}`;
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

/** A line to the firmware, and what it said; what a print does not bear is refused at the agent. */
function Terminal({ id }: { id: string }): ReactNode {
  const [said, setSaid] = useState("");
  const [lines, setLines] = useState<string[]>([]);
  const command = async (name: string, given: Record<string, string>): Promise<void> => {
    try {
      const { words } = await post<{ words: string }>(`/printers/${encodeURIComponent(id)}/commands`, { name, arguments: given });
      setLines((before) => [...before, ...words.split("\n")].slice(-500));
    } catch (error) {
      setLines((before) => [...before, `! ${error instanceof Error ? error.message : String(error)}`]);
    }
  };
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (!said.trim()) return;
    setLines((before) => [...before, `> ${said}`]);
    void command("send", { line: said });
    setSaid("");
  };
  return (
    <details className="terminal">
      <summary>Terminal</summary>
      <pre aria-live="polite">{lines.join("\n") || "Send a line, or ask for the last dialogue."}</pre>
      <form onSubmit={send}>
        <label><span className="hidden">Line to send</span>
          <input value={said} onChange={(event) => setSaid(event.target.value)} spellCheck={false} autoCapitalize="characters" placeholder="M115" />
        </label>
        <button>Send</button>
        <button type="button" onClick={() => void command("dialogue", {})}>Last dialogue</button>
      </form>
    </details>
  );
}

function History({ id }: { id: string }): ReactNode {
  const { data } = useQuery({
    queryKey: ["events", "printer", id],
    queryFn: ({ signal }) => get<EventsPage>(`/events?printer=${encodeURIComponent(id)}&last=${LINES}`, signal),
    refetchInterval: 10_000,
  });
  return (
    <section aria-label="History">
      <h2>History</h2>
      <ol className="events">
        {data?.items.toReversed().map((line) => (
          <li key={line.number}>
            <span className="faint" title={moment(line.at)}><Since at={line.at} /> ago</span>{" "}
            <strong>{line.name}</strong> {line.subject !== "printer" && line.subject_id} <span className="faint">{actor(line.actor)}</span>
            {line.cause && <span> {line.cause}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
