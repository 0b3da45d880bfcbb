/** Keys and values as rows: what is noted on an invoice or a credit note. */
import { Plus, Trash2 } from "lucide-react";
import { Button } from "@/ui/basics";
import { TextInput } from "@/ui/fields";
import "./invoices.css";

export interface KeyValueRow {
  /** Of a note that is there. */
  id?: string;
  /** For React: rows that are not saved have no id. */
  row: number;
  key: string;
  value: string;
}

/** Whether every row says something. */
export function areWhole(rows: readonly KeyValueRow[]): boolean {
  return rows.every((row) => row.key.trim() && row.value.trim());
}

/** Rows of what is there already, as lists of the wire have it. */
export function rowsOf(pairs: readonly { key: string; value: string }[]): KeyValueRow[] {
  return pairs.map(({ key, value }, row) => ({ row, key, value }));
}

/** Rows as lists of the wire have them. */
export function pairsOf(rows: readonly KeyValueRow[]): { key: string; value: string }[] {
  return rows.map(({ key, value }) => ({ key: key.trim(), value: value.trim() }));
}

interface KeyValueRowsProps {
  rows: readonly KeyValueRow[];
  most: number;
  longestKey: number;
  longestValue?: number;
  onChange: (rows: KeyValueRow[]) => void;
}

export function KeyValueRows({ rows, most, longestKey, longestValue = 255, onChange }: KeyValueRowsProps) {
  const edit = (row: number, change: Partial<KeyValueRow>) =>
    onChange(rows.map((one) => (one.row === row ? { ...one, ...change } : one)));
  const add = () => {
    const row = Math.max(-1, ...rows.map((one) => one.row)) + 1;
    onChange([...rows, { row, key: "", value: "" }]);
  };
  return (
    <>
      {rows.map((one, index) => (
        <div className="note-row" key={one.row}>
          <TextInput
            aria-label={`Key ${index + 1}`}
            placeholder="Key"
            maxLength={longestKey}
            value={one.key}
            onChange={(event) => edit(one.row, { key: event.target.value })}
          />
          <TextInput
            aria-label={`Value ${index + 1}`}
            placeholder="Value"
            maxLength={longestValue}
            value={one.value}
            onChange={(event) => edit(one.row, { value: event.target.value })}
          />
          <Button
            look="ghost"
            isIcon
            aria-label={`Remove ${one.key || `row ${index + 1}`}`}
            onClick={() => onChange(rows.filter((other) => other.row !== one.row))}
          >
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      {rows.length < most ? (
        <div>
          <Button size="sm" onClick={add}>
            <Plus className="i" aria-hidden="true" />
            Add key and value
          </Button>
        </div>
      ) : (
        <p className="hint">{most} at the most.</p>
      )}
    </>
  );
}
