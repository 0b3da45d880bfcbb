/** What a row of a list is in full: beside the list, or over it where there is no room. */
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useMedia } from "@/lib/media";
import { Button } from "@/ui/basics";
import { Drawer } from "@/ui/overlays";

interface DetailProps {
  title: string;
  onClose: () => void;
  footer?: ReactNode;
  children: ReactNode;
}

export function Detail(props: DetailProps) {
  const isRoomy = useMedia("(min-width: 1081px)");
  if (isRoomy) return <Beside {...props} />;
  const { title, onClose, footer, children } = props;
  return (
    <Drawer title={title} isOpen onClose={onClose} footer={footer}>
      {children}
    </Drawer>
  );
}

function Beside({ title, onClose, footer, children }: DetailProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || document.querySelector("[role$=dialog], [role=menu], [role=listbox]"))
        return;
      // The panel around it stays open.
      event.stopPropagation();
      close.current();
    };
    document.addEventListener("keydown", press, true);
    return () => {
      document.removeEventListener("keydown", press, true);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside className="dev-detail" aria-label={title}>
      <header>
        <h2 className="grow" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <Button look="ghost" isIcon size="sm" aria-label="Close details" onClick={onClose}>
          <X className="i" aria-hidden="true" />
        </Button>
      </header>
      <div className="dev-detail-b">{children}</div>
      {footer && <footer>{footer}</footer>}
    </aside>
  );
}
