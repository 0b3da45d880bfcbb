"""The language in which a metric computes the property that it measures (metering §3): parse, evaluate, render."""

from tallymark.domain.expressions.evaluate import EvaluationFailed, Facts, evaluate, result_text
from tallymark.domain.expressions.model import Expression
from tallymark.domain.expressions.parse import InvalidExpression, parse_expression
from tallymark.domain.expressions.render import render
from tallymark.domain.expressions.values import NumericText, Property, read_text

__all__ = [
    "EvaluationFailed",
    "Expression",
    "Facts",
    "InvalidExpression",
    "NumericText",
    "Property",
    "evaluate",
    "parse_expression",
    "read_text",
    "render",
    "result_text",
]
