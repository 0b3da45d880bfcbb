/** The rows of a table's body: all of them, or, of a long one, those in sight. */
import { useVirtualizer, useWindowVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import {
  createContext,
  type ReactNode,
  type Ref,
  type RefObject,
  useContext,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";

/** What stands on the `tr` of a row that is drawn only while it is in sight. */
export interface Seat {
  ref?: Ref<HTMLTableRowElement>;
  "data-index"?: number;
  "aria-rowindex"?: number;
}

interface RowsProps {
  count: number;
  /** About how high a row is; it is measured once it is drawn. */
  height: number;
  /** Columns of the table. */
  span: number;
  row: (index: number, seat: Seat) => ReactNode;
  /** A selector of what scrolls them; the page, where there is none. */
  frame?: string;
  /** Hears which rows are drawn, of those that are drawn as they come into sight. */
  onSight?: ((first: number, last: number) => void) | undefined;
}

/** More rows than that are drawn as they come into sight. */
export const MANY = 200;
const AROUND = 20;

/** What scrolls all that is inside of it, where that is not the page: a selector. */
export const ScrollFrame = createContext<string | undefined>(undefined);

export function Rows(props: RowsProps) {
  const around = useContext(ScrollFrame);
  const frame = props.frame ?? around;
  if (props.count <= MANY)
    return <tbody>{Array.from({ length: props.count }, (_, at) => props.row(at, {}))}</tbody>;
  return frame ? <RowsInFrame {...props} frame={frame} /> : <RowsOnPage {...props} />;
}

function RowsOnPage({ count, height, ...drawn }: RowsProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const top = useTop(body);
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => height,
    overscan: AROUND,
    scrollMargin: top,
  });
  return (
    <InSight
      {...drawn}
      body={body}
      items={virtual.getVirtualItems()}
      top={top}
      whole={virtual.getTotalSize()}
      measure={virtual.measureElement}
    />
  );
}

function RowsInFrame({ count, height, frame = "", ...drawn }: RowsProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => body.current?.closest(frame) ?? null,
    estimateSize: () => height,
    overscan: AROUND,
  });
  return (
    <InSight
      {...drawn}
      body={body}
      items={virtual.getVirtualItems()}
      top={0}
      whole={virtual.getTotalSize()}
      measure={virtual.measureElement}
    />
  );
}

/** Where rows begin on the page. */
function useTop(body: RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (body.current) setTop(Math.round(body.current.getBoundingClientRect().top + scrollY));
  });
  return top;
}

interface InSightProps extends Pick<RowsProps, "span" | "row" | "onSight"> {
  body: RefObject<HTMLTableSectionElement | null>;
  items: VirtualItem[];
  top: number;
  whole: number;
  measure: (node: Element | null) => void;
}

function InSight({ span, row, onSight, body, items, top, whole, measure }: InSightProps) {
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onSight?.(first, last), [onSight, first, last]);
  const before = (items[0]?.start ?? top) - top;
  const after = whole - ((items.at(-1)?.end ?? top) - top);
  return (
    <tbody ref={body}>
      <Gap height={before} span={span} />
      {items.map(({ index }) =>
        row(index, { ref: measure, "data-index": index, "aria-rowindex": index + 2 }),
      )}
      <Gap height={after} span={span} />
    </tbody>
  );
}

/** The room of the rows that are not drawn. */
function Gap({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    <tr className="row-gap still">
      <td colSpan={span} style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}
