"""What Slack, PagerDuty and Teams take, by their documentation, and of that only what Tailrace means to use:
nothing else may be in it."""

from __future__ import annotations

from typing import Any

_PLAIN = {
    "type": "object",
    "properties": {
        "type": {"const": "plain_text"},
        "text": {"type": "string", "minLength": 1},
        "emoji": {"type": "boolean"},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
_MRKDWN = {
    "type": "object",
    "properties": {
        "type": {"const": "mrkdwn"},
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
        "verbatim": {"type": "boolean"},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
SLACK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40_000},
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "properties": {"type": {"enum": ["header", "section"]}, "text": {"anyOf": [_PLAIN, _MRKDWN]}},
                "required": ["type", "text"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["text", "blocks"],
    "additionalProperties": False,
}
"""docs.slack.dev, Block Kit: "Header block", "Section block". The lengths of texts are checked apart, because
Slack may count them in UTF-16."""

PAGERDUTY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "routing_key": {"type": "string", "pattern": "^[A-Za-z0-9]{32}$"},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
        "payload": {
            "type": "object",
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "source": {"type": "string", "minLength": 1},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
                "component": {"type": "string"},
                "group": {"type": "string"},
                "class": {"type": "string"},
                "custom_details": {"type": "object"},
            },
            "required": ["summary", "source", "severity"],
            "additionalProperties": False,
        },
        "client": {"type": "string"},
        "client_url": {"type": "string", "pattern": "^https?://"},
        "links": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "href": {"type": "string", "pattern": "^https?://"},
                    "text": {"type": "string"},
                },
                "required": ["href"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["routing_key", "event_action", "dedup_key"],
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
    "additionalProperties": False,
}
"""developer.pagerduty.com, Events API v2: "Send an Alert Event"."""

_RUN = {
    "type": "object",
    "properties": {
        "type": {"const": "TextRun"},
        "text": {"type": "string"},
        "weight": {"enum": ["Lighter", "Default", "Bolder"]},
        "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
TEAMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": {
                        "type": "object",
                        "properties": {
                            "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
                            "type": {"const": "AdaptiveCard"},
                            "version": {"const": "1.4"},
                            "fallbackText": {"type": "string"},
                            "msteams": {"const": {"width": "Full"}},
                            "body": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "properties": {
                                        "type": {"const": "RichTextBlock"},
                                        "spacing": {"enum": ["Default", "None"]},
                                        "inlines": {"type": "array", "minItems": 1, "items": _RUN},
                                    },
                                    "required": ["type", "inlines"],
                                    "additionalProperties": False,
                                },
                            },
                            "actions": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "properties": {
                                        "type": {"const": "Action.OpenUrl"},
                                        "title": {"type": "string"},
                                        "url": {"type": "string", "pattern": "^https?://"},
                                    },
                                    "required": ["type", "title", "url"],
                                    "additionalProperties": False,
                                },
                            },
                        },
                        "required": ["$schema", "type", "version", "body"],
                        "additionalProperties": False,
                    },
                },
                "required": ["contentType", "contentUrl", "content"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "attachments"],
    "additionalProperties": False,
}
"""learn.microsoft.com, "Create an Incoming Webhook"; adaptivecards.io, version 1.4."""
