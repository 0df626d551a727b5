"""Texts of `explain` for the codes beyond one field: references, prompts, warmups, tools and more. Only data."""

from statek.spec.codes.parts import (
    Code,
    agent_file,
    agents,
    documents,
    pair,
    prompts,
    queues,
    warmups,
    yaml_file,
)

_INPUT = "inputs:\n  event: {type: object, properties: {subject: {type: string}}}\n"
_OPENAPI = yaml_file("ToolSet", "fraud", "  tools:\n    - openapi: {spec: openapi/fraud.json, include: [score]}\n")
_API = """\
{"openapi": "3.0.3", "info": {"title": "Fraud", "version": "1"},
 "servers": [{"url": "https://fraud.example.test"}],
 "paths": {"/score": {"get": {"operationId": "score", "responses": {"200": {"description": "a number"}}}}}}
"""
_TONE = {"agents/_tone.md": "Be kind.\n"}
_DESK = {"agents/desk.md": agent_file("abstract: true\n")}
_PAGE = "name: page\n      http: {method: GET, url: 'https://wiki.example.test/{slug}', "
_TOPIC = yaml_file("Queue", "support", "  agent: triage\n  deliver_as: topic\n")
_WARMED = {"agents/triage.md": agent_file("warmup: triage\n"), "queues/support.yaml": _TOPIC}
_SHOP = "  agent: reader\n  deliver_as: topic\n  prefix: /shop/events\n"


def _tools(spec: str) -> str:
    return yaml_file("ToolSet", "mail", f"  tools:\n    - {spec}\n")


