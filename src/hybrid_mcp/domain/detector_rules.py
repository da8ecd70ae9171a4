"""The kinds of secrets that are known by their form, as data: what they begin with, what follows, and who says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hybrid_mcp.domain.secret_checks import (
    is_basic_login,
    is_filled,
    is_said_password,
    is_url_password,
    is_varied,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRule:
    """`anchors`: literal beginnings, one of which every match holds; `rest`: the regular expression after it.

    The group `v` of `rest`, if there is one, is the secret, or the group `open`, where its end is not certain; else all
    of the match is. `free`: no letter or digit may
    stand before it. `folded`: the anchor is in lower case and is looked for in lower-cased text. `behind`: characters
    before the anchor that belong to the secret. `weight`: units of work for one anchor (a long look ahead costs more).
    `end`: the expression that closes a secret of many lines.
    """

    kind: str
    anchors: tuple[str, ...]
    rest: str
    source: str
    check: Callable[[str], bool] = is_filled
    free: bool = False
    folded: bool = False
    behind: int = 0
    weight: int = 1
    end: str = ""


NOWHERE = r"(?!)"
"""The `end` of a secret that cannot be cut out exactly."""


def _run(kind: str, anchors: str, rest: str, source: str) -> SecretRule:
    return SecretRule(kind=kind, anchors=tuple(anchors.split()), rest=rest, source=source)


RUN_RULES: tuple[SecretRule, ...] = (
    _run("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{30,255}",
         "docs.github.com: GitHub's token formats"),
    _run("a GitHub token", "github_pat_", r"[A-Za-z0-9_]{50,255}", "docs.github.com: GitHub's token formats"),
    _run("a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", r"[A-Za-z0-9]{16,255}", "docs.stripe.com: API keys"),
    _run("a Hugging Face token", "hf_ api_org_", r"[A-Za-z0-9]{30,255}", "huggingface.co/docs: user access tokens"),
    _run("an npm token", "npm_", r"[A-Za-z0-9]{30,64}", "github.blog changelog: npm's new token format"),
    _run("a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{40,64}",
         "docs.digitalocean.com: token formats"),
    _run("a Shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_", r"[a-fA-F0-9]{32}",
         "shopify.dev changelog: length of the API secret"),
    _run("a Groq API key", "gsk_", r"[A-Za-z0-9]{40,64}", "console.groq.com/docs: quickstart"),
    _run("a Replicate token", "r8_", r"[A-Za-z0-9]{37,40}", "replicate.com/docs: API tokens"),
    _run("an xAI API key", "xai-", r"[A-Za-z0-9]{70,90}", "docs.x.ai: keys; GitHub's table of partner patterns"),
    _run("a Perplexity API key", "pplx-", r"[A-Za-z0-9]{40,64}", "docs.perplexity.ai: API keys"),
    _run("a Pulumi token", "pul-", r"[a-f0-9]{40}", "pulumi.com/docs: access tokens"),
    _run("a New Relic key", "NRAK- NRJS- NRII-", r"[A-Za-z0-9]{19,40}", "docs.newrelic.com: API keys"),
    _run("a Postman key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}", "learning.postman.com: API keys"),
    _run("a RubyGems key", "rubygems_", r"[a-f0-9]{48}", "guides.rubygems.org: API keys"),
    _run("a Grafana token", "glsa_", r"[A-Za-z0-9]{32}_[a-fA-F0-9]{8}", "grafana.com/docs: service accounts"),
    _run("a Sentry token", "sntryu_ sntrya_ sntryi_", r"[a-f0-9]{64}", "develop.sentry.dev: structure of auth tokens"),
    _run("a Linear key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{32,64}", "linear.app/developers: personal API keys"),
    _run("a Notion token", "ntn_ secret_", r"[A-Za-z0-9]{43,50}", "developers.notion.com changelog: ntn_ prefix"),
    _run("a Sourcegraph token", "sgp_", r"(?:[a-fA-F0-9]{16}_)?[a-fA-F0-9]{40}", "sourcegraph.com/docs: access tokens"),
    _run("a PostHog key", "phx_", r"[A-Za-z0-9]{40,60}", "posthog.com/docs: personal API keys"),
    _run("a Supabase token", "sbp_", r"[a-f0-9]{40}", "supabase.com/docs: management API"),
    _run("a Prefect key", "pnu_ pnb_", r"[A-Za-z0-9]{36}", "docs.prefect.io: API keys"),
    _run("a Doppler token", "dp.pt. dp.sa. dp.ct. dp.scim. dp.audit.", r"[A-Za-z0-9]{40,44}",
         "docs.doppler.com: auth token formats"),
    _run("a Mailgun key", "key-", r"[a-f0-9]{32}", "documentation.mailgun.com: authentication"),
    _run("a Brevo key", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}", "developers.brevo.com: API keys"),
    _run("a Shippo token", "shippo_live_ shippo_test_", r"[a-f0-9]{40}", "docs.goshippo.com: authentication"),
    _run("a ReadMe key", "rdme_", r"[a-z0-9]{60,80}", "docs.readme.com: API keys"),
    _run("a SonarQube token", "sqp_ squ_ sqa_", r"[a-f0-9]{40}", "docs.sonarsource.com: tokens"),
    _run("a Netlify token", "nfp_", r"[A-Za-z0-9]{36,40}", "docs.netlify.com: personal access tokens"),
    _run("a Render key", "rnd_", r"[A-Za-z0-9]{28,40}", "render.com/docs: API keys"),
    SecretRule(kind="a Fireworks key", anchors=("fw_",), rest=r"[A-Za-z0-9]{22,30}(?![A-Za-z0-9_])", check=is_varied,
               source="docs.fireworks.ai: API keys"),
    _run("an age secret key", "AGE-SECRET-KEY-", r"1[A-Z0-9]{58}", "age-encryption.org/v1: native X25519 recipient"),
)  # fmt: skip
"""Their anchors end in `_`, `-` or `.`, and at least 16 letters and digits follow at once: that shape is looked for in
all the text first, and only there the anchor's tail in a table, so that one more rule costs nothing."""

