/** One of many, found by typing: customers, plans, metrics. */

import { Command } from "cmdk";
import { Check, ChevronDown } from "lucide-react";
import { Popover } from "radix-ui";
import { type ReactNode, useState } from "react";
import { explainRead } from "@/api/errors";
import { Skeleton } from "./states";

export interface Choice {
  value: string;
  label: string;
  detail?: ReactNode;
}

interface PickerProps {
  value: string;
  /** What the chosen value is called, where it may not be among the choices yet. */
  shown?: string;
  choices: readonly Choice[];
  onChange: (value: string, choice: Choice) => void;
  /** With it the server searches; without, the choices given are filtered. */
  onSearch?: (term: string) => void;
  isLoading?: boolean;
  /** What brings the choices, so that it can be asked again where it failed. */
  read?: { error: unknown; refetch: () => unknown };
  placeholder?: string;
  label: string;
  isDisabled?: boolean;
}

export function Picker(props: PickerProps) {
  const {
    value,
    shown,
    choices,
    onChange,
    onSearch,
    isLoading,
    read,
    placeholder = "Choose",
    label,
    isDisabled,
  } = props;
  const [isOpen, setOpen] = useState(false);
  const chosen = shown ?? choices.find((choice) => choice.value === value)?.label;
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger className="input select" aria-label={label} disabled={isDisabled}>
        <span className={chosen ? "trunc" : "trunc dim"}>{chosen ?? placeholder}</span>
        <ChevronDown className="i" aria-hidden="true" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="menu picker" align="start" sideOffset={4} collisionPadding={8}>
          <Command shouldFilter={!onSearch} label={label}>
            <span className="input quiet">
              <Command.Input placeholder="Type to find" onValueChange={onSearch} autoFocus />
            </span>
            <Command.List>
              {isLoading && <Skeleton width="60%" />}
              {read?.error ? (
                <p className="dim" role="alert">
                  {explainRead(read.error)}{" "}
                  <button type="button" className="link" onClick={() => void read.refetch()}>
                    Try again
                  </button>
                </p>
              ) : (
                <Command.Empty>
                  <span className="dim">Nothing by that name.</span>
                </Command.Empty>
              )}
              {choices.map((choice) => (
                <Command.Item
                  key={choice.value}
                  value={`${choice.label} ${choice.value}`}
                  className="option"
                  onSelect={() => {
                    onChange(choice.value, choice);
                    setOpen(false);
                  }}
                >
                  <span className="grow trunc">
                    {choice.label}
                    {choice.detail && <span className="sub">{choice.detail}</span>}
                  </span>
                  {choice.value === value && <Check className="i" aria-hidden="true" />}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
