/** One printer as a line of a list, and as a tile of the heat map. */

import { memo, type ReactNode } from "react";
import { Link } from "wouter";
import { progress } from "../attention";
import { usePrinterWhile } from "../live/store";
import { Material } from "../parts/spool";
import { useNow } from "../parts/since";
import { Bar, filled, State } from "../parts/state";
import { useInSight } from "../parts/visible";
import { useSession } from "../session";
import { duration, endsAt, percent, SIGNS, statusOf } from "../words";
import { Heat } from "./card";
import { Select } from "./select";

interface Shown {
  id: string;
  selected: boolean;
  select: (id: string, ranged?: boolean) => void;
}

export const Row = memo(function Row({ id, selected, select }: Shown): ReactNode {
  const [at, inSight, seen] = useInSight();
  const printer = usePrinterWhile(id, inSight);
  const { may } = useSession();
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  return (
    <li ref={at} className={`row ${tone}${selected ? " selected" : ""}`} data-printer={id}>
      {may("printers:operate") && <Select name={printer.name} id={id} selected={selected} select={select} />}
      <Link href={`/printers/${encodeURIComponent(id)}`} className="name">{printer.name}</Link>
      <State words={words} tone={tone} />
      <span className="what">{printer.job?.name ?? ""}</span>
      <span className="how">{how && <><Bar ratio={how.ratio} label={`progress of ${printer.name}`} /> {percent(how.ratio)}</>}</span>
      <Left remaining_s={how?.remaining_s ?? null} inSight={inSight} />
      {seen && printer.live ? <Heat printer={printer} inSight={inSight} /> : <p className="heat" />}
      <span className="holds"><Material printer={printer} /></span>
    </li>
  );
});

function Left({ remaining_s, inSight }: { remaining_s: number | null; inSight: boolean }): ReactNode {
  const now = useNow(10, inSight);
  if (remaining_s === null) return <span className="left" />;
  return <span className="left">{duration(remaining_s)} · {endsAt(remaining_s, now)}</span>;
}

export const Tile = memo(function Tile({ id }: { id: string }): ReactNode {
  const [at, inSight] = useInSight();
  const printer = usePrinterWhile(id, inSight);
  if (!printer) return null;
  const { words, tone } = statusOf(printer);
  const how = progress(printer);
  return (
    <li ref={at} className={`tile ${tone}`} data-printer={id}>
      <Link href={`/printers/${encodeURIComponent(id)}`} title={`${printer.name}: ${words}`}>
        {how && <span className="fill" aria-hidden="true" style={filled(how.ratio)} />}
        <span className="name"><span aria-hidden="true">{SIGNS[tone]}</span> {printer.name}</span>
        <span className="hidden">: {words}</span>
        <small>{how ? percent(how.ratio) : words}</small>
      </Link>
    </li>
  );
});
