"""Conditions and data made at random from a seed: what rules have, and what nobody would write."""

import random

TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "0",
    "1",
    "2",
    "10",
    " 1 ",
    "1.5",
    "1e1",
    "12px",
    "x",
    "é",
    "😀",
    "\ud83d",
    "\ude00",
    "\uffff",
    "chrome",
    "length",
    "NaN",
]
NUMBERS = [0, 1, 2, -1, 10, 1.5, -0.0, 33.33, 1e21, 2**53, 2**53 + 1, -(2**60), float("nan"), float("inf"), 10**400]
KEYS = [
    "allocation", "current_day", "current_timestamp", "current_time", "page.domain", "page.url_lc",
    "user.browserVersion", "mbox.a", "mbox.b", "mbox.a.b", "mbox.a.b.c", "mbox.l", "mbox.l.0", "mbox.l.length",
    "mbox.a.0", "mbox.length", "geo.country", "geo", "page", "nothing", "nothing.at.all", "a.b.c.d.e.f.g.h.i.j", "",
    ".", "a..b", "__class__", "mbox.__proto__", "0", 1, 1.5, True, None,
]  # fmt: skip
STRICT = [
    "==",
    "!=",
    "===",
    "!==",
    "<",
    "<=",
    ">",
    ">=",
    "!",
    "!!",
    "in",
    "cat",
    "substr",
    "+",
    "*",
    "-",
    "/",
    "%",
    "min",
    "max",
    "merge",
    "log",
]
LAZY = ["and", "or", "if", "?:"]
READING = ["missing", "missing_some"]
LOOPS = ["map", "filter", "reduce", "all", "some", "none"]


class Generator:
    def __init__(self, seed, loops=False):
        self.pick = random.Random(seed)
        self.loops = loops

    def literal(self):
        return self.pick.choice(
            [self.text, self.text, self.number, self.number, lambda: True, lambda: False, lambda: None]
        )()

    def text(self):
        return self.pick.choice(TEXTS)

    def number(self):
        return self.pick.choice(NUMBERS)

    def usual(self):
        """A comparison as rules have it."""
        var, literal = {"var": self.pick.choice(KEYS)}, self.literal()
        operator = self.pick.choice(["==", "!=", "===", "!==", "<", "<=", ">", ">=", "in"])
        sides = [var, literal]
        self.pick.shuffle(sides)
        if operator == "in" and self.pick.random() < 0.5:
            return {"in": [var, [self.text() for _ in range(self.pick.randrange(4))]]}
        if operator in ("<", "<=") and self.pick.random() < 0.3:
            return {operator: [literal, var, self.literal()]}
        return {operator: sides}

    def condition(self, depth=3):
        kind = self.pick.random()
        if depth == 0 or kind < 0.15:
            return self.pick.choice(
                [self.literal, self.var, lambda: [self.literal()], dict, lambda: {"a": 1, "b": {"var": "x"}}]
            )()
        if kind < 0.5:
            return self.usual()
        names = STRICT + LAZY * 5 + READING + (LOOPS * 3 if self.loops else [])
        name = self.pick.choice(names)
        count = self.pick.choice([0, 1, 2, 2, 2, 3, 3, 4])
        arguments = [self.condition(depth - 1) for _ in range(count)]
        if name in READING and self.pick.random() < 0.7:
            arguments = [[self.pick.choice(KEYS) for _ in range(count)]]
            arguments = [self.number(), *arguments] if name == "missing_some" else arguments
        return {name: arguments[0] if count == 1 and self.pick.random() < 0.3 else arguments}

    def var(self):
        key = self.condition(1) if self.pick.random() < 0.1 else self.pick.choice(KEYS)
        return {"var": self.pick.choice([key, [key], [key, self.literal()], [key, self.condition(1)]])}

    def value(self, depth=3):
        kind = self.pick.random()
        if depth == 0 or kind < 0.75:
            return self.literal()
        if kind < 0.85:
            return [self.value(depth - 1) for _ in range(self.pick.randrange(4))]
        return {
            name: self.value(depth - 1)
            for name in self.pick.sample(["a", "b", "c", "0", "", "length"], self.pick.randrange(4))
        }

    def data(self):
        """Mostly what the engine gives, now and then something else at any place."""
        pick = self.pick
        usual = {
            "allocation": pick.choice([0, 12.5, 33.33, 99.99, 1]),
            "current_day": pick.randrange(1, 8),
            "current_timestamp": 1_700_000_000_000,
            "current_time": pick.choice(["0000", "1200", "2359"]),
            "page": {"domain": self.text(), "url_lc": self.text()},
            "user": {"browserVersion": pick.choice([-1, 100])},
            "geo": {"country": self.text()} if pick.random() < 0.5 else {},
            "mbox": {name: self.value() for name in pick.sample(["a", "b", "l", "length", ""], pick.randrange(5))},
        }
        for name in list(usual):
            if pick.random() < 0.1:
                usual[name] = self.value()
            elif pick.random() < 0.05:
                del usual[name]
        return usual if pick.random() < 0.97 else self.value()
