"""Single sign-on by OpenID Connect, with a provider that really answers (platform §7)."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import select, text
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, serving, shared_key
from tests.kit import call, get, post
from tests.people import browser, sign_up

from tallymark.app import running
from tallymark.db.tables import identity_providers, sso_attempts
from tallymark.integrations.oidc import OpenIdConnect
from tallymark.rooms.sso import service
from tallymark.rooms.sso.jobs import forget_over
from tallymark.rooms.sso.model import (
    Client,
    Identity,
    IdentityProvider,
    ProviderSettings,
    Ticket,
    failure_of,
)
from tallymark.rooms.sso.ports import ProviderFailed
from tallymark.rooms.sso.signing_in import Google
from tallymark.rooms.users.model import LoginMethod
from tallymark.rooms.users.signing_up import SignUpRules
from tallymark.settings import Settings

_numbers = count(1)


@pytest.fixture(scope="module")
def provider():
    with serving() as found:
        yield found


@pytest.fixture(autouse=True)
def behaves(provider):
    provider.be()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory):
    options = Settings(
        public_url="http://test", data_dir=tmp_path_factory.mktemp("data"), sso_allows_private_networks=True,
        admin_api_key="admin-key",
    )  # fmt: skip
    async with running(options, database_url) as parts:
        yield parts


@pytest.fixture
async def admin(application, database):
    async with database.system() as connection:
        await connection.execute(text("DELETE FROM guesses"))
    found = await sign_up(application)
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    return found


@pytest.fixture
def domain():
    return f"org-{next(_numbers)}.test"


@pytest.fixture
async def app(admin, provider, domain):
    """The admin of an organization whose members come in by a provider."""
    await call(admin.browser, "PUT", "/identity_providers/oidc", settings(provider, domain))
    methods = {"authentication_methods": ["email_password", "oidc"]}
    await call(admin.browser, "PUT", "/authentication_methods", methods)
    return admin.browser


def settings(provider, domain, **more):
    body = {
        "domain": domain,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "issuer": provider.issuer,
    }
    return {**body, **more}


async def begin(client, provider, email, method="oidc"):
    """Go to the provider, and come back with this."""
    asked = await post(client, "/sso/attempts", {"method": method, "email": email})
    return provider.authorize(asked["url"])


async def come_in(client, provider, email, *, method="oidc", expect=200, **more):
    back = await begin(client, provider, email, method)
    return await post(
        client, "/sso/sessions", {"state": back["state"], "code": back["code"], **more}, expect=expect
    )


@pytest.fixture
async def newcomer(application):
    async with browser(application, address="10.6.0.1") as client:
        yield client


class TestComingIn:
    async def test_for_the_first_time_joins_as_nothing_yet(self, admin, app, provider, newcomer, domain):
        provider.be(email=f"New@{domain}", email_verified=True)
        user = (await come_in(newcomer, provider, f"new@{domain}"))["user"]
        assert (user["email"], user["login_method"], user["has_password"]) == (f"new@{domain}", "oidc", False)
        (membership,) = user["memberships"]
        assert membership["organization"]["lago_id"] == admin.organization_id
        assert (membership["roles"], membership["permissions"]) == ([], [])
        assert (await call(newcomer, "GET", "/session"))["user"] == user
        await post(newcomer, "/session", {"email": f"new@{domain}", "password": ""}, expect=422)
        again = (await come_in(newcomer, provider, f"new@{domain}"))["user"]
        assert again == user, "and later comes in as what they are"

    async def test_is_logged(self, admin, app, provider, newcomer, domain):
        provider.be(email=f"new@{domain}")
        await come_in(newcomer, provider, f"new@{domain}")
        app.base_url = "http://test/api/v1"
        found = (await get(app, "/security_logs", to_date="2099-01-01"))["security_logs"]
        told = [(one["log_event"], one["user_email"]) for one in reversed(found)]
        assert told == [
            ("user.signed_up", admin.email),
            ("integration.created", admin.email),
            ("integration.updated", admin.email),
            ("user.signed_up", f"new@{domain}"),
            ("user.new_device_logged_in", f"new@{domain}"),
        ]
        methods = {"deleted": ["email_password", "google_oauth"], "added": ["email_password", "oidc"]}
        (changed,) = [one["resources"] for one in found if one["log_event"] == "integration.updated"]
        assert changed == {"authentication_methods": methods}

    async def test_leads_back_to_the_web_app(self, app, provider, newcomer, domain):
        back = await begin(newcomer, provider, f"a@{domain}")
        assert back["redirect_uri"] == "http://test/auth/oidc/callback"

    async def test_needs_a_provider_of_the_domain(self, app, newcomer):
        for method in ("oidc", "okta"):
            answer = await post(
                newcomer, "/sso/attempts", {"method": method, "email": "a@other.test"}, expect=422
            )
            assert answer["error_details"] == {"base": ["domain_not_configured"]}
        answer = await post(newcomer, "/sso/attempts", {"method": "oidc", "email": "x"}, expect=422)
        assert answer["error_details"] == {"email": ["invalid_email_format"]}
        for method in ("email_password", "saml", ""):
            answer = await post(
                newcomer, "/sso/attempts", {"method": method, "email": "a@b.test"}, expect=422
            )
            assert answer["error_details"] == {"method": ["value_is_invalid"]}
        answer = await post(newcomer, "/sso/attempts", {"method": "google_oauth"}, expect=422)
        assert answer["error_details"] == {"base": ["google_auth_missing_setup"]}

    async def test_needs_the_method_to_be_allowed(self, app, provider, newcomer, domain):
        await call(app, "PUT", "/authentication_methods", {"authentication_methods": ["email_password"]})
        provider.be(email=f"new@{domain}")
        answer = await come_in(newcomer, provider, f"new@{domain}", expect=422)
        assert answer["error_details"] == {"oidc": ["login_method_not_authorized"]}

    async def test_takes_clients_that_send_their_secret_otherwise(self, app, provider, newcomer, domain):
        provider.be(email=f"new@{domain}")
        provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        await come_in(newcomer, provider, f"new@{domain}")


class TestTries:
    async def test_are_used_once_and_kept_as_hashes(self, app, provider, newcomer, database, domain):
        provider.be(email=f"new@{domain}")
        back = await begin(newcomer, provider, f"new@{domain}")
        async with database.system() as connection:
            rows = (await connection.execute(select(sso_attempts))).all()
        assert all(back["state"].encode() not in bytes(row.state_hash) for row in rows)
        body = {"state": back["state"], "code": back["code"]}
        await post(newcomer, "/sso/sessions", body)
        assert (await post(newcomer, "/sso/sessions", body, expect=422))["error_details"] == {
            "base": ["state_not_found"]
        }

    async def test_are_of_the_browser_that_began_them(self, application, app, provider, newcomer, domain):
        """Who is sent somebody else's link does not become them."""
        provider.be(email=f"attacker@{domain}")
        back = await begin(newcomer, provider, f"attacker@{domain}")
        body = {"state": back["state"], "code": back["code"]}
        async with browser(application) as victim:
            answer = await post(victim, "/sso/sessions", body, expect=422)
            assert answer["error_details"] == {"base": ["state_not_found"]}
            await begin(victim, provider, f"victim@{domain}")
            answer = await post(victim, "/sso/sessions", body, expect=422)
            assert answer["error_details"] == {"base": ["state_not_found"]}
        await post(newcomer, "/sso/sessions", body)

    async def test_last_90_seconds(self, app, provider, newcomer, database, domain):
        back = await begin(newcomer, provider, f"a@{domain}")
        async with database.system() as connection:
            ends = (
                (
                    await connection.execute(
                        select(sso_attempts.c.expires_at).order_by(sso_attempts.c.expires_at.desc())
                    )
                )
                .scalars()
                .first()
            )
            assert timedelta(seconds=80) < ends - datetime.now(UTC) <= timedelta(seconds=90)
            await connection.execute(text("UPDATE sso_attempts SET expires_at = now()"))
        body = {"state": back["state"], "code": back["code"]}
        answer = await post(newcomer, "/sso/sessions", body, expect=422)
        assert answer["error_details"] == {"base": ["state_not_found"]}
        await forget_over(database, now=datetime.now(UTC))
        async with database.system() as connection:
            assert (await connection.execute(select(sso_attempts))).first() is None

    async def test_bring_back_a_code(self, app, provider, newcomer, domain):
        back = await begin(newcomer, provider, f"a@{domain}")
        answer = await post(newcomer, "/sso/sessions", {"state": back["state"]}, expect=422)
        assert answer["error_details"] == {"base": ["code_not_found"]}
        answer = await post(newcomer, "/sso/sessions", {}, expect=422)
        assert answer["error_details"] == {"base": ["state_not_found"]}


