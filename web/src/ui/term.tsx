/** How many days after its issuing date an invoice is due: one of those that are usual, or another number. */
import { useState } from "react";
import { Field, NumberInput, Select } from "./fields";

const USUAL = ["0", "15", "30", "45", "60", "90"];
const OTHER = "other";

interface TermFieldProps {
  /** Days, as typed. */
  value: string;
  onChange: (value: string) => void;
  isDisabled?: boolean;
  error?: string | undefined;
}

export function TermField({ value, onChange, isDisabled, error }: TermFieldProps) {
  const [isOther, setOther] = useState(!USUAL.includes(value));
  return (
    <>
      <Field label="Payment term" error={isOther ? undefined : error}>
        <Select
          value={isOther ? OTHER : value}
          isDisabled={isDisabled}
          options={[
            ...USUAL.map((days) => ({ value: days, label: days === "0" ? "Due at once" : `${days} days` })),
            { value: OTHER, label: "Another number of days" },
          ]}
          onChange={(next) => {
            setOther(next === OTHER);
            if (next !== OTHER) onChange(next);
          }}
        />
      </Field>
      {isOther && (
        <Field label="Days to pay" error={error}>
          <NumberInput
            after="days"
            disabled={isDisabled}
            value={value}
            onChange={(event) => onChange(event.target.value.trim())}
          />
        </Field>
      )}
    </>
  );
}
