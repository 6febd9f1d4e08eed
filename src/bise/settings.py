"""What `bise serve` can be told: each setting once, with its default, its help and its range.

Flags, variables, the page of settings and `bise config` are all made from this table.
"""

from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, get_type_hints

from bise.errors import UserError

MIN_KEY_CHARS = 16
"""Of a key people make up; those of `bise keys add` have 48."""

MOST_GIB = 2**20
"""More than any machine has, and few enough for their bytes to be counted."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a setting besides its name, type and default."""

    help: str
    nim: str = ""
    """NIM's variable of the same meaning."""

    one_of: tuple[str, ...] = ()
    at_least: int | None = None
    at_most: int | None = None
    is_secret: bool = False
    """Never shown, and no flag: others can read the flags of a process."""


def setting(default: Any, help_text: str, **about: Any) -> Any:
    return field(default=default, metadata={"about": About(help_text, **about)})


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeSettings:
    """Everything `bise serve` can be told."""

    model: str = setting("nano", "A model that ships, a folder, or a hub id.", nim="NIM_MODEL_PATH")
    host: str = setting("127.0.0.1", "The address to listen on.")
    port: int = setting(
        8000, "0 takes a free one.", nim="NIM_SERVER_PORT", at_least=0, at_most=65535
    )
    served_model_name: tuple[str, ...] = setting(
        (), "What clients call the model; the first is in answers.", nim="NIM_SERVED_MODEL_NAME"
    )

    max_model_len: int = setting(
        0, "Tokens of a conversation; 0 is what the model knows.", nim="NIM_MAX_MODEL_LEN",
        at_least=0,
    )  # fmt: skip
    max_running: int = setting(8, "Replies computed at once; more wait.", at_least=1)
    max_waiting: int = setting(512, "Requests that may wait; more are refused.", at_least=0)
    deterministic: bool = setting(
        False,
        "The same bits in any company; slower, in torch several times.",
        nim="NIM_FORCE_DETERMINISTIC",
    )
    cache: str = setting(
        "plain", "Entries in memory: plain, fp8 or int8.", one_of=("plain", "fp8", "int8")
    )
    spill_gib: float = setting(
        0.0, "Room on disk for known beginnings memory has no room for.", at_least=0,
        at_most=MOST_GIB,
    )  # fmt: skip
    prefix_cache: bool = setting(
        True, "Compute known beginnings of prompts once.", nim="NIM_ENABLE_KV_CACHE_REUSE"
    )
    backend: str = setting(
        "auto", "core, torch, or auto: the core where there is one.",
        one_of=("auto", "core", "torch"),
    )  # fmt: skip
    weights: str = setting(
        "stored", "The core's matrices: stored, bf16, int8 or int4.",
        one_of=("stored", "bf16", "int8", "int4"),
    )  # fmt: skip
    memory_gib: float = setting(
        0.0, "For packed weights; experts beyond it are read from disk.", at_least=0,
        at_most=MOST_GIB,
    )  # fmt: skip
    eagle: str = setting("", "The folder of a draft head that guesses ahead.")
    dtype: str = setting("", "bfloat16 or float32; by default what is faster here.")
    in_process: bool = setting(False, "Compute in the server's own process.")

    default_dialect: str = setting(
        "openai", "Of chats that do not show theirs: openai or mistral.",
        one_of=("openai", "mistral"),
    )  # fmt: skip
    thinking_field: str = setting(
        "both", "What OpenAI's dialect calls thinking: both, reasoning_content or reasoning.",
        one_of=("both", "reasoning_content", "reasoning"),
    )  # fmt: skip
    default_effort: str = setting(
        "", "How much to think where a request does not say; by default as the model's file has it."
    )
    effort_budgets: bool = setting(
        False, "Think 1,024 tokens at most where the effort is low, 8,192 where it is medium."
    )
    strict: bool = setting(False, "Refuse unknown fields, and messages out of order.")
    accept_any_model: bool = setting(False, "Answer to whatever name is asked for.")
    client_priority: int = setting(
        0, "How far from 0 requests may put their priority; at 0 it is not used.", at_least=0
    )

    keys: str = setting("", "A file of keys, made by `bise keys add`; every request needs one.")
    api_key: str = setting("", "One key that is in no file.", is_secret=True)
    no_auth: bool = setting(False, "Serve other machines too, without any key.")
    allow_origin: tuple[str, ...] = setting(
        (), "A site whose pages may use this server, such as https://chat.example."
    )
    allow_image_urls: bool = setting(
        False, "Fetch pictures by their addresses, from the open net only."
    )
    judge: bool = setting(
        False, "Judge Lean proofs at /v1/verify and find them at /prove; needs `bise prove setup`."
    )
    searches: str = setting(
        "", "A folder for searches begun at /prove; by default beside the installed Lean."
    )
    limit: tuple[str, ...] = setting(
        (), "Another size for one of the limits of docs/serve.md, such as images=32."
    )
    max_body_mib: int = setting(64, "Of a request, pictures included.", at_least=1)
    max_connections: int = setting(1024, "Clients connected at once.", at_least=1)
    request_timeout: float = setting(
        0.0, "Seconds after which a reply is cut; 0 is never.", at_least=0
    )
    queue_timeout: float = setting(
        300.0, "Seconds a request may wait for its turn; 0 is for ever.", at_least=0
    )
    drain_timeout: float = setting(
        30.0, "Seconds running replies have to end when the server is told to stop.", at_least=0
    )

    tls_cert: str = setting("", "A certificate chain, to speak HTTPS.", nim="NIM_SSL_CERTS_PATH")
    tls_key: str = setting("", "Its private key.", nim="NIM_SSL_KEY_PATH")
    tls_client_ca: str = setting(
        "", "Whose certificates clients must have.", nim="NIM_SSL_CA_CERTS_PATH"
    )

    access_log: str = setting("", "A file for a line of JSON a request, or - for stderr.")
    log_prompts: bool = setting(False, "Write prompts and replies into the access log.")
    log_level: str = setting(
        "warning", "Of the server's own log: debug, info, warning or error.", nim="NIM_LOG_LEVEL",
        one_of=("debug", "info", "warning", "error"),
    )  # fmt: skip
    json_logs: bool = setting(False, "That log as lines of JSON.", nim="NIM_JSONL_LOGGING")
    otel: bool = setting(
        False, "Send a span a request to OpenTelemetry; needs bise[otel].", nim="NIM_ENABLE_OTEL"
    )
    otel_service_name: str = setting(
        "bise", "What spans call this server.", nim="NIM_OTEL_SERVICE_NAME"
    )

    def __post_init__(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise UserError("`tls_cert` and `tls_key` belong together", hint="set both")
        if self.tls_client_ca and not self.tls_cert:
            raise UserError("`tls_client_ca` needs `tls_cert` and `tls_key`")
        if 0 < len(self.api_key) < MIN_KEY_CHARS:
            raise UserError(
                f"`api_key` has {len(self.api_key)} characters, and could be guessed",
                hint=f"take {MIN_KEY_CHARS} or more, or make one with `bise keys add`",
            )
        if self.log_prompts and not self.access_log:
            raise UserError(
                "`log_prompts` is on, but there is no log", hint="name a file with `access_log`"
            )


def shown(value: object) -> str:
    """A plain value, as the file would have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def by_name() -> dict[str, Field[Any]]:
    return {one.name: one for one in fields(ServeSettings)}


@cache
def kinds() -> dict[str, Any]:
    return get_type_hints(ServeSettings)


def about(name: str) -> About:
    return by_name()[name].metadata["about"]


def flag_of(name: str) -> str:
    return f"--{name.replace('_', '-')}"
