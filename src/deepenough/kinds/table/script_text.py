"""The pieces of Python that a script about a table is put together from. What they name in capitals are its constants.

Needs that this module answers:

* They do what `prepare`, `dense` and `answers` do, for a reader who knows pandas and numpy, and nothing else.
* Each piece stands for itself, so that a script holds only those that its columns and its learner need.
"""

READ = '''
def read(path):
    """Every cell as text, then each column as what it is."""
    table = {reading}
    table.columns = [str(name).strip() for name in table.columns]
    for name in NUMBERS:
        table[name] = table[name].map(number).astype(float)
    for name, form in DATES.items():
        table[name] = pd.to_datetime(table[name].str.strip(), format=form, errors="coerce", utc=True)
    for name in CATEGORIES:
        table[name] = table[name].map(level)
    return table


def number(text):
    """NaN where it is none, or an infinite one."""
    try:
        value = float(text.strip().strip("%$€£¥₹"))
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def level(text):
    """A level of a category; empty where the cell says nothing."""
    text = text.strip()
    return "" if text.lower() in MISSING else text.lower() if text.lower() in TRUTH_VALUES else text
'''

READ_CSV = "pd.read_csv(path, dtype=str, keep_default_na=False, sep=SEPARATOR, encoding=ENCODING)"
READ_PARQUET = 'pd.read_parquet(path).map(lambda cell: "" if pd.isna(cell) else str(cell))'

TRUTH_OF_WORDS = '''
def truth(table):
    """The place of each row's class among CLASSES."""
    places = {name: place for place, name in enumerate(CLASSES)}
    return table[TARGET].map(level).map(places).to_numpy()
'''

TRUTH_OF_NUMBERED = '''
def truth(table):
    """The place of each row's class among CLASSES."""
    places = {name: place for place, name in enumerate(CLASSES)}
    return table[TARGET].map(number).map(places).to_numpy()
'''

TRUTH_OF_A_NUMBER = '''
def truth(table):
    """The numbers to predict."""
    return table[TARGET].map(number).to_numpy(float)
'''

NUMBERS = '''
def numbers(train, judged):
    """The numbers of both, float32, a column each; NaN where missing."""
    both = []
    for table in (train, judged):
        columns = []
        for name in MEASURED:
            if name in DATES:
                columns += date_parts(table[name], train[name].dropna())
            else:
                columns.append(table[name].to_numpy(float))
        both.append(np.array(columns, dtype=float).reshape(len(columns), len(table)).T)
{sharp}    return [np.clip(part, -1e18, 1e18).astype(np.float32) for part in both]


{sharpened}def date_parts(dates, known):
    """Year, month, day, weekday, seconds since 1970 and, where the time of day varies, the hour."""
    seconds = (dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    parts = [dates.dt.year, dates.dt.month, dates.dt.day, dates.dt.weekday, seconds]
    if (known != known.dt.normalize()).any():
        parts.append(dates.dt.hour + dates.dt.minute / 60 + dates.dt.second / 3600)
    return [part.to_numpy(float) for part in parts]
'''

SHARP = "    sharpen(*both)\n"
SHARPENED = '''def sharpen(learnt, asked):
    """What a float32 would blur is counted from its median, or in its largest, in place."""
    for place, column in enumerate(learnt.T):
        values = column[np.isfinite(column)]
        if not len(values):
            continue
        low, middle, high = np.quantile(values[:: 1 + len(values) // 10_000], [0.01, 0.5, 0.99])
        is_far = abs(middle) > 2**14 * (high - low) or np.abs(values).max() > 2**24
        shift = middle if is_far else 0
        size = np.abs(values - shift).max()
        unit = size if size > 0 and not 1e-12 < size < 1e12 else 1
        for part in (learnt, asked):
            part[:, place] = (part[:, place] - shift) / unit


'''

PLAIN_NUMBERS = '''
def numbers(train, judged):
    """The numbers of both, float32, a column each; NaN where missing."""
    return [np.clip(table[NUMBERS].to_numpy(float), -1e18, 1e18).astype(np.float32) for table in (train, judged)]
'''

