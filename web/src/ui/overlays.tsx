/** What lies above the page: dialogs, drawers, menus. They trap the focus and give it back. */
import { Ellipsis, X } from "lucide-react";
import { AlertDialog, DropdownMenu, Dialog as RadixDialog, Popover as RadixPopover } from "radix-ui";
import { type ComponentProps, type KeyboardEvent, type ReactNode, useState } from "react";
import { Button } from "./basics";
import { useFocusReturn } from "./opener";

interface DialogProps {
  title: ReactNode;
  isOpen: boolean;
  onClose: () => void;
  /** Asks before what has been typed is lost. */
  isDirty?: boolean;
  width?: number;
  footer?: ReactNode;
  children: ReactNode;
}

/** A small form or one value. */
export function Dialog({ title, isOpen, onClose, isDirty, width = 480, footer, children }: DialogProps) {
  const guard = useGuard(onClose, isDirty);
  return (
    <RadixDialog.Root open={isOpen} onOpenChange={(open) => !open && guard.close()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="scrim" />
        <Frame className="dialog floating" style={{ maxWidth: width }}>
          <div className="dialog-b">
            <RadixDialog.Title asChild>
              <h2>{title}</h2>
            </RadixDialog.Title>
            {children}
          </div>
          {footer && <div className="dialog-f">{footer}</div>}
        </Frame>
      </RadixDialog.Portal>
      {guard.dialog}
    </RadixDialog.Root>
  );
}

/** A sub-form or a record's details, from the right; a sheet on phones. */
export function Drawer({ title, isOpen, onClose, isDirty, width = 560, footer, children }: DialogProps) {
  const guard = useGuard(onClose, isDirty);
  return (
    <RadixDialog.Root open={isOpen} onOpenChange={(open) => !open && guard.close()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="scrim" />
        <Frame className="drawer" style={{ width: `min(${width}px, 100vw)` }}>
          <header className="drawer-h">
            <RadixDialog.Title asChild>
              <h2 className="grow">{title}</h2>
            </RadixDialog.Title>
            <RadixDialog.Close asChild>
              <Button look="ghost" isIcon size="sm" aria-label="Close">
                <X className="i" aria-hidden="true" />
              </Button>
            </RadixDialog.Close>
          </header>
          <div className="drawer-b">{children}</div>
          {footer && <footer className="drawer-f">{footer}</footer>}
        </Frame>
      </RadixDialog.Portal>
      {guard.dialog}
    </RadixDialog.Root>
  );
}

/** What a dialog and a drawer share: where the focus goes as they open and afterwards, and that Enter saves. */
function Frame(props: ComponentProps<typeof RadixDialog.Content>) {
  const onCloseAutoFocus = useFocusReturn();
  return (
    <RadixDialog.Content
      aria-describedby={undefined}
      onOpenAutoFocus={focusFirstField}
      onCloseAutoFocus={onCloseAutoFocus}
      onKeyDown={saveByEnter}
      {...props}
    />
  );
}

/** What is filled in, or chosen from: of a group of radio buttons the one that is chosen. */
const FIELD = ["input:not([type=radio])", "input:checked", "textarea", "select", "[role=combobox]"]
  .map((one) => `${one}:enabled:not([hidden], [type=hidden], [aria-hidden=true])`)
  .join();

/** What is filled in begins at its first field; what is only read has the focus at its first control, as layers have. */
function focusFirstField(event: Event): void {
  const field = (event.currentTarget as HTMLElement).querySelector<HTMLElement>(FIELD);
  if (!field) return;
  event.preventDefault();
  field.focus();
}

/** Kinds of `input` in which a line is written. */
const LINES = new Set([
  "text",
  "number",
  "email",
  "url",
  "tel",
  "password",
  "search",
  "date",
  "datetime-local",
]);

/** Enter in a line of text saves, as in a form; in a form it is the form's. */
function saveByEnter(event: KeyboardEvent<HTMLElement>): void {
  const { target, currentTarget } = event;
  if (event.key !== "Enter" || event.defaultPrevented || event.nativeEvent.isComposing) return;
  // What is above the dialog bubbles here, too.
  if (!(target instanceof HTMLInputElement) || !currentTarget.contains(target)) return;
  if (target.form || !LINES.has(target.type)) return;
  event.preventDefault();
  currentTarget.querySelector<HTMLButtonElement>("[data-save]")?.click();
}

interface FormButtonsProps {
  onCancel: () => void;
  onSave: () => void;
  isBusy: boolean;
  isDisabled?: boolean;
  /** The verb and the object: "Save thresholds". */
  children: ReactNode;
}

/** The foot of a form in a dialog or a drawer. */
export function FormButtons({ onCancel, onSave, isBusy, isDisabled, children }: FormButtonsProps) {
  return (
    <>
      <Button onClick={onCancel}>Cancel</Button>
      <Button look="primary" isBusy={isBusy} disabled={isDisabled} onClick={onSave} data-save="">
        {children}
      </Button>
    </>
  );
}

function useGuard(onClose: () => void, isDirty: boolean | undefined) {
  const [isAsking, setAsking] = useState(false);
  return {
    // Until the question is the topmost layer, a moment after it is drawn, a second Escape still comes here: it takes the question back.
    close: () => (isDirty ? setAsking((isAsked) => !isAsked) : onClose()),
    dialog: (
      <Confirm
        title="Leave without saving?"
        verb="Discard changes"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          onClose();
        }}
      >
        What you have entered here is lost.
      </Confirm>
    ),
  };
}