class TestWhatAProviderSays:
    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://other.test"},
            {"aud": "somebody else"},
            {"aud": ["tallymark", "another"]},
            {"azp": "another"},
            {"nonce": "another"},
            {"nonce": None},
            {"exp": int(time.time()) - 3600},
            {"exp": None},
            {"iat": int(time.time()) + 3600},
            {"sub": None},
            {"email": None},
            {"email": "new@other.test"},
            {"email": "new@sub.org.test"},
            {"email_verified": False},
            {"email": 7},
        ],
        ids=",".join,  # their names: what begins now is another test each second
    )
    async def test_is_believed_only_where_it_is_meant(self, app, provider, newcomer, domain, claims):
        provider.be(**{"email": f"new@{domain}", **claims})
        answer = await come_in(newcomer, provider, f"new@{domain}", expect=422)
        assert answer["error_details"] == {"base": ["oidc_userinfo_error"]}
        await call(newcomer, "GET", "/session", expect=401)

    async def test_is_signed_by_its_own_key(self, app, provider, newcomer, domain):
        provider.be(email=f"new@{domain}")
        provider.signs_with = type(provider.key).generate_key(2048, parameters={"kid": "k1"})
        answer = await come_in(newcomer, provider, f"new@{domain}", expect=422)
        assert answer["error_details"] == {"base": ["oidc_userinfo_error"]}

    async def test_is_not_signed_by_a_shared_secret(self, app, provider, newcomer, domain):
        provider.be(email=f"new@{domain}")
        provider.signs_with, provider.algorithm = shared_key(CLIENT_SECRET), "HS256"
        answer = await come_in(newcomer, provider, f"new@{domain}", expect=422)
        assert answer["error_details"] == {"base": ["oidc_userinfo_error"]}

    async def test_about_a_code_may_be_no(self, app, provider, newcomer, domain):
        provider.be(email=f"new@{domain}")
        provider.refuses_codes = True
        answer = await come_in(newcomer, provider, f"new@{domain}", expect=422)
        assert answer["error_details"] == {"base": ["oidc_request_error"]}

    @pytest.mark.parametrize(
        "document",
        [{"issuer": "https://other.test"}, {"authorization_endpoint": None}, {"issuer": 7}],
        ids=str,
    )
    async def test_about_itself_is_what_was_named(self, app, provider, newcomer, domain, document):
        provider.document = document
        body = {"method": "oidc", "email": f"new@{domain}"}
        answer = await post(newcomer, "/sso/attempts", body, expect=422)
        assert answer["error_details"] == {"base": ["oidc_request_error"]}

    async def test_is_asked_for_at_public_addresses_by_https(self, provider):
        client = Client(issuer=provider.issuer, client_id="c", client_secret="s", redirect_uri="http://test")
        shut = OpenIdConnect(allows_private=False)
        with pytest.raises(ProviderFailed, match="https"):
            await shut.authorize_url(client, Ticket.new(), email=None)
        private = Client(
            issuer="https://127.0.0.1:1", client_id="c", client_secret="s", redirect_uri="http://test"
        )
        with pytest.raises(ProviderFailed, match="private"):
            await shut.authorize_url(private, Ticket.new(), email=None)

    async def test_about_its_name_may_be_a_number_at_entra(self, provider):
        """A tenant that is named by its domain tells the number that it has; from another host it is not believed."""
        speaks = OpenIdConnect(allows_private=True)
        issuer = f"{provider.issuer}/acme.test/v2.0"
        client = Client(issuer=issuer, client_id=CLIENT_ID, client_secret="s", redirect_uri="http://test")
        with pytest.raises(ProviderFailed, match="says that it is"):
            await speaks.authorize_url(client, Ticket.new(), email=None)
        told = replace(client, is_issuer_told=True)
        assert (await speaks.authorize_url(told, Ticket.new(), email=None)).startswith(provider.issuer)
        provider.document = {"issuer": "https://other.test"}
        with pytest.raises(ProviderFailed, match="says that it is"):
            await speaks.authorize_url(told, Ticket.new(), email=None)

    def test_goes_wrong_by_the_names_of_platform_7(self):
        assert [failure_of(LoginMethod(name), is_token=is_token) for name in ("okta", "entra_id", "google_oauth")
                for is_token in (True, False)] == [
            "okta_userinfo_error", "okta_request_error", "entra_id_userinfo_error", "entra_id_request_error",
            "invalid_google_token", "invalid_google_code",
        ]  # fmt: skip

    def test_of_an_address_may_be_the_name_of_a_user_at_entra(self):
        provider = IdentityProvider(
            id=UUID(int=1), organization_id=UUID(int=2), client_secret=b"",
            settings=ProviderSettings(kind=LoginMethod.ENTRA_ID, domain="a.test", client_id="c", tenant_id="t"),
        )  # fmt: skip
        named = Identity(email=None, username="ilse@a.test", is_verified=None)
        assert service.address_of(named, LoginMethod.ENTRA_ID, provider) == "ilse@a.test"
        assert service.address_of(named, LoginMethod.OKTA, provider) is None
        assert (
            service.address_of(replace(named, username="ilse@b.test"), LoginMethod.ENTRA_ID, provider) is None
        )


