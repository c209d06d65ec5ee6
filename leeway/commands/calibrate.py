"""`leeway calibrate`"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from leeway.errors import LeewayError
from leeway.settings import Settings

from .options import json_option, show

_PRICES = (2_000, 5_000, 10_000, 20_000, 50_000)
_FACTORS = (1.5, 2.0, 3.0)


@click.command("calibrate", short_help="Show what the price of an alarm means for a model.")
@click.argument("deployment")
@click.option("--arl0", "prices", type=click.IntRange(min=100), multiple=True, help="Labelled rows to a false alarm.")
@json_option
def command(deployment: str, prices: Sequence[int], as_json: bool) -> None:
    """Show, for prices of an alarm (labelled rows to one false alarm), the threshold of the concept detector on
    DEPLOYMENT's own reference, and after how many labelled rows it sees errors that are 1.5, 2 and 3 times as frequent.

    \b
    Examples:
      leeway calibrate elec
      leeway calibrate elec --arl0 20000 --arl0 100000
    """
    from monitoring.calibrate import Calibration, odds_of
    from monitoring.queries import Queries

    settings = Settings.read()
    with Queries(settings) as queries:
        profiles = {
            name: queries.profile(name)
            for name, watched in queries.watched().items()
            if deployment in (watched.key, watched.key.rpartition("/")[2])
        }
    if not profiles:
        raise LeewayError(f"no deployment {deployment!r} has answered here: `leeway status` lists the endpoints")
    found = {}
    for name, profile in profiles.items():
        level = None if profile is None else profile.errors
        if level is None:
            found[name] = None
            continue
        priced = [(arl0, Calibration(level, replace(settings, detector_arl0=arl0))) for arl0 in prices or _PRICES]
        found[name] = {
            "level": level.level, "rows": level.rows, "inflation": level.inflation, "block": level.block,
            "preset": settings.detector_preset, "odds": odds_of(settings, level),
            "prices": [
                {"arl0": arl0, "threshold": each.detector.threshold,
                 "delay": {f"x{factor:g}": each.delay(factor) for factor in _FACTORS}}
                for arl0, each in priced
            ],
        }  # fmt: skip
    show(found, as_json, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for name, about in found.items():
        if about is None:
            yield f"{name}: its error level is not known; the first labelled rows set it"
            continue
        yield (
            f"{name}: errs on {about['level']:.2%} of {about['rows']:,} rows, inflation {about['inflation']:.1f}, "
            f"preset {about['preset']}"
        )
        yield f"{'one false alarm in':>20}  {'threshold':>9}  " + "  ".join(
            f"{f'x{f:g} seen after':>16}" for f in _FACTORS
        )
        for price in about["prices"]:
            delays = "  ".join(f"{delay:11,.0f} rows" for delay in price["delay"].values())
            yield f"{price['arl0']:>15,} rows  {price['threshold']:9.2f}  {delays}"
