/** How a release is to go to agents: to whom, who is first, how carefully. */

import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { ask, onceKey } from "../api/ask";
import type { AgentDocument, RolloutDocument } from "../api/shapes";
import { Dialog } from "../parts/dialog";
import { Field, Form, type Typed } from "../parts/form";
import { complain, say, soon } from "../parts/notes";
import { ROLLOUTS_KEY } from "../parts/rollout";
import { count, naturally } from "../words";

/** Of the wire: agents before this one know nothing of releases. */
const MINOR_MIN = 2;
const SOAK_S = 60;
const START_S = 120;

export function BeginUpdate({ version, agents, close }: { version: string; agents: readonly AgentDocument[]; close: () => void }): ReactNode {
  const queries = useQueryClient();
  const [all, setAll] = useState(true);
  const sorted = [...agents].sort((one, other) => naturally(one.id, other.id));
  const old = agents.filter(({ protocol_minor }) => protocol_minor !== null && protocol_minor < MINOR_MIN).length;
  const away = agents.filter(({ online }) => !online).length;

  async function begin(typed: Typed): Promise<void> {
    const chosen = all ? null : typed.all("agents");
    if (chosen && !chosen.length) throw new Error("Choose who is to get it.");
    const canary = typed.text("canary");
    if (canary && chosen && !chosen.includes(canary)) throw new Error(`${canary} is to be first, but is not among the chosen.`);
    const body = {
      version, agents: chosen, canaries: canary ? [canary] : null, wave_size: typed.number("wave_size") ?? 0,
      soak_s: typed.number("soak_s") ?? SOAK_S, start_s: typed.number("start_s") ?? START_S, troubles_max: typed.number("troubles_max") ?? 0,
    };
    const key = onceKey();
    close();
    // What an agent began on trial nobody takes back: so it waits for a slip of the finger to be noticed.
    const sent = soon(`${version} goes to ${count(chosen?.length ?? agents.length, "agent")}, ${canary || "one"} first.`, async () => {
      await ask<RolloutDocument>("POST", "/rollouts", { body, headers: { "Idempotency-Key": key } });
      await queries.invalidateQueries({ queryKey: [ROLLOUTS_KEY] });
      say(`The update to ${version} has begun.`);
    });
    sent.catch(complain);
  }

  return (
    <Dialog title={`Update agents to ${version}`} close={close}>
      <p>One goes first. Once it is well with all its printers, the others follow, wave by wave; each when nothing prints there. If one goes wrong, all halts.</p>
      <Form does={begin} send="Begin the update" cancel={close}>
        <fieldset>
          <legend>Who gets it</legend>
          <label className="check"><input type="checkbox" checked={all} onChange={() => setAll(!all)} /> All {count(agents.length, "agent")}</label>
          {!all && <div className="many">{sorted.map(({ id, build }) => <label key={id} className="check"><input type="checkbox" name="agents" value={id} /> {id} <span className="faint">{build}</span></label>)}</div>}
        </fieldset>
        <Field name="canary" label="Who is first" hint="best one whose printers you can see">
          <select defaultValue=""><option value="">the farm chooses: one that is there and prints least</option>{sorted.filter(({ online }) => online).map(({ id }) => <option key={id}>{id}</option>)}</select>
        </Field>
        <details>
          <summary>How carefully</summary>
          <div className="side">
            <Field name="wave_size" label="Agents in a wave" hint="empty: a quarter of the rest"><input type="number" min={1} max={10_000} /></Field>
            <Field name="troubles_max" label="May go wrong" hint="before all halts"><input type="number" min={0} max={10_000} defaultValue={0} /></Field>
            <Field name="soak_s" label="Well for, s" hint="before one counts as good"><input type="number" min={1} max={3600} defaultValue={SOAK_S} /></Field>
            <Field name="start_s" label="Time to start, s"><input type="number" min={1} max={3600} defaultValue={START_S} /></Field>
          </div>
        </details>
        {away > 0 && <p className="faint">{count(away, "agent is", "agents are")} not there: asked when {away === 1 ? "it comes" : "they come"} back.</p>}
        {old > 0 && <p className="care">{count(old, "agent is", "agents are")} too old to take a release: install a newer version there by hand, once.</p>}
      </Form>
    </Dialog>
  );
}
