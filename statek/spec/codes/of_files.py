"""Texts of `explain` for the codes of files, YAML and fields: STK001 to STK110. Only data; see `codes`."""

from statek.spec.codes.parts import Code, agents, documents, pair, queues, yaml_file

_MODEL = yaml_file("Model", "other", "  provider: house\n  id: talk\n")
_QUEUE = yaml_file("Queue", "support", "  max_depth: 9\n")

CODES: dict[str, Code] = {
    "STK001": Code(
        "The text does not follow the rules of YAML or TOML, or a merge conflict is still in it.",
        "Nothing of the file can be trusted. Text with ': ' or ' #' in it, or one that begins with a mark such as '{',"
        " '[', '*', '&', '!', '%', '@' or '`', goes between quotes.",
        **agents("labels: {team: support\n", "labels: {team: support}\n"),
    ),
    "STK002": Code(
        "The front matter of an agent begins with --- and never ends.",
        "Without the closing line nobody can tell settings from prompt. Write a line of three dashes, alone and not"
        " indented, between them.",
        **pair(
            "agents/triage.md",
            "---\ndescription: Sorts tickets.\nmodel: fast\n...\nSort the ticket.\n",
            "---\ndescription: Sorts tickets.\nmodel: fast\n---\nSort the ticket.\n",
        ),
    ),
    "STK003": Code(
        "An agent's file does not begin with front matter.",
        "Its first line must be ---, with nothing before it. A .md file under a root that is no agent is named"
        " _name.md (a partial) or README.md, or goes elsewhere.",
        **pair(
            "agents/triage.md",
            "Sort the ticket.\n",
            "---\ndescription: Sorts tickets.\nmodel: fast\n---\nSort the ticket.\n",
        ),
    ),
    "STK004": Code(
        "A key stands twice in one mapping.",
        "YAML readers keep one of the two and drop the other without a word. Keep the one you mean.",
        **agents("limits: {turns: 5}\nlimits: {turns: 9}\n", "limits: {turns: 9}\n"),
    ),
    "STK005": Code(
        "A line is indented with a tab.",
        "YAML counts spaces, and a tab has no width that all programs agree on. Indent with spaces.",
        **agents("limits:\n\tturns: 5\n", "limits:\n  turns: 5\n"),
    ),
    "STK006": Code(
        "A document, or the front matter of an agent, is not a mapping of fields.",
        "Each object is written as 'field: value' lines. A missing space behind the colon makes it plain text.",
        **pair("agents/more.yaml", "- fast\n- deep\n", _MODEL),
    ),
    "STK007": Code(
        "A YAML tag or directive.",
        "Tags make a YAML reader build objects or run code. Values are text, numbers, true, false, null, lists and"
        " mappings; a secret is written ${secret:NAME}, a variable of the environment ${env:NAME}.",
        **documents(
            "agents/router.yaml", "Provider", "router",
            "  base_url: !env ROUTER_URL\n", "  base_url: ${env:ROUTER_URL}\n",
        ),
    ),
    "STK008": Code(
        "A YAML anchor, alias or merge key.",
        "They hide where a value comes from, and can make a small file huge. Write the value out.",
        **agents("labels: &all {team: support}\n", "labels: {team: support}\n"),
    ),
    "STK009": Code(
        "A file or what it holds is too large, too deep, or no regular file.",
        "Files have at most 1,000,000 bytes and 20,000 values, nested 40 deep, and are no pipes, devices or folders.",
        **agents("annotations: " + "{a: " * 45 + "1" + "}" * 45 + "\n", "annotations: {a: text}\n"),
    ),
    "STK010": Code(
        "The file is no plain UTF-8 text.",
        "Other encodings and control characters are read differently by every program. Save the file as UTF-8 and"
        " take the character out.",
        **agents("labels: {team: \"sup\x07port\"}\n", 'labels: {team: "support"}\n'),
    ),
    "STK011": Code(
        "A path leaves its folder.",
        "What a project declares lies inside it, so that a copy of the folder is the whole project. Links and '..' that"
        " lead out are refused.",
        **pair("pyproject.toml", '[tool.statek]\nroots = ["agents", ".."]\n', '[tool.statek]\nroots = ["agents"]\n'),
    ),
    "STK012": Code(
        "A file, a document or the front matter is empty.",
        "An empty file declares nothing, and is most often one that was not saved. Fill or remove it.",
        **pair("agents/more.yaml", "# nothing yet\n", _MODEL),
    ),
    "STK013": Code(
        "A key is not text.",
        "Fields and names are text; put a key that looks like a number, true or null between quotes.",
        **agents("labels: {1: support}\n", 'labels: {"1": support}\n'),
    ),
    "STK014": Code(
        "A file with an ending that is not read.",
        "Specs are .yaml, .md and .py files. One of another ending would be left out without a word: rename it.",
        wrong={"queues/support.yml": _QUEUE},
        right={"queues/support.yaml": _QUEUE},
    ),
    "STK020": Code(
        "The files keep changing while they are read.",
        "What is applied is the project of one moment. Wait until whatever writes the files is done, then try again.",
        unshown="it depends on what else happens while the files are read",
    ),
    "STK021": Code(
        "A file or folder that the project needs cannot be read.",
        "An unreadable folder is no empty one: its objects would be taken for deleted. Create it, or make it readable.",
        **pair("pyproject.toml", '[tool.statek]\nroots = ["agnets"]\n', '[tool.statek]\nroots = ["agents"]\n'),
    ),
    "STK100": Code(
        "A field or value of the language that this build checks, but does not run yet.",
        "`statek validate` accepts it; `statek plan` and `statek apply` refuse it, so that nothing you rely on is left"
        " out without a word. Take it out until a build runs it.",
        **agents("difficulty: high\n", ""),
    ),
    "STK101": Code(
        "A field that the object does not have.",
        "A misspelt field would be ignored and its default used. Names that begin with x- are yours.",
        **agents("limit: {turns: 5}\n", "limits: {turns: 5}\n"),
    ),
    "STK102": Code(
        "A field that must be there is missing.",
        "It has no default that would be right for everybody.",
        **queues("  agent: reader\n", "  agent: reader\n  deliver_as: topic\n"),
    ),
    "STK103": Code(
        "A value of the wrong type.",
        "Values are not converted: durations and tokens carry their unit, and only true and false are booleans.",
        **agents("limits: {wall_clock: 90}\n", "limits: {wall_clock: 90s}\n"),
    ),
    "STK104": Code(
        "A value that is not in the list of values allowed.",
        "`statek explain KIND.field` shows the list.",
        **agents("chat_style: markdwon\n", "chat_style: markdown\n"),
    ),
    "STK105": Code(
        "Text that does not have the format of its field.",
        "Names, durations, rates, percentages and import paths have one form each. Names begin with a letter.",
        **queues("  rate: 60/min\n", "  rate: 60/m\n"),
    ),
    "STK106": Code(
        "A number, or the length of a text, is out of its bounds.",
        "`statek explain KIND.field` shows the bounds.",
        **agents("limits: {turns: 0}\n", "limits: {turns: 1}\n"),
    ),
    "STK107": Code(
        "A kind that there is not.",
        "`statek explain` lists the kinds.",
        **pair(
            "queues/support.yaml",
            _QUEUE.replace("Queue", "Quue"),
            _QUEUE,
        ),
    ),
    "STK108": Code(
        "A version of the language that this build does not read.",
        "The version says how a file is meant. Files for this build say statek/v1.",
        **pair(
            "queues/support.yaml",
            _QUEUE.replace("v1", "v2"),
            _QUEUE,
        ),
    ),
    "STK109": Code(
        "Of several fields exactly one must be there.",
        "They are different ways to say one thing, and only one can hold.",
        **documents(
            "agents/mail.yaml", "ToolSet", "mail",
            "  tools:\n    - effect: read\n", "  tools:\n    - python: shop.tickets:lookup\n      effect: read\n",
        ),
    ),
    "STK110": Code(
        "Something is empty, or stands twice in a list.",
        "An empty text or list, and a repeated item, are most often a mistake. Take it out.",
        **agents("tools: [ticketing/lookup, ticketing/lookup]\n", "tools: [ticketing/lookup]\n"),
    ),
}  # fmt: skip
