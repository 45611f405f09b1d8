/** What one may have a printer do. */

import type { ReactNode } from "react";
import type { PrinterDocument } from "../../api/shapes";
import { cancelJob, clearBed, emergencyStop, pauseJob, resumeJob, setService } from "../../deeds";
import { Deed } from "../../parts/deed";
import { useSession } from "../../session";

export function Controls({ printer }: { printer: PrinterDocument }): ReactNode {
  const { may } = useSession();
  const { id, name, job } = printer;
  const operates = may("printers:operate");
  // Of one whose agent did not say yet what it does, the button is there: better a refusal than none.
  const stops = !printer.commands.length || printer.commands.includes("emergency_stop");
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
      {operates && printer.online && stops && (
        <Deed kind="danger" does={() => emergencyStop(id)} sure={`Stop ${name} at once? Its firmware is halted, heaters go off, and the print is lost.`}>Emergency stop</Deed>
      )}
    </p>
  );
}