CODES = '''
def codes(train, judged):
    """The categories of both: the place of a level among the sorted ones of the training rows, from 1; 0 is none of
    them. And how many places each has."""
    both, sizes = [np.zeros((len(table), len(CATEGORIES)), dtype=int) for table in (train, judged)], []
    for column, name in enumerate(CATEGORIES):
        places = {level: place for place, level in enumerate(sorted(set(train[name]) - {""}), start=1)}
        sizes.append(len(places) + 1)
        for part, table in zip(both, (train, judged)):
            part[:, column] = [places.get(level, 0) for level in table[name]]
    return *both, sizes
'''

DENSE = '''
def dense(train, judged, targets):
    """Both as float32 without holes: numbers{ranks_said}, flags of gaps,{large_said} a column for each level."""
    learnt, asked = numbers(train, judged)
    learnt_codes, asked_codes, sizes = codes(train, judged)
    known = [column[~np.isnan(column)] for column in learnt.T]
    medians = np.array([np.median(column) if len(column) else 0 for column in known])
    filled = [np.where(np.isnan(part), medians, part.astype(float)) for part in (learnt, asked)]
    blocks = [{blocks}]
    gaps = np.isnan(learnt).any(axis=0)
    blocks.append([np.isnan(part)[:, gaps] for part in (learnt, asked)])
{large}    both = [np.concatenate(parts, axis=1, dtype=float) for parts in zip(*blocks)]
{scaling}    for place, size in {small}:
        levels = [part[:, [place]] == np.arange(1, size) for part in (learnt_codes, asked_codes)]
        both = [np.concatenate(parts, axis=1) for parts in zip(both, levels)]
    return [part.astype(np.float32) for part in both]
'''

LARGE_SAID = " average targets for the levels of large categories and, of others,"
LARGE = """    large = [place for place, size in enumerate(sizes) if size > ONE_HOT_UP_TO]
    for place in large:
        blocks.append(averages(learnt_codes[:, place], asked_codes[:, place], sizes[place], targets))
"""
SMALL = "[(place, size) for place, size in enumerate(sizes) if place not in large]"

AVERAGES = '''
def averages(learnt, asked, size, targets):
    """What the target is on average for a category's level, as if each had been seen ten times more with the mean of
    all; for training rows learnt from the other four fifths of them. Then the logarithm of how often it was seen."""

    def smoothed(rows):
        counts = np.bincount(learnt[rows], minlength=size)
        sums = np.stack([np.bincount(learnt[rows], goal[rows], minlength=size) for goal in goals.T], axis=1)
        mean = sums.sum(axis=0) / max(counts.sum(), 1)
        return (sums + 10 * mean) / (counts[:, None] + 10), counts

    goals = {goals}
    known, counts = smoothed(np.arange(len(learnt)))
    fifth = np.random.default_rng(0).permutation(len(learnt)) % 5
    own = known[learnt]
    for number in range(5):
        own[fifth == number] = smoothed(np.flatnonzero(fifth != number))[0][learnt[fifth == number]]
    seen = np.log1p(counts)[:, None]
    return np.concatenate([own, seen[learnt]], axis=1), np.concatenate([known[asked], seen[asked]], axis=1)
'''

GOALS_OF_CLASSES = "(targets[:, None] == np.arange(1 if len(CLASSES) == 2 else 0, len(CLASSES))).astype(float)"
GOALS_OF_A_NUMBER = "((targets - targets.mean()) / targets.std())[:, None]"

RANKED = '''
def ranks(learnt, asked):
    """The share of training rows below, linear between 65 quantiles; the middle of the shares where many are equal."""
    shares = np.linspace(0, 1, 65)
    quantiles = np.quantile(learnt[:: 1 + len(learnt) // 50_000], shares, axis=0)
    both = [np.empty_like(learnt), np.empty_like(asked)]
    for place, column in enumerate(quantiles.T):
        distinct, first, count = np.unique(column, return_index=True, return_counts=True)
        below = (shares[first] + shares[first + count - 1]) / 2
        for part, given in zip(both, (learnt, asked)):
            part[:, place] = np.interp(given[:, place], distinct, below)
    return both
'''

STANDARD = """    centre, scale = both[0].mean(axis=0), both[0].std(axis=0)
    scale = np.where(scale <= 1e-9 * np.maximum(np.abs(centre), 1e-9), 1, scale)
    both = [np.clip((part - centre) / scale, -10, 10) for part in both]
"""

CALIBRATED = '''
def calibrated(chances, temperature):
    """Less certain above 1, more certain below (Guo et al., 2017). The race fitted the temperature on rows that it had
    held out of the training rows."""
    powers = np.maximum(chances, 1e-7) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
'''
