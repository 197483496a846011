"""Words of football names: what says nothing, what abbreviates, what marks another squad, and names no rule derives."""
# ruff: noqa: SIM905 - columns of words read better than columns of quoted words

from __future__ import annotations

CLUB_WORDS = frozenset(
    """fc cf sc ac afc cfc acf ssc ss as us uc ud cd sd rc rcd rsc ca aj ogc sm ea sv tsv vfl vfb fsv tsg bv bsc sco hsc
    osc fco fk nk hnk sk if bk ff gnk ks mks club clube futbol football futebol fussball calcio balompie voetbal
    sporting deportiva deportiu sportive sportif de del la le les el los das do da di der die und and the of
    association societa polisportiva""".split()
)
"""Legal forms, articles and the sport itself: they hardly count, but stand where nothing else is left."""

COMMON_WORDS = frozenset(
    "city united town rovers wanderers athletic albion real atletico sport olympique stade".split()
)
"""Words that many clubs share: they tell two clubs of a town apart but are often left out."""

ABBREVIATIONS = {
    "utd": "united",
    "man": "manchester",
    "ath": "athletic",
    "atl": "atletico",
    "dep": "deportivo",
    "st": "saint",
    "ste": "sainte",
    "nottm": "nottingham",
    "wed": "wednesday",
    "mgladbach": "monchengladbach",
    "gladbach": "monchengladbach",
    "munich": "munchen",
    "cologne": "koln",
}

ALIASES = {
    "psg": "paris saint germain",
    "paris sg": "paris saint germain",
    "inter": "internazionale",
    "inter milan": "internazionale",
    "inter milano": "internazionale",
    "internazionale milano": "internazionale",
    "fc internazionale milano": "internazionale",
    "athletic club": "athletic bilbao",
    "athletic club bilbao": "athletic bilbao",
    "wolves": "wolverhampton wanderers",
    "spurs": "tottenham hotspur",
    "qpr": "queens park rangers",
    "bvb": "borussia dortmund",
    "hsv": "hamburger sv",
    "korea republic": "south korea",
    "republic of korea": "south korea",
    "korea dpr": "north korea",
    "dpr korea": "north korea",
    "ir iran": "iran",
    "china pr": "china",
    "usa": "united states",
    "cote divoire": "ivory coast",
    "czechia": "czech republic",
    "turkiye": "turkey",
    "cabo verde": "cape verde",
    "holland": "netherlands",
    "ireland": "republic of ireland",
    "congo dr": "dr congo",
    "kyrgyz republic": "kyrgyzstan",
    "bosnia and herzegovina": "bosnia herzegovina",
    "north macedonia": "macedonia",
    "eswatini": "swaziland",
}
"""Whole names that no rule derives from each other. Only facts that everyone agrees on belong here."""

FIRST_TEAMS = frozenset({"willem ii", "joao paulo ii", "juan pablo ii"})
"""Names that end like a second team's and are not."""

WOMEN = frozenset(
    "women womens woman ladies frauen femenino femenil feminino feminine feminines feminin femminile vrouwen dames "
    "kvinner damer wsl nwsl w girls".split()
)
RESERVES = frozenset("ii iii reserves reserve res b amateure jong castilla".split())
YOUTH = frozenset("youth juvenil primavera juniors academy u".split())
AGE_WORDS = ("under", "sub")

COUNTRIES = {
    "xen": "england",
    "eng": "england",
    "gb eng": "england",
    "esp": "spain",
    "fra": "france",
    "ger": "germany",
    "deu": "germany",
    "ita": "italy",
    "ireland republic": "republic of ireland",
}
"""Codes and second names of countries; anything else stands for itself."""

LETTERS = str.maketrans(
    {
        "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "þ": "th", "Þ": "th", "ß": "ss",
        "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n",
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
        "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
        "я": "ya", "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "u",
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k",
        "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t",
        "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
        "’": "", "'": "", "`": "", "´": "", "ʼ": "", ".": "",
    }
)  # fmt: skip
"""Letters that Unicode does not take apart, and what is written without a gap: O.G.C., M'gladbach."""
