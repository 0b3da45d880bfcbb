/** Rows of a list: whole row clickable, numbers right, actions last; folds to two lines on a phone. */
import { Link, useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";
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
  /** Undefined while the first ones come. */
  rows: readonly Row[] | undefined;
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
}

const VIRTUAL_FROM = 200;

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, actions, isTall, isRefreshing, isBleeding, skeletonRows = 8 } = props;
  const table = (
    <table
      className={`tbl fold${isTall ? " two" : ""}`}
      aria-label={label}
      aria-busy={rows === undefined || isRefreshing}
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
            <tr key={row} className="still">
              {columns.map((column, index) => (
                <td key={index} className={classOf(column)}>
                  <Skeleton width={column.isNumber ? 64 : 80 + ((row * 37 + index * 53) % 70)} />
                </td>
              ))}
              {actions && <td className="acts" />}
            </tr>
          ))}
        </tbody>
      ) : rows.length > VIRTUAL_FROM ? (
        <VirtualBody {...props} rows={rows} />
      ) : (
        <tbody>
          {rows.map((row) => (
            <Line key={props.keyOf(row)} {...props} row={row} />
          ))}
        </tbody>
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

function Line<Row>({ row, columns, keyOf, hrefOf, onOpen, actions, chosen }: TableProps<Row> & { row: Row }) {
  const navigate = useNavigate();
  const href = hrefOf?.(row);
  const isOpenable = href !== undefined || onOpen !== undefined;
  const open = () => (href !== undefined ? void navigate({ to: href }) : onOpen?.(row));
  return (
    // The link or button in the first cell is what the keyboard reaches; the rest of the row is for the mouse.
    <tr
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

function VirtualBody<Row>(props: TableProps<Row> & { rows: readonly Row[] }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const virtual = useVirtualizer({
    count: props.rows.length,
    getScrollElement: () => document.scrollingElement,
    estimateSize: () => (props.isTall ? 51 : 40),
    overscan: 20,
    scrollMargin: body.current?.offsetTop ?? 0,
  });
  const items = virtual.getVirtualItems();
  const before = (items[0]?.start ?? 0) - virtual.options.scrollMargin;
  const after = virtual.getTotalSize() - ((items.at(-1)?.end ?? 0) - virtual.options.scrollMargin);
  const span = props.columns.length + (props.actions ? 1 : 0);
  return (
    <tbody ref={body}>
      <Gap height={before} span={span} />
      {items.map(({ index }) => (
        <Line key={props.keyOf(props.rows[index]!)} {...props} row={props.rows[index]!} />
      ))}
      <Gap height={after} span={span} />
    </tbody>
  );
}

function Gap({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    <tr className="still">
      <td colSpan={span} style={{ height, border: 0 }} />
    </tr>
  );
}
