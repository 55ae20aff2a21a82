"""CloudWatch Logs of training jobs and endpoints."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from sagehound.api.context import Context
from sagehound.api.filter_pattern import filter_pattern
from sagehound.api.lists import cursor, token
from sagehound.api.log_events import PAGE, Hit, Position, Wanted, Window, backwards, forwards, matches
from sagehound.api.log_streams import Stream, stream, streams
from sagehound.errors import InvalidInput
from sagehound.jobs.logs import LogLine, log_path, read_lines

_DEFAULT_STREAMS = 50


def describe_streams(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """DescribeLogStreams, by name or by the time of the last event; the token is the place in that order."""
    group, prefix = _group(request), request.get("logStreamNamePrefix", "")
    shown = [_described(found, group, context) for found in streams(group, context, prefix)]
    if request.get("orderBy") == "LastEventTime":
        if prefix:
            raise InvalidInput("Cannot order by LastEventTime with a logStreamNamePrefix.")
        shown.sort(key=lambda item: item.get("lastEventTimestamp", 0))
    if request.get("descending"):
        shown.reverse()
    start, limit = _place(request), request.get("limit", _DEFAULT_STREAMS)
    end = start + limit
    return {"logStreams": shown[start:end], "nextToken": token(str(end)) if end < len(shown) else None}


def get_events(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """GetLogEvents. At either end of the stream the token of that direction is the one that was sent."""
    found = stream(_group(request), request["logStreamName"], context)
    window = _window(found, request, _in_time(request))
    return {
        "events": [_event(line) for line in window.lines],
        "nextForwardToken": f"f/{window.end.offset_bytes}/{window.end.index}",
        "nextBackwardToken": f"b/{window.start.offset_bytes}/{window.start.index}",
    }


def filter_events(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """FilterLogEvents: what matches, in the order of time across the streams."""
    wanted, in_time = filter_pattern(request.get("filterPattern", "")), _in_time(request)
    chosen = _chosen(request, context)
    hits, place = matches(
        chosen,
        cursor(request.get("nextToken", "")),
        request.get("limit", PAGE),
        lambda line: in_time(line) and wanted(line.text),
        request.get("startTime", 0),
    )
    return {
        "events": [_hit(hit) for hit in hits],
        "searchedLogStreams": [],
        "nextToken": token(place) if place else None,
    }


def _window(found: Stream, request: dict[str, Any], wanted: Wanted) -> Window:
    limit, given = request.get("limit", PAGE), request.get("nextToken", "")
    match given.split("/"):
        case [""] if request.get("startFromHead"):
            return forwards(found, Position(), limit, wanted)
        case [""]:
            return backwards(found, None, limit, wanted)
        case ["f", offset_bytes, index] if offset_bytes.isdecimal() and index.isdecimal():
            return forwards(found, Position(int(offset_bytes), int(index)), limit, wanted)
        case ["b", offset_bytes, index] if offset_bytes.isdecimal() and index.isdecimal():
            return backwards(found, Position(int(offset_bytes), int(index)), limit, wanted)
    raise InvalidInput("The specified nextToken is invalid.")


def _chosen(request: dict[str, Any], context: Context) -> list[Stream]:
    group, names, prefix = _group(request), request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    if names and prefix:
        raise InvalidInput("send either logStreamNames or logStreamNamePrefix, and not both")
    if names:
        return sorted((stream(group, name, context) for name in names), key=lambda found: found.name)
    return streams(group, context, prefix)


def _group(request: dict[str, Any]) -> str:
    group = request.get("logGroupName") or request.get("logGroupIdentifier", "").split(":log-group:")[-1]
    if not group:
        raise InvalidInput("send logGroupName, e.g. /aws/sagemaker/TrainingJobs")
    return str(group)


def _in_time(request: dict[str, Any]) -> Wanted:
    start_ms, end_ms = request.get("startTime", 0), request.get("endTime")
    return lambda line: line.at_ms >= start_ms and (end_ms is None or line.at_ms < end_ms)


def _place(request: dict[str, Any]) -> int:
    place = cursor(request.get("nextToken", "")) or "0"
    if not place.isdecimal():
        raise InvalidInput("The specified nextToken is invalid.")
    return int(place)


def _described(found: Stream, group: str, context: Context) -> dict[str, Any]:
    settings = context.settings
    first, _ = read_lines(found.folder, found.host, 0, 1)
    name = f"{group}:log-stream:{found.name}"
    return {
        "logStreamName": found.name,
        "creationTime": int(found.created_at * 1000),
        "firstEventTimestamp": first[0].at_ms if first else None,
        "lastEventTimestamp": int(log_path(found.folder, found.host).stat().st_mtime * 1000) if first else None,
        "arn": f"arn:aws:logs:{settings.region}:{settings.account}:log-group:{name}",
        "storedBytes": 0,
    }


def _event(line: LogLine) -> dict[str, Any]:
    return {"timestamp": line.at_ms, "message": line.text or " ", "ingestionTime": line.at_ms}


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "logStreamName": hit.stream.name,
        **_event(hit.line),
        # Clients tell events apart by it: `aws logs tail` shows each id once.
        "eventId": f"{hit.line.at_ms:016d}{crc32(hit.stream.name.encode()):010d}{hit.index:08d}",
    }
