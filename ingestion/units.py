"""Units of readings: from the one a source used to the one the ontology declares.

Names are those of DTDL's quantitative types extension; symbols that sources commonly send are
understood too. A unit converts only within its quantity: value * factor + offset in the base unit.
Factors are exact by definition (SI brochure, 9th edition; NIST SP 811, appendix B).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_Scale = tuple[str, float, float]


def _of(quantity: str, **factors: float) -> dict[str, _Scale]:
    return {name: (quantity, factor, 0.0) for name, factor in factors.items()}


_UNITS: Mapping[str, _Scale] = MappingProxyType(
    {
        "kelvin": ("temperature", 1.0, 0.0),
        "degreeCelsius": ("temperature", 1.0, 273.15),
        "degreeFahrenheit": ("temperature", 5 / 9, 459.67 * 5 / 9),
        **_of(
            "pressure",
            pascal=1.0,
            kilopascal=1e3,
            bar=1e5,
            millibar=1e2,
            poundPerSquareInch=6894.757293168361,
            inchesOfMercury=3386.389,
            inchesOfWater=249.08891,
            millimetresOfMercury=133.322387415,
        ),
        **_of("length", metre=1.0, centimetre=1e-2, millimetre=1e-3, micrometre=1e-6)
        | _of("length", nanometre=1e-9, kilometre=1e3, foot=0.3048, inch=0.0254, mile=1609.344)
        | _of("length", nauticalMile=1852.0),
        **_of("power", watt=1.0, milliwatt=1e-3, microwatt=1e-6, kilowatt=1e3, megawatt=1e6)
        | _of("power", gigawatt=1e9, horsepower=745.6998715822702),
        **_of("energy", joule=1.0, kilojoule=1e3, megajoule=1e6, gigajoule=1e9)
        | _of("energy", wattHour=3.6e3, kilowattHour=3.6e6, electronvolt=1.602176634e-19),
        **_of("flow", cubicMetrePerSecond=1.0, litrePerSecond=1e-3)
        | _of("flow", litrePerMinute=1e-3 / 60, litrePerHour=1e-3 / 3600)
        | _of("flow", cubicMetrePerMinute=1 / 60, cubicMetrePerHour=1 / 3600)
        | _of("flow", cubicFootPerMinute=0.3048**3 / 60, gallonPerMinute=3.785411784e-3 / 60)
        | _of("flow", gallonPerHour=3.785411784e-3 / 3600, millilitrePerSecond=1e-6)
        | _of("flow", millilitrePerMinute=1e-6 / 60),
        **_of("mass", kilogram=1.0, gram=1e-3, milligram=1e-6, microgram=1e-9, tonne=1e3),
        **_of("massFlow", kilogramPerSecond=1.0, gramPerSecond=1e-3, gramPerHour=1e-3 / 3600)
        | _of("massFlow", kilogramPerHour=1 / 3600, tonnePerHour=1 / 3.6),
        **_of("time", second=1.0, millisecond=1e-3, microsecond=1e-6, nanosecond=1e-9)
        | _of("time", minute=60.0, hour=3600.0, day=86400.0, year=31_557_600.0),
        **_of("voltage", volt=1.0, millivolt=1e-3, microvolt=1e-6, kilovolt=1e3, megavolt=1e6),
        **_of("current", ampere=1.0, milliampere=1e-3, microampere=1e-6),
        **_of("frequency", hertz=1.0, kilohertz=1e3, megahertz=1e6, gigahertz=1e9),
        **_of("velocity", metrePerSecond=1.0, metrePerHour=1 / 3600, centimetrePerSecond=1e-2)
        | _of("velocity", kilometrePerHour=1 / 3.6, kilometrePerSecond=1e3)
        | _of("velocity", milePerHour=0.44704, milePerSecond=1609.344, knot=1852 / 3600),
        **_of("volume", cubicMetre=1.0, litre=1e-3, millilitre=1e-6, cubicCentimetre=1e-6)
        | _of("volume", cubicFoot=0.3048**3, cubicInch=0.0254**3, gallon=3.785411784e-3)
        | _of("volume", fluidOunce=29.5735295625e-6),
        **_of("ratio", unity=1.0, percent=1e-2),
        **_of("angularVelocity", radianPerSecond=1.0, degreePerSecond=0.017453292519943295)
        | _of("angularVelocity", revolutionPerSecond=6.283185307179586)
        | _of("angularVelocity", revolutionPerMinute=0.10471975511965977),
    }
)
_SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        "K": "kelvin",
        "C": "degreeCelsius",
        "°C": "degreeCelsius",
        "degC": "degreeCelsius",
        "F": "degreeFahrenheit",
        "°F": "degreeFahrenheit",
        "degF": "degreeFahrenheit",
        "Pa": "pascal",
        "kPa": "kilopascal",
        "bar": "bar",
        "mbar": "millibar",
        "psi": "poundPerSquareInch",
        "m": "metre",
        "cm": "centimetre",
        "mm": "millimetre",
        "km": "kilometre",
        "ft": "foot",
        "in": "inch",
        "W": "watt",
        "kW": "kilowatt",
        "MW": "megawatt",
        "J": "joule",
        "kJ": "kilojoule",
        "Wh": "wattHour",
        "kWh": "kilowattHour",
        "m3/s": "cubicMetrePerSecond",
        "m³/s": "cubicMetrePerSecond",
        "m3/h": "cubicMetrePerHour",
        "m³/h": "cubicMetrePerHour",
        "l/s": "litrePerSecond",
        "L/s": "litrePerSecond",
        "l/min": "litrePerMinute",
        "L/min": "litrePerMinute",
        "kg": "kilogram",
        "g": "gram",
        "t": "tonne",
        "kg/s": "kilogramPerSecond",
        "kg/h": "kilogramPerHour",
        "s": "second",
        "ms": "millisecond",
        "min": "minute",
        "h": "hour",
        "V": "volt",
        "mV": "millivolt",
        "kV": "kilovolt",
        "A": "ampere",
        "mA": "milliampere",
        "Hz": "hertz",
        "kHz": "kilohertz",
        "m/s": "metrePerSecond",
        "km/h": "kilometrePerHour",
        "m3": "cubicMetre",
        "m³": "cubicMetre",
        "l": "litre",
        "L": "litre",
        "%": "percent",
        "rpm": "revolutionPerMinute",
    }
)


def converter(given: str, declared: str | None) -> tuple[float, float] | None:
    """(factor, offset) that turn a value in `given` into one in `declared`; None where that cannot
    be done, because a unit is unknown or they measure different things.
    """
    if declared is None:
        return None
    given = _SYMBOLS.get(given, given)
    if given == declared:
        return 1.0, 0.0
    one, other = _UNITS.get(given), _UNITS.get(declared)
    if one is None or other is None or one[0] != other[0]:
        return None
    return one[1] / other[1], (one[2] - other[2]) / other[1]