RUN_LENGTH = 16

SHAPED_RULES: tuple[SecretRule, ...] = (
    SecretRule(kind="a Discord bot token", anchors=("." + "a" * 6 + "." + "a" * 27,), behind=24, check=is_varied,
               rest=r"\.(?<=[\w-]{24}\.)[\w-]{6}\.[\w-]{27,40}", source="docs.discord.com: authentication"),
    SecretRule(kind="an Airtable token", anchors=("." + "a" * 64,), behind=17,
               rest=r"\.(?<=pat[A-Za-z0-9]{14}\.)[a-f0-9]{64}",
               source="airtable.com/developers: personal access tokens"),
)  # fmt: skip
"""Nothing literal stands in them: the anchor is their shape, where `a` is any letter, digit, `_`, `-`, `+` or `/`."""

ANCHORED_RULES: tuple[SecretRule, ...] = (
    SecretRule(kind="an AWS access key", anchors=("AKIA", "ASIA"), rest=r"[A-Z0-9]{16}(?![A-Za-z0-9])",
               source="docs.aws.amazon.com: IAM identifiers, unique ID prefixes"),
    SecretRule(kind="an AWS Bedrock key", anchors=("ABSK",), rest=r"[A-Za-z0-9+/]{100,300}",
               source="docs.aws.amazon.com: Amazon Bedrock API keys"),
    SecretRule(kind="a Google API key", anchors=("AIza",), rest=r"[A-Za-z0-9_-]{30,40}",
               source="cloud.google.com/docs: API keys"),
    SecretRule(kind="a Google OAuth secret", anchors=("GOCSPX-",), rest=r"[A-Za-z0-9_-]{24,40}",
               source="developers.google.com/identity: OAuth 2.0 clients"),
    SecretRule(kind="a Google OAuth token", anchors=("ya29.",), rest=r"[A-Za-z0-9_-]{30,2000}", free=True,
               source="developers.google.com/identity: OAuth 2.0"),
    SecretRule(kind="a Slack token", anchors=("xox",), rest=r"[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,255}",
               source="docs.slack.dev: token types"),
    SecretRule(kind="a Slack token", anchors=("xapp-",), rest=r"\d-[A-Z0-9]{6,16}-\d{6,16}-[a-z0-9]{32,80}",
               source="docs.slack.dev: token types"),
    SecretRule(kind="a Slack webhook", anchors=("hooks",),
               rest=r"\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Z0-9]{5,14}/[A-Za-z0-9]{5,24}/[A-Za-z0-9]{16,64})",
               source="docs.slack.dev: incoming webhooks"),
    SecretRule(kind="a Discord webhook", anchors=("hooks",),
               rest=r"/\d{15,21}/(?P<v>[A-Za-z0-9_-]{50,80})",
               source="docs.discord.com: webhook resource"),
    SecretRule(kind="a GitLab token",
               anchors=("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "glft-", "gloas-", "glagent-",
                        "glffct-", "glimt-"), rest=r"[A-Za-z0-9_.-]{20,300}",
               source="docs.gitlab.com: token prefixes"),
    SecretRule(kind="an API key", anchors=("sk-",),
               rest=r"(?:(?:ant|proj|or|svcacct|admin|lf|None)-[A-Za-z0-9_-]{20,255}"
               r"|(?<![A-Za-z0-9]sk-)(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9]{20,255}[A-Za-z0-9_-]{0,200})",
               source="platform.openai.com, docs.anthropic.com, openrouter.ai, api-docs.deepseek.com: API keys"),
    SecretRule(kind="a webhook signing secret", anchors=("whsec_",), rest=r"[A-Za-z0-9+/]{24,80}={0,2}",
               source="docs.stripe.com: webhooks; standardwebhooks.com: secrets"),
    SecretRule(kind="a SendGrid key", anchors=("SG.",), rest=r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}", free=True,
               source="twilio.com/docs/sendgrid: API keys"),
    SecretRule(kind="a Vault token", anchors=("hvs.", "hvb.", "hvr."), rest=r"[A-Za-z0-9_-]{24,300}", free=True,
               source="developer.hashicorp.com/vault: tokens"),
    SecretRule(kind="a Terraform Cloud token", anchors=("atlasv1.",), behind=15,
               rest=r"(?<=[A-Za-z0-9]{14}\.atlasv1\.)[A-Za-z0-9_=-]{60,70}",
               source="developer.hashicorp.com/terraform: API tokens"),
    SecretRule(kind="an Atlassian token", anchors=("TT3",), behind=3, rest=r"(?<=AT[AC]TT3)[A-Za-z0-9_=-]{60,255}",
               source="support.atlassian.com: API tokens"),
    SecretRule(kind="a Databricks token", anchors=("dapi",), rest=r"[a-f0-9]{32}(?:-\d)?",
               source="docs.databricks.com: personal access tokens"),
    SecretRule(kind="a Figma token", anchors=("figd_",), rest=r"[A-Za-z0-9_-]{36,60}",
               source="developers.figma.com: personal access tokens"),
    SecretRule(kind="a Docker Hub token", anchors=("dckr_",), rest=r"[po]at_[A-Za-z0-9_-]{24,64}",
               source="docs.docker.com: access tokens"),
    SecretRule(kind="a PyPI token", anchors=("pypi-",), rest=r"AgE[A-Za-z0-9_-]{40,600}",
               source="PyPI documentation, API tokens; the body is a macaroon"),
    SecretRule(kind="a Square token", anchors=("sq0csp-", "sq0atp-"), rest=r"[A-Za-z0-9_-]{22,60}",
               source="developer.squareup.com: access tokens"),
    SecretRule(kind="a Square token", anchors=("EAA",), rest=r"A[A-Za-z0-9_-]{56,64}(?![A-Za-z0-9_+/=-])", free=True,
               check=is_varied, source="developer.squareup.com: access tokens"),
    SecretRule(kind="a Facebook token", anchors=("EAA",), rest=r"[B-Z][A-Za-z0-9]{60,300}(?![A-Za-z0-9_+/=-])",
               free=True, check=is_varied, source="developers.facebook.com: access tokens"),
    SecretRule(kind="an Artifactory key", anchors=("AKCp",), rest=r"\d[A-Za-z0-9]{60,80}(?![A-Za-z0-9])",
               source="jfrog.com/help: API keys"),
    SecretRule(kind="an Okta token", anchors=("SSWS 00",), rest=r"(?P<v>[A-Za-z0-9_-]{38,42})",
               source="developer.okta.com: API tokens"),
    SecretRule(kind="a Fly token", anchors=("fm2_",), rest=r"[A-Za-z0-9+/]{80,2000}={0,2}",
               source="fly.io/docs: access tokens"),
    SecretRule(kind="a Dropbox token", anchors=("sl.",), rest=r"(?:u\.)?[A-Za-z0-9_-]{100,2000}", free=True,
               check=is_varied, source="developers.dropbox.com: OAuth guide"),
    SecretRule(kind="a LaunchDarkly key", anchors=("sdk-",), check=is_varied, free=True,
               rest=r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
               source="launchdarkly.com/docs: SDK keys"),
    SecretRule(kind="a Teams webhook", anchors=("/webhookb2/",),
               rest=r"(?P<v>[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}(?:/[\w-]{1,80})?)",
               source="learn.microsoft.com/microsoftteams: incoming webhooks"),
    SecretRule(kind="a Twilio token", anchors=("AC",), free=True, check=is_varied,
               rest=r"[a-f0-9]{32}['\"]?[,:\s]{1,3}['\"]?(?P<v>[a-f0-9]{32})(?![A-Za-z0-9])",
               source="twilio.com/docs: account SID and auth token"),
    SecretRule(kind="a login to a registry", anchors=('"auth"', "_auth"), check=is_basic_login,
               rest=r"\s{0,4}[:=]\s{0,4}\"?(?P<v>[A-Za-z0-9+/]{10,400}={0,2})",
               source="docs.docker.com: config.json; docs.npmjs.com: .npmrc"),
    SecretRule(kind="a password hash", anchors=(":$",), check=is_varied,
               rest=r"(?P<v>(?:[156]|apr1)\$(?:rounds=\d{1,9}\$)?[./+A-Za-z0-9]{1,16}\$[./+A-Za-z0-9]{22,86}"
               r"|y\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}|2[abxy]\$\d\d\$[./A-Za-z0-9]{53})",
               source="crypt(5); httpd.apache.org: password formats"),
    SecretRule(kind="a session cookie", anchors=("cookie: ",), folded=True, check=is_varied, weight=4,
               rest=r"[^\n]{0,400}?(?:sess|sid|auth)[\w.-]{0,24}=(?P<v>[\w%.+/~-]{16,2000}={0,2})",
               source="RFC 6265, 4.2"),
    SecretRule(kind="an NVIDIA API key", anchors=("nvapi-",), rest=r"[A-Za-z0-9_-]{40,90}",
               source="docs.nvidia.com: NGC API keys"),
    SecretRule(kind="a Tailscale key", anchors=("tskey-",),
               rest=r"(?:[a-z]{3,12}-)?[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,64}",
               source="tailscale.com/kb: key prefixes"),
    SecretRule(kind="a PlanetScale token", anchors=("pscale_",), rest=r"(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}",
               source="planetscale.com/docs: service tokens"),
    SecretRule(kind="a Sentry token", anchors=("sntrys_",), rest=r"[A-Za-z0-9+/=_-]{40,400}",
               source="develop.sentry.dev: structure of auth tokens"),
    SecretRule(kind="a 1Password token", anchors=("eyJ",), behind=4, rest=r"(?<=ops_eyJ)[A-Za-z0-9+/=_-]{100,2000}",
               source="developer.1password.com: service accounts"),
    SecretRule(kind="an Alibaba Cloud key", anchors=("LTAI",), rest=r"[A-Za-z0-9]{12,24}(?![A-Za-z0-9])", free=True,
               check=is_varied, source="alibabacloud.com/help: AccessKey pairs"),
    SecretRule(kind="an Azure client secret", anchors=("Q~",), behind=4, check=is_varied,
               rest=r"(?<=[\w~.]{3}\dQ~)[\w.~-]{31,34}(?![\w.~-])",
               source="learn.microsoft.com/purview: Azure AD client secret"),
    SecretRule(kind="a signed Azure address", anchors=("sig=",), rest=r"(?P<v>[A-Za-z0-9%+/]{43,80}(?:=|%3[dD]))",
               source="learn.microsoft.com: shared access signatures"),
    SecretRule(kind="a Telegram bot token", anchors=(":AA",), rest=r"(?<=\d{6}:AA)[\w-]{32,34}(?![\w-])",
               source="core.telegram.org/bots: tutorial"),
    SecretRule(kind="a Twilio key", anchors=("SK",), rest=r"[a-f0-9]{32}(?![A-Za-z0-9])", free=True,
               source="twilio.com/docs: API keys"),
    SecretRule(kind="a Mailchimp key", anchors=("-us",), rest=r"(?<=[0-9a-f]{32}-us)\d{1,2}(?![A-Za-z0-9-])",
               behind=32, check=is_varied,
               source="mailchimp.com/developer: API keys"),
    SecretRule(kind="a JSON web token", anchors=("eyJ",), weight=8,
               rest=r"[\w-]{10,1000}+\.(?:eyJ[\w-]{6,20000}+\.[\w-]{10,2000}+"
               r"|[\w-]{0,1000}+\.[\w-]{8,64}+\.[\w-]{10,8000}+\.[\w-]{16,64}+)",
               source="RFC 7519, RFC 7515; RFC 7516, 7.1"),
    SecretRule(kind="a private key", anchors=("BEGIN ",), weight=2,
               rest=r"(?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
               # After it a key, rather than the end of a string in code, dots, or a description.
               r"(?:[^A-Za-z0-9+/=]{0,20}+(?:[A-Za-z0-9+/=]{1,15}+[^A-Za-z0-9+/=]{1,20}+){0,12}+[A-Za-z0-9+/=]{16}"
               r"|[\s\\n]{0,20}\Z)",
               check=lambda value: "..." not in value[-40:] and not value[-16:].islower(),
               end=r"-----END [A-Z0-9 ]{0,60}-----", source="RFC 7468; RFC 4880, 6.2"),
    SecretRule(kind="a private key", anchors=("PuTTY-User-Key-File-",), rest=r"\d: \S", check=bool, end=NOWHERE,
               source="PuTTY's manual, appendix C: PPK"),
    # Without its first line: a sequence with version 0, and then a number or the name of an algorithm.
    SecretRule(kind="a private key", anchors=("MII",), end=NOWHERE,
               rest=r"[A-Za-z0-9+/]{3}(?:IBAAK[BC]|IBADANBgkq)[A-Za-z0-9+/]{16}", source="RFC 8017, A.1.2; RFC 5958"),
    SecretRule(kind="a private key", anchors=("MHcCAQEEI", "MIGHAgEAMBMGByqGSM49", "MC4CAQAwBQYDK2Vw"), end=NOWHERE,
               rest=r"[A-Za-z0-9+/]{16}", source="RFC 5915; RFC 5958; RFC 8410"),
    SecretRule(kind="a private key", anchors=("b3BlbnNzaC1rZXktdjE",), end=NOWHERE, rest=r"[A-Za-z0-9+/]{16}",
               source="openssh.com: PROTOCOL.key"),
    SecretRule(kind="a private key", anchors=('"d"',), check=is_varied, end=NOWHERE,
               rest=r"\s{0,4}:\s{0,4}\"(?P<v>[A-Za-z0-9_-]{40,1400})\"", source="RFC 7517, RFC 7518: JWK, member d"),
    SecretRule(kind="a password in a URL", anchors=("://",), check=is_url_password, weight=3,
               rest=r"(?=[^\s@]{0,230}+@(?:[\w\[-]|\S{0,160}@))[^\s:@/\"'<>\[]{0,64}:(?:(?P<v>[^\s@/\"'<>]{5,128})(?=@[\w\[-](?!\S{0,128}@))"
               # It may hold all signs when it was not encoded, but a port and a path are none.
               r"|(?!\d{1,5}/)(?P<open>(?:(?!://)\S){5,160})(?=@[\w\[-]))", source="RFC 3986, 3.2.1"),
    SecretRule(kind="a bearer token", anchors=("bearer ",), folded=True, check=is_varied,
               rest=r"[ ]{0,3}(?P<v>[\w.~+/-]{16,4000}={0,2})", source="RFC 6750, 2.1"),
    SecretRule(kind="a login in a header", anchors=("basic ",), folded=True, check=is_basic_login,
               rest=r"(?P<v>[A-Za-z0-9+/]{10,400}={0,2})", source="RFC 7617, 2"),
    SecretRule(kind="a password", anchors=(" -u", "-user"), check=is_said_password,
               rest=r"[ =](?:['\"]?[\w.@+-]{1,64}:(?P<v>[^\s'\"]{6,128})(?=[\s'\"]|\Z)"
               r"|[\w.@+-]{1,64}:(?P<open>\S{6,128}))",
               source="curl(1): --user"),
    SecretRule(kind="a password", anchors=("mysql",), folded=True, check=is_said_password, weight=2,
               rest=r"[a-z]{0,8} [^\n|;<>]{0,120}?(?<= )-p['\"]?(?P<v>[^\s'\"]{6,128})", source="mysql(1): --password"),
    SecretRule(kind="a password", anchors=("sshpass ",), check=is_said_password,
               rest=r"-p ?['\"]?(?P<v>[^\s'\"]{6,128})", source="sshpass(1)"),
    SecretRule(kind="a password", anchors=("login ",), folded=True, check=is_said_password,
               rest=r"\S{1,64}\s{1,8}password\s{1,8}(?P<v>\S{6,128})", source="netrc(5)"),
    SecretRule(kind="a password", anchors=(":5432:",), check=is_said_password,
               rest=r"[\w*.-]{1,64}:[\w*.-]{1,64}:(?P<v>[^\s:]{6,128})", source="postgresql.org/docs: .pgpass"),
    SecretRule(kind="a password", anchors=("convertto-securestring ",), folded=True, check=is_said_password,
               rest=r"(?:-string )?(?:'(?P<v>[^'\s]{6,128})'|\"(?P<open>[^\"\s]{6,128})\")",
               source="learn.microsoft.com/powershell: ConvertTo-SecureString"),
    SecretRule(kind="a password", anchors=("identified by ",), folded=True, check=is_said_password,
               rest=r"(?:'(?P<v>[^\s']{6,128})'|['\"]?(?P<open>[^\s'\";]{6,128}))", source="SQL: CREATE USER"),
)  # fmt: skip
