/** One printer at a glance. */

import { memo, type ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { JobDocument, PrinterDocument } from "../api/shapes";
import { progress, silence_s, STALE_S } from "../attention";
import { clearBed } from "../deeds";
import { usePrinterWhile } from "../live/store";
import { Camera, hasCamera } from "../parts/camera";
import { Deed } from "../parts/deed";
import { Picture, pictureOf } from "../parts/picture";
import { useNow } from "../parts/since";
import { Material } from "../parts/spool";
import { Bar, State } from "../parts/state";
import { useInSight } from "../parts/visible";
import { useSession } from "../session";
import { duration, endsAt, isSimulated, percent, statusOf } from "../words";
import { Select } from "./select";

interface Shown {
  id: string;
  selected: boolean;
  select: (id: string, ranged?: boolean) => void;
  /** With few printers there is room for a picture of the part. */
  pictured: boolean;
  /** Whether it shows what its printer's camera sees. */
  filmed: boolean;
}

const FILMED_S = 10;

export const Card = memo(function Card({ id, selected, select, pictured, filmed }: Shown): ReactNode {
  const [at, inSight, seen] = useInSight();
  const printer = usePrinterWhile(id, inSight);
  const { may } = useSession();
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  return (
    <li ref={at} className={`card ${tone}${selected ? " selected" : ""}`} data-printer={id}>
      <div className="head">
        {may("printers:operate") && (
          <Select name={printer.name} id={id} selected={selected} select={select} />
        )}
        <h3><Link href={`/printers/${encodeURIComponent(id)}`}>{printer.name}</Link></h3>
        <State words={words} tone={tone} />
      </div>
      {seen && <Inside printer={printer} inSight={inSight} pictured={pictured} filmed={filmed} />}
    </li>
  );
});

interface Inner extends Pick<Shown, "pictured" | "filmed"> {
  printer: PrinterDocument;
  inSight: boolean;
}

/** What is on a card below its head; made once somebody sees it. */
function Inside({ printer, inSight, pictured, filmed }: Inner): ReactNode {
  const { may } = useSession();
  const { id } = printer;
  return (
    <>
      {filmed && hasCamera(printer) && may("farm:read") && <Camera printer={printer} every_s={FILMED_S} />}
      {pictured && printer.job && <PartPicture job={printer.job.id} name={printer.job.name} sha256={printer.run?.plate_sha256 ?? ""} />}
      <Working printer={printer} inSight={inSight} />
      <p className="faint">{isSimulated(printer) && <strong>simulated · </strong>}<Material printer={printer} /> · {printer.printer_class}{printer.location && ` · ${printer.location}`}{bedOf(printer)}</p>
      <Heat printer={printer} inSight={inSight} />
      {printer.away && <p className="faint">{printer.away}</p>}
      {printer.message && <p>{printer.message}</p>}
      {printer.quarantine && <p className="bad">{printer.quarantine}</p>}
      {printer.staged.length > 0 && (
        <p className="faint">next, by itself: {printer.staged.map(({ job }) => job.name).join(", ")}</p>
      )}
      {printer.status === "needs_clearing" && may("printers:operate") && (
        <Deed kind="main" label={`The bed of ${printer.name} is clear`} does={() => clearBed(id, printer.name)}>
          The bed is clear
        </Deed>
      )}
    </>
  );
}

/** What lies on the bed, where the state does not say so already. */
function bedOf({ bed, status }: PrinterDocument): string {
  if (status === "needs_clearing" || status === "busy") return "";
  return ` · bed ${{ clear: "clear", occupied: "occupied", clearing: "being cleared", unknown: "unknown" }[bed.state]}`;
}

function Working({ printer, inSight }: { printer: PrinterDocument; inSight: boolean }): ReactNode {
  const now = useNow(10, inSight);
  const how = progress(printer);
  if (!printer.job) return null;
  const left = how?.remaining_s ?? null;
  return (
    <div className="working">
      <p><Link href={`/jobs/${encodeURIComponent(printer.job.id)}`}>{printer.job.name}</Link></p>
      {how && (
        <>
          <Bar ratio={how.ratio} label={`${printer.job.name} on ${printer.name}`} />
          <p className="figures">
            <strong>{percent(how.ratio)}</strong>
            {left !== null && <span>{duration(left)} left · {endsAt(left, now)}</span>}
          </p>
        </>
      )}
    </div>
  );
}

/** Temperatures, and how old they are once they are: an old value is never shown as a fresh one. */
export function Heat({ printer, inSight = true }: { printer: PrinterDocument; inSight?: boolean }): ReactNode {
  const now = useNow(5, inSight);
  if (!printer.live) return null;
  const silent_s = silence_s(printer, now) ?? 0;
  const stale = silent_s > STALE_S;
  return (
    <p className={stale ? "heat stale" : "heat"}>
      {Object.entries(printer.live.temperatures).map(([sensor, { actual_celsius, target_celsius }]) => (
        <span key={sensor}>
          {sensor} {actual_celsius.toFixed(0)}{target_celsius ? `/${target_celsius.toFixed(0)}` : ""} °C
        </span>
      ))}
      {stale && <span>as of {duration(silent_s)} ago</span>}
    </p>
  );
}

/** A picture of the part that is printed. */
export function PartPicture({ job, name, sha256 }: { job: string; name: string; sha256: string }): ReactNode {
  const { data } = useQuery({
    queryKey: ["job", job],
    queryFn: ({ signal }) => get<JobDocument>(`/jobs/${encodeURIComponent(job)}`, signal),
    staleTime: 60_000,
  });
  const plate = data?.plates.find((each) => each.sha256 === sha256) ?? data?.plates[0];
  const url = plate ? pictureOf(plate.pictures, "model", 200) ?? pictureOf(plate.pictures, "plate", 200) : null;
  return url ? <div className="part"><Picture url={url} alt={`a picture of ${name}`} /></div> : null;
}
