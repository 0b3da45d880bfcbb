/** Fields of forms: label above, hint below, the error in place of the hint. */
import { Check, ChevronDown, CircleAlert, X } from "lucide-react";
import { Checkbox as RadixCheckbox, Select as RadixSelect, Switch as RadixSwitch } from "radix-ui";
import { type ComponentProps, createContext, type ReactNode, useContext, useId, useState } from "react";
import { symbol } from "@/lib/money";

interface FieldProps {
  label: ReactNode;
  isOptional?: boolean;
  hint?: ReactNode;
  error?: string | undefined;
  children: ReactNode;
}

interface Described {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

const FieldContext = createContext<Described | null>(null);

/** Names and explains the one control inside. */
export function Field({ label, isOptional, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error || hint ? `${id}-note` : undefined;
  const described: Described = { id, "aria-describedby": note, "aria-invalid": error ? true : undefined };
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
        {isOptional && <span className="opt">optional</span>}
      </label>
      <FieldContext value={described}>{children}</FieldContext>
      {error ? (
        <span className="err" id={note}>
          <CircleAlert className="i" aria-hidden="true" />
          {error}
        </span>
      ) : (
        hint && (
          <span className="hint" id={note}>
            {hint}
          </span>
        )
      )}
    </div>
  );
}

/** What ties a control to the field that it stands in. */
export function useDescribed(): Partial<Described> {
  return useContext(FieldContext) ?? {};
}

function frame(described: Partial<Described>, ...more: (string | false | undefined)[]): string {
  return ["input", described["aria-invalid"] && "bad", ...more].filter(Boolean).join(" ");
}

interface TextProps extends ComponentProps<"input"> {
  before?: ReactNode;
  after?: ReactNode;
  isTool?: boolean;
}

export function TextInput({ before, after, isTool, className = "", ...rest }: TextProps) {
  const described = useDescribed();
  return (
    <span className={frame(described, isTool && "tool", className)}>
      {before && <span className="fix">{before}</span>}
      <input type="text" autoComplete="off" {...described} {...rest} />
      {after && <span className="fix">{after}</span>}
    </span>
  );
}

export function TextArea(props: ComponentProps<"textarea">) {
  const described = useDescribed();
  return <textarea rows={3} {...described} {...props} className={frame(described, props.className)} />;
}

/** Money as one types it, with the currency inside; the text goes through `toCents`. */
export function MoneyInput({ currency, ...rest }: TextProps & { currency: string }) {
  return <TextInput inputMode="decimal" className="num" before={symbol(currency)} {...rest} />;
}

/** An exact number as one types it. */
export function NumberInput(props: TextProps) {
  return <TextInput inputMode="decimal" {...props} className={`num ${props.className ?? ""}`} />;
}

/** A day; the value is "2026-11-01" or "". */
export function DateInput(props: TextProps) {
  return <TextInput type="date" {...props} />;
}

export interface Option<Value extends string = string> {
  value: Value;
  label: string;
  detail?: ReactNode;
  isDisabled?: boolean;
}

interface SelectProps<Value extends string> {
  value: Value | "";
  options: readonly Option<Value>[];
  onChange: (value: Value) => void;
  placeholder?: string;
  isDisabled?: boolean;
  isTool?: boolean;
  "aria-label"?: string;
}

/** One of a few. For one of many, see `Picker`. */
export function Select<Value extends string>({
  value,
  options,
  onChange,
  placeholder = "Choose",
  isDisabled,
  isTool,
  ...rest
}: SelectProps<Value>) {
  const described = useDescribed();
  return (
    <RadixSelect.Root value={value} onValueChange={(next) => onChange(next as Value)} disabled={isDisabled}>
      <RadixSelect.Trigger className={frame(described, "select", isTool && "tool")} {...described} {...rest}>
        <span className="trunc">
          <RadixSelect.Value placeholder={placeholder} />
        </span>
        <RadixSelect.Icon asChild>
          <ChevronDown className="i" aria-hidden="true" />
        </RadixSelect.Icon>
      </RadixSelect.Trigger>
      <RadixSelect.Portal>
        <RadixSelect.Content
          className="menu select-menu"
          position="popper"
          sideOffset={4}
          collisionPadding={8}
        >
          <RadixSelect.Viewport>
            {options.map((option) => (
              <RadixSelect.Item
                className="option"
                key={option.value}
                value={option.value}
                disabled={option.isDisabled}
              >
                <span className="grow">
                  <RadixSelect.ItemText>{option.label}</RadixSelect.ItemText>
                  {option.detail && <span className="sub">{option.detail}</span>}
                </span>
                <RadixSelect.ItemIndicator>
                  <Check className="i" aria-hidden="true" />
                </RadixSelect.ItemIndicator>
              </RadixSelect.Item>
            ))}
          </RadixSelect.Viewport>
        </RadixSelect.Content>
      </RadixSelect.Portal>
    </RadixSelect.Root>
  );
}

interface SwitchProps {
  label: ReactNode;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  hint?: ReactNode;
  isDisabled?: boolean;
}

export function Switch({ label, isOn, onChange, hint, isDisabled }: SwitchProps) {
  const id = useId();
  return (
    <div className="toggle">
      <RadixSwitch.Root
        id={id}
        className={isOn ? "switch on" : "switch"}
        checked={isOn}
        onCheckedChange={onChange}
        disabled={isDisabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && (
          <div className="hint" id={`${id}-hint`}>
            {hint}
          </div>
        )}
      </div>
    </div>
  );
}

export function Checkbox({ label, isOn, onChange, hint, isDisabled }: SwitchProps) {
  const id = useId();
  return (
    <div className="toggle">
      <RadixCheckbox.Root
        id={id}
        className={isOn ? "box on" : "box"}
        checked={isOn}
        onCheckedChange={(next) => onChange(next === true)}
        disabled={isDisabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
      >
        <RadixCheckbox.Indicator forceMount>
          <Check className="i" aria-hidden="true" />
        </RadixCheckbox.Indicator>
      </RadixCheckbox.Root>
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && (
          <div className="hint" id={`${id}-hint`}>
            {hint}
          </div>
        )}
      </div>
    </div>
  );
}

interface SegmentsProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode; count?: number }[];
  onChange: (value: Value) => void;
}