interface ConfirmProps {
  /** Names the object: "Delete the metric “Egress”?" */
  title: ReactNode;
  /** The verb on the button: "Delete metric". Never "OK". */
  verb: string;
  keep?: string;
  look?: "danger" | "primary";
  isOpen: boolean;
  isBusy?: boolean;
  onClose: () => void;
  onConfirm: () => void;
  /** The consequence, counted. */
  children: ReactNode;
}

/** Says the consequence before the click. */
export function Confirm({
  title,
  verb,
  keep = "Keep it",
  look = "danger",
  isOpen,
  isBusy,
  onClose,
  onConfirm,
  children,
}: ConfirmProps) {
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="scrim" />
        <Question>
          <div className="dialog-b">
            <AlertDialog.Title asChild>
              <h2>{title}</h2>
            </AlertDialog.Title>
            <AlertDialog.Description asChild>
              <div className="reading">{children}</div>
            </AlertDialog.Description>
          </div>
          <div className="dialog-f">
            <AlertDialog.Cancel asChild>
              <Button>{keep}</Button>
            </AlertDialog.Cancel>
            <Button look={look} isBusy={isBusy} onClick={onConfirm}>
              {verb}
            </Button>
          </div>
        </Question>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function Question({ children }: { children: ReactNode }) {
  const onCloseAutoFocus = useFocusReturn();
  return (
    <AlertDialog.Content className="dialog floating" onCloseAutoFocus={onCloseAutoFocus}>
      {children}
    </AlertDialog.Content>
  );
}

export interface Action {
  label: string;
  icon?: ReactNode;
  onSelect: () => void;
  isDanger?: boolean;
  /** Absent when false: what a role does not allow is not shown (ui §1.3). */
  isShown?: boolean;
  hint?: string;
}

/** A "…" menu of a row or of a page's head. Nothing to show is no button. */
export function ActionMenu({
  label,
  actions,
  trigger,
}: {
  label: string;
  actions: Action[];
  trigger?: ReactNode;
}) {
  const shown = actions.filter((action) => action.isShown !== false);
  if (shown.length === 0) return null;
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        {trigger ?? (
          <button
            type="button"
            className="more"
            aria-label={label}
            onClick={(event) => event.stopPropagation()}
          >
            <Ellipsis className="i" aria-hidden="true" />
          </button>
        )}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className="menu"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          onClick={(event) => event.stopPropagation()}
        >
          {shown.map(({ label: name, icon, onSelect, isDanger, hint }) => (
            <DropdownMenu.Item asChild key={name} onSelect={onSelect}>
              <button type="button" className={isDanger ? "danger" : undefined}>
                {icon}
                {name}
                {hint && <span className="end">{hint}</span>}
              </button>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** A panel at a button: filters, pickers. */
export function Popover({
  trigger,
  label,
  children,
  width = 320,
  isOpen,
  onOpenChange,
}: {
  trigger: ReactNode;
  label: string;
  children: ReactNode;
  width?: number;
  isOpen?: boolean;
  onOpenChange?: (isOpen: boolean) => void;
}) {
  return (
    <RadixPopover.Root open={isOpen} onOpenChange={onOpenChange}>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content
          className="menu popover"
          style={{ width }}
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
        >
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}
