"""Programs that ask, grade and measure: what each is told, and how it is seen that it worked."""

import json
import os
from collections.abc import Callable
from typing import Any

from tests.clients import environments as places
from tests.clients.script import REMEMBERED, THOUGHT
from tests.clients.shell import WORDS, Abilities, Shell, has_answer, need, say


def llm(shell: Shell) -> Abilities:
    shell.write(
        "home/.config/io.datasette.llm/extra-openai-models.yaml",
        f"""
- model_id: bise
  model_name: {shell.model}
  api_base: {shell.url}/v1
  supports_tools: true
  vision: true
  reasoning: true
""",
    )
    shell.write(
        "work/add.py",
        """
def add(a: int, b: int) -> str:
    "Add two numbers."
    return f"the sum is {a + b}"
""",
    )

    def ask(*words: str) -> str:
        return shell.run(places.LLM.command("llm"), "-m", "bise", *words, OPENAI_API_KEY="x")

    def chat():
        need(has_answer(shell, ask("--no-stream", say(shell))), "another answer")

    def streaming():
        need(has_answer(shell, ask(say(shell))), "another answer")

    def tools():
        call = 'call add <<{"a": 17, "b": 25}>>'
        need("the sum is 42" in ask("--functions", "add.py", call), "no sum")

    def image():
        shown = ask("-a", "red.png", "What is this?" if shell.is_nano else "look")
        need(shell.is_nano or "1 picture(s), 2 rows" in shown, shown)

    abilities: Abilities = {"chat": chat, "streaming": streaming, "image": image}
    return abilities if shell.is_nano else abilities | {"tools": tools}


TASKS = '''
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool


@tool
def add():
    async def execute(a: int, b: int) -> str:
        """Add two numbers.

        Args:
            a: One.
            b: The other.
        """
        return f"the sum is {a + b}"

    return execute


@task
def chat():
    return Task(dataset=[Sample(input=SAY, target=WORDS)], solver=generate(), scorer=includes())


@task
def tools():
    sample = Sample(input='call add <<{"a": 17, "b": 25}>>', target="the sum is 42")
    return Task(dataset=[sample], solver=[use_tools(add()), generate()], scorer=includes())


@task
def image():
    parts = [ContentText(text="look"), ContentImage(image="red.png")]
    sample = Sample(input=[ChatMessageUser(content=parts)], target="1 picture(s), 2 rows")
    return Task(dataset=[sample], solver=generate(), scorer=includes())
'''


def inspect(way: str) -> Callable[[Shell], Abilities]:
    """way: `openai-api/bise` or `mistral`, which is Mistral's Conversations"""

    def abilities(shell: Shell) -> Abilities:
        words = "42" if shell.is_nano else WORDS
        shell.write("work/tasks.py", f"SAY, WORDS = {say(shell)!r}, {words!r}\n{TASKS}")
        env = {"BISE_BASE_URL": f"{shell.url}/v1", "BISE_API_KEY": "x",
               "MISTRAL_BASE_URL": shell.url, "MISTRAL_API_KEY": "x"}  # fmt: skip

        def solve(task: str) -> dict[str, Any]:
            logs = shell.folder / f"logs-{task}"
            shell.run(places.INSPECT.command("inspect"), "eval", f"tasks.py@{task}",
                      "--model", f"{way}/{shell.model}", "--reasoning-effort", "high",
                      "--display", "plain", "--log-dir", str(logs), "--log-format", "json",
                      "--max-tokens", "1500", **env)  # fmt: skip
            return json.loads(max(logs.glob("*.json")).read_text())

        def passed(log: dict[str, Any]) -> bool:
            return log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 1.0

        def chat():
            log = solve("chat")
            need(log["status"] == "success" and (shell.is_nano or passed(log)), log["status"])

        def reasoning():
            parts = solve("chat")["samples"][0]["output"]["choices"][0]["message"]["content"]
            thoughts = [part for part in parts if part["type"] == "reasoning"]
            need(thoughts and (shell.is_nano or thoughts[0]["reasoning"] == THOUGHT), parts)
            if not shell.is_nano:
                need(REMEMBERED in json.dumps(solve("tools")["samples"][0]["output"]), "forgotten")

        def tools():
            need(passed(solve("tools")), "no sum")

        def image():
            need(passed(solve("image")), "no picture")

        if shell.is_nano:
            return {"chat": chat, "reasoning": reasoning}
        return {"chat": chat, "reasoning": reasoning, "tools": tools, "image": image}

    return abilities