class TestAnotherOrganizationsMembers:
    async def test_are_not_reached_by_ones_provider(
        self, application, database, app, provider, newcomer, domain
    ):
        """A provider speaks for its domain, and opens its organization: nothing else of whom it names."""
        victim = await sign_up(application, email=f"victim@{domain}")
        await call(
            victim.browser, "PUT", "/identity_providers/oidc", settings(provider, f"other-{domain}"),
            expect=404,
        )  # fmt: skip
        victim.browser.headers["X-Lago-Organization"] = victim.organization_id
        await call(victim.browser, "PUT", "/identity_providers/oidc", settings(provider, f"other-{domain}"))
        methods = {"authentication_methods": ["email_password", "oidc"]}
        await call(victim.browser, "PUT", "/authentication_methods", methods)
        provider.be(email=f"victim@{domain}")
        user = (await come_in(newcomer, provider, f"victim@{domain}"))["user"]
        assert victim.organization_id not in [one["organization"]["lago_id"] for one in user["memberships"]]
        headers = {"X-Lago-Organization": victim.organization_id}
        answer = await newcomer.get("http://test/api/v1/customers", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "login_method_not_authorized")
        invite = await post(victim.browser, "/invites", {"email": f"next@{domain}", "roles": ["admin"]})
        provider.be(email=f"next@{domain}")
        await come_in(newcomer, provider, f"next@{domain}")
        path = f"/invitations/{invite['invite']['url'].rpartition('/')[2]}"
        answer = await post(newcomer, path, {}, expect=422)
        assert answer["error_details"] == {"oidc": ["login_method_not_authorized"]}

    async def test_have_domains_of_their_own(self, application, app, provider, domain):
        other = await sign_up(application)
        other.browser.headers["X-Lago-Organization"] = other.organization_id
        body = settings(provider, domain.upper())
        answer = await call(other.browser, "PUT", "/identity_providers/oidc", body, expect=422)
        assert answer["error_details"] == {"domain": ["domain_not_unique"]}
        assert (await get(other.browser, "/identity_providers"))["identity_providers"] == []


