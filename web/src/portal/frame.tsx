/** The portal's frame: whose it is, in which colour and language, and where one is. */
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useParams } from "@tanstack/react-router";
import { Globe } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "@/api/errors";
import { setReadersLocale } from "@/lib/money";
import { Button, initials, Tally } from "@/ui/basics";
import { useCurrentInSight, useTitle } from "@/ui/page";
import { type Asking, type Portal, PortalContext, portalClient, portalQueries } from "./api";
import { brandVariables } from "./brand";
import { LANGUAGES, languageFor, loadTexts, type Texts } from "./texts";
import en from "./texts/en";
import "./portal.css";

const CHOSEN = "tallymark.portal.language";

export function PortalFrame() {
  const { token } = useParams({ strict: false }) as { token: string };
  const client = useMemo(() => portalClient(token), [token]);
  const me = useQuery(portalQueries.me(token, client));
  useReadsOfPage({ token, client });
  const [chosen, setChosen] = useState(() => localStorage.getItem(CHOSEN));
  const language = languageFor(chosen ?? me.data?.customer.locale ?? navigator.language);
  const [texts, isIn] = useTexts(language);
  // Nobody sees the page in another language first, neither while it loads nor once another one is chosen.
  const hasOpened = useRef(false);
  hasOpened.current ||= me.data !== undefined && isIn === language;
  const issuer = me.data?.issuer;
  const nav = useCurrentInSight();
  useTitle(issuer?.name ?? "Tallymark");

  // Numbers and dates are written in the language, from before the pages that show them.
  setReadersLocale(language);
  useEffect(() => {
    document.documentElement.lang = language;
    return () => {
      setReadersLocale(null);
      document.documentElement.lang = "en";
    };
  }, [language]);

  if (isOver(me.error)) {
    return (
      <main className="portal door" id="main" lang={language}>
        <div className="empty">
          <Tally count={0} />
          <h1>{texts.overTitle}</h1>
          <p>{texts.overText}</p>
        </div>
      </main>
    );
  }
  if (me.error && !me.data) {
    return (
      <main className="portal door" id="main" lang={isIn}>
        <div className="empty" role="alert">
          <Tally count={0} />
          <h1>{texts.failed}</h1>
          <Button onClick={() => void me.refetch()}>{texts.retry}</Button>
        </div>
      </main>
    );
  }
  if (!me.data || !hasOpened.current) {
    return (
      <main className="portal door" id="main" lang={isIn} aria-busy="true">
        <div className="empty">
          <Tally count={3} />
          <p role="status">{texts.loading}</p>
        </div>
      </main>
    );
  }
  const { customer } = me.data;
  const portal: Portal = { token, client, texts, zone: customer.applicable_timezone };
  const at = (page: string) => `/customer-portal/${encodeURIComponent(token)}${page}`;
  const places: [href: string, label: string][] = [
    [at(""), texts.nav.overview],
    [at("/invoices"), texts.nav.invoices],
    [at("/details"), texts.nav.details],
  ];
  return (
    <PortalContext value={portal}>
      <div className="portal" lang={language} style={brandVariables(issuer?.brand_color)}>
        <header className="hd">
          <Link className="brand" to={at("")}>
            {issuer?.logo_url ? <img src={issuer.logo_url} alt={issuer.name} /> : issuer?.name}
          </Link>
          <nav aria-label={issuer?.name} ref={nav}>
            {places.map(([href, label]) => (
              <Link
                key={href}
                to={href}
                activeOptions={{ exact: true }}
                activeProps={{ "aria-current": "page" }}
              >
                {label}
              </Link>
            ))}
          </nav>
          <div className="end">
            <label className="lang">
              <Globe className="i" aria-hidden="true" />
              <span className="sr">{texts.fields.document_locale}</span>
              <select
                value={language}
                onChange={(event) => {
                  localStorage.setItem(CHOSEN, event.target.value);
                  setChosen(event.target.value);
                }}
              >
                {LANGUAGES.map(([locale, name]) => (
                  <option key={locale} value={locale} lang={locale}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <span className="avatar only-wide" aria-hidden="true">
              {initials(customer.display_name)}
            </span>
          </div>
        </header>
        <main className="wrap" id="main" key={language}>
          <Outlet />
          <footer className="foot">
            <span>{issuer?.email && texts.questions(issuer.email)}</span>
            <span>{texts.metered}</span>
          </footer>
        </main>
      </div>
    </PortalContext>
  );
}

/** Asks for what the page at this address shows, in the same moment as whose portal it is. */
function useReadsOfPage(asking: Asking): void {
  const page = useLocation().pathname.split("/")[3] ?? "";
  const isOverview = page === "";
  useQuery({ ...portalQueries.subscriptions(asking), enabled: isOverview });
  useQuery({ ...portalQueries.wallets(asking), enabled: isOverview });
  useQuery({ ...portalQueries.invoices(asking, 1, ""), enabled: isOverview || page === "invoices" });
}

function isOver(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 404);
}

/** The texts of a language, and which they are: those before stay while it loads, and serve for it where it does not. */
function useTexts(language: string): [texts: Texts, language: string] {
  const [known, setKnown] = useState<[Texts, string]>([en, "en"]);
  useEffect(() => {
    let isWanted = true;
    loadTexts(language).then(
      (loaded) => isWanted && setKnown([loaded, language]),
      () => isWanted && setKnown(([before]) => [before, language]),
    );
    return () => {
      isWanted = false;
    };
  }, [language]);
  return known;
}
