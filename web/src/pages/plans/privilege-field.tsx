/** The value of a privilege, by its type: typed, or chosen. */
import type { ReactNode } from "react";
import { Field, Select, TextInput } from "@/ui/fields";
import { UnitsInput } from "./parts";

interface PrivilegeFieldProps {
  privilege: { code: string; name: string | null; value_type: string; config: object };
  /** As it is typed; "" is not granted. */
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  error?: string | undefined;
  /** It is granted already: taking it away is another act. */
  isKept?: boolean;
}

const NOT_GRANTED = "\u0000none";

export function PrivilegeField({ privilege, value, onChange, hint, error, isKept }: PrivilegeFieldProps) {
  const { value_type: type } = privilege;
  const options =
    type === "boolean"
      ? [
          { value: "true", label: "Yes" },
          { value: "false", label: "No" },
        ]
      : ((privilege.config as { select_options?: string[] }).select_options ?? []).map((text) => ({
          value: text,
          label: text,
        }));
  return (
    <Field label={privilege.name || privilege.code} isOptional={!isKept} hint={hint} error={error}>
      {type === "boolean" || type === "select" ? (
        <Select
          value={value || NOT_GRANTED}
          options={isKept ? options : [{ value: NOT_GRANTED, label: "Not granted" }, ...options]}
          onChange={(next) => onChange(next === NOT_GRANTED ? "" : next)}
        />
      ) : type === "integer" ? (
        <UnitsInput value={value} onChange={onChange} />
      ) : (
        <TextInput value={value} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}