class TestInvitations:
    async def invite(self, app, email, *roles):
        found = (await post(app, "/invites", {"email": email, "roles": list(roles)}))["invite"]
        return found["url"].rpartition("/")[2]

    async def test_are_accepted_by_a_provider(self, app, provider, newcomer, domain):
        token = await self.invite(app, f"new@{domain}", "finance")
        provider.be(email=f"new@{domain}")
        user = (await come_in(newcomer, provider, f"new@{domain}", invite_token=token))["user"]
        assert user["memberships"][0]["roles"] == ["finance"]

    async def test_are_of_the_one_who_is_invited(self, application, app, provider, newcomer, domain):
        token = await self.invite(app, f"new@{domain}", "finance")
        provider.be(email=f"other@{domain}")
        answer = await come_in(newcomer, provider, f"other@{domain}", invite_token=token, expect=422)
        assert answer["error_details"] == {"base": ["invite_email_mismatch"]}
        answer = await come_in(newcomer, provider, f"other@{domain}", invite_token="0" * 40, expect=404)
        assert answer["code"] == "invite_not_found"
        other = await sign_up(application)
        other.browser.headers["X-Lago-Organization"] = other.organization_id
        elsewhere = await self.invite(other.browser, f"other@{domain}", "admin")
        answer = await come_in(newcomer, provider, f"other@{domain}", invite_token=elsewhere, expect=404)
        assert answer["code"] == "invite_not_found"
        await call(app, "PUT", "/authentication_methods", {"authentication_methods": ["email_password"]})
        provider.be(email=f"new@{domain}")
        answer = await come_in(newcomer, provider, f"new@{domain}", invite_token=token, expect=422)
        assert answer["error_details"] == {"oidc": ["login_method_not_authorized"]}


