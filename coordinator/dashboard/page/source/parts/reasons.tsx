/** Why a job waits, printer by printer; asked for while somebody looks. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { ItemsOfWaitDocument, WaitDocument } from "../api/shapes";
import { usePrinter } from "../live/store";
import { duration } from "../words";
import { useDrawn } from "./drawn";

const LOOK_MS = 5000;

/** What concerns no single printer stands in the sentence above. */
export function Reasons({ job }: { job: string }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ["why", job], refetchInterval: LOOK_MS,
    queryFn: ({ signal }) => get<ItemsOfWaitDocument>(`/jobs/${encodeURIComponent(job)}/why`, signal),
  });
  const waits = data?.items.filter(({ printer_id }) => printer_id !== null) ?? [];
  const drawn = useDrawn(waits.length, `why ${job}`);
  if (error) return <p className="bad">{error.message}</p>;
  if (!data) return <p className="faint" role="status">One moment …</p>;
  if (!waits.length) return <p className="faint">No printer is in its way.</p>;
  return <ul className="why">{waits.slice(0, drawn).map((wait) => <Reason key={`${wait.printer_id}${wait.code}`} wait={wait} />)}</ul>;
}

function Reason({ wait: { printer_id, words, estimate } }: { wait: WaitDocument }): ReactNode {
  const printer = usePrinter(printer_id ?? "");
  return (
    <li>
      <Link href={`/printers/${encodeURIComponent(printer_id ?? "")}`}>{printer?.name ?? printer_id}</Link>
      <span>{words}</span>
      {estimate && <span className="faint">{duration(estimate.seconds)} a plate there</span>}
    </li>
  );
}
