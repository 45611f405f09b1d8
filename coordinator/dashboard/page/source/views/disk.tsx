/** What takes room on the coordinator's disk, what could go, and the farm's backups. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { LONG_MS, ask } from "../api/ask";
import { useSettings } from "../api/settings";
import type { CleanupDocument, DiskDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Field, Form, type Typed } from "../parts/form";
import { say } from "../parts/notes";
import { Bar } from "../parts/state";
import { Table } from "../parts/table";
import { count, size } from "../words";
import { Backups } from "./backups";
import "../styles/shop.css";

const DAY_S = 86_400;

export function DiskView(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ["disk"],
    queryFn: ({ signal }) => ask<DiskDocument>("GET", "/disk", { signal, patience_ms: LONG_MS }),
  });
  return (
    <>
      <h1>Disk and backups</h1>
      {error && <p className="bad">{error.message}</p>}
      {data ? <Room disk={data} /> : !error && <p className="faint" role="status">Looking …</p>}
      <Cleanup />
      <Backups />
    </>
  );
}

function Room({ disk }: { disk: DiskDocument }): ReactNode {
  const used = disk.total_bytes - disk.free_bytes;
  const rows = [
    ...Object.entries(disk.artifacts).map(([kind, share]) => ({ what: kind === "unknown" ? "nobody's, left by a crash" : `${kind}s`, files: share.files, bytes: share.size_bytes })),
    ...(disk.database_bytes === null ? [] : [{ what: "the database", files: null, bytes: disk.database_bytes }]),
    { what: "plates kept for the next time", files: null, bytes: disk.cache_bytes },
    { what: "what cameras saw", files: null, bytes: disk.pictures_bytes },
  ].toSorted((one, other) => other.bytes - one.bytes);
  const most = Math.max(1, ...rows.map(({ bytes }) => bytes));
  return (
    <section aria-label="What takes room">
      <h2>What takes room</h2>
      <p><strong>{size(disk.free_bytes)} free</strong> of {size(disk.total_bytes)}{disk.free_bytes < disk.total_bytes / 10 && <span className="care"> ◆ nearly full: clean up, or give it a larger disk</span>}</p>
      <Bar ratio={used / disk.total_bytes} label="how full the disk is" />
      <Table label="What takes room" rows={rows} id={({ what }) => what} empty="Nothing." columns={[
        { head: "What", cell: ({ what }) => what },
        { head: "Files", kind: "figure", cell: ({ files }) => files ?? "" },
        { head: "Size", kind: "figure", cell: ({ bytes }) => size(bytes) },
        { head: "Of the farm's", kind: "wide", cell: ({ what, bytes }) => <Bar ratio={bytes / most} label={`room that ${what} take, beside the largest`} /> },
      ]} />
      {disk.removed > 0 && <p className="faint">{count(disk.removed, "file")} went with cleanups; what is known of each stays in the history.</p>}
    </section>
  );
}

function Cleanup(): ReactNode {
  const [planned, setPlanned] = useState<(CleanupDocument & { older_than_s: number | null }) | null>(null);
  const settings = useSettings();
  const queries = useQueryClient();
  const days = Number(settings.data?.items.find(({ name }) => name === "artifacts_kept_days")?.value ?? 0);
  const clean = (older_than_s: number | null, dry_run: boolean): Promise<CleanupDocument> =>
    ask("POST", "/disk/cleanup", { body: { older_than_s, dry_run }, patience_ms: LONG_MS });
  async function plan(typed: Typed): Promise<void> {
    const said = typed.number("older_than_s");
    const older_than_s = said === null ? null : said * DAY_S;
    setPlanned({ ...(await clean(older_than_s, true)), older_than_s });
  }
  async function remove(older_than_s: number | null): Promise<void> {
    const gone = await clean(older_than_s, false);
    setPlanned(null);
    await queries.invalidateQueries({ queryKey: ["disk"] });
    say(`${count(gone.files, "file")} removed: ${size(gone.size_bytes)}.`);
  }
  return (
    <section aria-label="Clean up">
      <h2>Clean up</h2>
      <p>{days > 0 ? `The farm removes the files of a job ${count(days, "day")} after it ended, by itself.` : <>The farm keeps all files for ever; <code>artifacts_kept_days</code> has it remove old ones by itself.</>} What another job or model needs stays, and so does the history.</p>
      <Form does={plan} send="Show what would go">
        <Field name="older_than_s" label="Files of jobs that ended so many days ago" hint="empty: only what a crash left behind, and nobody knows">
          <input type="number" min={0} step="any" defaultValue={30} />
        </Field>
      </Form>
      {planned && (
        <>
          <p role="status"><strong>{planned.files ? `${count(planned.files, "file")}, ${size(planned.size_bytes)}, would go.` : "Nothing would go."}</strong></p>
          {planned.files > 0 && (
            <>
              <p><Deed kind="danger" does={() => remove(planned.older_than_s)} sure={`Remove ${count(planned.files, "file")}, ${size(planned.size_bytes)}? Nothing brings them back.`}>Remove them</Deed></p>
              <Table label="What would go" rows={planned.items} id={({ sha256 }) => sha256} empty="" columns={[
                { head: "File", cell: ({ name, sha256 }) => name || <code>{sha256.slice(0, 16)}</code> },
                { head: "Kind", cell: ({ kind }) => kind || "unknown" },
                { head: "Size", kind: "figure", cell: ({ size_bytes }) => size(size_bytes) },
                { head: "Job", cell: ({ job_id }) => job_id ? <Link href={`/jobs/${encodeURIComponent(job_id)}`}>{job_id}</Link> : <span className="faint">none</span> },
              ]} />
              {planned.files > planned.items.length && <p className="faint">and {planned.files - planned.items.length} smaller ones</p>}
            </>
          )}
        </>
      )}
    </section>
  );
}
