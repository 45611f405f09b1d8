/** What is done to all printers that are selected, each in one request. */

import type { ReactNode } from "react";
import { clearBeds, manyJobs, setServices } from "../deeds";
import { usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { useSession } from "../session";
import { count } from "../words";

interface Chosen {
  ids: ReadonlySet<string>;
  done: () => void;
  all: () => void;
}

export function Bulk({ ids, done, all }: Chosen): ReactNode {
  const { may } = useSession();
  const printers = usePrinters().filter(({ id }) => ids.has(id));
  const those = (fits: (printer: (typeof printers)[number]) => boolean): string[] => printers.filter(fits).map(({ id }) => id);
  const dirty = those(({ status }) => status === "needs_clearing");
  const [used, unused] = [those((each) => !each.in_service), those((each) => each.in_service || each.quarantine !== "")];
  const jobsOf = (held: boolean): string[] =>
    [...new Set(printers.flatMap(({ job, run }) => (job && run && job.held === held ? [job.id] : [])))];
  const [going, held] = [jobsOf(false), jobsOf(true)];
  return (
    <div className="bulk" role="region" aria-label="Selected printers">
      <strong>{count(ids.size, "printer")}</strong>
      <button type="button" onClick={all}>Select all shown</button>
      {dirty.length > 0 && (
        <Deed kind="main" does={() => clearBeds(dirty).then(done)}>{count(dirty.length, "bed is", "beds are")} clear</Deed>
      )}
      {may("jobs:manage") && going.length > 0 && (
        <Deed sure={`Pause ${count(going.length, "job")}, also where other printers print them?`} does={() => manyJobs("pause", going).then(done)}>
          Pause {count(going.length, "job")}
        </Deed>
      )}
      {may("jobs:manage") && held.length > 0 && <Deed does={() => manyJobs("resume", held).then(done)}>Go on with {count(held.length, "job")}</Deed>}
      {may("printers:manage") && (
        <>
          {used.length > 0 && <Deed does={() => setServices(used, true).then(done)}>Take into service</Deed>}
          {unused.length > 0 && <Deed does={() => setServices(unused, false).then(done)}>Give back to the farm</Deed>}
        </>
      )}
      <button type="button" onClick={done}>Select none</button>
    </div>
  );
}