class TestGoogle:
    @pytest.fixture
    async def at_google(self, application, provider, newcomer):
        """A browser at an installation whose Google is the provider."""
        state = application.asgi.state
        before = state.sso
        google = Google(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, issuer=provider.issuer)
        changed = {name: getattr(before, name) for name in type(before).__slots__}
        state.sso = type(before)(**{**changed, "google": google})
        yield newcomer
        state.sso = before

    async def test_lets_in_who_is_somebody_already(self, admin, provider, at_google):
        provider.be(email=admin.email, email_verified=True)
        back = await begin(at_google, provider, "", "google_oauth")
        assert back["redirect_uri"] == "http://test/auth/google/callback"
        body = {"state": back["state"], "code": back["code"]}
        user = (await post(at_google, "/sso/sessions", body))["user"]
        assert (user["email"], user["login_method"]) == (admin.email, "google_oauth")
        assert [one["organization"]["is_accessible"] for one in user["memberships"]] == [True]

    async def test_lets_nobody_else_in(self, admin, provider, at_google):
        for claims, code in (
            ({"email": "nobody@g.test", "email_verified": True}, "user_does_not_exist"),
            ({"email": admin.email}, "invalid_google_token"),
            ({"email": admin.email, "email_verified": False}, "invalid_google_token"),
            ({"email": admin.email, "email_verified": True, "aud": "x"}, "invalid_google_token"),
        ):
            provider.be(**claims)
            answer = await come_in(at_google, provider, "", method="google_oauth", expect=422)
            assert answer["error_details"] == {"base": [code]}
        provider.be(email=admin.email, email_verified=True)
        provider.refuses_codes = True
        answer = await come_in(at_google, provider, "", method="google_oauth", expect=422)
        assert answer["error_details"] == {"base": ["invalid_google_code"]}

    async def test_signs_up_who_brings_the_name_of_an_organization(self, application, provider, at_google):
        provider.be(email="new@google.test", email_verified=True)
        wanted = {"method": "google_oauth", "organization_name": " Hooli "}
        answer = await come_in(at_google, provider, "", expect=422, **wanted)
        assert answer["error_details"] == {"base": ["user_does_not_exist"]}, "sign-up is closed"
        state = application.asgi.state
        changed = {name: getattr(state.sso, name) for name in type(state.sso).__slots__}
        state.sso = type(state.sso)(**{**changed, "rules": SignUpRules(is_open=True)})
        answer = await come_in(at_google, provider, "", method="google_oauth", expect=422)
        assert answer["error_details"] == {"base": ["user_does_not_exist"]}, "no organization is wanted"
        answer = await come_in(
            at_google, provider, "", expect=422, method="google_oauth", organization_name="x" * 256
        )
        assert answer["error_details"] == {"organization_name": ["value_is_too_long"]}
        user = (await come_in(at_google, provider, "", **wanted))["user"]
        (membership,) = user["memberships"]
        assert (user["login_method"], user["has_password"]) == ("google_oauth", False)
        assert (membership["organization"]["name"], membership["roles"]) == ("Hooli", ["admin"])
        again = (await come_in(at_google, provider, "", **wanted))["user"]
        assert again["memberships"] == user["memberships"], "and later comes in as who they are"

    async def test_lets_in_who_is_invited(self, admin, provider, at_google):
        invite = (await post(admin.browser, "/invites", {"email": "g@g.test", "roles": ["manager"]}))[
            "invite"
        ]
        token = invite["url"].rpartition("/")[2]
        provider.be(email="x@g.test", email_verified=True)
        answer = await come_in(at_google, provider, "", method="google_oauth", invite_token=token, expect=422)
        assert answer["error_details"] == {"base": ["invite_email_mistmatch"]}
        provider.be(email="g@g.test", email_verified=True)
        user = (await come_in(at_google, provider, "", method="google_oauth", invite_token=token))["user"]
        assert user["memberships"][0]["roles"] == ["manager"]


