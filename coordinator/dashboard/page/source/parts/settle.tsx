/** How a lost run ended, by who looked at the printer: three presses, each with what it means. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { get } from "../api/ask";
import type { JobDocument } from "../api/shapes";
import { settleRun } from "../deeds";
import { farm } from "../live/store";
import { Deed } from "./deed";

interface Lost {
  job: string;
  /** Only what was lost there. */
  printer?: string;
}

export function Settle({ job, printer }: Lost): ReactNode {
  const { data } = useQuery({
    queryKey: ["job", job, "lost"], queryFn: ({ signal }) => get<JobDocument>(`/jobs/${encodeURIComponent(job)}`, signal),
  });
  return data?.runs.filter(({ state, printer_id }) => state === "lost" && (!printer || printer_id === printer)).map(({ id, printer_id }) => {
    const name = farm.printer(printer_id)?.name ?? printer_id;
    return (
      <span key={id} className="deeds" role="group" aria-label={`On ${name}`}>
        <span>{name}:</span>
        <Deed does={() => settleRun(id, "finished")}>It is printed</Deed>
        <Deed does={() => settleRun(id, "failed")}>It failed</Deed>
        <Deed does={() => settleRun(id, "reprint")}>It never began</Deed>
      </span>
    );
  });
}
