/** Rows of a list: whole row clickable, numbers right, actions last; folds to two lines on a phone. */
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { MANY, Rows, type Seat } from "./rows";
import { Skeleton } from "./states";

export interface Column<Row> {
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  /** Leaves on narrow screens. */
  isLow?: boolean;
  /** Where it goes when rows fold: f1 what, f2 how much, f3 detail, f4 status. */
  fold?: "f1" | "f2" | "f3" | "f4";
  width?: number | string;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  /** Undefined while the first ones come; each of them until it has come, where they come as they are in sight. */
  rows: readonly (Row | undefined)[] | undefined;
  keyOf: (row: Row) => string;
  hrefOf?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  actions?: (row: Row) => ReactNode;
  chosen?: string | undefined;
  /** Rows of two lines. */
  isTall?: boolean;
  isRefreshing?: boolean;
  /** To the edges of the page, as lists are. */
  isBleeding?: boolean;
  skeletonRows?: number;
  /** Hears which rows are in sight. */
  onSight?: ((first: number, last: number) => void) | undefined;
}

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, actions, isTall, isRefreshing, isBleeding, skeletonRows = 8 } = props;
  const table = (
    <table
      className={`tbl fold${isTall ? " two" : ""}`}
      aria-label={label}
      aria-busy={rows === undefined || isRefreshing}
      aria-rowcount={rows && rows.length > MANY ? rows.length + 1 : undefined}
    >
      <thead className="sticky">
        <tr>
          {columns.map((column, index) => (
            <th key={index} scope="col" className={classOf(column)} style={{ width: column.width }}>
              {column.head}
            </th>
          ))}
          {actions && (
            <th scope="col" className="acts">
              <span className="sr">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      {rows === undefined ? (
        <tbody>
          {Array.from({ length: skeletonRows }, (_, row) => (
            <Awaited key={row} index={row} {...props} />
          ))}
        </tbody>
      ) : (
        <Rows
          count={rows.length}
          height={isTall ? 51 : 40}
          span={columns.length + (actions ? 1 : 0)}
          onSight={props.onSight}
          row={(index, seat) => {
            const row = rows[index];
            if (row === undefined) return <Awaited key={index} index={index} {...props} seat={seat} />;
            return <Line key={props.keyOf(row)} {...props} row={row} seat={seat} />;
          }}
        />
      )}
    </table>
  );
  return (
    <div className={`table-frame${isBleeding ? " bleed" : ""}${isRefreshing ? " refreshing" : ""}`}>
      {table}
    </div>
  );
}

function classOf<Row>(column: Column<Row>): string | undefined {
  const parts = [column.isNumber && "r", column.isLow && "lo", column.fold].filter(Boolean);
  return parts.length > 0 ? parts.join(" ") : undefined;
}

/** A row that has not come yet. */
function Awaited<Row>({ index, seat, columns, actions }: TableProps<Row> & { index: number; seat?: Seat }) {
  return (
    <tr {...seat} className="still">
      {columns.map((column, place) => (
        <td key={place} className={classOf(column)}>
          <Skeleton width={column.isNumber ? 64 : 80 + ((index * 37 + place * 53) % 70)} />
        </td>
      ))}
      {actions && <td className="acts" />}
    </tr>
  );
}

type LineProps<Row> = TableProps<Row> & { row: Row; seat: Seat };

function Line<Row>({ row, seat, columns, keyOf, hrefOf, onOpen, actions, chosen }: LineProps<Row>) {
  const navigate = useNavigate();
  const href = hrefOf?.(row);
  const isOpenable = href !== undefined || onOpen !== undefined;
  const open = () => (href !== undefined ? void navigate({ to: href }) : onOpen?.(row));
  return (
    // The link or button in the first cell is what the keyboard reaches; the rest of the row is for the mouse.
    <tr
      {...seat}
      data-href={isOpenable ? "" : undefined}
      className={chosen === keyOf(row) ? "on" : isOpenable ? undefined : "still"}
      onClick={(event) => {
        const hit = (event.target as HTMLElement).closest("a,button,input,label");
        if (isOpenable && !hit && !getSelection()?.toString()) open();
      }}
    >
      {columns.map((column, index) => (
        <td key={index} className={classOf(column)}>
          {index === 0 && href !== undefined ? (
            <Link to={href} className="row-link">
              {column.cell(row)}
            </Link>
          ) : index === 0 && onOpen ? (
            <button type="button" className="row-link" onClick={open}>
              {column.cell(row)}
            </button>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
      {actions && <td className="acts">{actions(row)}</td>}
    </tr>
  );
}
