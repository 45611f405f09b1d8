/** What was printed of a model: its newest plate layer by layer, and its jobs. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { get } from "../api/ask";
import type { PageOfJobDocument } from "../api/shapes";
import { PlateShown } from "../parts/plate";
import { State } from "../parts/state";
import { JOB, moment } from "../words";

const SHOWN = 10;

export function Printed({ model }: { model: string }): ReactNode {
  const { data } = useQuery({
    queryKey: ["jobs", "of", model],
    queryFn: ({ signal }) => get<PageOfJobDocument>(`/jobs?model_id=${encodeURIComponent(model)}&order=newest&limit=${SHOWN}`, signal),
  });
  if (!data?.items.length) return null;
  // Of each class the plate that was made last.
  const plates = [...new Map(data.items.toReversed().flatMap((job) => job.plates).map((plate) => [plate.printer_class, plate])).values()];
  return (
    <section aria-label="Printed">
      <h2>Printed {data.total !== null && <span className="faint">{data.total}</span>}</h2>
      {plates.length > 0 && <div className="plates">{plates.map((plate) => <PlateShown key={plate.sha256} plate={plate} />)}</div>}
      <ol className="jobs">
        {data.items.map((job) => (
          <li key={job.id} className={`job ${JOB[job.state].tone}`}>
            <div className="head">
              <Link href={`/jobs/${encodeURIComponent(job.id)}`} className="name">{job.name}</Link>
              <State {...JOB[job.state]} />
              <span className="copies">{job.copies_finished}/{job.copies}</span>
              <span className="faint">version {job.model_version}, {moment(job.created_at)}</span>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