CODES: dict[str, Code] = {
    "STK201": Code(
        "A name refers to something that is not declared.",
        "A reference that leads nowhere would only show when a job needs it. Declare the object, or use the name of"
        " one that is there.",
        **agents("subagents: [readers]\n", "subagents: [reader]\n"),
    ),
    "STK202": Code(
        "Two objects of one kind have the same name.",
        "Names are unique for their kind over the whole project, whatever the folder; upper and lower case do not tell"
        " them apart.",
        wrong={"agents/more.yaml": yaml_file("Model", "fast", "  provider: house\n  id: talk\n")},
        right={"agents/more.yaml": yaml_file("Model", "faster", "  provider: house\n  id: talk\n")},
    ),
    "STK203": Code(
        "References go round in a circle.",
        "What inherits from itself, falls back to itself or includes itself has no end. Take out one of the links.",
        **documents(
            "agents/more.yaml", "Model", "other",
            "  provider: house\n  id: talk\n  fallback: [other]\n",
            "  provider: house\n  id: talk\n  fallback: [fast]\n",
        ),
    ),
    "STK204": Code(
        "A reference names a path, not an object.",
        "Objects are found by their name alone. A partial agents/_tone.md is included as 'tone', wherever it lies.",
        wrong={**_TONE, "agents/triage.md": agent_file("", '{% include "agents/_tone.md" %}\n')},
        right={**_TONE, "agents/triage.md": agent_file("", '{% include "tone" %}\n')},
    ),
    "STK205": Code(
        "A file that is named is not there.",
        "What an object is made of is read when it is checked. The message says where the file was looked for.",
        wrong={"agents/fraud.yaml": _OPENAPI},
        right={"agents/fraud.yaml": _OPENAPI, "openapi/fraud.json": _API},
    ),
    "STK206": Code(
        "The object of that name has another kind than is needed here.",
        "A Queue cannot answer where a Model is asked for. Name an object of the right kind; agents are .md files,"
        " everything else is YAML.",
        **queues("  agent: fast\n  deliver_as: topic\n", "  agent: reader\n  deliver_as: topic\n"),
    ),
    "STK207": Code(
        "The field 'name' and the name of the file differ.",
        "An agent is called like its file. Leave 'name' out, or rename the file.",
        **agents("name: sorter\n", "name: triage\n"),
    ),
    "STK208": Code(
        "An alias is the name of another object that is there.",
        "An alias is a former name: its history and jobs go over to the object. Another one that lives has its own.",
        **agents("aliases: [reader]\n", "aliases: [sorter]\n"),
    ),
    "STK209": Code(
        "An abstract agent is used as one that runs.",
        "It only serves to inherit from, and may lack what a job needs. Use an agent that extends it.",
        wrong={**_DESK, "agents/triage.md": agent_file("subagents: [desk]\n")},
        right={**_DESK, "agents/triage.md": agent_file("subagents: [reader]\n")},
    ),
    "STK301": Code(
        "The prompt reads an input, a property or a name that is not declared.",
        "It would be empty in every job. A prompt knows inputs.NAME as declared under 'inputs', vars.NAME, agent.name,"
        " job.id and tools, and inside of a loop its variable; of items of arrays it knows the declared properties.",
        **prompts("About: {{ inputs.evnt.subject }}\n", "About: {{ inputs.event.subject }}\n", _INPUT),
    ),
    "STK302": Code(
        "Braces or a block of a prompt are never closed, or hold no expression.",
        "Braces that are plain text, of LaTeX or another template language, go between {% raw %} and {% endraw %}."
        " Single braces need nothing; around an input they are a warning.",
        **prompts("About: {{ inputs.event.subject }\n", "About: {{ inputs.event.subject }}\n", _INPUT),
    ),
    "STK303": Code(
        "A partial that a prompt includes is not there.",
        'Include "tone" reads the file _tone.md under agents.',
        wrong={**_TONE, "agents/triage.md": agent_file("", '{% include "tome" %}\n')},
        right={**_TONE, "agents/triage.md": agent_file("", '{% include "tone" %}\n')},
    ),
    "STK305": Code(
        "A prompt reads secrets or the environment.",
        "What stands in a prompt is sent to the model and kept in the job. Use `vars` for settings; secrets belong to"
        " providers and tools.",
        **prompts("Log in with {{ secrets.TOKEN }}.\n", "Sort the ticket.\n"),
    ),
    "STK306": Code(
        "An agent without a prompt.",
        "What stands below the front matter is the system prompt; without it a model has nothing to go by.",
        **prompts("", "Sort the ticket.\n"),
    ),
    "STK307": Code(
        "A tag, filter, test or construct that prompts do not have.",
        "Prompts are a small part of Jinja2, so that rendering one always ends. Compute in a tool or a warmup. A loop"
        " goes through an array, an object or text; over a number or a boolean it would fail in every job.",
        **prompts("{{ inputs.event.subject | title }}\n", "{{ inputs.event.subject | upper }}\n", _INPUT),
    ),
    "STK401": Code(
        "A warmup that is no Python, or a #STATEK: line that cannot be read.",
        "It would fail in every job. #STATEK: lines are `#STATEK: hidden = True` and `#STATEK: label = \"...\"`.",
        **warmups("print('Ticket:'\n", "print('Ticket:')\n"),
    ),
    "STK402": Code(
        "A name or construct that the sandbox refuses.",
        "The code of jobs may not reach files, the system, or the inside of objects. Do it in a tool.",
        **warmups("text = open('ticket.txt').read()\n", "text = lookup('T1')\n"),
    ),
    "STK403": Code(
        "An import that the sandbox refuses.",
        "Only a few modules are harmless. Name others under sandbox.imports if you answer for them.",
        **warmups("import csv\n", "import json\n"),
    ),
    "STK404": Code(
        "The warmup reads a name that nobody provides.",
        "It would raise NameError in every job. Names are the agent's inputs, its tools, its subagents, and what the"
        " warmup itself binds.",
        **warmups("print(tickt)\n", "print(ticket)\n", "inputs:\n  ticket: {type: string}\n"),
    ),
    "STK405": Code(
        "A queue delivers its items under another name than the warmup reads.",
        "Every job of the queue would fail at its first line. Use one name in both.",
        wrong={**_WARMED, "warmups/triage.py": "print(ticket)\n"},
        right={**_WARMED, "warmups/triage.py": "print(topic)\n"},
    ),
    "STK501": Code(
        "The module of a tool is not found, or cannot be read.",
        "Modules are looked for under `python_path` of the project (by default its own folder), then among installed"
        " packages. Nothing is imported for this check.",
        **pair("agents/mail.yaml", _tools("python: shop.tikets:lookup"), _tools("python: shop.tickets:lookup")),
    ),
    "STK502": Code(
        "The module of a tool has no such function.",
        "A tool is a plain function at the top of its module, `def` or `async def`.",
        **pair("agents/mail.yaml", _tools("python: shop.tickets:lokup"), _tools("python: shop.tickets:lookup")),
    ),
    "STK503": Code(
        "Two tools have one name.",
        "The model calls a tool by its name alone. Give one of them another one with 'name', or deny it. Names such as"
        " exit and print are taken in every job.",
        **pair(
            "agents/mail.yaml",
            _tools("python: shop.tickets:lookup\n    - python: shop.tickets:lookup"),
            _tools("python: shop.tickets:lookup\n    - python: shop.tickets:lookup\n      name: lookup_again"),
        ),
    ),
    "STK504": Code(
        "A pattern under tools fits no tool.",
        "A pattern in 'use' that fits nothing gives nothing, one in 'deny' protects from nothing.",
        **agents("tools: [ticketing/assign]\n", "tools: [ticketing/close]\n"),
    ),
    "STK505": Code(
        "A tool is used and denied by its full name.",
        "Deny wins, so the line under 'use' does nothing. Keep one of them.",
        **agents(
            "tools:\n  use: [ticketing/lookup, ticketing/close]\n  deny: [ticketing/close]\n",
            "tools:\n  use: [ticketing/*]\n  deny: [ticketing/close]\n",
        ),
    ),
    "STK508": Code(
        "The address of an http tool has a placeholder that is no input of the tool.",
        "The call could not be made. Declare it under 'input'.",
        **pair(
            "agents/mail.yaml",
            _tools(_PAGE + "input: {slog: {type: string}}}"),
            _tools(_PAGE + "input: {slug: {type: string}}}"),
        ),
    ),
    "STK601": Code(
        "Two limits contradict each other, so that one is never reached.",
        "Whoever wrote it expects something that will not happen. Change one of the two.",
        **agents(
            "limits: {exceptions: 2, consecutive_exceptions: 5}\n",
            "limits: {exceptions: 5, consecutive_exceptions: 2}\n",
        ),
    ),
    "STK602": Code(
        "The cron line of a Schedule cannot be read, or never comes true.",
        "It has five parts: minute, hour, day of month, month, day of week.",
        **documents(
            "queues/daily.yaml", "Schedule", "daily",
            '  agent: reader\n  cron: "15 25 * * *"\n  inputs: {topic: news}\n',
            '  agent: reader\n  cron: "15 6 * * *"\n  inputs: {topic: news}\n',
        ),
    ),
    "STK603": Code(
        "A time zone that there is not.",
        "Names are those of the IANA database, such as Europe/Warsaw or UTC.",
        **documents(
            "queues/daily.yaml", "Schedule", "daily",
            '  agent: reader\n  cron: "15 6 * * *"\n  timezone: Europe/Warsow\n  inputs: {topic: news}\n',
            '  agent: reader\n  cron: "15 6 * * *"\n  timezone: Europe/Warsaw\n  inputs: {topic: news}\n',
        ),
    ),
    "STK605": Code(
        "A queue is its own dead letter queue.",
        "What failed for good would come back for ever. Name another queue.",
        wrong={"queues/support.yaml": yaml_file("Queue", "support", "  dead_letter: support\n")},
        right={
            "queues/support.yaml": yaml_file("Queue", "support", "  dead_letter: support-dead\n"),
            "queues/dead.yaml": yaml_file("Queue", "support-dead", "  max_depth: 1000\n"),
        },
    ),
    "STK606": Code(
        "Two queues are bound to one prefix.",
        "Both would take the items of the same host application. Give each its own.",
        wrong={
            "queues/a.yaml": yaml_file("Queue", "a", _SHOP),
            "queues/b.yaml": yaml_file("Queue", "b", _SHOP),
        },
        right={
            "queues/a.yaml": yaml_file("Queue", "a", _SHOP),
            "queues/b.yaml": yaml_file("Queue", "b", _SHOP.replace("events", "orders")),
        },
    ),
    "STK607": Code(
        "A queue, schedule or eval does not give an input that its agent requires, or gives one that it has not.",
        "No job of it could begin. Give the input a default, make it optional, or let the schedule give it.",
        wrong={
            "agents/triage.md": agent_file("inputs:\n  topic: {type: string}\n  day: {type: string}\n"),
            "queues/support.yaml": _TOPIC,
        },
        right={
            "agents/triage.md": agent_file("inputs:\n  topic: {type: string}\n  day: {type: string, default: today}\n"),
            "queues/support.yaml": _TOPIC,
        },
    ),
    "STK701": Code(
        "An object does not keep a rule of a Policy.",
        "The Policy says what every object of a kind must have. Change the object; its message says why.",
        **pair(
            "queues/policy.yaml",
            yaml_file(
                "Policy", "house",
                "  rules:\n    - {id: budget, match: {kind: Agent}, require: {limits.cost_usd: true}}\n",
            ),
            yaml_file(
                "Policy", "house",
                "  rules:\n    - {id: described, match: {kind: Agent}, require: {description: true}}\n",
            ),
        ),
    ),
    "STK704": Code(
        "An Overlay changes an object that there is not.",
        "The change would be lost without a word. Name an object of the project.",
        **documents(
            "queues/env-dev.yaml", "Overlay", "dev",
            "  env: dev\n  patches:\n    - target: {kind: Agent, name: raeder}\n      set: {limits.turns: 5}\n",
            "  env: dev\n  patches:\n    - target: {kind: Agent, name: reader}\n      set: {limits.turns: 5}\n",
        ),
    ),
    "STK705": Code(
        "An Overlay sets a field that the object cannot have.",
        "Paths are dotted, from the fields of the object down.",
        **documents(
            "queues/env-dev.yaml", "Overlay", "dev",
            "  env: dev\n  patches:\n    - target: {kind: Agent, name: reader}\n      set: {limits.turn: 5}\n",
            "  env: dev\n  patches:\n    - target: {kind: Agent, name: reader}\n      set: {limits.turns: 5}\n",
        ),
    ),
    "STK706": Code(
        "An Overlay sets a value that the field cannot have.",
        "It is checked like a value in the object's own file. `statek explain KIND.field` shows what may stand there.",
        **documents(
            "queues/env-dev.yaml", "Overlay", "dev",
            "  env: dev\n  patches:\n    - target: {kind: Agent, name: reader}\n      set: {limits.turns: many}\n",
            "  env: dev\n  patches:\n    - target: {kind: Agent, name: reader}\n      set: {limits.turns: 5}\n",
        ),
    ),
    "STK720": Code(
        "The object in the applied release belongs to another project.",
        "Two projects that apply one object would undo each other. Give one of them another name, or another store.",
        unshown="it depends on what is applied, not on the files alone",
    ),
    "STK801": Code(
        "A variable is not set.",
        "Set it under `vars` of the environment, in pyproject.toml or in an Overlay, for every environment that needs"
        " it; at apply, also what ${secret:NAME} and ${env:NAME} name.",
        wrong={"agents/triage.md": agent_file("", "Region: {{ vars.REGION }}\n")},
        right={
            "agents/triage.md": agent_file("", "Region: {{ vars.REGION }}\n"),
            "pyproject.toml": '[tool.statek.env.dev.vars]\nREGION = "eu"\n',
        },
    ),
    "STK802": Code(
        "A secret is written out in a file.",
        "Files are copied, shown and kept. Write ${secret:NAME}, and set NAME in the environment of the worker.",
        **documents(
            "agents/router.yaml", "Provider", "router",
            "  base_url: https://router.example.test/v1\n  api_key: sk-1234567890\n",
            "  base_url: https://router.example.test/v1\n  api_key: ${secret:ROUTER_KEY}\n",
        ),
    ),
    "STK803": Code(
        "A ${...} reference that cannot be read, or that nobody would look up.",
        "There are ${secret:NAME}, ${env:NAME} and ${var:NAME}, in the addresses, keys and headers of Provider and"
        " ToolSet; ${var:NAME} also in other texts of these two, of Queue and of Fleet. Elsewhere they would be text.",
        **documents(
            "agents/router.yaml", "Provider", "router",
            "  base_url: https://router.example.test/v1\n  api_key: ${secrt:ROUTER_KEY}\n",
            "  base_url: https://router.example.test/v1\n  api_key: ${secret:ROUTER_KEY}\n",
        ),
    ),
}  # fmt: skip
