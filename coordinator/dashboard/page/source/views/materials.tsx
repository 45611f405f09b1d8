/** What there is to print with: spools, and the materials that they, printers and profiles are of. */

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { ask, get, post } from "../api/ask";
import type { ItemsOfMaterialDocument, MaterialDocument, PageOfSpoolDocument, SpoolDocument } from "../api/shapes";
import { useJobs, usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { say } from "../parts/notes";
import { Paging, usePages } from "../parts/pages";
import { Bar, State } from "../parts/state";
import { Table } from "../parts/table";
import { useSession } from "../session";
import { called, count, grams } from "../words";
import { SpoolSheet, type Sheet } from "./spools";
import "../styles/shop.css";

const PAGE = 50;
const spool = (id: string): string => `/spools/${encodeURIComponent(id)}`;

export function Materials(): ReactNode {
  const { may } = useSession();
  const [material, setMaterial] = useState("");
  const [place, setPlace] = useState("");
  const [archived, setArchived] = useState(false);
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const queries = useQueryClient();
  const refresh = async (): Promise<void> => {
    await Promise.all(["spools", "materials"].map((queryKey) => queries.invalidateQueries({ queryKey: [queryKey] })));
  };
  const wanted = new URLSearchParams({ limit: String(PAGE), archived: String(archived) });
  if (material) wanted.set("material", material);
  if (place) wanted.set("loaded", place);
  const pages = usePages<string>(wanted.toString());
  if (pages.cursor) wanted.set("cursor", pages.cursor);
  const spools = useQuery({
    queryKey: ["spools", wanted.toString()],
    queryFn: ({ signal }) => get<PageOfSpoolDocument>(`/spools?${wanted}`, signal),
    placeholderData: keepPreviousData,
  });
  const materials = useQuery({
    queryKey: ["materials"],
    queryFn: ({ signal }) => get<ItemsOfMaterialDocument>("/materials", signal),
  });
  const names = materials.data?.items.map(({ name }) => name) ?? [];
  const error = spools.error ?? materials.error;
  return (
    <>
      <h1>Materials and spools</h1>
      {error && <p className="bad">{error.message}</p>}
      <section aria-label="Spools">
        <div className="bar-of-tools">
          <h2>Spools{spools.data ? ` (${spools.data.total})` : ""}</h2>
          <label className="choice">Material{" "}
            <select value={material} onChange={(event) => setMaterial(event.target.value)}>
              <option value="">all</option>
              {names.map((name) => <option key={name}>{name}</option>)}
            </select>
          </label>
          <label className="choice">Where{" "}
            <select value={place} onChange={(event) => setPlace(event.target.value)}>
              <option value="">anywhere</option>
              <option value="true">in a printer</option>
              <option value="false">on a shelf</option>
            </select>
          </label>
          <label className="choice"><input type="checkbox" checked={archived} onChange={(event) => setArchived(event.target.checked)} /> put away, too</label>
          {may("printers:operate") && <button type="button" className="main" onClick={() => setSheet({ kind: "new" })}>Add a spool</button>}
        </div>
        <SpoolTable spools={spools.data?.items} open={setSheet} refresh={refresh}
          empty={material || place ? "No spool is like that." : "No spool yet. With spools the farm reckons what is left, and warns before one runs out."} />
        <Paging pages={pages} next={spools.data?.next} />
      </section>
      <MaterialTable materials={materials.data?.items} />
      {sheet && <SpoolSheet sheet={sheet} materials={names} close={() => setSheet(null)} refresh={refresh} />}
    </>
  );
}

function SpoolTable({ spools, open, refresh, empty }: {
  spools: SpoolDocument[] | undefined; open: (sheet: Sheet) => void; refresh: () => Promise<void>; empty: string;
}): ReactNode {
  const { may } = useSession();
  async function change(path: string, words: string, body?: object): Promise<void> {
    await (body ? ask("PATCH", path, { body }) : post(path));
    await refresh();
    say(words);
  }
  return (
    <Table label="Spools" rows={spools} id={({ id }) => id} empty={empty} columns={[
      { head: "Spool", cell: (each) => <><Swatch colour={each.colour} /> {called(each)}{each.archived && <span className="faint"> · put away</span>}</> },
      { head: "Left", cell: (each) => <Left spool={each} /> },
      { head: "Where", cell: (each) => <Where spool={each} /> },
      { head: "Cost", kind: "figure", cell: ({ cost }) => cost === null ? <span className="faint">not said</span> : cost.toFixed(2) },
      ...(may("printers:operate") ? [{
        head: "Do", kind: "deeds" as const, cell: (each: SpoolDocument) => (
          <>
            {each.printer_id !== null
              ? <Deed label={`Take out ${called(each)}`} does={() => change(`${spool(each.id)}/unload`, `${called(each)} is out.`)}>Take out</Deed>
              : !each.archived && <button type="button" aria-label={`Load ${called(each)}`} onClick={() => open({ kind: "load", spool: each })}>Load</button>}
            {!each.archived && <button type="button" aria-label={`Weigh ${called(each)}`} onClick={() => open({ kind: "weigh", spool: each })}>Weigh</button>}
            <button type="button" aria-label={`Edit ${called(each)}`} onClick={() => open({ kind: "edit", spool: each })}>Edit</button>
            {each.archived
              ? <Deed label={`Bring back ${called(each)}`} does={() => change(spool(each.id), `${called(each)} is back.`, { archived: false })}>Bring back</Deed>
              : each.printer_id === null && <Deed label={`Put away ${called(each)}`} does={() => change(spool(each.id), `${called(each)} is put away.`, { archived: true })}>Put away</Deed>}
          </>
        ),
      }] : []),
    ]} />
  );
}

function Swatch({ colour }: { colour: string }): ReactNode {
  if (!colour || !CSS.supports("color", colour)) return null;
  return <span className="swatch" title={colour} style={{ background: colour }} />;
}

function Left({ spool: { remaining_g, weight_g } }: { spool: SpoolDocument }): ReactNode {
  const ratio = weight_g > 0 ? remaining_g / weight_g : 0;
  return (
    <div className={ratio < 0.1 ? "remains care" : "remains"}>
      <Bar ratio={ratio} label="what is left" />
      <span>{grams(remaining_g)} of {grams(weight_g)}</span>
    </div>
  );
}

function Where({ spool: { printer_id, tool, location } }: { spool: SpoolDocument }): ReactNode {
  const printers = usePrinters();
  if (printer_id === null) return location || <span className="faint">on a shelf</span>;
  const name = printers.find(({ id }) => id === printer_id)?.name ?? printer_id;
  return <>in <Link href={`/printers/${encodeURIComponent(printer_id)}`}>{name}</Link>{tool ? `, tool ${tool}` : ""}</>;
}

function MaterialTable({ materials }: { materials: MaterialDocument[] | undefined }): ReactNode {
  const jobs = useJobs().filter(({ state }) => state === "received" || state === "ready");
  const printers = usePrinters();
  const named = (id: string): string => printers.find((each) => each.id === id)?.name ?? id;
  const waiting = (name: string): typeof jobs => jobs.filter(({ material }) => same(material, name));
  const unknown = [...new Set(jobs.map(({ material }) => material).filter(Boolean))]
    .filter((name) => materials && !materials.some((each) => same(each.name, name)))
    .map((name): MaterialDocument => ({ name, profile: null, printers: [], spools: 0, remaining_g: 0 }));
  return (
    <section aria-label="Materials">
      <h2>Materials</h2>
      <Table label="Materials" rows={materials && [...materials, ...unknown]} id={({ name }) => name} empty="No material is known." columns={[
        { head: "Material", cell: ({ name, profile }) => profile?.title || name },
        { head: "Nozzle", kind: "figure", cell: ({ profile }) => profile ? `${profile.nozzle_celsius} °C` : <span className="faint">no profile</span> },
        { head: "Bed", kind: "figure", cell: ({ profile }) => profile ? `${profile.bed_celsius} °C` : "" },
        { head: "On spools", kind: "figure", cell: ({ spools, remaining_g }) => spools ? `${grams(remaining_g)} on ${count(spools, "spool")}` : "" },
        { head: "Printers that hold it", kind: "wide", cell: ({ printers: those }) => those.length
          ? <Names of={those.map((id) => [named(id), `/printers/${encodeURIComponent(id)}`])} />
          : <span className="faint">none</span> },
        { head: "Jobs that wait", cell: ({ name, printers: those }) => {
          const found = waiting(name);
          return found.length
            ? <>{!those.length && <State words="no printer holds it" tone="care" />} <Names of={found.map((job) => [job.name, `/jobs/${encodeURIComponent(job.id)}`])} /></>
            : <span className="faint">none</span>;
        } },
      ]} />
    </section>
  );
}

/** Whether two names are of one material, as the farm takes them: however they are spelt. */
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const NAMES_MAX = 5;

/** Links to the first few, and how many there are besides. */
function Names({ of }: { of: readonly (readonly [string, string])[] }): ReactNode {
  return (
    <>
      {of.slice(0, NAMES_MAX).map(([name, there], index) => <span key={there}>{index > 0 && ", "}<Link href={there}>{name}</Link></span>)}
      {of.length > NAMES_MAX && ` and ${of.length - NAMES_MAX} more`}
    </>
  );
}
