/** Backups: the farm's own folder of them, one more, and one to take along. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { LONG_MS, ask, get, token, watchedBlob } from "../api/ask";
import { useSettings } from "../api/settings";
import type { BackupDocument, BackupsDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { keep } from "../parts/keeping";
import { say } from "../parts/notes";
import { Bar } from "../parts/state";
import { Table } from "../parts/table";
import { moment, percent, size } from "../words";

const LOOK_MS = 10_000;
const MAKING_MS = 1000;

/** What is on its way; `of` is null where nobody knows how much it will be. */
interface Way {
  words: string;
  bytes: number;
  of: number | null;
}

export function Backups(): ReactNode {
  const settings = useSettings();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const { data, error } = useQuery({
    queryKey: ["backups"],
    queryFn: ({ signal }) => get<BackupsDocument>("/backups", signal),
    refetchInterval: ({ state }) => (making || state.data?.making_bytes != null ? MAKING_MS : LOOK_MS),
  });
  const [coming, setComing] = useState<Way | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const value = (name: string): string => String(settings.data?.items.find((each) => each.name === name)?.value ?? "");

  async function make(): Promise<void> {
    setMaking(true);
    try {
      const made = await ask<BackupDocument>("POST", "/backups", { patience_ms: LONG_MS });
      say(`${made.name}: ${size(made.size_bytes)}, proved to be whole.`);
    } finally {
      setMaking(false);
      await queries.invalidateQueries({ queryKey: ["backups"] });
    }
  }
  async function fetchOne(path: string, name: string, done: string): Promise<void> {
    const given = (stop.current = new AbortController());
    setComing({ words: name, bytes: 0, of: null });
    try {
      await keep(watchedBlob(path, (bytes, of) => setComing({ words: name, bytes, of }), given.signal), name);
      say(done);
    } catch (failed) {
      if (!given.signal.aborted) throw failed;
      say(`${name} was not fetched.`);
    } finally {
      stop.current = null;
      setComing(null);
    }
  }
  const whole = (): Promise<void> => {
    const moment = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
    return fetchOne("/backup", `farmhand-${moment}Z.tar`, "The backup is in your downloads. Keep it as safely as the farm; `farmhand restore` makes a farm of it.");
  };
  const made: Way | null = data?.making_bytes == null ? null : { words: "In the farm's folder", bytes: data.making_bytes, of: data.items[0]?.size_bytes ?? null };
  return (
    <section aria-label="Backups">
      <h2>Backups</h2>
      {error && <p className="bad">{error.message}</p>}
      {data && (data.folder
        ? <p>The farm backs itself up into <code>{data.folder}</code> every {value("backup_every_h")} h and keeps {value("backups_kept")}.</p>
        : <p>The farm does not back itself up: set <code>backup_dir</code>, on another disk at best.</p>)}
      <p className="deeds">
        {!coming && <Deed kind="main" does={whole}>Download a backup</Deed>}
        {data?.folder && !made && <Deed does={make}>Make one in the folder now</Deed>}
      </p>
      {made && <OnItsWay way={made} like="as the last one" />}
      {coming && <OnItsWay way={coming} stop={() => stop.current?.abort()} />}
      {data?.folder && (
        <>
          <Table label="Backups" rows={data.items} id={({ name }) => name} empty="None yet." columns={[
            { head: "Backup", cell: ({ name }) => name },
            { head: "Made", cell: ({ made_at }) => moment(made_at) },
            { head: "Size", kind: "figure", cell: ({ size_bytes }) => size(size_bytes) },
            ...(token.get() ? [{
              head: "Do", kind: "deeds" as const,
              cell: ({ name }: BackupDocument) => <Deed label={`Download ${name}`} does={() => fetchOne(`/backups/${encodeURIComponent(name)}`, name, `${name} is in your downloads, with the farm's secrets: keep it as safely as the farm.`)}>Download</Deed>,
            }] : []),
          ]} />
          <p className="faint">They have the farm's secrets: its token, its keys, its authority. So they are given only to who came with the farm's own token, or has the machine; <em>Download a backup</em> gives everybody who looks after the farm one without.</p>
        </>
      )}
    </section>
  );
}

function OnItsWay({ way: { words, bytes, of }, like = "", stop }: { way: Way; like?: string; stop?: () => void }): ReactNode {
  const ratio = of ? Math.min(1, bytes / of) : null;
  return (
    <div className="coming" role="status">
      <p>{words}: {size(bytes)}{of !== null && ` of ${size(of)}${like && `, if it is as large ${like}`}`}{ratio !== null && ` · ${percent(ratio)}`}</p>
      {ratio !== null && <Bar ratio={ratio} label={`how far ${words} is`} />}
      {stop && <p><button type="button" onClick={stop}>Stop</button></p>}
    </div>
  );
}
