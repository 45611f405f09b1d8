/** New versions for agents: releases brought in, one rolled out wave by wave, how far it is. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import { ask, get } from "../api/ask";
import type { ItemsOfAgentDocument, ItemsOfReleaseDocument, ReleaseDocument, RolloutDocument } from "../api/shapes";
import { Deed } from "../parts/deed";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { say, soon } from "../parts/notes";
import { ROLLOUTS_KEY, Steering, isOn, useRollouts } from "../parts/rollout";
import { Bar, State } from "../parts/state";
import { Table } from "../parts/table";
import { actor, count, isSimulated, moment, size, type Tone } from "../words";
import { BeginUpdate } from "./update_form";
import "../styles/shop.css";

const LOOK_MS = 10_000;
const AGENTS_MS = 5000;
const RELEASES_KEY = "releases";
// A release is some MiB, over a slow line.
const BRING_MS = 600_000;

const ROLLOUT: Record<RolloutDocument["state"], { words: string; tone: Tone }> = {
  planned: { words: "about to begin", tone: "work" }, canary: { words: "the canary first", tone: "work" },
  waves: { words: "wave by wave", tone: "work" }, done: { words: "done", tone: "good" }, halted: { words: "halted", tone: "care" },
};
const UPDATE: Record<RolloutDocument["agents"][number]["state"], { words: string; tone: Tone }> = {
  waiting: { words: "waits", tone: "quiet" }, draining: { words: "takes it once nothing prints", tone: "work" },
  updating: { words: "on trial", tone: "care" }, healthy: { words: "has it, and is well", tone: "good" },
  refused: { words: "refused it", tone: "bad" }, rolled_back: { words: "went back", tone: "bad" }, silent: { words: "was not heard of any more", tone: "bad" },
};

type Sheet = { kind: "bring" } | { kind: "begin"; version: string };

export function Updates(): ReactNode {
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const rollouts = useRollouts();
  const releases = useQuery({
    queryKey: [RELEASES_KEY], queryFn: ({ signal }) => get<ItemsOfReleaseDocument>("/releases", signal), refetchInterval: LOOK_MS,
  });
  const agents = useQuery({
    queryKey: ["agents"], queryFn: ({ signal }) => get<ItemsOfAgentDocument>("/agents", signal), refetchInterval: AGENTS_MS,
  });
  const meant = agents.data?.items.filter(({ id, revoked_at }) => !revoked_at && !isSimulated({ agent_id: id })) ?? [];
  const [last, ...earlier] = rollouts.data?.items ?? [];
  const going = last !== undefined && isOn(last);
  const error = releases.error ?? rollouts.error ?? agents.error;
  const close = (): void => setSheet(null);
  return (
    <>
      <div className="bar-of-tools">
        <h1>Updates of agents</h1>
        <button type="button" onClick={() => setSheet({ kind: "bring" })}>Bring a release</button>
      </div>
      <p className="faint">An agent takes a release only if a key that its own settings name has signed it, never in mid-print, and goes back by itself where it is no good. <Link href="/agents">Who runs what</Link></p>
      {error && <p className="bad">{error.message}</p>}
      {last && <Going rollout={last} />}
      <section aria-label="Releases">
        <h2>Releases</h2>
        <Table label="Releases" rows={releases.data?.items} id={({ version }) => version}
          empty={<>None yet. <code>farmhand release make</code> and <code>sign</code> make one, on a machine that has your key; bring it here.</>} columns={[
          { head: "Version", cell: ({ version }) => version },
          { head: "What is new", kind: "wide", cell: ({ words }) => words },
          { head: "Signed by", cell: ({ signed_by }) => <code>{signed_by}</code> },
          { head: "Added", cell: ({ added_at, added_by }) => <>{moment(added_at)}<span className="remark">{actor(added_by)}</span></> },
          { head: "Size", kind: "figure", cell: ({ size_bytes }) => size(size_bytes) },
          { head: "Run by", kind: "figure", cell: ({ version }) => count(meant.filter(({ build }) => build === version).length, "agent") },
          { head: "Do", kind: "deeds", cell: (release) => <OfRelease release={release} free={!going && meant.length > 0} begin={(version) => setSheet({ kind: "begin", version })} /> },
        ]} />
        {going && <p className="faint">Another one can be begun once this is done, or halted.</p>}
      </section>
      {earlier.length > 0 && (
        <section aria-label="Earlier updates">
          <h2>Earlier</h2>
          <Table label="Earlier updates" rows={earlier} id={({ id }) => id} empty="" columns={[
            { head: "Version", cell: ({ version }) => version },
            { head: "Begun", cell: ({ made_at, made_by }) => <>{moment(made_at)}<span className="remark">{actor(made_by)}</span></> },
            { head: "Came to", cell: ({ state, words }) => <><State {...ROLLOUT[state]} />{words && <span className="remark">{words}</span>}</> },
            { head: "Agents", kind: "figure", cell: (each) => `${well(each)} of ${each.agents.length}` },
          ]} />
        </section>
      )}
      {sheet?.kind === "bring" && <Bring close={close} />}
      {sheet?.kind === "begin" && <BeginUpdate version={sheet.version} agents={meant} close={close} />}
    </>
  );
}

const well = ({ agents }: RolloutDocument): number => agents.filter(({ state }) => state === "healthy").length;

/** The last rollout: how far it is, agent by agent, and what one may do about it. */
function Going({ rollout }: { rollout: RolloutDocument }): ReactNode {
  const { version, state, words, agents, made_by, made_at } = rollout;
  const troubled = agents.filter((each) => UPDATE[each.state].tone === "bad").length;
  return (
    <section aria-label="The last update">
      <h2>{version} <State {...ROLLOUT[state]} /></h2>
      <p>{well(rollout)} of {count(agents.length, "agent")} {agents.length === 1 ? "has" : "have"} it{troubled > 0 && <>, <span className="bad">{troubled} went wrong</span></>}. <span className="faint">Begun {moment(made_at)} by {actor(made_by)}.</span></p>
      <Bar ratio={well(rollout) / Math.max(1, agents.length)} label={`agents that have ${version}`} />
      {words && <p className={state === "halted" ? "care" : "faint"} role="status">{words}</p>}
      <p className="deeds"><Steering rollout={rollout} /></p>
      <Table label="Agents of the last update" rows={agents} id={({ agent_id }) => agent_id} empty="" columns={[
        { head: "Agent", cell: ({ agent_id }) => agent_id },
        { head: "Turn", cell: ({ stage }) => (stage === 0 ? "canary" : `wave ${stage}`) },
        { head: "State", cell: (each) => <State {...UPDATE[each.state]} /> },
        { head: "Words", kind: "wide", cell: (each) => each.words || (each.sound_since ? `well since ${moment(each.sound_since)}` : "") },
      ]} />
    </section>
  );
}

