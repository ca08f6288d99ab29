"""A script in packetdrill's language, read into events.

Covers what scripts of TCP and MPTCP use: options lines, packets both ways with TCP options, ICMP
errors, system calls with results, shell commands, %{ }% blocks.
"""

import re


class ScriptError(Exception):
    pass


class Event:
    """kind: in, out, call, shell, code. `at`: (mode, start, end), mode '+', '' (absolute) or '*'."""

    def __init__(self, kind, at, line, **fields):
        self.kind, self.at, self.line = kind, at, line
        self.__dict__.update(fields)


NUMBER = r"(\d+\.\d*|\.\d+|\d+)"
TIME = re.compile(r"\s*(?:(\*)|(\+?)\s*%s(?:\s*(~|\.\.\.)\s*(\+?)%s)?)(?=[\s%%`<>a-z])" %
                  (NUMBER, NUMBER))
SEGMENT = re.compile(r"\s*(?:\((?P<note>[^)]*)\)\s*)?(?:\[(?P<ip>[a-z0-9, ]+)\]\s*)?"
                     r"(?:addr\[(?P<from>\w+)\]\s*)?(?P<arrow>>\s*addr\[(?P<to>\w+)\]\s*)?"
                     r"(?P<flags>[FSRPWEU.]+|-)\s+(?P<seq>\d+):(?P<end>\d+)\((?P<len>\d+)\)\s*"
                     r"(?:ack\s+(?P<ack>\d+)\s*)?(?:win\s+(?P<win>\d+)\s*)?"
                     r"(?:urg\s+(?P<urg>\d+)\s*)?(?P<options><.*>)?\s*$", re.S)
QUOTED = r"\[(?P<%sseq>\d+):(?P<%send>\d+)(?:\((?P<%slen>\d+)\))?\]"  # before it or behind
ICMP = re.compile(r"\s*(?:" + QUOTED.replace("%s", "first_") + r"\s*)?icmp\s+"
                  r"(?:unreachable\s+)?(?P<name>\w+)?(?:\s+mtu\s+(?P<mtu>\d+))?\s*"
                  r"(?:" + QUOTED.replace("%s", "") + r")?\s*$")


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"(?m)(^|[\s])//.*$", r"\1", text)


def read(text):
    """(options, events)."""
    text = strip_comments(text)
    options, events, place = [], [], 0
    while place < len(text):
        blank = re.compile(r"\s+").match(text, place)
        if blank:
            place = blank.end()
            continue
        line = text.count("\n", 0, place) + 1
        option = re.compile(r"--(\w+)(?:=(\S+))?").match(text, place)
        if option and not events:
            options.append((option.group(1), option.group(2) or "1"))
            place = option.end()
            continue
        place = read_event(text, place, line, events)
    return options, events


def read_event(text, place, line, events):
    at = ("+", 0.0, None)
    if text[place] not in "`%":
        time = TIME.match(text, place)
        if not time:
            raise ScriptError("line %d: no time: %r" % (line, text[place:place + 40]))
        if time.group(1):
            at = ("*", 0.0, None)
        else:
            end = float(time.group(6)) if time.group(6) else None
            at = (time.group(2), float(time.group(3)), end)
        place = time.end()
        place = re.compile(r"\s*").match(text, place).end()
    if text[place] == "`":
        stop = text.index("`", place + 1)
        events.append(Event("shell", at, line, command=text[place + 1:stop]))
        return stop + 1
    if text.startswith("%{", place):
        stop = text.index("}%", place)
        events.append(Event("code", at, line, text=text[place + 2:stop]))
        return stop + 2
    if text[place] in "<>":
        stop = text.find("\n", place + 1)
        stop = len(text) if stop < 0 else stop
        events.append(read_packet(text[place], text[place + 1:stop], at, line))
        return stop
    return read_call(text, place, at, line, events)


def read_packet(direction, body, at, line):
    kind = "in" if direction == "<" else "out"
    icmp = ICMP.match(body)
    if icmp:
        told = icmp.groupdict()
        told["seq"] = told["seq"] or told["first_seq"]
        return Event(kind, at, line, icmp=told, text=body.strip())
    segment = SEGMENT.match(body)
    if not segment:
        raise ScriptError("line %d: not a packet: %s" % (line, body.strip()))
    fields = segment.groupdict()
    options = fields.pop("options")
    fields.update(read_ip(fields.pop("ip"), line))
    return Event(kind, at, line, icmp=None, text=body.strip(), segment=fields,
                 options=None if options is None else options.strip()[1:-1].strip())


def read_ip(text, line):
    """What a script says of the IP header, in brackets before the segment."""
    told = {"ecn": None, "tos": None, "ttl": None}
    for part in (text or "").split(","):
        words = part.split()
        if len(words) == 2 and words[0] in ("tos", "ttl"):
            told[words[0]] = int(words[1], 0)
        elif len(words) == 1 and words[0] in ("noecn", "ect0", "ect1", "ect01", "ce"):
            told["ecn"] = words[0]
        elif words:
            raise ScriptError("line %d: not of the IP header: %s" % (line, part))
    return told


def closing(text, place):
    """The place behind the bracket that closes the one at `place`."""
    depth, quoted = 0, False
    while place < len(text):
        c = text[place]
        if c == '"' and text[place - 1] != "\\":
            quoted = not quoted
        elif not quoted and c in "([{":
            depth += 1
        elif not quoted and c in ")]}":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    raise ScriptError("a bracket is not closed")


RESULT = re.compile(r"\s*=\s*(-?(?:0x[0-9a-fA-F]+|\d+)|\.\.\.)[ \t]*(E[A-Z]+)?[ \t]*(\([^)\n]*\))?")


def read_call(text, place, at, line, events):
    name = re.compile(r"(\w+)\s*").match(text, place)
    if not name or text[name.end()] != "(":
        raise ScriptError("line %d: not an event: %r" % (line, text[place:place + 40]))
    stop = closing(text, name.end())
    arguments = split(text[name.end() + 1:stop - 1])
    result = RESULT.match(text, stop)
    if not result:
        raise ScriptError("line %d: no result" % line)
    expected = None if result.group(1) == "..." else int(result.group(1), 0)
    events.append(Event("call", at, line, name=name.group(1), arguments=arguments,
                        expected=expected, errno=result.group(2)))
    return result.end()


def split(text, by=","):
    """Parts of a list, brackets and quotes respected."""
    out, start, place = [], 0, 0
    while place < len(text):
        if text[place] == '"':
            place = text.index('"', place + 1)
        elif text[place] in "([{":
            place = closing(text, place) - 1
        elif text[place] == by:
            out.append(text[start:place].strip())
            start = place + 1
        place += 1
    last = text[start:].strip()
    return out + [last] if last or out else out
