/** What can be done with an object of the catalog, from its row and from its page. */
import { useNavigate } from "@tanstack/react-router";
import { Copy as CopyIcon, Files, Pencil, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { codeFrom } from "@/ui/form";
import { useShown } from "@/ui/opened";
import { type Action, ActionMenu, Confirm } from "@/ui/overlays";
import { notify } from "@/ui/toasts";

/** Where the menu stands: in a row, or at the head of the object's own page, which has a button to edit it. */
export interface Place {
  trigger?: ReactNode;
  isOnPage?: boolean;
}

type Dialog = (close: () => void) => ReactNode;

interface CatalogActionsProps extends Place {
  /** "metric": for the reader. */
  what: string;
  name: string;
  /** Its lago id, where it can be copied. */
  id?: string;
  /** Addresses; false where the member may not. */
  update: string | false;
  duplicate?: string | false;
  /** Others, each by a dialog. */
  more?: (Omit<Action, "onSelect"> & { dialog: Dialog })[];
  /** The dialog that deletes it; false where the member may not. */
  deletion: Dialog | false;
}

export function CatalogActions(props: CatalogActionsProps) {
  const { what, name, id, update, duplicate, more = [], deletion, trigger, isOnPage } = props;
  const navigate = useNavigate();
  const [shown, show] = useShown("dialog");
  // Of one of a list its row, of a page the page itself.
  const targetOf = (label: string) => [codeFrom(label), ...(isOnPage ? [] : [id ?? name])].join(":");
  const close = () => show(undefined);
  const removal = `Delete ${what}`;
  const dialogs = [
    ...more.filter((one) => one.isShown !== false),
    ...(deletion ? [{ label: removal, dialog: deletion }] : []),
  ];
  const open = dialogs.find(({ label }) => targetOf(label) === shown)?.dialog;
  return (
    <>
      <ActionMenu
        label={`Actions of ${name}`}
        trigger={trigger}
        actions={[
          {
            label: `Edit ${what}`,
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: update || "" }),
            isShown: Boolean(update) && !isOnPage,
          },
          {
            label: "Duplicate",
            icon: <Files className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: duplicate || "" }),
            isShown: Boolean(duplicate),
          },
          {
            label: "Copy ID",
            icon: <CopyIcon className="i" aria-hidden="true" />,
            onSelect: () => {
              void navigator.clipboard.writeText(id ?? "");
              notify.copied("the ID");
            },
            isShown: id !== undefined,
          },
          ...more.map(({ dialog: _, ...action }) => ({
            ...action,
            onSelect: () => show(targetOf(action.label)),
          })),
          {
            label: removal,
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => show(targetOf(removal)),
            isDanger: true,
            isShown: deletion !== false,
          },
        ]}
      />
      {open?.(close)}
    </>
  );
}

interface Removal {
  done: string;
  /** Path of what is gone, and of what shows it. */
  own: string;
  others?: string[];
  /** Address of the list that it was in. */
  list: string;
  isOnPage: boolean | undefined;
  onClose: () => void;
}

/** What a deletion does afterwards: it closes its dialog, and leaves the page of what is gone. */
export function useRemoval({ done, own, others = [], list, isOnPage, onClose }: Removal) {
  const navigate = useNavigate();
  return {
    done,
    // The page that is left would ask for what is not there any more.
    touches: isOnPage ? others : [own, ...others],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: list });
    },
  };
}

interface DeletionProps<Data> {
  what: string;
  name: string;
  /** What it touches, counted by the server. */
  counted: { data: Data | undefined; error: unknown };
  /** What is said where it can't be counted. */
  otherwise: string;
  isBusy?: boolean;
  onClose: () => void;
  onConfirm: () => void;
  children: (data: Data) => ReactNode;
}

/** Asks before an object is deleted, with the counted consequence. */
export function Deletion<Data>(props: DeletionProps<Data>) {
  const { what, name, counted, otherwise, isBusy, onClose, onConfirm, children } = props;
  return (
    <Confirm
      isOpen
      title={`Delete the ${what} “${name}”?`}
      verb={`Delete ${what}`}
      isBusy={isBusy}
      onClose={onClose}
      onConfirm={onConfirm}
    >
      {counted.data !== undefined ? (
        children(counted.data)
      ) : (
        <p>{counted.error ? otherwise : "Counting what it touches …"}</p>
      )}
    </Confirm>
  );
}