class TestProviders:
    async def test_are_named_shown_without_their_secret_and_named_no_more(
        self, admin, app, provider, database, domain
    ):
        (shown,) = (await get(app, "/identity_providers"))["identity_providers"]
        assert shown == {
            "lago_id": shown["lago_id"],
            "kind": "oidc",
            "domain": domain,
            "client_id": CLIENT_ID,
            "host": None,
            "organization_name": None,
            "tenant_id": None,
            "issuer": provider.issuer,
        }
        async with database.tenant(UUID(admin.organization_id)) as tx:
            (kept,) = await tx.execute(select(identity_providers.c.client_secret))
        assert CLIENT_SECRET.encode() not in kept.client_secret
        body = settings(provider, domain, client_secret=None, client_id="another")
        changed = (await call(app, "PUT", "/identity_providers/oidc", body))["identity_provider"]
        assert changed == {**shown, "client_id": "another"}
        async with database.tenant(UUID(admin.organization_id)) as tx:
            (after,) = await tx.execute(select(identity_providers.c.client_secret))
        assert after.client_secret == kept.client_secret, "a secret that is not sent stays"
        logged = await get(app, "http://test/api/v1/security_logs", to_date="2099-01-01")
        told = logged["security_logs"][0]["resources"]
        assert told["client_id"]["added"] == "another"
        assert "secret" not in str(told)
        await call(app, "DELETE", "/identity_providers/oidc")
        assert (await get(app, "/authentication_methods"))["authentication_methods"] == ["email_password"]
        assert (await call(app, "DELETE", "/identity_providers/oidc", expect=404))[
            "code"
        ] == "identity_provider_not_found"
        await call(app, "PUT", "/identity_providers/saml", body, expect=404)

    @pytest.mark.parametrize(
        ("kind", "sent", "details"),
        [
            ("okta", {}, {"organization_name": ["value_is_mandatory"]}),
            ("okta", {"organization_name": "a b"}, {"organization_name": ["value_is_invalid"]}),
            ("okta", {"host": "a/b"}, {"host": ["host_invalid"]}),
            ("entra_id", {}, {"tenant_id": ["value_is_mandatory"]}),
            (
                "entra_id",
                {"tenant_id": "a/b", "host": "x:1"},
                {"tenant_id": ["tenant_id_invalid"], "host": ["host_invalid"]},
            ),
            ("oidc", {"issuer": None}, {"issuer": ["value_is_mandatory"]}),
            ("oidc", {"issuer": "ftp://x.test"}, {"issuer": ["url_is_invalid"]}),
            ("oidc", {"issuer": "https://a:b@x.test"}, {"issuer": ["url_is_invalid"]}),
            (
                "oidc",
                {"domain": "", "client_id": "", "client_secret": ""},
                {
                    "domain": ["value_is_mandatory"],
                    "client_id": ["value_is_mandatory"],
                    "client_secret": ["value_is_mandatory"],
                },
            ),
            ("oidc", {"domain": "nodots"}, {"domain": ["value_is_invalid"]}),
        ],
    )
    async def test_are_refused_with_all_that_is_wrong(self, admin, provider, domain, kind, sent, details):
        body = {**settings(provider, domain), **sent}
        answer = await call(admin.browser, "PUT", f"/identity_providers/{kind}", body, expect=422)
        assert answer["error_details"] == details

    async def test_of_okta_and_entra_follow_from_few_words(self, admin, domain):
        body = {"domain": domain, "client_id": "c", "client_secret": "s", "organization_name": "acme"}
        saved = (await call(admin.browser, "PUT", "/identity_providers/okta", body))["identity_provider"]
        assert saved["issuer"] == "https://acme.okta.com"
        body = {"domain": f"e-{domain}", "client_id": "c", "client_secret": "s", "tenant_id": "t1"}
        saved = (await call(admin.browser, "PUT", "/identity_providers/entra_id", body))["identity_provider"]
        assert saved["issuer"] == "https://login.microsoftonline.com/t1/v2.0"
        hosted = ProviderSettings(kind=LoginMethod.OKTA, domain="d", client_id="c", host="sso.acme.test")
        assert hosted.issuer_url == "https://sso.acme.test"


