/** What a person has to do, and nothing else: what is urgent first, then what waits longest. */

import type { ReactNode } from "react";
import { Link } from "wouter";
import { tasks, type Task } from "../attention";
import { clearBed } from "../deeds";
import { farm, useJobs, usePrinters } from "../live/store";
import { Deed } from "../parts/deed";
import { Since } from "../parts/since";
import { useSession } from "../session";

export function ToDo(): ReactNode {
  const list = tasks(usePrinters(), useJobs());
  if (!list.length) {
    return <div className="alone"><h1>Nothing to do</h1><p>Whatever comes up is shown here, and counted in the tab's title.</p></div>;
  }
  return (
    <>
      <h1>To do</h1>
      <ol className="tasks">{list.map((task) => <Line key={task.key} task={task} />)}</ol>
    </>
  );
}

function Line({ task }: { task: Task }): ReactNode {
  const { may } = useSession();
  const there = task.printer ? `/printers/${encodeURIComponent(task.printer)}` : `/jobs/${encodeURIComponent(task.job ?? "")}`;
  return (
    <li className={task.urgent ? "task urgent" : "task"}>
      <div>
        <h2><Link href={there}>{task.words}</Link></h2>
        {task.detail && <p>{task.detail}</p>}
        {task.since && <p className="faint">for <Since at={task.since} /></p>}
      </div>
      {task.deed === "clear" && task.printer && may("printers:operate")
        ? <Deed kind="main" label={`${task.words}: done`} does={() => clearBed(task.printer!, farm.printer(task.printer!)?.name ?? "")}>It is clear</Deed>
        : <Link className="button" href={there}>Look</Link>}
    </li>
  );
}
