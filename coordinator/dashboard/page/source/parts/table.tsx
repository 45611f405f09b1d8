/** Rows of like things: a table on a desk, one card each on a phone. */

import type { ReactNode } from "react";
import { useDrawn } from "./drawn";
import "../styles/tables.css";

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ReactNode;
  /** `figure` stands right, `deeds` are buttons, `wide` takes what room there is, `whole` is not broken. */
  kind?: "figure" | "deeds" | "wide" | "whole";
}

interface Rows<Row> {
  /** What it is a table of, for who does not see it. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined;
  id: (row: Row) => string | number;
  /** Said where there are none. */
  empty: ReactNode;
}

/** A table; its first column names each row. The roles stay where a phone shows rows as blocks. */
export function Table<Row>({ label, columns, rows, id, empty }: Rows<Row>): ReactNode {
  const drawn = useDrawn(rows?.length ?? 0, `table ${label}`);
  if (!rows) return <p className="faint" role="status">One moment …</p>;
  if (!rows.length) return <p className="faint">{empty}</p>;
  return (
    <table className="sheet" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">{columns.map(({ head, kind = "text" }) => <th key={head} role="columnheader" scope="col" className={`as-${kind}`}>{head}</th>)}</tr>
      </thead>
      <tbody role="rowgroup">
        {rows.slice(0, drawn).map((row) => (
          <tr key={id(row)} role="row">
            {columns.map(({ head, cell, kind = "text" }, index) => index === 0
              ? <th key={head} role="rowheader" scope="row" className={`as-${kind}`}>{cell(row)}</th>
              : <td key={head} role="cell" data-head={head} className={`as-${kind}`}><div>{cell(row)}</div></td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
