/** Trying the farm without a printer: simulated ones, started and taken away from here. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { ask, get, post } from "../api/ask";
import type { TrialDocument } from "../api/shapes";
import { usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { say } from "../parts/notes";
import { count, isSimulated } from "../words";

const LOOK_MS = 3000;
const HOW_MANY = 3;
const KEY = "trial";

/** What is offered to who has no printers yet, and how to end it. */
export function Trial(): ReactNode {
  const queries = useQueryClient();
  const printers = usePrinters();
  const { data } = useQuery({ queryKey: [KEY], queryFn: ({ signal }) => get<TrialDocument>("/demo", signal), refetchInterval: LOOK_MS });
  const here = printers.filter(isSimulated);
  if (!data || (!data.allowed && !data.running && !here.length)) return null;
  async function begin(): Promise<void> {
    queries.setQueryData([KEY], await post<TrialDocument>("/demo", { printers: HOW_MANY }));
    say("The simulated printers come in some seconds.");
  }
  async function end(): Promise<void> {
    queries.setQueryData([KEY], await ask<TrialDocument>("DELETE", "/demo"));
    say("The simulated printers are gone; what they printed waits for others.");
  }
  const there = data.running || data.printers.length > 0 || Boolean(data.trouble);
  return (
    <section className="trial" aria-label="Simulated printers">
      <h2>{there ? "Simulated printers" : "Try it without a printer"}</h2>
      {!there && <p>The coordinator plays {count(HOW_MANY, "printer")} that print some thirty times as fast as real ones. All else is real: drop a model, watch it print, clear the bed.</p>}
      {data.trouble && <p className="bad">They ended: {data.trouble}</p>}
      {data.running && !here.length && <p role="status">They come in some seconds …</p>}
      {here.length > 0 && <p><Link href="/">{count(here.length, "simulated printer")} in the farm</Link>. Their beds nobody declared clear yet: <Link href="/todo">what is to do</Link>. Take them away before real printers come, or jobs will be printed on them.</p>}
      <p className="deeds">
        {there
          ? <Deed does={end} sure="Take the simulated printers away? What they print counts for nothing.">Take them away</Deed>
          : <Deed does={begin}>Try it with three simulated printers</Deed>}
      </p>
    </section>
  );
}