/** A switch among a few views. */
export function Segments<Value extends string>({ label, value, options, onChange }: SegmentsProps<Value>) {
  return (
    <div className="seg" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          type="button"
          key={option.value}
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.label}
          {option.count !== undefined && <span className="n">{option.count.toLocaleString()}</span>}
        </button>
      ))}
    </div>
  );
}

/** Some of a few: pressed ones are chosen. */
export function Toggles({
  label,
  options,
  chosen,
  onChange,
}: {
  label: string;
  options: readonly { value: string; label: string }[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  return (
    <div className="toggles" role="group" aria-label={label}>
      {options.map(({ value, label: word }) => {
        const isOn = chosen.includes(value);
        return (
          <button
            type="button"
            key={value}
            className="toggle-chip"
            aria-pressed={isOn}
            onClick={() => onChange(isOn ? chosen.filter((one) => one !== value) : [...chosen, value])}
          >
            {isOn && <Check className="i i-14" aria-hidden="true" />}
            {word}
          </button>
        );
      })}
    </div>
  );
}

/** Several texts: added by Enter or a comma, taken away one by one. */
export function ChipsInput({
  values,
  onChange,
  placeholder,
}: {
  values: string[];
  onChange: (values: string[]) => void;
  placeholder?: string;
}) {
  const described = useDescribed();
  const [typed, setTyped] = useState("");
  const add = () => {
    const more = typed
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one && !values.includes(one));
    if (more.length > 0) onChange([...values, ...new Set(more)]);
    setTyped("");
  };
  return (
    <span className={frame(described, "chips-input")}>
      {values.map((value) => (
        <span className="chip" key={value}>
          <span className="v">{value}</span>
          <button
            type="button"
            className="x"
            aria-label={`Remove ${value}`}
            onClick={() => onChange(values.filter((one) => one !== value))}
          >
            <X className="i i-14" aria-hidden="true" />
          </button>
        </span>
      ))}
      <input
        {...described}
        value={typed}
        placeholder={values.length === 0 ? placeholder : undefined}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={add}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === ",") {
            event.preventDefault();
            add();
          } else if (event.key === "Backspace" && typed === "" && values.length > 0)
            onChange(values.slice(0, -1));
        }}
      />
    </span>
  );
}
