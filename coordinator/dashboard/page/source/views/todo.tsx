/** What a person has to do, and nothing else: what is urgent first, then what waits longest. */

import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Permission } from "../api/shapes";
import type { Deed as Doing, Task } from "../attention";
import { approveGeneration, approveJob, clearBed, giveBack, holds, taskDone } from "../deeds";
import { farm } from "../live/store";
import { Deed } from "../parts/deed";
import { useDrawn } from "../parts/drawn";
import { Settle } from "../parts/settle";
import { Since } from "../parts/since";
import { TASKS_KEY, useTasks } from "../parts/tasks";
import { useSession } from "../session";
import { count } from "../words";

export const NEEDS: Record<Doing, Permission> = {
  clear: "printers:operate", approve: "jobs:manage", settle: "printers:operate", maintained: "printers:operate",
  approve_generation: "jobs:manage", give_back: "printers:manage", load: "printers:manage",
};

export function ToDo(): ReactNode {
  const list = useTasks();
  const drawn = useDrawn(list.length, "todo");
  const urgent = list.filter(({ urgent }) => urgent).length;
  if (!list.length) {
    return <div className="alone"><h1>Nothing to do</h1><p>Whatever comes up is shown here, and counted in the tab's title.</p></div>;
  }
  return (
    <>
      <h1>To do <span className="faint">{count(list.length, "thing")}{urgent > 0 && `, ${urgent} urgent`}</span></h1>
      <ol className="tasks">{list.slice(0, drawn).map((task) => <Line key={task.key} task={task} />)}</ol>
    </>
  );
}

function Line({ task }: { task: Task }): ReactNode {
  const { may } = useSession();
  return (
    <li className={task.urgent ? "task urgent" : "task"}>
      <div>
        <h2><Link href={task.at}>{task.urgent && <span className="bad-sign" aria-hidden="true">▲ </span>}{task.words}</Link></h2>
        {task.detail && <p>{task.detail}</p>}
        {task.since && <p className="faint">for <Since at={task.since} /></p>}
      </div>
      {task.deed && may(NEEDS[task.deed]) ? <Doings task={task} deed={task.deed} /> : task.at !== "/todo" && <Look task={task} />}
    </li>
  );
}

const Look = ({ task }: { task: Task }): ReactNode =>
  <Link className="button" href={task.at} aria-label={`Look: ${task.words}`}>Look</Link>;

export function Doings({ task, deed }: { task: Task; deed: Doing }): ReactNode {
  const queries = useQueryClient();
  const again = (): Promise<void> => queries.invalidateQueries({ queryKey: [TASKS_KEY] });
  const label = `${task.words}: done`;
  switch (deed) {
    case "clear":
      return <Deed kind="main" label={label} does={() => clearBed(task.printer!, farm.printer(task.printer!)?.name ?? "")}>It is clear</Deed>;
    case "approve":
      return <span className="deeds"><Look task={task} /><Deed kind="main" label={task.words} does={() => approveJob(task.about)}>Approve</Deed></span>;
    case "approve_generation":
      return <span className="deeds"><Look task={task} /><Deed kind="main" label={task.words} does={() => approveGeneration(task.about)}>Approve</Deed></span>;
    case "maintained":
      return <Deed kind="main" label={label} does={() => taskDone(task.about, task.words).then(again)}>It is done</Deed>;
    case "settle":
      return <Settle job={task.about} />;
    case "give_back":
      return (
        <span className="deeds"><Look task={task} />
          <Deed kind="main" label={`${task.words}: it is sound`} does={() => giveBack(task.printer!, farm.printer(task.printer!)?.name ?? "")}>It is sound</Deed>
        </span>
      );
    case "load":
      return <Load task={task} does={(id, name, material) => holds(id, name, material).then(again)} />;
  }
}

/** Where a spool is loaded it says what a printer holds: then that is changed, on the printer's page. */
function Load({ task, does }: { task: Task; does: (id: string, name: string, material: string) => Promise<void> }): ReactNode {
  const { material, printers } = task.loads!;
  return (
    <span className="deeds"><Look task={task} />
      {printers.filter(({ id }) => !farm.printer(id)?.spool_id).map(({ id, name }) => (
        <Deed key={id} kind={printers.length === 1 ? "main" : ""} label={`${task.words}: ${name} holds it`} does={() => does(id, name, material)}>{name} holds it</Deed>
      ))}
    </span>
  );
}