class TestMethods:
    async def test_are_some_that_there_are(self, admin):
        path = "/authentication_methods"
        app = admin.browser
        assert (await get(app, path))["authentication_methods"] == ["email_password", "google_oauth"]
        answer = await call(app, "PUT", path, {"authentication_methods": []}, expect=405)
        assert answer["code"] == "enabled_authentication_methods_required"
        for methods, code in ((["saml"], "value_is_invalid"), (["okta"], "relation_must_exist")):
            answer = await call(app, "PUT", path, {"authentication_methods": methods}, expect=422)
            assert answer["error_details"] == {"authentication_methods": [code]}
        changed = await call(app, "PUT", path, {"authentication_methods": ["email_password"]})
        assert changed == {"authentication_methods": ["email_password"]}

    async def test_keep_one_when_a_provider_goes(self, application, app, provider, newcomer, domain):
        await call(app, "PUT", "/authentication_methods", {"authentication_methods": ["oidc"]})
        assert (await get(app, "/authentication_methods", expect=403))[
            "code"
        ] == "login_method_not_authorized"

    async def test_that_are_the_last_stay(self, admin, app, provider, newcomer, domain):
        token = (await post(app, "/invites", {"email": f"boss@{domain}", "roles": ["admin"]}))["invite"][
            "url"
        ]
        provider.be(email=f"boss@{domain}")
        await come_in(newcomer, provider, f"boss@{domain}", invite_token=token.rpartition("/")[2])
        newcomer.headers["X-Lago-Organization"] = admin.organization_id
        await call(newcomer, "PUT", "/authentication_methods", {"authentication_methods": ["oidc"]})
        answer = await call(newcomer, "DELETE", "/identity_providers/oidc", expect=405)
        assert answer["code"] == "enabled_authentication_methods_required"

    async def test_are_a_matter_of_permissions(self, admin, database):
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE memberships SET roles = '{manager}' WHERE organization_id = :id"),
                {"id": admin.organization_id},
            )
        await get(admin.browser, "/authentication_methods", expect=403)
        await call(admin.browser, "PUT", "/authentication_methods", {}, expect=403)
        await get(admin.browser, "/identity_providers", expect=403)
        await call(admin.browser, "PUT", "/identity_providers/oidc", {}, expect=403)
        await call(admin.browser, "DELETE", "/identity_providers/oidc", expect=403)
