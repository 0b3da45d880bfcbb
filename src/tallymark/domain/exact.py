"""Exact numbers: the fractions in which everything is computed until a named line rounds it.

They are the standard library's to the letter, compiled: a tenth of the time, where a bill has hundreds of sums.
"""

from fractions import Fraction as _Standard
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the compiled ones come without types, and are used alike
    Fraction = _Standard
else:
    import quicktions

    class _OfCompiled(type):
        """Has every compiled fraction be an instance, whatever made it."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, quicktions.Fraction)

    class Fraction(quicktions.Fraction, metaclass=_OfCompiled):
        """What makes a compiled fraction; all that is computed with one is of the compiled type itself.

        Texts are read by the standard library: the compiled reader writes into the one-byte object that all of Python shares when
        it is given a text of one character, and NUL is a digit in the whole process from then on.
        """

        def __new__(cls, numerator: Any = 0, denominator: Any = None) -> quicktions.Fraction:
            """Make a fraction of a number, a text, or two whole numbers."""
            if isinstance(numerator, str):
                numerator, denominator = _Standard(numerator, denominator).as_integer_ratio()
            return quicktions.Fraction(numerator, denominator)


__all__ = ["Fraction"]
