/** The agents' versions: what one runs and how its update goes; the rollout that is on, or was halted. */

import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { get, post } from "../api/ask";
import type { AgentDocument, ItemsOfRolloutDocument, RolloutDocument } from "../api/shapes";
import type { Tone } from "../words";
import { Deed } from "./deed";
import { say } from "./notes";
import { State } from "./state";

const LOOK_MS = 3000;

type Phase = NonNullable<AgentDocument["update"]>["phase"];

const PHASES: Record<Phase, { words: string; tone: Tone } | null> = {
  fetching: { words: "is fetched", tone: "quiet" },
  draining: { words: "waits until nothing prints", tone: "quiet" },
  trial: { words: "is on trial", tone: "care" },
  settled: null,
  refused: { words: "was refused", tone: "bad" },
  rolled_back: { words: "was no good there", tone: "bad" },
};

export function Version({ agent: { build, update } }: { agent: AgentDocument }): ReactNode {
  const said = update && PHASES[update.phase];
  return (
    <>
      {build ?? <span className="faint">not told</span>}
      {update && said && (
        <>
          {" "}<State words={`${update.version} ${said.words}`} tone={said.tone} />
          {update.words && <span className="remark">{update.words}</span>}
        </>
      )}
    </>
  );
}

export const ROLLOUTS_KEY = "rollouts";

export function useRollouts(): UseQueryResult<ItemsOfRolloutDocument> {
  return useQuery({
    queryKey: [ROLLOUTS_KEY],
    queryFn: ({ signal }) => get<ItemsOfRolloutDocument>("/rollouts", signal),
    refetchInterval: LOOK_MS,
  });
}

/** Whether it goes on by itself. */
export const isOn = ({ state }: RolloutDocument): boolean => state !== "done" && state !== "halted";

/** To halt a rollout, or to let it go on: what was done last is undone by the other. */
export function Steering({ rollout }: { rollout: RolloutDocument }): ReactNode {
  const queries = useQueryClient();
  const { id, version, state } = rollout;
  if (state === "done") return null;
  async function steer(verb: "halt" | "resume"): Promise<void> {
    await post(`/rollouts/${encodeURIComponent(id)}/${verb}`);
    await queries.invalidateQueries({ queryKey: [ROLLOUTS_KEY] });
  }
  async function halt(): Promise<void> {
    await steer("halt");
    say(`${version} is halted: who has not begun lets it be.`, () => steer("resume"));
  }
  return state === "halted"
    ? <Deed label={`Go on with ${version}`} does={() => steer("resume")} sure="Ask those once more where it went wrong, and then the others?">Go on</Deed>
    : <Deed label={`Halt ${version}`} does={halt}>Halt</Deed>;
}

/** The rollout that is on, or was halted, in short. */
export function Rollout(): ReactNode {
  const last = useRollouts().data?.items[0];
  if (!last || last.state === "done") return null;
  const halted = last.state === "halted";
  return (
    <section aria-label="Update of the agents">
      <h2>Agents get version {last.version}</h2>
      <ul className="tasks">
        <li className={halted ? "task urgent" : "task"}>
          <div><h3><Link href="/updates">{halted ? "Halted" : last.state === "waves" ? "Wave by wave" : "The canary first"}</Link></h3><p>{words_of(last)}</p></div>
          <Steering rollout={last} />
        </li>
      </ul>
    </section>
  );
}

function words_of({ agents, words }: RolloutDocument): string {
  const counts = new Map<string, number>();
  for (const { state } of agents) counts.set(state, (counts.get(state) ?? 0) + 1);
  const each = [...counts].map(([state, count]) => `${String(count)} ${state.replace("_", " ")}`);
  return [words, each.join(", ")].filter(Boolean).join(" · ");
}