function OfRelease({ release: { version }, free, begin }: { release: ReleaseDocument; free: boolean; begin: (version: string) => void }): ReactNode {
  const queries = useQueryClient();
  async function drop(): Promise<void> {
    await soon(`${version} is handed to nobody any more.`, () => ask("DELETE", `/releases/${encodeURIComponent(version)}`));
    await queries.invalidateQueries({ queryKey: [RELEASES_KEY] });
  }
  return (
    <>
      {free && <button type="button" className="main" aria-label={`Update agents to ${version}`} onClick={() => begin(version)}>Update agents</button>}
      <Deed kind="danger" label={`Remove ${version}`} does={drop}>Remove</Deed>
    </>
  );
}

/** A release is its file and the signature beside it; both come from where the key is. */
function Bring({ close }: { close: () => void }): ReactNode {
  const queries = useQueryClient();
  async function send(_: Typed, data: FormData): Promise<void> {
    const signed = data.get("signature_file");
    const form = new FormData();
    form.set("signature", signed instanceof File ? await signed.text() : "");
    form.set("file", data.get("file") as File);
    const added = await ask<ReleaseDocument>("POST", "/releases", { form, patience_ms: BRING_MS });
    await Promise.all([[RELEASES_KEY], [ROLLOUTS_KEY]].map((queryKey) => queries.invalidateQueries({ queryKey })));
    say(`${added.version} is here. Nobody gets it before you say so.`);
    close();
  }
  return (
    <Dialog title="Bring a release" close={close}>
      <Form does={send} send="Bring it" cancel={close}>
        <Field name="file" label="The release" hint="as farmhand release make wrote it"><input type="file" accept=".zip,application/zip" required /></Field>
        <Field name="signature_file" label="Its signature" hint="what farmhand release sign, or minisign, wrote beside it"><input type="file" accept=".minisig" required /></Field>
      </Form>
    </Dialog>
  );
}