def lm_eval(shell: Shell) -> Abilities:
    rows = [{"question": say(shell), "answer": WORDS}, {"question": "say <<b>>", "answer": "b"}]
    shell.write("work/tasks/says.jsonl", "\n".join(map(json.dumps, rows)))
    shell.write(
        "work/tasks/says.yaml",
        f"""
task: says
dataset_path: json
dataset_kwargs:
  data_files: {{test: {shell.work / "tasks" / "says.jsonl"}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n\\n"], max_gen_toks: 64}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
""",
    )

    def chat():
        place = f"{shell.url}/v1/chat/completions"
        shown = shell.run(
            places.LM_EVAL.command("lm_eval"), "--model", "local-chat-completions",
            "--model_args", f"model={shell.model},base_url={place},tokenized_requests=False",
            "--include_path", "tasks", "--tasks", "says", "--apply_chat_template",
            "--output_path", "out", "--log_samples",
            HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1",
        )  # fmt: skip
        results = json.loads(max(shell.work.glob("out/*/results*.json")).read_text())["results"]
        need(shell.is_nano or results["says"]["exact_match,none"] == 1.0, shown)

    return {"chat": chat}


def guidellm(shell: Shell) -> Abilities:
    asked = [{"prompt": f"count to {20 + number}"} for number in range(6)]
    shell.write("work/prompts.jsonl", "\n".join(map(json.dumps, asked)))

    def streaming():
        shell.run(
            places.GUIDELLM.command("guidellm"), "run",
            "--backend", f"kind=openai_http,target={shell.url},model={shell.model}",
            "--profile", "kind=concurrent,streams=2",
            "--constraint", "kind=max_requests,count=6",
            "--data", "kind=json_file,path=prompts.jsonl",
            "--output", "kind=json,path=report.json", "--disable-progress",
            HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1",
        )  # fmt: skip
        (benchmark,) = json.loads((shell.work / "report.json").read_text())["benchmarks"]
        totals = benchmark["metrics"]["request_totals"]
        need(totals["successful"] == 6 and not totals["errored"], totals)
        written = benchmark["metrics"]["output_token_count"]["successful"]["mean"]
        need(written > 1, written)

    return {"streaming": streaming}


MAKE_TOKENIZER = """
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

letters = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
made = Tokenizer(models.BPE(vocab={one: at for at, one in enumerate(letters)}, merges=[]))
made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
made.decoder = decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>").save_pretrained("tokenizer")
"""


def aiperf(shell: Shell) -> Abilities:
    def streaming():
        shell.run(places.AIPERF.command("python"), "-c", MAKE_TOKENIZER)
        shell.run(
            places.AIPERF.command("aiperf"), "profile", "--model", shell.model, "--url", shell.url,
            "--endpoint-type", "chat", "--streaming", "--tokenizer", str(shell.work / "tokenizer"),
            "--request-count", "6", "--concurrency", "2", "--synthetic-input-tokens-mean", "50",
            "--output-tokens-mean", "20", "--use-server-token-count", "--ui", "none",
            "--output-artifact-dir", "out",
            PATH=f"{places.AIPERF.folder / 'bin'}:{os.environ['PATH']}",
        )  # fmt: skip
        report = json.loads((shell.work / "out" / "profile_export_aiperf.json").read_text())
        need(report["request_count"]["avg"] == 6, report["request_count"])
        need(not (report.get("error_request_count") or {}).get("avg"), report)

    return {"streaming": streaming}
